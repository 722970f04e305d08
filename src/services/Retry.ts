/**
 * Trying again: jittered exponential backoff, bounded in tries and in time, only for errors that may pass. Being rate
 * limited is no failure but a condition; it does not use up tries, and the limiter decides when the next one is made.
 */
import { Clock, Context, Duration, Effect, Random } from "effect"
import { isTransient, type ModelError } from "../domain/ModelError.ts"

/** How calls to models are tried again. */
export const RetryPolicy = Context.Reference("gbrain/RetryPolicy", {
  defaultValue: () => ({
    firstDelay: Duration.seconds(1),
    maxDelay: Duration.seconds(60),
    /** Attempts that failed for another reason than a rate limit, the first included. */
    maxAttempts: 5,
    /** From the first attempt on; no attempt begins later. */
    giveUpAfter: Duration.minutes(5),
    /** The same for calls that are only ever rate limited. */
    giveUpRateLimitedAfter: Duration.minutes(30)
  })
})

/** Full jitter: between half of the delay and the whole, so that fibers that failed together do not return together. */
const jittered = (millis: number) => Effect.map(Random.next, (share) => millis * (0.5 + share / 2))

/**
 * Makes `attempt` until it succeeds, fails for good, or the policy gives up; then fails with its last error. `onRetry` is
 * told of every attempt that will be followed by another.
 */
export const retryTransient = Effect.fnUntraced(function* <A, E, R>(
  attempt: Effect.Effect<A, E | ModelError, R>,
  onRetry: (error: ModelError) => Effect.Effect<void>
) {
  const policy = yield* RetryPolicy
  const startedAt = yield* Clock.currentTimeMillis
  let failures = 0
  for (;;) {
    const result = yield* Effect.result(attempt)
    if (result._tag === "Success") return result.success
    const error = result.failure
    if (!isModelError(error) || !isTransient(error)) return yield* Effect.fail(error)
    const elapsed = (yield* Clock.currentTimeMillis) - startedAt
    const limited = error.reason === "RateLimited"
    if (!limited) failures++
    const patience = limited ? policy.giveUpRateLimitedAfter : policy.giveUpAfter
    // The limiter makes everybody wait out a 429, so there is nothing to add here.
    const backoff = Math.min(
      Duration.toMillis(policy.firstDelay) * 2 ** Math.max(0, failures - 1),
      Duration.toMillis(policy.maxDelay)
    )
    const delay = limited ? 0 : Math.max(yield* jittered(backoff), error.retryAfterMs ?? 0)
    if (failures >= policy.maxAttempts || elapsed + delay > Duration.toMillis(patience))
      return yield* Effect.fail(error)
    yield* onRetry(error)
    if (delay > 0) yield* Effect.sleep(delay)
  }
})

const isModelError = (error: unknown): error is ModelError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "ModelError"
