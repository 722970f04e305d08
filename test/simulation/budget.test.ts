import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option } from "effect"
import * as Money from "../../src/domain/Money.ts"
import { make } from "../../src/services/Budget.ts"
import { chanceFrom } from "./Chance.ts"

/** One order of events from a seed: calls arrive, end in their ways, and are interrupted, in any order. */
const schedule = Effect.fnUntraced(function* (seed: number) {
  const chance = chanceFrom(seed)
  const cap = BigInt(chance.between(0, 1_000))
  const budget = yield* make(Option.some(Money.fromPico(cap)))
  const broken: Array<string> = []
  const look = Effect.map(budget.snapshot, ({ reserved, spent }) => {
    if (spent + reserved > cap) broken.push(`${spent} spent and ${reserved} reserved of ${cap}`)
  })
  let billed = 0n
  const calls: Array<{ readonly fiber: Fiber.Fiber<unknown>; readonly answer: Deferred.Deferred<void> }> = []

  const arrive = Effect.gen(function* () {
    const worst = BigInt(chance.between(0, 400))
    const actual = (worst * BigInt(chance.between(0, 100))) / 100n
    const end = chance.pick(["settles", "settles", "fails", "dies", "says nothing", "settles twice"])
    const answer = yield* Deferred.make<void>()
    const use = (settle: (amount: Money.Money) => Effect.Effect<void>) =>
      Effect.gen(function* () {
        yield* look
        // The server has begun: it may bill, whatever becomes of us.
        billed += end === "settles" || end === "settles twice" ? actual : worst
        yield* Deferred.await(answer)
        if (end === "fails") return yield* Effect.fail("failed")
        if (end === "dies") return yield* Effect.die("died")
        if (end === "says nothing") return
        yield* settle(Money.fromPico(actual))
        if (end === "settles twice") yield* settle(Money.zero)
        yield* look
      })
    const fiber = yield* Effect.forkChild(Effect.exit(budget.withReservation(Money.fromPico(worst), use)))
    calls.push({ fiber, answer })
  })

  for (let event = chance.between(1, 60); event > 0; event--) {
    const call = calls[chance.between(0, Math.max(0, calls.length - 1))]
    switch (
      call === undefined
        ? "arrive"
        : chance.pick(["arrive", "arrive", "answer", "answer", "interrupt", "yield"])
    ) {
      case "arrive":
        yield* arrive
        break
      case "answer":
        if (call !== undefined) yield* Deferred.succeed(call.answer, undefined)
        break
      case "interrupt":
        if (call !== undefined) yield* Fiber.interrupt(call.fiber)
        break
      case "yield":
        yield* Effect.yieldNow
    }
    yield* look
  }
  yield* Effect.forEach(calls, ({ answer }) => Deferred.succeed(answer, undefined))
  yield* Effect.forEach(calls, ({ fiber }) => Fiber.await(fiber))
  const { exhausted, reserved, spent } = yield* budget.snapshot
  if (reserved !== 0n) broken.push(`${reserved} stay reserved`)
  if (billed > spent) broken.push(`${billed} billed, ${spent} spent`)
  return { broken, exhausted, calls: calls.length }
})

describe("a budget, in schedules from seeds", () => {
  for (let from = 1; from <= 12_000; from += 2_000) {
    it.live(`spent + reserved <= cap, and the bill <= spent: seeds ${from} to ${from + 1_999}`, () =>
      Effect.gen(function* () {
        let exhausted = 0
        for (let seed = from; seed < from + 2_000; seed++) {
          const told = yield* schedule(seed)
          if (told.broken.length > 0) expect({ seed, broken: told.broken }).toEqual({ seed, broken: [] })
          if (told.exhausted) exhausted++
        }
        expect(exhausted).toBeGreaterThan(200)
      })
    )
  }

  it.live("a run that is capped leaves less than the price of one call", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 500; seed++) {
        const chance = chanceFrom(seed)
        const cap = Money.fromPico(BigInt(chance.between(1_000, 100_000)))
        const worst = Money.fromPico(BigInt(chance.between(1, 900)))
        const budget = yield* make(Option.some(cap))
        const worker = Effect.forever(
          budget.withReservation(worst, (settle) =>
            Effect.andThen(
              Effect.yieldNow,
              settle(Money.fromPico((worst * BigInt(chance.between(0, 100))) / 100n))
            )
          )
        )
        yield* Effect.forEach(Array.from({ length: chance.between(1, 50) }), () => Effect.flip(worker), {
          concurrency: "unbounded"
        })
        const { spent } = yield* budget.snapshot
        expect(cap - spent).toBeLessThan(worst)
      }
    })
  )
})
