/**
 * What a provider allows, as far as it is known: a bucket for requests and one for tokens, their rates from headers or learnt
 * from refusals, and the part of them that is ours. The limiter's bookkeeping, without its waiting.
 */
import type { Allowance as ToldAllowance, RateLimitFacts } from "../../domain/RateLimitHeaders.ts"
import { makeTokenBucket, type TokenBucket } from "../../domain/TokenBucket.ts"
import { fairPart } from "../RateShares.ts"

/** What an answer tells about an allowance. */
export interface Heard {
  readonly facts: RateLimitFacts | undefined
  readonly tokensUsed: number | undefined
  /** What `take` took for the call. */
  readonly taken: number
  /** What the call could have used at most. */
  readonly bound: number
}

/** An allowance. */
export interface Allowance {
  /** Milliseconds until a call of at most so many tokens may go. */
  readonly waitFor: (bound: number, now: number) => number
  /** Takes what a call is expected to use; answers how many tokens that was. */
  readonly take: (bound: number, now: number) => number
  readonly hear: (heard: Heard, now: number) => void
  /** A call went through; `waiting` when others wait, so that more could have been sent. */
  readonly passed: (now: number, waiting: boolean) => void
  /** A call was refused for want of allowance. */
  readonly refused: (now: number) => void
  /** Others want so much of it, in requests a minute. */
  readonly shareWith: (demands: ReadonlyArray<number>, now: number) => void
}

/** How fast an estimate follows: the weight of the newest call. */
const weight = 0.1

/** What went through is measured over so many milliseconds. */
const measured = 15_000

/** With fewer calls that went through, a refusal says when to go on, and nothing about a rate. */
const enoughToTell = 10

/** Of what went through when a call was refused, this much is tried next. */
const afterRefusal = 0.95

/** A learnt rate grows by this much a second while nothing is refused and calls wait. */
const growth = 0.002

/** Makes an allowance that nothing is known about. */
export const makeAllowance = (policy: { readonly use: number; readonly burstSeconds: number }): Allowance => {
  const requests = makeTokenBucket()
  const tokens = makeTokenBucket()
  // Limits a minute, as told or learnt.
  let requestLimit = Infinity
  let tokenLimit = Infinity
  let told = false
  let demands: ReadonlyArray<number> = []
  // Calls use less than they could; how much less is found out.
  let usualShare = 1
  let passedAt: Array<number> = []
  let grownAt = 0

  const part = () => fairPart(requestLimit, demands)

  const setRate = (bucket: TokenBucket, perMinute: number, now: number) => {
    if (perMinute === Infinity) return
    const perMs = (perMinute * policy.use * part()) / 60_000
    const capacity = Math.max(1, perMs * 1000 * policy.burstSeconds)
    if (bucket.perMs !== perMs) bucket.setRate(perMs, capacity, now)
  }

  const setRates = (now: number) => {
    setRate(requests, requestLimit, now)
    setRate(tokens, tokenLimit, now)
  }

  const learn = (bucket: TokenBucket, allowance: ToldAllowance | undefined, now: number) => {
    // Others use the same allowance: what the provider says is left counts when it is less than we thought.
    if (allowance !== undefined) bucket.atMost(allowance.remaining, now)
  }

  const expected = (bound: number) => bound * usualShare

  return {
    waitFor: (bound, now) => Math.max(requests.waitFor(1, now), tokens.waitFor(expected(bound), now)),
    take: (bound, now) => {
      requests.take(1, now)
      const taken = expected(bound)
      tokens.take(taken, now)
      return taken
    },
    hear: ({ bound, facts, taken, tokensUsed }, now) => {
      if (facts?.requests !== undefined || facts?.tokens !== undefined) {
        told = true
        requestLimit = facts.requests?.limit ?? Infinity
        tokenLimit = facts.tokens?.limit ?? Infinity
        setRates(now)
      }
      if (tokensUsed !== undefined && bound > 0) {
        usualShare += weight * (Math.min(1, tokensUsed / bound) - usualShare)
        tokens.take(tokensUsed - taken, now)
      }
      learn(requests, facts?.requests, now)
      learn(tokens, facts?.tokens, now)
    },
    passed: (now, waiting) => {
      if (told) return
      passedAt.push(now)
      if (passedAt.length > 10_000) passedAt = passedAt.filter((at) => at > now - measured)
      if (requestLimit === Infinity) return
      if (waiting) requestLimit *= 1 + growth * Math.min(5, (now - grownAt) / 1000)
      grownAt = now
      setRates(now)
    },
    refused: (now) => {
      passedAt = passedAt.filter((at) => at > now - measured)
      if (!told && passedAt.length >= enoughToTell) {
        const seen = (passedAt.length / measured) * 60_000
        requestLimit = Math.min(requestLimit, seen / part()) * afterRefusal
        grownAt = now
        setRates(now)
      }
      // The server refused for want of allowance: whatever we believed to have is not there.
      if (requests.perMs !== Infinity) requests.atMost(0, now)
    },
    shareWith: (others, now) => {
      demands = others
      setRates(now)
    }
  }
}
