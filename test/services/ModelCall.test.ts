import { expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { ModelError, type ModelErrorReason } from "../../src/domain/ModelError.ts"
import * as Money from "../../src/domain/Money.ts"
import { costOf, priceOf } from "../../src/domain/Prices.ts"
import { Budget } from "../../src/services/Budget.ts"
import { makeModelCalls } from "../../src/services/ModelCall.ts"
import type { FailedAttempt } from "../../src/services/openai/failures.ts"
import { failedAttempt, modelLayer, noLimits } from "../support/models.ts"

const layer = modelLayer({})

/** Calls that end one after another as they are told: answered, or with a reason; the last one's end is that of all further ones. */
const calling = (...ends: ReadonlyArray<ModelErrorReason | "answer">) =>
  Effect.gen(function* () {
    const calls = yield* makeModelCalls
    let attempts = 0
    const attempt = Effect.suspend(() => {
      const end = ends[Math.min(attempts++, ends.length - 1)] ?? "answer"
      return end === "answer" ? Effect.succeed("answer") : Effect.fail(failedAttempt(end))
    })
    const call = calls.make({
      model: "openai:gpt-4.1-mini",
      host: "example.org",
      worst: { inputTokens: 10, outputTokens: 10 },
      attempt,
      usageOf: () => ({ inputTokens: 10, cachedTokens: 0, outputTokens: 10 }),
      limitsOf: () => noLimits
    })
    /** What becomes of a call when there is time for all its attempts. */
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.result(call))
      yield* TestClock.adjust("10 minutes")
      const result = yield* Fiber.join(fiber)
      return result._tag === "Success" ? result.success.answer : reasonOf(result.failure)
    })
  })

const reasonOf = (error: { readonly _tag: string }) =>
  error instanceof ModelError ? `${error.reason}: ${error.message}` : error._tag

it.effect("an address at which nothing ever answered ends the run, in the words of the failure", () =>
  Effect.gen(function* () {
    const call = yield* calling("Unreachable")
    expect(yield* call).toBe("NeverReached: Unreachable")
  }).pipe(Effect.provide(layer))
)

it.effect("an outage costs what meets it, and is over when it is over", () =>
  Effect.gen(function* () {
    const outage = Array.from({ length: 5 }, (): ModelErrorReason => "Unreachable")
    const call = yield* calling("answer", ...outage, "answer")
    expect([yield* call, yield* call, yield* call]).toEqual(["answer", "Unreachable: Unreachable", "answer"])
  }).pipe(Effect.provide(layer))
)

it.effect("who refuses is there", () =>
  Effect.gen(function* () {
    const call = yield* calling("Rejected", "Unreachable")
    expect([yield* call, yield* call]).toEqual(["Rejected: Rejected", "Unreachable: Unreachable"])
  }).pipe(Effect.provide(layer))
)

it.effect("a network that comes up while it is tried is waited for", () =>
  Effect.gen(function* () {
    const call = yield* calling("Unreachable", "Unreachable", "answer")
    expect(yield* call).toBe("answer")
  }).pipe(Effect.provide(layer))
)

/** Calls of `attempt` to one model, and what they have cost so far, as shares of the most that one can. */
const spending = <A>(attempt: Effect.Effect<A, FailedAttempt>, limits = noLimits) =>
  Effect.gen(function* () {
    const calls = yield* makeModelCalls
    const budget = yield* Budget
    const worst = { inputTokens: 1000, outputTokens: 4000 }
    const price = costOf(Option.getOrThrow(priceOf("openai:gpt-4.1-mini", {})), { ...worst, cachedTokens: 0 })
    const share = (amount: Money.Money) => Money.toNumber(amount) / Money.toNumber(price)
    return {
      call: calls.make({
        model: "openai:gpt-4.1-mini",
        host: "example.org",
        worst,
        attempt,
        usageOf: () => ({ inputTokens: 0, cachedTokens: 0, outputTokens: 0 }),
        limitsOf: () => limits
      }),
      money: Effect.map(budget.snapshot, ({ reserved, spent }) => ({
        reserved: Math.round(share(reserved)),
        spent: Math.round(share(spent))
      }))
    }
  })

const capped = modelLayer({}, "5")

it.effect("what is aborted is charged in full, and what waited for its turn costs nothing", () =>
  Effect.gen(function* () {
    let sent = 0
    const { call, money } = yield* spending(
      Effect.suspend(() => {
        sent++
        return Effect.never
      })
    )
    const fibers = yield* Effect.forEach(Array.from({ length: 25 }), () => Effect.forkChild(call))
    yield* TestClock.adjust("1 second")
    expect({ sent, ...(yield* money) }).toEqual({ sent: 10, reserved: 25, spent: 0 })
    yield* Fiber.interruptAll(fibers)
    // The turns that came free went to calls that were interrupted next, and sent nothing either.
    expect({ sent, ...(yield* money) }).toEqual({ sent: 10, reserved: 0, spent: 10 })
  }).pipe(Effect.provide(capped))
)

it.effect("a call that waits out a rate limit costs nothing when it is interrupted", () =>
  Effect.gen(function* () {
    const refused = failedAttempt("RateLimited")
    const { call, money } = yield* spending(
      Effect.fail({ ...refused, limits: { ...noLimits, retryAfterMs: 60_000 } })
    )
    const fibers = yield* Effect.forEach(Array.from({ length: 5 }), () => Effect.forkChild(call))
    yield* TestClock.adjust("1 second")
    expect(yield* money).toEqual({ reserved: 5, spent: 0 })
    yield* Fiber.interruptAll(fibers)
    expect(yield* money).toEqual({ reserved: 0, spent: 0 })
  }).pipe(Effect.provide(capped))
)

it.effect("a call behind a long queue has all its attempts", () =>
  Effect.gen(function* () {
    let attempts = 0
    const threeAMinute = { ...noLimits, requests: { limit: 3, remaining: 0, resetMs: 0 } }
    const others = yield* spending(Effect.sleep("1 second"), threeAMinute)
    yield* Effect.forEach(Array.from({ length: 60 }), () => Effect.forkChild(others.call))
    const last = yield* spending(
      Effect.suspend(() => (++attempts < 4 ? Effect.fail(failedAttempt("Unavailable")) : Effect.void)),
      threeAMinute
    )
    const fiber = yield* Effect.forkChild(last.call)
    yield* TestClock.adjust("2 hours")
    expect(yield* Fiber.join(fiber)).toMatchObject({ answer: undefined })
    expect(attempts).toBe(4)
  }).pipe(Effect.provide(modelLayer({})))
)

it.effect(
  "a provider that asks to be left alone for a day is, and nobody waits for it, nor their money",
  () =>
    Effect.gen(function* () {
      let sent = 0
      const { model, endpoint, message, reason, billed } = failedAttempt("RateLimited").error
      const error = new ModelError({ reason, model, endpoint, message, billed, retryAfterMs: 86_400_000 })
      const { call, money } = yield* spending(
        Effect.suspend(() => {
          sent++
          const limits = { ...noLimits, retryAfterMs: 86_400_000 }
          return Effect.andThen(Effect.sleep("1 second"), Effect.fail({ error, limits }))
        })
      )
      const fibers = yield* Effect.forEach(Array.from({ length: 25 }), () =>
        Effect.forkChild(Effect.flip(call))
      )
      yield* TestClock.adjust("1 minute")
      const ends = fibers.map((fiber) => fiber.pollUnsafe())
      for (const end of ends) {
        expect(end).toMatchObject(
          Exit.succeed({ reason: "RateLimited", message: expect.stringContaining("left alone for ") })
        )
      }
      // Those that were under way together; whoever waited or comes now does not ask.
      expect(sent).toBe(10)
      expect(yield* Effect.flip(call)).toMatchObject({ reason: "RateLimited" })
      expect({ sent, ...(yield* money) }).toEqual({ sent: 10, reserved: 0, spent: 0 })
      // The next day is another.
      yield* TestClock.adjust("25 hours")
      const next = yield* Effect.forkChild(Effect.flip(call))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(next)
      expect(sent).toBe(11)
    }).pipe(Effect.provide(capped))
)
