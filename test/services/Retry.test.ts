import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ModelError, type ModelErrorReason } from "../../src/domain/ModelError.ts"
import { CallTimeouts } from "../../src/services/CallTimeouts.ts"
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

/** How long attempts wait before they begin, and how long they take, unless told: no time at all. */
interface Durations {
  readonly waits?: Duration.Input
  readonly takes?: Duration.Input
}

/** Makes attempts that fail with `errors` and then succeed; answers when each began, and how it ended. */
const attempt = (
  errors: ReadonlyArray<ModelError>,
  { takes = 0, waits = 0 }: Durations = {}
): Effect.Effect<{ readonly times: ReadonlyArray<number>; readonly exit: Exit.Exit<string, ModelError> }> =>
  Effect.gen(function* () {
    const times: Array<number> = []
    const one = (began: Effect.Effect<void>) =>
      Effect.gen(function* () {
        yield* Effect.sleep(waits)
        yield* began
        times.push(yield* Clock.currentTimeMillis)
        const error = errors[times.length - 1]
        yield* Effect.sleep(takes)
        if (error !== undefined) return yield* error
        return "done"
      })
    const fiber = yield* Effect.forkChild(Effect.exit(retryTransient(one, () => Effect.void)))
    yield* TestClock.adjust("1 day")
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

  it.effect("what takes as long as a chat may is made again twice", () =>
    Effect.gen(function* () {
      const { chat } = yield* CallTimeouts
      const { exit, times } = yield* attempt(
        Array.from({ length: 10 }, () => failing("TimedOut")),
        { takes: chat }
      )
      expect(times).toHaveLength(3)
      expect(Exit.isFailure(exit)).toBe(true)
    })
  )

  it.effect("waiting for one's turn uses up no patience, before the first attempt and between attempts", () =>
    Effect.gen(function* () {
      const { exit, times } = yield* attempt(
        Array.from({ length: 4 }, () => failing("Unavailable")),
        { waits: "2 hours" }
      )
      expect(times).toHaveLength(5)
      expect(Exit.isSuccess(exit)).toBe(true)
      const limited = yield* attempt([failing("RateLimited", 60_000)], { waits: "20 minutes" })
      expect(limited.times).toHaveLength(2)
    })
  )

  it.effect("is refused for want of allowance for half an hour, and no longer", () =>
    Effect.gen(function* () {
      const errors = Array.from({ length: 100 }, () => failing("RateLimited", 60_000))
      const { exit, times } = yield* attempt(errors, { takes: "1 minute" })
      expect(times).toHaveLength(30)
      expect(Exit.isFailure(exit)).toBe(true)
    })
  )

  it.effect(
    "a provider that asks to wait for longer than anybody does is not waited for, and it is told how long",
    () =>
      Effect.gen(function* () {
        const { exit, times } = yield* attempt([failing("RateLimited", 86_400_000)])
        expect(times).toHaveLength(1)
        expect(exit).toMatchObject(
          Exit.fail({
            reason: "RateLimited",
            retryAfterMs: 86_400_000,
            message: expect.stringContaining("1d")
          })
        )
        expect((yield* attempt([failing("RateLimited", 1_500_000)])).times).toHaveLength(2)
      })
  )

  it.effect("a pause can be interrupted where nothing else can", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        Effect.uninterruptible(
          retryTransient(
            () => Effect.fail(failing("Unavailable")),
            () => Effect.void
          )
        )
      )
      yield* TestClock.adjust("100 millis")
      yield* Fiber.interrupt(fiber)
      expect(fiber.pollUnsafe()).toMatchObject({ _tag: "Failure" })
    })
  )
})
