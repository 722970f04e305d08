/**
 * Rate limits obeyed, not discovered. One limiter for each endpoint and model, shared by all fibers: calls wait their turn in
 * order of arrival; a bucket for requests and one for tokens are filled at the rate that the provider's headers tell; after a
 * 429 nobody sends until the pause it asks for is over; and the number of calls in flight halves on a 429 and grows by one
 * for each round of successes (AIMD), up to the number of workers. Waiting is done on one timer, not by polling.
 *
 * `effect/persistence` has a rate limiter too; it decides for each caller separately how long to sleep, so that arrivals
 * overtake each other and a small call slips in before a large one for ever. Order and pauses that hold for all are the point
 * here.
 */
import { Clock, Context, Deferred, Duration, Effect, Layer, Random, Scope } from "effect"
import type { Allowance, RateLimitFacts } from "../domain/RateLimitHeaders.ts"

/** How the limiter behaves where the provider does not say. */
export const RateLimitPolicy = Context.Reference("gbrain/RateLimitPolicy", {
  defaultValue: () => ({
    /** Pause after a 429 without retry-after. Doubles with each further one in a row. */
    defaultPause: Duration.seconds(2),
    maxPause: Duration.minutes(1),
    /** Share of a limit that is used: a little less than all, for clocks and calls that are counted late. */
    use: 0.97,
    /** How much of a minute's allowance may be sent in one burst, in seconds of it. */
    burstSeconds: 1
  })
})

/** What became of a call, as far as limits are concerned. */
export interface CallFeedback {
  readonly outcome: "ok" | "rate-limited" | "other"
  readonly facts: RateLimitFacts | undefined
}

/** How much a call takes. */
export interface PermitRequest {
  /** Which limiter: endpoint and model. */
  readonly key: string
  /** Tokens that the call will use at most, as the provider counts them. */
  readonly tokens: number
}

/** Rate limits. */
export class RateLimiter extends Context.Service<
  RateLimiter,
  {
    /**
     * Runs a call when its turn has come. The call tells what became of it through `feedback`, at most once; a call that ends
     * without telling counts as "other".
     */
    readonly withPermit: (
      request: PermitRequest
    ) => <A, E, R>(
      call: (feedback: (feedback: CallFeedback) => Effect.Effect<void>) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E, R>
  }
>()("gbrain/RateLimiter") {
  /** Limiters that know nothing yet, for at most `maxInFlight` calls at a time. */
  static readonly layer = (options: { readonly maxInFlight: number }) =>
    Layer.effect(
      RateLimiter,
      Effect.gen(function* () {
        const limiters = new Map<string, Limiter>()
        const scope = yield* Effect.scope
        const limiterOf = (key: string) =>
          Effect.suspend(() => {
            const known = limiters.get(key)
            if (known !== undefined) return Effect.succeed(known)
            return Effect.map(makeLimiter(options.maxInFlight), (made) => {
              const raced = limiters.get(key) ?? made
              limiters.set(key, raced)
              return raced
            }).pipe(Effect.provideService(Scope.Scope, scope))
          })
        return RateLimiter.of({
          withPermit: (request) => (call) =>
            Effect.flatMap(limiterOf(request.key), (limiter) => limiter.withPermit(request.tokens, call))
        })
      })
    )
}

interface Limiter {
  readonly withPermit: <A, E, R>(
    tokens: number,
    call: (feedback: (feedback: CallFeedback) => Effect.Effect<void>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
}

interface Turn {
  readonly tokens: number
  readonly granted: Deferred.Deferred<void>
  state: "waiting" | "granted"
}

/** A bucket that fills at a steady rate. Unlimited until a limit is known. */
interface Bucket {
  perMs: number
  capacity: number
  level: number
  at: number
}

const unlimited = (): Bucket => ({ perMs: Infinity, capacity: Infinity, level: Infinity, at: 0 })

const fill = (bucket: Bucket, now: number) => {
  if (bucket.perMs === Infinity) return
  bucket.level = Math.min(bucket.capacity, bucket.level + (now - bucket.at) * bucket.perMs)
  bucket.at = now
}

// A call larger than the whole bucket goes when the bucket is full, and leaves it in debt.
const wait = (bucket: Bucket, amount: number): number => {
  const needed = Math.min(amount, bucket.capacity)
  return bucket.level >= needed ? 0 : Math.ceil((needed - bucket.level) / bucket.perMs)
}

const makeLimiter = Effect.fnUntraced(function* (maxInFlight: number) {
  const policy = yield* RateLimitPolicy
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const requests = unlimited()
  const tokens = unlimited()
  const queue: Array<Turn> = []
  let inFlight = 0
  let window = maxInFlight
  let successes = 0
  let pausedUntil = 0
  let limitedInARow = 0
  let timerRunning = false

  const learn = (bucket: Bucket, allowance: Allowance | undefined, now: number) => {
    if (allowance === undefined) return
    const perMs = (allowance.limit * policy.use) / 60_000
    if (bucket.perMs !== perMs) {
      const capacity = Math.max(1, perMs * 1000 * policy.burstSeconds)
      bucket.level = Math.min(bucket.perMs === Infinity ? capacity : bucket.level, capacity)
      bucket.perMs = perMs
      bucket.capacity = capacity
      bucket.at = now
    }
    // Others use the same allowance: what the provider says is left counts when it is less than we thought.
    if (allowance.remaining < bucket.level) bucket.level = allowance.remaining
  }

  // Runs after every change, synchronously. A turn leaves the queue before it is told: its fiber may run at once.
  const admit: Effect.Effect<void> = Effect.suspend(() => {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      if (inFlight >= window) return Effect.void
      const now = clock.currentTimeMillisUnsafe()
      fill(requests, now)
      fill(tokens, now)
      const delay = Math.max(pausedUntil - now, wait(requests, 1), wait(tokens, next.tokens))
      if (delay > 0) return timerRunning ? Effect.void : schedule(delay)
      queue.shift()
      requests.level -= 1
      tokens.level -= next.tokens
      inFlight++
      next.state = "granted"
      Deferred.doneUnsafe(next.granted, Effect.void)
    }
    return Effect.void
  })

  const schedule = (delay: number) => {
    timerRunning = true
    const wakeUp = Effect.andThen(
      Effect.sleep(delay),
      Effect.suspend(() => {
        timerRunning = false
        return admit
      })
    )
    return Effect.asVoid(Effect.forkIn(wakeUp, scope))
  }

  const hear = Effect.fnUntraced(function* ({ facts, outcome }: CallFeedback) {
    const now = clock.currentTimeMillisUnsafe()
    fill(requests, now)
    fill(tokens, now)
    learn(requests, facts?.requests, now)
    learn(tokens, facts?.tokens, now)
    if (outcome === "ok") {
      limitedInARow = 0
      if (++successes >= window && window < maxInFlight) {
        window++
        successes = 0
      }
    }
    if (outcome !== "rate-limited") return
    const asked =
      facts?.retryAfterMs ?? Duration.toMillis(policy.defaultPause) * 2 ** Math.min(limitedInARow, 10)
    const pause = Math.min(asked, Math.max(Duration.toMillis(policy.maxPause), facts?.retryAfterMs ?? 0))
    // Calls that were in flight together fail together: that is one sign, not many.
    if (now >= pausedUntil) {
      window = Math.max(1, Math.floor(window / 2))
      successes = 0
      limitedInARow++
    }
    const jitter = (yield* Random.next) * Math.min(250, pause / 10)
    pausedUntil = Math.max(pausedUntil, Math.ceil(now + pause + jitter))
    // The server refused for want of allowance: whatever we believed to have is not there.
    if (requests.perMs !== Infinity) requests.level = Math.min(requests.level, 0)
  })

  const leave = Effect.suspend(() => {
    inFlight--
    return admit
  })

  const waitTurn = (turn: Turn) =>
    Effect.suspend(() => {
      queue.push(turn)
      return Effect.andThen(admit, Effect.interruptible(Deferred.await(turn.granted)))
    }).pipe(
      Effect.onInterrupt(() =>
        Effect.suspend(() => {
          if (turn.state === "granted") return leave
          queue.splice(queue.indexOf(turn), 1)
          return admit
        })
      )
    )

  const withPermit: Limiter["withPermit"] = (amount, call) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        yield* waitTurn({ tokens: amount, granted: yield* Deferred.make<void>(), state: "waiting" })
        return yield* restore(call(hear)).pipe(Effect.ensuring(leave))
      })
    )

  return { withPermit } satisfies Limiter
})
