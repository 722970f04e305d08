/**
 * Several processes on one ledger, played on virtual time from seeds: their questions and its answers take time on the way, and they
 * go on spending meanwhile. The budgets, the holdings and the ledger's rule are the real ones.
 */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Context, Effect, Fiber, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import * as Money from "../../src/domain/Money.ts"
import { Budget } from "../../src/services/Budget.ts"
import { decideHold } from "../../src/services/budget/decideHold.ts"
import { Ledger } from "../../src/services/Ledger.ts"
import { type Chance, chanceFrom } from "../simulation/Chance.ts"

interface Row {
  readonly held: Money.Money
  readonly spent: Money.Money
}

/** A brain's ledger, and the way to it. */
interface Brain {
  readonly chance: Chance
  readonly cap: Money.Money
  readonly rows: Map<number, Row>
  /** The milliseconds that a question or an answer may be on its way. */
  readonly slowest: number
}

const sum = (amounts: ReadonlyArray<Money.Money>) =>
  amounts.reduce((all, it) => Money.add(all, it), Money.zero)

const ledgerOf = ({ cap, chance, rows, slowest }: Brain, owner: number) => {
  const travel = Effect.suspend(() => Effect.sleep(chance.between(0, slowest)))
  return Ledger.of({
    capped: true,
    hold: Effect.fnUntraced(function* (asked) {
      yield* travel
      const others = [...rows].filter(([name]) => name !== owner).map(([, row]) => row)
      const today = sum(others.map(({ held }) => held))
      const [spent, committed] = asked.day === "" ? [Money.zero, Money.zero] : [asked.spent, asked.committed]
      const decided = decideHold({
        committed,
        need: asked.need,
        want: asked.want,
        caps: { daily: Option.some(cap), monthly: Option.none(), purse: Option.none() },
        others: {
          today,
          month: today,
          purse: Money.zero,
          unspent: Money.subtract(today, sum(others.map((row) => row.spent))),
          unspentOfPurse: Money.zero
        }
      })
      rows.set(owner, { held: "limit" in decided ? decided.limit : committed, spent })
      yield* travel
      return "limit" in decided
        ? { day: "today", limit: decided.limit, endsAt: Infinity }
        : { ...decided, day: "today" }
    }),
    settle: (_day, spent) => Effect.sync(() => void rows.set(owner, { held: spent, spent }))
  })
}

interface Habits {
  readonly cap: readonly [number, number]
  readonly slowest: number
  readonly workers: number
  readonly worst: number
  readonly pause: number
}

/** What the processes of a seed came to in the end, and what was wrong on the way. */
const play = Effect.fnUntraced(function* (seed: number, habits: Habits) {
  const chance = chanceFrom(seed)
  const brain: Brain = {
    chance,
    cap: Money.fromPico(BigInt(chance.between(...habits.cap))),
    rows: new Map(),
    slowest: chance.between(1, habits.slowest)
  }
  const budgets: Array<Budget["Service"]> = []
  const wrong = new Set<string>()
  const look = Effect.gen(function* () {
    const all = yield* Effect.forEach(budgets, (budget) => budget.snapshot)
    const committed = all.map(({ reserved, spent }) => Money.add(spent, reserved))
    if (sum(committed) > brain.cap) wrong.add("more is committed than the cap")
    for (const [owner, amount] of committed.entries()) {
      if (amount > (brain.rows.get(owner)?.held ?? Money.zero))
        wrong.add("a process commits more than it holds")
    }
  })
  for (let owner = chance.between(2, 3) - 1; owner >= 0; owner--) {
    const layer = Layer.fresh(Budget.layerLedger({ cap: Option.none() }))
    const ledger = Layer.succeed(Ledger, ledgerOf(brain, budgets.length))
    budgets.push(Context.get(yield* Layer.build(Layer.provide(layer, ledger)), Budget))
  }
  const call = (budget: Budget["Service"]) =>
    Effect.gen(function* () {
      yield* Effect.sleep(chance.between(0, habits.pause))
      const worst = chance.between(1, habits.worst)
      const actual = Money.fromPico(BigInt(Math.ceil((worst * chance.between(50, 100)) / 100)))
      yield* budget.withReservation(Money.fromPico(BigInt(worst)), (settle) =>
        look.pipe(
          Effect.andThen(Effect.sleep(chance.between(1, 400))),
          Effect.andThen(settle(actual)),
          Effect.andThen(look)
        )
      )
    })
  const workers: Array<Fiber.Fiber<unknown>> = []
  for (const budget of budgets) {
    for (let worker = chance.between(1, habits.workers); worker > 0; worker--) {
      const work = Effect.delay(Effect.exit(Effect.forever(call(budget))), chance.between(0, 2_000))
      workers.push(yield* Effect.forkChild(work))
    }
  }
  // Until everybody was refused.
  while (workers.some((worker) => worker.pollUnsafe() === undefined)) {
    if ((yield* Clock.currentTimeMillis) > 3_600_000) wrong.add("nothing comes to an end")
    if (wrong.size > 0) break
    yield* TestClock.adjust("500 millis")
  }
  yield* look
  const spent = sum((yield* Effect.forEach(budgets, (budget) => budget.snapshot)).map((it) => it.spent))
  // The last to be refused could not pay for one more call, nor for what it gave back for the others.
  if (Money.subtract(brain.cap, spent) > BigInt(habits.worst * budgets.length)) wrong.add("money is left")
  return [...wrong]
})

const seedsUpTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe("processes that hold money of one ledger", () => {
  const promise = (name: string, seeds: number, habits: Habits) =>
    it.effect(name, () =>
      Effect.gen(function* () {
        const broken = yield* Effect.forEach(seedsUpTo(seeds), (seed) =>
          play(seed, habits).pipe(
            Effect.scoped,
            Effect.provide(TestClock.layer()),
            Effect.map((wrong) => (wrong.length === 0 ? [] : [`seed ${seed}: ${wrong.join(", ")}`]))
          )
        )
        expect(broken.flat()).toEqual([])
      })
    )

  promise("commit no more than they hold, nor together than the cap, when answers are a little late", 100, {
    cap: [1_000, 5_000],
    slowest: 200,
    workers: 8,
    worst: 60,
    pause: 300
  })

  promise("do so too when many calls are made while the ledger is asked", 30, {
    cap: [1_000, 6_000],
    slowest: 1_500,
    workers: 20,
    worst: 12,
    pause: 60
  })
})
