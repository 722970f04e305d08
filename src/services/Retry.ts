/**
 * Trying again: jittered exponential backoff, bounded in tries and in time, only for errors that may pass. Being rate
 * limited is no failure but a condition; it does not use up tries, and the limiter decides when the next one is made.
 */
import { Clock, Context, Duration, Effect, Random } from "effect"
import { isTransient, ModelError } from "../domain/ModelError.ts"

/** How calls to models are tried again. */
export const RetryPolicy = Context.Reference("gbrain/RetryPolicy", {
  defaultValue: () => ({
    firstDelay: Duration.seconds(1),
    maxDelay: Duration.seconds(60),
    /** Attempts that failed for another reason than a rate limit, the first included. */
    maxAttempts: 5,
    /**
     * What attempts and the pauses between them may take together: after that none follows. The waits for money and for a turn are no
     * part of it. Three times the default of `CallTimeouts` for a chat, so that a call which took all its time is made again twice.
     */
    giveUpAfter: Duration.minutes(15),
    /**
     * The same for calls that are rate limited, from the beginning of the first attempt on, whatever they wait for; a provider that
     * asks to be left alone for longer is not waited for at all.
     */
    giveUpRateLimitedAfter: Duration.minutes(30)
  })
})

/** Full jitter: between half of the delay and the whole, so that fibers that failed together do not return together. */
const jittered = (millis: number) => Effect.map(Random.next, (share) => millis * (0.5 + share / 2))

/**
 * Makes `attempt` until it succeeds, fails for good, or the policy gives up; then fails with its last error. An attempt runs `began`
 * when its waits are over and it begins in truth. `onRetry` is told of every attempt that will be followed by another. In an
 * uninterruptible region only the pauses can be interrupted, and what an attempt itself lets be.
 */
export const retryTransient = Effect.fnUntraced(function* <A, E, R>(
  attempt: (began: Effect.Effect<void>) => Effect.Effect<A, E | ModelError, R>,
  onRetry: (error: ModelError) => Effect.Effect<void>
) {
  const policy = yield* RetryPolicy
  let failures = 0
  let tried = 0
  let firstBeganAt = Infinity
  let lastBeganAt = Infinity
  const began = Effect.map(Clock.currentTimeMillis, (now) => {
    firstBeganAt = Math.min(firstBeganAt, now)
    lastBeganAt = now
  })
  for (;;) {
    lastBeganAt = Infinity
    const result = yield* Effect.result(attempt(began))
    if (result._tag === "Success") return result.success
    const error = result.failure
    if (!(error instanceof ModelError) || !isTransient(error)) return yield* Effect.fail(error)
    const now = yield* Clock.currentTimeMillis
    tried += Math.max(0, now - lastBeganAt)
    const limited = error.reason === "RateLimited"
    if (!limited) failures++
    const asked = error.retryAfterMs ?? 0
    const backoff = Math.min(
      Duration.toMillis(policy.firstDelay) * 2 ** Math.max(0, failures - 1),
      Duration.toMillis(policy.maxDelay)
    )
    const delay = limited ? asked : Math.max(yield* jittered(backoff), asked)
    const passed = limited ? Math.max(0, now - firstBeganAt) : tried
    const patience = Duration.toMillis(limited ? policy.giveUpRateLimitedAfter : policy.giveUpAfter)
    if (failures >= policy.maxAttempts || passed + delay > patience)
      return yield* Effect.fail(limited && asked > patience ? askedToWait(error, asked) : error)
    yield* onRetry(error)
    // The limiter makes everybody wait out a 429, so there is nothing to add here.
    if (limited) continue
    if (delay > 0) yield* Effect.interruptible(Effect.sleep(delay))
    tried += delay
  }
})

// Only a reader can wait that long.
const askedToWait = ({ billed, endpoint, message, model, reason }: ModelError, retryAfterMs: number) =>
  new ModelError({
    reason,
    model,
    endpoint,
    billed,
    retryAfterMs,
    message:
      `${message} It asks to be left alone for ${Duration.format(Duration.seconds(Math.ceil(retryAfterMs / 1000)))}, ` +
      `which is longer than a run waits; run again then: what was paid for is kept.`
  })
