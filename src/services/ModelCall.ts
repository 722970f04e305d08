/**
 * What every paid call goes through, chat and embeddings alike: money reserved for the worst case, a turn at the rate
 * limiter, one attempt, the true cost settled; and again after a pause when the failure may pass.
 *
 * Money is taken before the turn, for each attempt anew. A fiber that waits for its turn gets it by the passing of time
 * alone, so whoever waits for money behind it waits for something that comes. The other way round, a fiber could hold a turn while
 * waiting for money that only others' turns can set free.
 *
 * What can be interrupted are the waits and the request. From the moment when an answer is there nothing is: it is paid for. A caller
 * that keeps what it paid for asks in an uninterruptible region, and need not open it.
 */
import { Clock, Duration, Effect, Option } from "effect"
import { isPushback, ModelError } from "../domain/ModelError.ts"
import { imageTokens } from "../domain/Images.ts"
import * as Money from "../domain/Money.ts"
import { costOf, type TokenPrices } from "../domain/Prices.ts"
import { Budget } from "./Budget.ts"
import type { TokenUsage } from "./openai/Endpoint.ts"
import type { FailedAttempt } from "./openai/failures.ts"
import type { RateLimitFacts } from "../domain/RateLimitHeaders.ts"
import { Prices, unpriced } from "./Prices.ts"
import { type CallFeedback, RateLimiter } from "./RateLimiter.ts"
import { RetryPolicy, retryTransient } from "./Retry.ts"
import { Usage } from "./Usage.ts"
import { WorkerPool } from "./WorkerPool.ts"

/** A paid call, as the pipeline sees it. */
export interface ModelCall<A> {
  readonly model: string
  readonly host: string
  /** The most tokens it can take in and put out, and the pixels of its images where those are paid for by the pixel. */
  readonly worst: {
    readonly inputTokens: number
    readonly outputTokens: number
    readonly imagePixels?: number
  }
  /** The request, and reading what came. */
  readonly attempt: Effect.Effect<A, FailedAttempt>
  /** What an answer used. */
  readonly usageOf: (answer: A) => TokenUsage
  readonly limitsOf: (answer: A) => RateLimitFacts
}

/** An answer and what it cost; without a known price the cost counts as nothing. */
export interface Paid<A> {
  readonly answer: A
  readonly cost: Money.Money
}

/**
 * A token is never shorter than a byte, and what a server wraps around the messages is a few tokens each.
 */
export const boundTokens = (...texts: ReadonlyArray<string>): number =>
  texts.reduce((sum, text) => sum + Buffer.byteLength(text, "utf8") + overheadTokens, overheadTokens)

const overheadTokens = 16

/** What a call takes of an allowance of tokens; an image counts as its pixels' worth of them. */
const tokensOf = (used: ModelCall<unknown>["worst"]): number =>
  used.inputTokens + used.outputTokens + imageTokens(used.imagePixels ?? 0)

/** Makes the pipeline that calls go through, from the services in context. */
export const makeModelCalls = Effect.gen(function* () {
  const budget = yield* Budget
  const prices = yield* Prices
  const limiter = yield* RateLimiter
  const usage = yield* Usage
  const pool = yield* WorkerPool

  // Under a cap a model must have a price.
  const priceFor = (model: string) => {
    const known = prices.of(model)
    return Option.isNone(known) && budget.capped ? Effect.fail(unpriced(model)) : Effect.succeed(known)
  }

  const cost = (known: Option.Option<TokenPrices>, used: TokenUsage) =>
    Option.match(known, { onNone: () => Money.zero, onSome: (price) => costOf(price, used) })

  // An outage passes. Where nothing ever answered there is none to wait for: page after page would be tried in vain.
  let reached = false
  const orNeverReached = <E>(error: E | ModelError): E | ModelError => {
    if (!(error instanceof ModelError) || error.reason !== "Unreachable" || reached) return error
    const { billed, endpoint, message, model } = error
    return new ModelError({ reason: "NeverReached", model, endpoint, message, billed })
  }

  // A provider that wants to be left alone for longer than anybody waits is left alone. What it said stands for all who come after,
  // and for those who wait for their turn: the limiter is not told, so that they learn of it when it comes.
  let rest = Option.none<{ readonly until: number; readonly said: ModelError }>()
  const checkRest = (patience: number) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (Option.isNone(rest) || rest.value.until - now <= patience) return Effect.void
      const { endpoint, message, model, reason } = rest.value.said
      const retryAfterMs = rest.value.until - now
      return Effect.fail(new ModelError({ reason, model, endpoint, message, retryAfterMs, billed: "no" }))
    })

  const makeOne = Effect.fnUntraced(function* <A>(call: ModelCall<A>) {
    const known = yield* priceFor(call.model)
    if (Option.isNone(known)) yield* usage.count({ unpricedCalls: 1 })
    const worst = cost(known, { ...call.worst, cachedTokens: 0 })
    const patience = Duration.toMillis((yield* RetryPolicy).giveUpRateLimitedAfter)

    const turn = { key: `${call.host} ${call.model}`, tokens: tokensOf(call.worst) }

    const reserved = (began: Effect.Effect<void>, settle: (actual: Money.Money) => Effect.Effect<void>) => {
      let begun = false
      const request = Effect.gen(function* () {
        // A turn may have come free because all who have one are being interrupted, one after another. Whoever gets it then is
        // interrupted next, and has sent nothing yet.
        yield* Effect.yieldNow
        yield* began
        begun = true
        return yield* call.attempt
      })
      const ask = (feedback: (feedback: CallFeedback) => Effect.Effect<void>) =>
        Effect.interruptible(request).pipe(
          Effect.tap((answer) => {
            reached = true
            return feedback({
              outcome: "ok",
              facts: call.limitsOf(answer),
              tokensUsed: tokensOf(call.usageOf(answer))
            })
          }),
          Effect.flatMap((answer): Effect.Effect<Paid<A>> => {
            const price = cost(known, call.usageOf(answer))
            return Effect.as(settle(price), { answer, cost: price })
          }),
          Effect.catch(({ error, limits }) =>
            Effect.gen(function* () {
              if (error.reason !== "Unreachable") reached = true
              const limited = error.reason === "RateLimited"
              const asked = limited ? (error.retryAfterMs ?? 0) : 0
              const tooLong = asked > patience
              if (tooLong)
                rest = Option.some({ until: (yield* Clock.currentTimeMillis) + asked, said: error })
              yield* feedback({ outcome: limited && !tooLong ? "rate-limited" : "other", facts: limits })
              if (limited) yield* usage.count({ rateLimited: 1 })
              if (isPushback(error)) yield* pool.pushback
              if (error.billed === "no") yield* settle(Money.zero)
              return yield* error
            })
          )
        )
      return limiter
        .withPermit(turn)((feedback) => Effect.andThen(checkRest(patience), ask(feedback)))
        .pipe(Effect.ensuring(Effect.suspend(() => (begun ? Effect.void : settle(Money.zero)))))
    }

    const attempt = (began: Effect.Effect<void>) =>
      Effect.andThen(
        checkRest(patience),
        budget.withReservation(worst, (settle) => reserved(began, settle))
      )
    return yield* Effect.mapError(
      retryTransient(attempt, () => usage.count({ retries: 1 })),
      orNeverReached
    )
  })

  /** The answer to a call, and its cost. It is charged as soon as it is there; a call that was not begun costs nothing. */
  const make = <A>(call: ModelCall<A>) => Effect.uninterruptible(makeOne(call))

  return { make, priceFor }
})

/** What a call used, where the server does not tell: the worst case, so that a cap holds all the same. */
export const usageOrWorst = (
  usage: Option.Option<TokenUsage>,
  worst: ModelCall<unknown>["worst"]
): TokenUsage => Option.getOrElse(usage, () => ({ ...worst, cachedTokens: 0 }))
