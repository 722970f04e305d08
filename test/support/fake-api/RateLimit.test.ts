import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { formatDuration, makeLimiter } from "./RateLimit.ts"

describe("makeLimiter", () => {
  it("refills a bucket steadily, and tells exactly when the next request fits", () => {
    const limiter = makeLimiter({ style: "bucket", requests: 60 })
    for (let call = 0; call < 60; call++) expect(limiter.take(0, 0).refusedFor).toBeUndefined()
    expect(limiter.take(0, 0)).toMatchObject({ refusedFor: "requests", retryAfterMs: 1000 })
    expect(limiter.take(999, 0)).toMatchObject({ refusedFor: "requests", retryAfterMs: 1 })
    expect(limiter.take(1000, 0).refusedFor).toBeUndefined()
    expect(limiter.take(1000, 0).refusedFor).toBe("requests")
  })

  it("forgets a request of a sliding window when the window has passed, not before", () => {
    const limiter = makeLimiter({ style: "sliding", requests: 2 })
    expect(limiter.take(0, 0).refusedFor).toBeUndefined()
    expect(limiter.take(10_000, 0).refusedFor).toBeUndefined()
    expect(limiter.take(20_000, 0)).toMatchObject({ refusedFor: "requests", retryAfterMs: 40_000 })
    expect(limiter.take(60_000, 0)).toMatchObject({
      refusedFor: undefined,
      headers: { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m0s" }
    })
    expect(limiter.take(60_000, 0)).toMatchObject({ refusedFor: "requests", retryAfterMs: 10_000 })
  })

  it("limits tokens beside requests, and takes neither for a call that is refused", () => {
    const limiter = makeLimiter({ style: "sliding", requests: 3, tokens: 100 })
    expect(limiter.take(0, 80).headers).toEqual({
      "x-ratelimit-limit-requests": "3",
      "x-ratelimit-remaining-requests": "2",
      "x-ratelimit-reset-requests": "1m0s",
      "x-ratelimit-limit-tokens": "100",
      "x-ratelimit-remaining-tokens": "20",
      "x-ratelimit-reset-tokens": "1m0s"
    })
    expect(limiter.take(0, 30)).toMatchObject({ refusedFor: "tokens", retryAfterMs: 60_000 })
    expect(limiter.take(0, 20).headers).toMatchObject({
      "x-ratelimit-remaining-requests": "1",
      "x-ratelimit-remaining-tokens": "0"
    })
  })

  it("tells a call that is larger than the limit that it never fits", () => {
    const limiter = makeLimiter({ style: "bucket", tokens: 100 })
    expect(limiter.take(0, 101)).toMatchObject({ refusedFor: "tokens", tooLarge: true, retryAfterMs: 0 })
    expect(limiter.take(0, 100)).toMatchObject({ refusedFor: undefined, tooLarge: false })
  })

  const calls = fc.array(
    fc.record({ wait: fc.integer({ min: 0, max: 2000 }), tokens: fc.integer({ min: 0, max: 50 }) }),
    {
      maxLength: 60
    }
  )

  it.each(["bucket", "sliding"] as const)("lets a caller of a %s in who comes back when told", (style) => {
    fc.assert(
      fc.property(calls, (calls) => {
        const limiter = makeLimiter({ style, requests: 7, tokens: 120, windowMs: 1000 })
        let now = 0
        for (const { tokens, wait } of calls) {
          now += wait
          const verdict = limiter.take(now, tokens)
          if (verdict.refusedFor === undefined) continue
          now += verdict.retryAfterMs
          expect(limiter.take(now, tokens).refusedFor).toBeUndefined()
        }
      })
    )
  })

  it("never lets more into any window than a sliding limit allows", () => {
    fc.assert(
      fc.property(calls, (calls) => {
        const limiter = makeLimiter({ style: "sliding", requests: 7, tokens: 120, windowMs: 1000 })
        const admitted: Array<{ readonly at: number; readonly tokens: number }> = []
        let now = 0
        for (const { tokens, wait } of calls) {
          now += wait
          if (limiter.take(now, tokens).refusedFor === undefined) admitted.push({ at: now, tokens })
          const window = admitted.filter(({ at }) => at > now - 1000)
          expect(window.length).toBeLessThanOrEqual(7)
          expect(window.reduce((sum, call) => sum + call.tokens, 0)).toBeLessThanOrEqual(120)
        }
      })
    )
  })

  it("never lets more out of a bucket than what was in it and what has flowed in", () => {
    fc.assert(
      fc.property(calls, (calls) => {
        const limiter = makeLimiter({ style: "bucket", requests: 7, tokens: 120, windowMs: 1000 })
        let now = 0
        let admitted = 0
        let spent = 0
        for (const { tokens, wait } of calls) {
          now += wait
          if (limiter.take(now, tokens).refusedFor !== undefined) continue
          admitted += 1
          spent += tokens
          expect(admitted).toBeLessThanOrEqual(7 + (now * 7) / 1000 + 1e-3)
          expect(spent).toBeLessThanOrEqual(120 + (now * 120) / 1000 + 1e-3)
        }
      })
    )
  })
})

describe("formatDuration", () => {
  it.each([
    [0, "0ms"],
    [19.2, "20ms"],
    [1500, "1.5s"],
    [59_999, "59.999s"],
    [360_000, "6m0s"],
    [3_723_000, "1h2m3s"]
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})
