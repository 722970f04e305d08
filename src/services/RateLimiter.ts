/**
 * Rate limits obeyed, not discovered. One limiter for each endpoint and model, shared by all fibers, and its allowance by all
 * processes on the brain (`RateShares`):
 * - Calls wait their turn in order of arrival, on one timer; waiting costs nothing.
 * - Until the first answer only a few calls are sent. Then a bucket for requests and one for tokens are filled at the rate that
 *   the provider's headers tell; without headers, at a rate learnt from refusals: a little less than what went through, and
 *   slowly more while nothing is refused.
 * - After a 429 nobody sends until the pause it asks for is over.
 * - What a call takes of the tokens is estimated from what earlier ones took, and corrected when it is known.
 *
 * `effect/persistence` has a rate limiter too; it decides for each caller separately how long to sleep, so that arrivals
 * overtake each other and a small call slips in before a large one for ever. Order and pauses that hold for all are the point
 * here (decision 006).
 */
import { Cache, Clock, Context, Deferred, Duration, Effect, Layer, Random, Scope } from "effect"
import type { RateLimitFacts } from "../domain/RateLimitHeaders.ts"
import { makeAllowance } from "./rateLimit/Allowance.ts"
import { RateShares } from "./RateShares.ts"
import { successesFor } from "./successesFor.ts"

/** How the limiter behaves where the provider does not say. */
export const RateLimitPolicy = Context.Reference("gbrain/RateLimitPolicy", {
  defaultValue: () => ({
    /** Calls in flight until the first of them is answered. */
    beforeFirstAnswer: 10,
    /** Pause after a 429 without retry-after. Doubles with each further one in a row. */
    defaultPause: Duration.seconds(2),
    maxPause: Duration.minutes(1),
    /** Share of a limit that is used: a little less than all, for clocks and calls that are counted late. */
    use: 0.98,
    /** How much of a minute's allowance may be sent in one burst, in seconds of it. */
    burstSeconds: 1
  })
})

/** What became of a call, as far as limits are concerned. */
export interface CallFeedback {
  readonly outcome: "ok" | "rate-limited" | "other"
  readonly facts: RateLimitFacts | undefined
  /** Tokens in and out, when they are known. */
  readonly tokensUsed?: number | undefined
}

/** How much a call takes. */
export interface PermitRequest {
  /** Which limiter: endpoint and model. */
  readonly key: string
  /** Tokens that the call will use at most, in and out. */
  readonly tokens: number
}

/** Rate limits. */
export class RateLimiter extends Context.Service<
  RateLimiter,
  {
    /**
     * Runs a call when its turn has come. The call tells what became of it through `feedback`, at most once; a call that ends
     * without telling counts as "other". In an uninterruptible region the wait for the turn can be interrupted all the same.
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
        const scope = yield* Effect.scope
        const shares = yield* RateShares
        // Making one waits for the other processes, and what they are told is what this one wants: whoever comes meanwhile waits for the
        // same one. One that could not be made, or that nobody waits for any more, is made anew by who comes next.
        const limiters = yield* Cache.makeWith(
          (key: string) =>
            Effect.provideService(makeLimiter(key, options.maxInFlight, shares), Scope.Scope, scope),
          { capacity: Infinity, timeToLive: successesFor(Duration.infinity) }
        )
        return RateLimiter.of({
          withPermit: (request) => (call) =>
            Effect.flatMap(Effect.interruptible(Cache.get(limiters, request.key)), (limiter) =>
              limiter.withPermit(request.tokens, call)
            )
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
  /** What was taken from the tokens for it. */
  taken: number
}

const makeLimiter = Effect.fnUntraced(function* (
  key: string,
  maxInFlight: number,
  shares: RateShares["Service"]
) {
  const policy = yield* RateLimitPolicy
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const allowance = makeAllowance(policy)
  const queue: Array<Turn> = []
  let inFlight = 0
  let window = Math.min(maxInFlight, policy.beforeFirstAnswer)
  let pausedUntil = 0
  let limitedInARow = 0
  // The moment for which the timer is set; another timer that goes off earlier makes this one idle.
  let timerAt = Infinity
  let sent = 0
  let askedAt = clock.currentTimeMillisUnsafe()

  // Runs after every change, synchronously. A turn leaves the queue before it is told: its fiber may run at once.
  const admit: Effect.Effect<void> = Effect.suspend(() => {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      if (inFlight >= window) return Effect.void
      const now = clock.currentTimeMillisUnsafe()
      const delay = Math.max(pausedUntil - now, allowance.waitFor(next.tokens, now))
      if (delay > 0) return schedule(now, delay)
      queue.shift()
      next.taken = allowance.take(next.tokens, now)
      inFlight++
      sent++
      next.state = "granted"
      Deferred.doneUnsafe(next.granted, Effect.void)
    }
    return Effect.void
  })

  const schedule = (now: number, delay: number) => {
    const at = now + delay
    if (at >= timerAt) return Effect.void
    timerAt = at
    const wakeUp = Effect.andThen(
      Effect.sleep(delay),
      Effect.suspend(() => {
        if (timerAt !== at) return Effect.void
        timerAt = Infinity
        return admit
      })
    )
    return Effect.asVoid(Effect.forkIn(wakeUp, scope))
  }

  const hear = (turn: Turn) =>
    Effect.fnUntraced(function* ({ facts, outcome, tokensUsed }: CallFeedback) {
      const now = clock.currentTimeMillisUnsafe()
      if (outcome !== "other") window = maxInFlight
      allowance.hear({ facts, tokensUsed, taken: turn.taken, bound: turn.tokens }, now)
      turn.taken = 0
      if (outcome === "ok") {
        limitedInARow = 0
        allowance.passed(now, queue.length > 0)
      }
      if (outcome !== "rate-limited") return
      const asked =
        facts?.retryAfterMs ?? Duration.toMillis(policy.defaultPause) * 2 ** Math.min(limitedInARow, 10)
      const pause = Math.min(asked, Math.max(Duration.toMillis(policy.maxPause), facts?.retryAfterMs ?? 0))
      // Calls that were in flight together fail together: that is one sign, not many.
      if (now >= pausedUntil) {
        limitedInARow++
        allowance.refused(now)
      }
      const jitter = (yield* Random.next) * Math.min(250, pause / 10)
      pausedUntil = Math.max(pausedUntil, Math.ceil(now + pause + jitter))
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
        const turn: Turn = {
          tokens: amount,
          granted: yield* Deferred.make<void>(),
          state: "waiting",
          taken: 0
        }
        yield* waitTurn(turn)
        return yield* restore(call(hear(turn))).pipe(Effect.ensuring(leave))
      })
    )

  yield* shares.join(key, {
    demand: () => {
      const now = clock.currentTimeMillisUnsafe()
      const perMinute = queue.length > 0 ? Infinity : (sent / Math.max(1, now - askedAt)) * 60_000
      sent = 0
      askedAt = now
      return { perMinute, pauseMs: Math.max(0, pausedUntil - now) }
    },
    onOthers: ({ demands, pauseMs }) => {
      const now = clock.currentTimeMillisUnsafe()
      pausedUntil = Math.max(pausedUntil, now + pauseMs)
      allowance.shareWith(demands, now)
    }
  })

  return { withPermit } satisfies Limiter
})
