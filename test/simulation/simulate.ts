/**
 * A whole story from a seed: pages, processes that extract from them, and what befalls these. Then calm, in which the work must get
 * done. The program, its combinator, pool, budget, limiter, retry and leases are the real ones; see `World` for what is not.
 */
import {
  Cause,
  Clock,
  Duration,
  Effect,
  Exit,
  Fiber,
  FileSystem,
  Layer,
  Option,
  Path,
  Random,
  References,
  Scope
} from "effect"
import { TestClock } from "effect/testing"
import { PgTypes } from "@effect/sql-pg"
import * as Money from "../../src/domain/Money.ts"
import { extractConversationFacts } from "../../src/programs/extract-conversation-facts/extractConversationFacts.ts"
import { defaultOptions } from "../../src/programs/extract-conversation-facts/options.ts"
import type { ExtractionReport } from "../../src/programs/extract-conversation-facts/report.ts"
import { Budget } from "../../src/services/Budget.ts"
import { ChatModel } from "../../src/services/ChatModel.ts"
import { Database } from "../../src/services/Database.ts"
import { EmbeddingModel } from "../../src/services/EmbeddingModel.ts"
import { FactVectors } from "../../src/services/FactVectors.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { JoinPolicy } from "../../src/services/joinCalls.ts"
import { OpenAi } from "../../src/services/OpenAi.ts"
import { PageLease } from "../../src/services/PageLease.ts"
import { Prices } from "../../src/services/Prices.ts"
import { Progress } from "../../src/services/Progress.ts"
import { RateLimiter } from "../../src/services/RateLimiter.ts"
import { RateShares } from "../../src/services/RateShares.ts"
import { Usage } from "../../src/services/Usage.ts"
import { WorkerPool } from "../../src/services/WorkerPool.ts"
import { conversation } from "../support/extraction.ts"
import { chanceFrom } from "./Chance.ts"
import { brainOf, dimensions, tokenOf } from "./database.ts"
import { chatModel, embeddingModel, factsIn, serversOf } from "./server.ts"
import { check, makeWorld, type Mutation, type SimulatedProcess, violated, type World } from "./World.ts"

/** How a story went: what did not hold, if anything, and what happened in it. */
export interface Story {
  readonly seed: number
  readonly violation: string | undefined
  readonly seen: World["seen"]
}

const hour = 3_600_000

/** Tells the story of a seed. */
export const simulate = (seed: number, mutation: Mutation = "none"): Effect.Effect<Story> =>
  Effect.gen(function* () {
    const chance = chanceFrom(seed)
    const dailyCap = chance.happens(0.3) ? BigInt(chance.between(9, 40)) * 1_000_000_000n : undefined
    const world = makeWorld(chance, mutation, dailyCap)
    writePages(world)
    const stories = yield* Effect.forkChild(chaos(world))
    yield* passTime(stories, 20 * hour)
    world.weather = { statementFails: 0, answerLost: 0, callFails: 0 }
    world.awayUntil = 0
    world.dailyCap = undefined
    const end = yield* Effect.forkChild(calm(world))
    yield* passTime(end, 20 * hour)
    return { seed, violation: world.violation, seen: world.seen }
  }).pipe(
    inStory(seed),
    Effect.catchCause((cause) =>
      Effect.succeed({ seed, violation: `it broke: ${Cause.pretty(cause)}`, seen: noneSeen })
    )
  )

const noneSeen = { statements: 0, calls: 0, commits: 0, joined: 0, fenced: 0, kills: 0 }

const passTime = Effect.fnUntraced(function* <A>(fiber: Fiber.Fiber<A>, most: number) {
  for (let passed = 0; fiber.pollUnsafe() === undefined; passed += 60_000) {
    if (passed > most) return yield* Effect.die(new Error("nothing comes to an end"))
    yield* TestClock.adjust("1 minute")
  }
  return yield* Fiber.join(fiber)
})

const textOf = (id: number, version: number, chance: World["chance"]) =>
  conversation(`page${id}-v${version}`, chance.between(2, 4), chance.between(1, 3))

const writePages = (world: World) => {
  const count = world.chance.between(1, 6)
  for (let id = 1; id <= count; id++) {
    world.pages.set(id, {
      id,
      slug: `conversations/page${id}`,
      body: textOf(id, 1, world.chance),
      version: 1,
      deleted: false,
      facts: [],
      mark: undefined,
      setAside: undefined
    })
  }
}

interface Started {
  readonly process: SimulatedProcess
  readonly fiber: Fiber.Fiber<Exit.Exit<ExtractionReport, unknown>>
}

const start = Effect.fnUntraced(function* (world: World, cap: bigint, workers: number) {
  const process: SimulatedProcess = {
    pid: 100 + world.processes.size,
    host: world.chance.pick(["here", "there"]),
    workers,
    alive: true,
    pausedUntil: 0,
    chatInFlight: 0,
    billed: 0n,
    budget: undefined
  }
  world.processes.set(process.pid, process)
  const run = Effect.ensuring(
    runOf(world, process, Money.fromPico(cap)),
    Effect.sync(() => {
      process.alive = false
    })
  )
  const fiber = yield* Effect.forkScoped(Effect.exit(run))
  return { process, fiber } satisfies Started
})

const runOf = (world: World, process: SimulatedProcess, cap: Money.Money) =>
  Effect.gen(function* () {
    const budget = yield* Budget
    process.budget = () => {
      const { reserved, spent } = Effect.runSync(budget.snapshot)
      return { spent, reserved, cap }
    }
    return yield* Effect.onExit(extractConversationFacts(defaultOptions), () => nothingLeft(world, process))
  }).pipe(
    Effect.provide(processLayer(world, process, cap)),
    Effect.provideService(JoinPolicy, { patience: Duration.millis(world.patience) }),
    Effect.scoped
  )

// When the program is over, however it ended, nothing of it goes on.
const nothingLeft = Effect.fnUntraced(function* (world: World, process: SimulatedProcess) {
  const { reserved } = yield* (yield* Budget).snapshot
  if (reserved !== 0n) violated(world, "money is reserved after the end")
  if ((yield* (yield* WorkerPool).busy) !== 0) violated(world, "a worker is busy after the end")
  if ((yield* (yield* PageLease).held) !== 0) violated(world, "a lease is held after the end")
  if (process.chatInFlight !== 0) violated(world, "a call is in flight after the end")
  check(world)
})

const processLayer = (world: World, process: SimulatedProcess, cap: Money.Money) => {
  const { host, pid, workers } = process
  const isAlive = (other: number) => world.processes.get(other)?.alive ?? false
  return Layer.mergeAll(
    ChatModel.layer({ model: chatModel }),
    FactVectors.layer.pipe(Layer.provideMerge(EmbeddingModel.layer({ model: embeddingModel, dimensions }))),
    Progress.layer
  ).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        Budget.layerLedger({ cap: Option.some(cap) }),
        WorkerPool.layer({ workers }),
        Usage.layer,
        RateLimiter.layer({ maxInFlight: workers * 3 }).pipe(Layer.provide(RateShares.layerAlone))
      )
    ),
    Layer.provide(Layer.succeed(OpenAi, serversOf(world, process))),
    Layer.provideMerge(brainOf(world, process)),
    Layer.provide(
      Layer.succeed(Database, { kind: "postgres", label: `world ${pid}`, types: PgTypes.makeRegistry() })
    ),
    Layer.provide(Layer.succeed(HostProcess, { pid, host, isAlive })),
    Layer.provideMerge(Layer.mergeAll(Prices.layerWith({}), FileSystem.layerNoop({}), Path.layer)),
    Layer.fresh
  )
}

/** How many milliseconds a run of a seed takes to end when it is interrupted at some moment. */
export const interrupted = (
  seed: number
): Effect.Effect<{ readonly millis: number; readonly violation: string | undefined }> =>
  Effect.gen(function* () {
    const chance = chanceFrom(seed)
    const world = makeWorld(chance, "none", undefined)
    writePages(world)
    const story = yield* Effect.forkChild(
      Effect.gen(function* () {
        const { fiber } = yield* start(world, 10n ** 12n, chance.between(1, 8))
        yield* Effect.sleep(chance.between(1, 6_000))
        const before = yield* Clock.currentTimeMillis
        yield* Fiber.interrupt(fiber)
        return (yield* Clock.currentTimeMillis) - before
      })
    )
    const millis = yield* passTime(story, hour)
    if (world.leases.size > 0) violated(world, "a lease is left")
    return { millis, violation: world.violation }
  }).pipe(inStory(seed))

// Time, chance and silence.
const inStory =
  (seed: number) =>
  <A, E>(story: Effect.Effect<A, E, Scope.Scope>) =>
    story.pipe(
      Effect.provide(TestClock.layer()),
      Random.withSeed(String(seed)),
      Effect.provideService(References.MinimumLogLevel, "None"),
      Effect.scoped
    )

/** Processes come and go, and things happen to them, to the database and to the pages. */
const chaos = Effect.fnUntraced(function* (world: World) {
  const { chance } = world
  world.weather = {
    statementFails: chance.pick([0, 0.01, 0.05]),
    answerLost: chance.pick([0, 0.01, 0.05]),
    callFails: chance.pick([0, 0.1, 0.4])
  }
  const started: Array<Started> = []
  const cap = () => BigInt(chance.pick([9, 12, 30, 1_000])) * 1_000_000_000n
  const events = chance.between(1, 8)
  for (let event = 0; event < events; event++) {
    const alive = started.filter(({ process }) => process.alive)
    const unlucky = alive[chance.between(0, alive.length - 1)]
    switch (
      event === 0
        ? "start"
        : chance.pick([
            "start",
            "start",
            "kill",
            "interrupt",
            "pause",
            "sleep through",
            "away",
            "edit",
            "delete"
          ])
    ) {
      case "start":
        started.push(yield* start(world, cap(), chance.between(1, 4)))
        break
      case "kill":
        if (unlucky !== undefined) {
          world.seen.kills++
          unlucky.process.alive = false
          yield* Fiber.interrupt(unlucky.fiber)
        }
        break
      case "interrupt":
        if (unlucky !== undefined) yield* Effect.forkScoped(Fiber.interrupt(unlucky.fiber))
        break
      case "pause":
        if (unlucky !== undefined) {
          unlucky.process.pausedUntil = (yield* Clock.currentTimeMillis) + chance.between(5_000, 400_000)
        }
        break
      case "sleep through":
        // Long enough that its leases expire, and somebody comes to take them.
        if (unlucky !== undefined) {
          unlucky.process.pausedUntil = (yield* Clock.currentTimeMillis) + chance.between(200_000, 400_000)
          yield* Effect.sleep(chance.between(181_000, 200_000))
          started.push(yield* start(world, cap(), chance.between(1, 4)))
        }
        break
      case "away":
        world.awayUntil = (yield* Clock.currentTimeMillis) + chance.between(100, 15_000)
        break
      case "edit":
        edit(world, false)
        break
      case "delete":
        edit(world, true)
        break
    }
    yield* Effect.sleep(chance.pick([10, 100, 1_000, 5_000, 200_000]))
  }
  yield* Effect.forEach(started, ({ fiber }) => Fiber.await(fiber))
})

const edit = (world: World, remove: boolean) => {
  const page = world.pages.get(world.chance.between(1, world.pages.size))
  if (page === undefined) return
  page.version++
  page.deleted = remove
  page.body = textOf(page.id, page.version, world.chance)
}

/** Nothing goes wrong any more: now everything gets done. */
const calm = Effect.fnUntraced(function* (world: World) {
  for (let round = 0; round < 4; round++) {
    const { fiber, process } = yield* start(world, 10n ** 12n, 3)
    const exit = yield* Fiber.join(fiber)
    if ([...world.leases.values()].some(({ pid }) => pid === process.pid)) violated(world, "a lease is left")
    if (!Exit.isSuccess(exit)) return violated(world, `a run in calm broke: ${Cause.pretty(exit.cause)}`)
    const report = exit.value
    if (report.status === "completed" && report.pages_partial === 0) break
    // Those who were killed on another machine are waited for: two minutes, and one of grace.
    yield* Effect.sleep("200 seconds")
  }
  for (const page of world.pages.values()) {
    if (page.deleted) continue
    const said = page.facts.map(({ fact }) => fact).sort()
    const expected = factsIn(page.body).toSorted()
    if (page.setAside === tokenOf(page)) continue
    if (page.mark !== tokenOf(page)) violated(world, `${page.slug} is not done`)
    else if (said.join() !== expected.join())
      violated(world, `${page.slug} has other facts than it says: ${said.join()} / ${expected.join()}`)
  }
})
