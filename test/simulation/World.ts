/**
 * The world that simulated processes live in: a database that forgets answers, goes away and comes back, a model's server that
 * bills, and a book of what must always hold, looked at after every step.
 */
import { Clock, Effect } from "effect"
import { SqlError } from "effect/sql"
import type { FactRow } from "../../src/services/FactStore.ts"
import type { Chance } from "./Chance.ts"

/** A page, and what is known of it. */
export interface SimulatedPage {
  readonly id: number
  readonly slug: string
  body: string
  /** Counts edits: its content hash and fingerprint. */
  version: number
  deleted: boolean
  facts: ReadonlyArray<FactRow>
  /** The version token that was marked complete, and the one that was set aside. */
  mark: string | undefined
  setAside: string | undefined
}

/** A lease's row. */
export interface LeaseRow {
  readonly token: string
  readonly pid: number
  readonly host: string
  readonly takenAt: number
  expiresAt: number
  refreshedAt: number
}

/** A process, as the world knows it. */
export interface SimulatedProcess {
  readonly pid: number
  readonly host: string
  readonly workers: number
  alive: boolean
  /** Nothing of the process goes on before this moment: it was stopped. */
  pausedUntil: number
  chatInFlight: number
  /** Picodollars that the server billed it. */
  billed: bigint
  /** What its budget says, once it has one. */
  budget: (() => { readonly spent: bigint; readonly reserved: bigint; readonly cap: bigint }) | undefined
}

/** Rows of the ledger. */
export interface LedgerRow {
  held: bigint
  spent: bigint
  heardAt: number
}

/** How likely things go wrong. */
export interface Weather {
  readonly statementFails: number
  readonly answerLost: number
  readonly callFails: number
}

/** What is broken on purpose, to see whether it is noticed. */
export type Mutation =
  | "none"
  /** A commit does not ask whether the lease is still held. */
  | "no fence"
  /** Answers are not written down. */
  | "no journal"
  /** A commit adds to what is there instead of replacing it. */
  | "facts pile up"
  /** The server bills twice what it tells. */
  | "dear server"
  /** A lease that somebody holds can be taken. */
  | "leases for all"
  /** The ledger does not count what others hold. */
  | "selfish ledger"

/** The world. */
export interface World {
  readonly chance: Chance
  readonly mutation: Mutation
  weather: Weather
  /** In milliseconds: how long a commit takes at most, and how long calls wait for one another. */
  readonly commitTakes: number
  readonly patience: number
  /** The database is away until then. */
  awayUntil: number
  readonly pages: Map<number, SimulatedPage>
  readonly leases: Map<string, LeaseRow>
  readonly answers: Map<string, string>
  readonly vectors: Map<string, Float32Array>
  readonly failures: Map<string, { attempts: number; readonly reason: string }>
  readonly ledger: Map<string, LedgerRow>
  dailyCap: bigint | undefined
  readonly processes: Map<number, SimulatedProcess>
  /** Questions whose answers the database was given to keep, when and by whom. */
  readonly recorded: Map<string, { readonly at: number; readonly pid: number }>
  /** `joined`: transactions that wrote several pages. */
  readonly seen: {
    statements: number
    calls: number
    commits: number
    joined: number
    fenced: number
    kills: number
  }
  nextToken: number
  /** The first thing that did not hold. */
  violation: string | undefined
}

/** A world without pages. */
export const makeWorld = (chance: Chance, mutation: Mutation, dailyCap: bigint | undefined): World => ({
  commitTakes: chance.pick([1, 2_000]),
  patience: chance.pick([25, 3_000]),
  chance,
  mutation,
  weather: { statementFails: 0, answerLost: 0, callFails: 0 },
  awayUntil: 0,
  pages: new Map(),
  leases: new Map(),
  answers: new Map(),
  vectors: new Map(),
  failures: new Map(),
  ledger: new Map(),
  dailyCap,
  processes: new Map(),
  recorded: new Map(),
  seen: { statements: 0, calls: 0, commits: 0, joined: 0, fenced: 0, kills: 0 },
  nextToken: 1,
  violation: undefined
})

/** Notes that something did not hold. Not thrown: a program that outlives defects would outlive it. */
export const violated = (world: World, what: string): void => {
  world.violation ??= what
}

const connectionLost = new SqlError.SqlError({
  reason: new SqlError.ConnectionError({ cause: new Error("the connection was closed") })
})

/** What a process that was killed runs into: it does nothing any more. */
export const killed = (process: SimulatedProcess): Effect.Effect<void> =>
  process.alive ? Effect.void : Effect.die(new Error("this process was killed"))

/** Nothing happens in a process that is stopped. */
export const awake = (process: SimulatedProcess): Effect.Effect<void> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (process.pausedUntil > now) yield* Effect.sleep(process.pausedUntil - now)
    yield* killed(process)
  })

/** One transaction of a process: it takes a moment, may fail before it takes effect, or lose its answer after. */
export const statement = <A>(
  world: World,
  process: SimulatedProcess,
  act: (now: number) => A
): Effect.Effect<A, SqlError.SqlError> =>
  Effect.gen(function* () {
    world.seen.statements++
    yield* killed(process)
    const delay = world.chance.between(-3, 4)
    if (delay > 0) yield* Effect.sleep(delay)
    yield* awake(process)
    const now = yield* Clock.currentTimeMillis
    if (world.awayUntil > now || world.chance.happens(world.weather.statementFails))
      return yield* connectionLost
    const result = act(now)
    check(world)
    if (world.chance.happens(world.weather.answerLost)) return yield* connectionLost
    return result
  })

/** Looks at everything that must hold at every moment. */
export const check = (world: World): void => {
  let billed = 0n
  for (const process of world.processes.values()) {
    billed += process.billed
    if (process.chatInFlight > process.workers) violated(world, "more calls at a time than workers")
    const budget = process.budget?.()
    if (budget === undefined) continue
    if (budget.spent + budget.reserved > budget.cap) violated(world, "spent and reserved beyond the cap")
    if (process.billed > budget.spent + budget.reserved) violated(world, "billed more than was accounted for")
  }
  if (world.dailyCap !== undefined && billed > world.dailyCap) violated(world, "billed beyond the day's cap")
}
