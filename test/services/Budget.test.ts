import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option } from "effect"
import * as fc from "fast-check"
import * as Money from "../../src/domain/Money.ts"
import { Budget, make } from "../../src/services/Budget.ts"

const usd = (text: string) => Option.getOrThrow(Money.parseUsd(text))

const budgetOf = (cap: string) => make(Option.some(usd(cap)))

describe("Budget", () => {
  it.effect("charges what was settled and gives the rest of the reservation back", () =>
    Effect.gen(function* () {
      const budget = yield* budgetOf("1")
      const answer = yield* budget.withReservation(usd("0.6"), (settle) =>
        Effect.as(settle(usd("0.25")), "answer")
      )
      expect(answer).toBe("answer")
      expect(yield* budget.snapshot).toMatchObject({ spent: usd("0.25"), reserved: 0n, exhausted: false })
    })
  )

  it.effect("charges the whole reservation when a call fails or is interrupted without settling", () =>
    Effect.gen(function* () {
      const budget = yield* budgetOf("1")
      yield* Effect.exit(budget.withReservation(usd("0.25"), () => Effect.fail("reset")))
      const fiber = yield* Effect.forkChild(budget.withReservation(usd("0.5"), () => Effect.never))
      yield* Effect.yieldNow
      expect((yield* budget.snapshot).reserved).toBe(usd("0.5"))
      yield* Fiber.interrupt(fiber)
      expect(yield* budget.snapshot).toMatchObject({ spent: usd("0.75"), reserved: 0n })
    })
  )

  it.effect("waits for calls in flight rather than refusing, and admits in order of arrival", () =>
    Effect.gen(function* () {
      const budget = yield* budgetOf("1")
      const gate = yield* Deferred.make<void>()
      const order: Array<string> = []
      const first = yield* Effect.forkChild(
        budget.withReservation(usd("0.9"), (settle) =>
          Effect.andThen(Deferred.await(gate), settle(usd("0.1")))
        )
      )
      yield* Effect.yieldNow
      const call = (name: string, worst: string) =>
        Effect.forkChild(
          budget.withReservation(usd(worst), (settle) =>
            Effect.sync(() => order.push(name)).pipe(Effect.andThen(settle(usd("0.1"))))
          )
        )
      const second = yield* call("large", "0.5")
      const third = yield* call("small", "0.05")
      yield* Effect.yieldNow
      expect(order).toEqual([])
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.forEach([first, second, third], Fiber.join)
      expect(order).toEqual(["large", "small"])
      expect((yield* budget.snapshot).spent).toBe(usd("0.3"))
    })
  )

  it.effect("is exhausted only when nothing is in flight and the call still does not fit", () =>
    Effect.gen(function* () {
      const budget = yield* budgetOf("0.5")
      const gate = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(
        budget.withReservation(usd("0.4"), (settle) =>
          Effect.andThen(Deferred.await(gate), settle(usd("0.4")))
        )
      )
      yield* Effect.yieldNow
      const second = yield* Effect.forkChild(
        Effect.exit(budget.withReservation(usd("0.2"), () => Effect.void))
      )
      yield* Effect.yieldNow
      expect((yield* budget.snapshot).exhausted).toBe(false)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      const exit = yield* Fiber.join(second)
      expect(Exit.isFailure(exit)).toBe(true)
      const error = yield* budget.awaitExhausted
      expect(error.message).toContain("--max-cost-usd")
      const small = yield* budget.withReservation(usd("0.1"), (settle) =>
        Effect.as(settle(usd("0.1")), "fits")
      )
      expect(small).toBe("fits")
    })
  )

  it.effect("an interrupted waiter leaves the queue and does not block those behind it", () =>
    Effect.gen(function* () {
      const budget = yield* budgetOf("1")
      const gate = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(
        budget.withReservation(usd("0.5"), (settle) =>
          Effect.andThen(Deferred.await(gate), settle(Money.zero))
        )
      )
      yield* Effect.yieldNow
      const stuck = yield* Effect.forkChild(budget.withReservation(usd("0.9"), () => Effect.void))
      const behind = yield* Effect.forkChild(
        budget.withReservation(usd("0.5"), (settle) => Effect.as(settle(Money.zero), "ran"))
      )
      yield* Effect.yieldNow
      yield* Fiber.interrupt(stuck)
      expect(yield* Fiber.join(behind)).toBe("ran")
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      expect(yield* budget.snapshot).toMatchObject({ spent: 0n, reserved: 0n })
    })
  )

  it.effect("without a cap everything is admitted and still counted", () =>
    Effect.gen(function* () {
      const budget = yield* Budget
      yield* budget.withReservation(usd("1000"), (settle) => settle(usd("900")))
      expect((yield* budget.snapshot).spent).toBe(usd("900"))
    }).pipe(Effect.provide(Budget.layer({ cap: Option.none() })))
  )

  it.effect("spent + reserved never exceeds the cap, for any calls on any interleaving", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.bigInt({ min: 0n, max: 1000n }),
          fc.array(
            fc.record({
              worst: fc.bigInt({ min: 0n, max: 400n }),
              share: fc.integer({ min: 0, max: 100 }),
              end: fc.constantFrom("settle", "fail", "interrupt", "never-settles")
            }),
            { maxLength: 40 }
          ),
          fc.infiniteStream(fc.nat()),
          (cap, calls, chance) =>
            Effect.runPromise(
              Effect.gen(function* () {
                const budget = yield* make(Option.some(Money.fromPico(cap)))
                const gates: Array<Deferred.Deferred<void>> = []
                const check = Effect.map(budget.snapshot, (state) => {
                  expect(state.spent + state.reserved <= cap).toBe(true)
                })
                const fibers = yield* Effect.forEach(calls, (call) =>
                  Effect.gen(function* () {
                    const gate = yield* Deferred.make<void>()
                    gates.push(gate)
                    const actual = Money.fromPico((call.worst * BigInt(call.share)) / 100n)
                    const fiber = yield* Effect.forkChild(
                      Effect.exit(
                        budget.withReservation(Money.fromPico(call.worst), (settle) =>
                          Effect.gen(function* () {
                            yield* check
                            yield* Deferred.await(gate)
                            if (call.end === "fail") return yield* Effect.fail("failed")
                            if (call.end === "settle") yield* settle(actual)
                            yield* check
                          })
                        )
                      )
                    )
                    return { call, fiber }
                  })
                )
                yield* Effect.yieldNow
                yield* check
                const pending = [...gates.entries()]
                while (pending.length > 0) {
                  const [picked] = pending.splice(chance.next().value % pending.length, 1)
                  if (picked === undefined) break
                  const [index, gate] = picked
                  const started = fibers[index]
                  if (started?.call.end === "interrupt") yield* Fiber.interrupt(started.fiber)
                  yield* Deferred.succeed(gate, undefined)
                  yield* Effect.yieldNow
                  yield* check
                }
                yield* Effect.forEach(fibers, ({ fiber }) => Fiber.await(fiber))
                expect((yield* budget.snapshot).reserved).toBe(0n)
              })
            )
        ),
        { numRuns: 300 }
      )
    )
  )
})
