import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ModelError, type ModelErrorReason } from "../../src/domain/ModelError.ts"
import { retryTransient } from "../../src/services/Retry.ts"

const failing = (reason: ModelErrorReason, retryAfterMs?: number) =>
  new ModelError({
    reason,
    model: "m",
    endpoint: "e",
    message: reason,
    billed: "no",
    ...(retryAfterMs === undefined ? {} : { retryAfterMs })
  })

/** Makes attempts that fail with `errors` and then succeed; answers when each was made, and how it ended. */
const attempt = (errors: ReadonlyArray<ModelError>, hours = 2) =>
  Effect.gen(function* () {
    const times: Array<number> = []
    const one = Effect.gen(function* () {
      times.push(yield* Clock.currentTimeMillis)
      const error = errors[times.length - 1]
      if (error !== undefined) return yield* error
      return "done"
    })
    const fiber = yield* Effect.forkChild(Effect.exit(retryTransient(one, () => Effect.void)))
    yield* TestClock.adjust(`${hours} hours`)
    return { times, exit: yield* Fiber.join(fiber) }
  })

describe("retryTransient", () => {
  it.effect("tries again what may pass, five times at most, with growing and jittered pauses", () =>
    Effect.gen(function* () {
      const { exit, times } = yield* attempt(Array.from({ length: 10 }, () => failing("Unavailable")))
      expect(times).toHaveLength(5)
      expect(Exit.isFailure(exit)).toBe(true)
      const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0))
      for (const [index, pause] of pauses.entries()) {
        expect(pause).toBeGreaterThanOrEqual(500 * 2 ** index)
        expect(pause).toBeLessThanOrEqual(1000 * 2 ** index)
      }
    })
  )

  it.effect("never tries again what cannot pass", () =>
    Effect.gen(function* () {
      for (const reason of [
        "Unauthorized",
        "QuotaExhausted",
        "UnknownModel",
        "Rejected",
        "Refused",
        "ContextTooLong"
      ] as const) {
        expect((yield* attempt([failing(reason)])).times).toHaveLength(1)
      }
    })
  )

  it.effect("a rate limit uses up no tries, but not patience without end", () =>
    Effect.gen(function* () {
      const patient = yield* attempt(Array.from({ length: 50 }, () => failing("RateLimited")))
      expect(patient.times).toHaveLength(51)
      expect(Exit.isSuccess(patient.exit)).toBe(true)
    })
  )

  it.effect("waits at least as long as the provider asks", () =>
    Effect.gen(function* () {
      const { times } = yield* attempt([failing("Unavailable", 40_000)])
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(40_000)
    })
  )
})
