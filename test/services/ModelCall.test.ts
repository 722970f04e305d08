import { expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ModelError, type ModelErrorReason } from "../../src/domain/ModelError.ts"
import { makeModelCalls } from "../../src/services/ModelCall.ts"
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
