/** The limiter on virtual time, against servers that count. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { RateLimitFacts } from "../../src/domain/RateLimitHeaders.ts"
import { RateLimiter } from "../../src/services/RateLimiter.ts"

const unknown: RateLimitFacts = { requests: undefined, tokens: undefined, retryAfterMs: undefined }

/** A server that allows so many requests in a minute, as a bucket, and tells so in its headers. */
const makeServer = (perMinute: number) => {
  let level = perMinute
  let at = 0
  const state = { allowed: 0, refused: 0, order: new Array<number>() }
  const call = (id: number) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      level = Math.min(perMinute, level + ((now - at) * perMinute) / 60_000)
      at = now
      const ok = level >= 1
      if (ok) level -= 1
      yield* Effect.sleep("300 millis")
      const requests = { limit: perMinute, remaining: Math.floor(level), resetMs: 0 }
      if (ok) {
        state.allowed++
        state.order.push(id)
        return {
          ok,
          facts: { requests, tokens: undefined, retryAfterMs: undefined } satisfies RateLimitFacts
        }
      }
      state.refused++
      return {
        ok,
        facts: {
          requests,
          tokens: undefined,
          retryAfterMs: Math.ceil(60_000 / perMinute)
        } satisfies RateLimitFacts
      }
    })
  return { state, call }
}

const through = (server: ReturnType<typeof makeServer>) =>
  Effect.fnUntraced(function* (id: number) {
    const limiter = yield* RateLimiter
    for (;;) {
      const answer = yield* limiter.withPermit({ key: "server model", tokens: 10 })((feedback) =>
        Effect.tap(server.call(id), (it) =>
          feedback({ outcome: it.ok ? "ok" : "rate-limited", facts: it.facts })
        )
      )
      if (answer.ok) return
    }
  })

describe("RateLimiter", () => {
  for (const workers of [5, 50, 200]) {
    it.effect(`uses nearly all of an allowance and meets hardly a refusal, with ${workers} workers`, () =>
      Effect.gen(function* () {
        const server = makeServer(600)
        const fiber = yield* Effect.forkChild(
          Effect.forEach(
            Array.from({ length: 20_000 }, (_, index) => index),
            through(server),
            { concurrency: workers, discard: true }
          )
        )
        yield* TestClock.adjust(Duration.minutes(1))
        const before = { ...server.state }
        yield* TestClock.adjust(Duration.minutes(10))
        const allowed = server.state.allowed - before.allowed
        const refused = server.state.refused - before.refused
        expect(allowed).toBeGreaterThanOrEqual(6000 * 0.95)
        expect(refused).toBeLessThanOrEqual(allowed * 0.01)
        yield* Fiber.interrupt(fiber)
      }).pipe(Effect.provide(RateLimiter.layer({ maxInFlight: workers })))
    )
  }

  it.effect("calls go in order of arrival", () =>
    Effect.gen(function* () {
      const server = makeServer(60)
      const fiber = yield* Effect.forkChild(
        Effect.forEach(
          Array.from({ length: 100 }, (_, index) => index),
          through(server),
          { concurrency: "unbounded", discard: true }
        )
      )
      yield* TestClock.adjust(Duration.hours(1))
      yield* Fiber.join(fiber)
      expect(server.state.refused).toBe(0)
      expect(server.state.order).toEqual([...server.state.order].sort((a, b) => a - b))
    }).pipe(Effect.provide(RateLimiter.layer({ maxInFlight: 1 })))
  )

  it.effect("a 429 pauses everybody for as long as the provider says", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter
      const started: Array<number> = []
      const call = (outcome: "ok" | "rate-limited", retryAfterMs?: number) =>
        limiter.withPermit({ key: "k", tokens: 1 })((feedback) =>
          Effect.gen(function* () {
            started.push(yield* Clock.currentTimeMillis)
            yield* feedback({ outcome, facts: { ...unknown, retryAfterMs } })
          })
        )
      yield* call("rate-limited", 30_000)
      const others = yield* Effect.forkChild(
        Effect.all([call("ok"), call("ok"), call("ok")], { concurrency: 3 })
      )
      yield* TestClock.adjust("29 seconds")
      expect(started).toHaveLength(1)
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(others)
      expect(started).toHaveLength(4)
      expect(started.slice(1).every((at) => at >= 30_000)).toBe(true)
    }).pipe(Effect.provide(RateLimiter.layer({ maxInFlight: 10 })))
  )

  it.effect(
    "a burst of 429s is one sign: the calls in flight are halved once, and grow again with success",
    () =>
      Effect.gen(function* () {
        const limiter = yield* RateLimiter
        let inFlight = 0
        let most = 0
        const call = (outcome: "ok" | "rate-limited") =>
          limiter.withPermit({ key: "k", tokens: 1 })((feedback) =>
            Effect.gen(function* () {
              most = Math.max(most, ++inFlight)
              yield* Effect.sleep("1 second")
              inFlight--
              yield* feedback({
                outcome,
                facts: outcome === "ok" ? unknown : { ...unknown, retryAfterMs: 100 }
              })
            })
          )
        const many = (count: number, outcome: "ok" | "rate-limited") =>
          Effect.gen(function* () {
            most = 0
            const fiber = yield* Effect.forkChild(
              Effect.forEach(Array.from({ length: count }), () => call(outcome), {
                concurrency: "unbounded",
                discard: true
              })
            )
            yield* TestClock.adjust("10 minutes")
            yield* Fiber.join(fiber)
            return most
          })
        expect(yield* many(16, "rate-limited")).toBe(16)
        expect(yield* many(8, "ok")).toBe(8)
        expect(yield* many(400, "ok")).toBe(16)
      }).pipe(Effect.provide(RateLimiter.layer({ maxInFlight: 16 })))
  )

  it.effect("one that is interrupted while it waits, or while it runs, leaves its place to others", () =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter
      const permit = limiter.withPermit({ key: "k", tokens: 1 })
      const running = yield* Effect.forkChild(permit(() => Effect.never))
      const waiting = yield* Effect.forkChild(permit(() => Effect.never))
      const behind = yield* Effect.forkChild(permit(() => Effect.succeed("went")))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(running)
      expect(yield* Fiber.join(behind)).toBe("went")
    }).pipe(Effect.provide(RateLimiter.layer({ maxInFlight: 1 })))
  )
})
