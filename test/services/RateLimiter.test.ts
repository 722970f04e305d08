/** The limiter on virtual time, against servers that count. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Clock, Context, Duration, Effect, Exit, Fiber, Layer, Random, Schedule } from "effect"
import { TestClock } from "effect/testing"
import type { RateLimitFacts } from "../../src/domain/RateLimitHeaders.ts"
import { RateLimiter } from "../../src/services/RateLimiter.ts"
import { fairPart, RateShares } from "../../src/services/RateShares.ts"

/** A limiter of one process. */
const limiterFor = (options: { readonly maxInFlight: number }) =>
  RateLimiter.layer(options).pipe(Layer.provide(RateShares.layerAlone))

const unknown: RateLimitFacts = { requests: undefined, tokens: undefined, retryAfterMs: undefined }

interface Limits {
  /** Requests, or tokens when calls have a size, a minute. */
  readonly perMinute: number
  /** How many seconds of the allowance can be used in one burst: 60 with the kindest provider, 1 with a strict one. */
  readonly burstSeconds?: number
  /** Whether the headers tell the limit. */
  readonly silent?: boolean
  /** Tokens that calls take; without, requests are limited. */
  readonly tokens?: (id: number) => number
}

/** A server that counts in a bucket; answers take 300 ms. */
const makeServer = (limits: Limits) => {
  const { burstSeconds = 60, silent = false, tokens } = limits
  let { perMinute } = limits
  let level = (perMinute * burstSeconds) / 60
  let at = 0
  const state = { allowed: 0, used: 0, refused: 0, order: new Array<number>() }
  const call = (id: number) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const amount = tokens === undefined ? 1 : tokens(id)
      level = Math.min((perMinute * burstSeconds) / 60, level + ((now - at) * perMinute) / 60_000)
      at = now
      const ok = level >= amount
      if (ok) level -= amount
      const told = silent
        ? undefined
        : { limit: perMinute, remaining: Math.max(0, Math.floor(level)), resetMs: 0 }
      yield* Effect.sleep("300 millis")
      const facts: RateLimitFacts = {
        requests: tokens === undefined ? told : undefined,
        tokens: tokens === undefined ? undefined : told,
        retryAfterMs: ok || silent ? undefined : Math.ceil(((amount - level) / perMinute) * 60_000)
      }
      if (ok) {
        state.allowed++
        state.used += amount
        state.order.push(id)
      } else state.refused++
      return { ok, facts, amount }
    })
  return { state, call, setLimit: (to: number) => (perMinute = to) }
}

type Server = ReturnType<typeof makeServer>

const through = (server: Server) =>
  Effect.fnUntraced(function* (id: number) {
    const limiter = yield* RateLimiter
    for (;;) {
      // What a call can use at most is four times what it uses.
      const answer = yield* limiter.withPermit({ key: "server model", tokens: 8000 })((feedback) =>
        Effect.tap(server.call(id), (it) =>
          feedback({
            outcome: it.ok ? "ok" : "rate-limited",
            facts: it.facts,
            tokensUsed: it.ok ? it.amount : undefined
          })
        )
      )
      if (answer.ok) return
    }
  })

/** Workers that send for ever. */
const sendFrom = (server: Server, workers: number) =>
  Effect.forkScoped(
    Effect.forEach(
      Array.from({ length: workers }, (_, index) => index),
      (worker) => Effect.forever(through(server)(worker)),
      { concurrency: "unbounded", discard: true }
    )
  )

/** What the next minutes come to: the share of what is allowed that was used, and of requests that were refused. */
const observe = Effect.fnUntraced(function* (server: Server, minutes: number, allowedPerMinute: number) {
  const before = { ...server.state }
  yield* TestClock.adjust(Duration.minutes(minutes))
  const refused = server.state.refused - before.refused
  return {
    used: (server.state.used - before.used) / (minutes * allowedPerMinute),
    refused: refused / (server.state.allowed - before.allowed + refused)
  }
})

const expectGood = ({ refused, used }: { readonly used: number; readonly refused: number }) => {
  expect(used).toBeGreaterThanOrEqual(0.95)
  expect(refused).toBeLessThan(0.01)
}

/** Limiters of several processes that tell each other what they want, a second late. */
const processes = (count: number, workers: number) =>
  Effect.gen(function* () {
    const members = new Map<number, Parameters<RateShares["Service"]["join"]>[1]>()
    yield* Effect.forkScoped(
      Effect.gen(function* () {
        const told = [...members].map(([id, member]) => [id, member.demand()] as const)
        for (const [id, member] of members) {
          const others = told.filter(([other]) => other !== id)
          member.onOthers({
            demands: others.map(([, demand]) => demand.perMinute),
            pauseMs: Math.max(0, ...others.map(([, demand]) => demand.pauseMs))
          })
        }
      }).pipe(Effect.schedule(Schedule.spaced("1 second")))
    )
    return yield* Effect.forEach(
      Array.from({ length: count }, (_, index) => index),
      (id) =>
        Layer.build(
          Layer.fresh(RateLimiter.layer({ maxInFlight: workers })).pipe(
            Layer.provide(
              Layer.succeed(
                RateShares,
                RateShares.of({ join: (_, options) => Effect.sync(() => void members.set(id, options)) })
              )
            )
          )
        )
    )
  })

describe("RateLimiter", () => {
  for (const workers of [5, 50, 200]) {
    for (const burstSeconds of [60, 2]) {
      it.effect(
        `uses at least 95% of an allowance with under 1% refused: ${workers} workers, bursts of ${burstSeconds} s`,
        () =>
          Effect.gen(function* () {
            const server = makeServer({ perMinute: 600, burstSeconds })
            yield* sendFrom(server, workers)
            expectGood(yield* observe(server, 10, 600))
            expectGood(yield* observe(server, 10, 600))
          }).pipe(Effect.scoped, Effect.provide(limiterFor({ maxInFlight: workers })))
      )
    }
  }

  it.effect(
    "does the same for an allowance of tokens, although nobody knows before what a call will take",
    () =>
      Effect.gen(function* () {
        const server = makeServer({ perMinute: 400_000, tokens: (id) => 1000 + ((id * 7919) % 2000) })
        yield* sendFrom(server, 50)
        yield* observe(server, 1, 400_000)
        expectGood(yield* observe(server, 10, 400_000))
      }).pipe(Effect.scoped, Effect.provide(limiterFor({ maxInFlight: 50 })))
  )

  it.effect("follows an allowance that is halved and doubled in the middle", () =>
    Effect.gen(function* () {
      const server = makeServer({ perMinute: 600, burstSeconds: 5 })
      yield* sendFrom(server, 50)
      expectGood(yield* observe(server, 10, 600))
      server.setLimit(300)
      expectGood(yield* observe(server, 10, 300))
      server.setLimit(1200)
      expectGood(yield* observe(server, 10, 1200))
    }).pipe(Effect.scoped, Effect.provide(limiterFor({ maxInFlight: 50 })))
  )

  it.effect("learns the allowance of a server that says nothing but 429", () =>
    Effect.gen(function* () {
      const server = makeServer({ perMinute: 600, burstSeconds: 10, silent: true })
      yield* sendFrom(server, 50)
      yield* observe(server, 2, 600)
      const { refused, used } = yield* observe(server, 20, 600)
      expect(used).toBeGreaterThan(0.9)
      expect(refused).toBeLessThan(0.02)
    }).pipe(Effect.scoped, Effect.provide(limiterFor({ maxInFlight: 50 })), Random.withSeed("silent"))
  )

  it.effect("five processes together meet the same goal as one", () =>
    Effect.gen(function* () {
      const server = makeServer({ perMinute: 600, burstSeconds: 5 })
      for (const limiter of yield* processes(5, 20)) {
        yield* Effect.provide(sendFrom(server, 20), limiter)
      }
      expectGood(yield* observe(server, 10, 600))
      expectGood(yield* observe(server, 10, 600))
    }).pipe(Effect.scoped)
  )

  it.effect("what one process leaves, another uses", () =>
    Effect.gen(function* () {
      const server = makeServer({ perMinute: 600, burstSeconds: 5 })
      const [busy, quiet] = yield* processes(2, 20)
      if (busy === undefined || quiet === undefined) return yield* Effect.die("two were asked for")
      yield* Effect.provide(sendFrom(server, 20), busy)
      yield* Effect.forkScoped(
        Effect.provide(Effect.schedule(through(server)(0), Schedule.spaced("10 seconds")), quiet)
      )
      yield* observe(server, 1, 600)
      expectGood(yield* observe(server, 10, 600))
    }).pipe(Effect.scoped)
  )

  it.effect("sends only a few calls before the first answer", () =>
    Effect.gen(function* () {
      const server = makeServer({ perMinute: 6000 })
      let begun = 0
      const limiter = yield* RateLimiter
      yield* Effect.forkScoped(
        Effect.forEach(
          Array.from({ length: 100 }, (_, index) => index),
          (id) =>
            limiter.withPermit({ key: "k", tokens: 1 })((feedback) => {
              begun++
              return Effect.tap(server.call(id), (it) => feedback({ outcome: "ok", facts: it.facts }))
            }),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("299 millis")
      expect(begun).toBe(10)
      yield* TestClock.adjust("5 seconds")
      expect(begun).toBe(100)
    }).pipe(Effect.scoped, Effect.provide(limiterFor({ maxInFlight: 100 })))
  )

  it.effect("calls go in order of arrival", () =>
    Effect.gen(function* () {
      const server = makeServer({ perMinute: 60 })
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
    }).pipe(Effect.provide(limiterFor({ maxInFlight: 1 })))
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
    }).pipe(Effect.provide(limiterFor({ maxInFlight: 10 })))
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
    }).pipe(Effect.provide(limiterFor({ maxInFlight: 1 })))
  )

  it.effect("calls that come at once have one limiter, which speaks with the other processes", () =>
    Effect.gen(function* () {
      const members: Array<Parameters<RateShares["Service"]["join"]>[1]> = []
      const shares = RateShares.of({
        join: (_, member) =>
          Effect.andThen(
            Effect.sync(() => members.push(member)),
            Effect.sleep("50 millis")
          )
      })
      const limiter = yield* Effect.map(
        Layer.build(
          RateLimiter.layer({ maxInFlight: 60 }).pipe(Layer.provide(Layer.succeed(RateShares, shares)))
        ),
        (built) => Context.get(built, RateLimiter)
      )
      const begun: Array<number> = []
      yield* Effect.forkScoped(
        Effect.forEach(
          Array.from({ length: 20 }, (_, index) => index),
          (id) =>
            limiter.withPermit({ key: "k", tokens: 1 })((feedback) =>
              Effect.andThen(
                Effect.sync(() => begun.push(id)),
                Effect.delay(feedback({ outcome: "ok", facts: unknown }), "1 second")
              )
            ),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("100 millis")
      expect(begun).toHaveLength(10)
      expect(members).toHaveLength(1)
      // Ten wait: as much is wanted as can be had. Another process was told to leave the provider alone.
      expect(members[0]?.demand()).toEqual({ perMinute: Infinity, pauseMs: 0 })
      members[0]?.onOthers({ demands: [], pauseMs: 30_000 })
      yield* TestClock.adjust("29 seconds")
      expect(begun).toHaveLength(10)
      yield* TestClock.adjust("2 seconds")
      expect(begun).toHaveLength(20)
    }).pipe(Effect.scoped)
  )

  it.effect("a limiter that could not be made, or was given up, is made by the next call", () =>
    Effect.gen(function* () {
      const joining = [Effect.die("no table"), Effect.never, Effect.void]
      const shares = RateShares.of({ join: () => joining.shift() ?? Effect.die("joined once more") })
      yield* Effect.gen(function* () {
        const limiter = yield* RateLimiter
        const call = limiter.withPermit({ key: "k", tokens: 1 })(() => Effect.succeed("went"))
        expect(Exit.hasDies(yield* Effect.exit(call))).toBe(true)
        // Also where only a wait can be interrupted.
        const givenUp = yield* Effect.forkChild(Effect.uninterruptible(call))
        yield* Effect.yieldNow
        yield* Fiber.interrupt(givenUp)
        expect(yield* call).toBe("went")
        expect(yield* call).toBe("went")
      }).pipe(
        Effect.provide(
          RateLimiter.layer({ maxInFlight: 1 }).pipe(Layer.provide(Layer.succeed(RateShares, shares)))
        )
      )
    })
  )

  it.effect("never stops, whatever comes when: 60 seeds", () =>
    Effect.forEach(
      Array.from({ length: 60 }, (_, seed) => seed),
      (seed) =>
        Effect.gen(function* () {
          const limiter = yield* RateLimiter
          const call = limiter.withPermit({ key: "k", tokens: 100 })((feedback) =>
            Effect.gen(function* () {
              yield* Effect.sleep((yield* Random.next) * 3000)
              const dice = yield* Random.next
              const limit = Math.ceil((yield* Random.next) * 300)
              const requests = {
                limit,
                remaining: Math.floor((yield* Random.next) * limit),
                resetMs: undefined
              }
              yield* feedback({
                outcome: dice < 0.1 ? "rate-limited" : dice < 0.2 ? "other" : "ok",
                facts: {
                  requests: dice > 0.5 ? requests : undefined,
                  tokens: undefined,
                  retryAfterMs: dice < 0.05 ? dice * 10_000 : undefined
                },
                tokensUsed: dice > 0.3 ? dice * 100 : undefined
              })
            })
          )
          const impatient = Effect.flatMap(Random.next, (share) => Effect.timeoutOption(call, share * 60_000))
          const done = yield* Effect.forkScoped(
            Effect.forEach(Array.from({ length: 40 }), () => Effect.all([call, impatient]), {
              concurrency: 20,
              discard: true
            })
          )
          yield* TestClock.adjust("10 hours")
          expect({ seed, ended: done.pollUnsafe() !== undefined }).toEqual({ seed, ended: true })
        }).pipe(Effect.scoped, Effect.provide(limiterFor({ maxInFlight: 8 })), Random.withSeed(seed)),
      { discard: true }
    )
  )
})

describe("fairPart", () => {
  it("divides equally among those who want all they can get, after those who want less", () => {
    expect(fairPart(600, [])).toBe(1)
    expect(fairPart(600, [Infinity, Infinity])).toBeCloseTo(1 / 3)
    expect(fairPart(600, [60])).toBeCloseTo(0.9)
    expect(fairPart(600, [60, Infinity])).toBeCloseTo(0.45)
    expect(fairPart(Infinity, [60, Infinity])).toBeCloseTo(0.5)
  })

  it("never gives out more than there is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.constant(Infinity)), {
          minLength: 1,
          maxLength: 8
        }),
        (demands) => {
          const limit = 600
          const given = demands.map((demand, index) =>
            Math.min(demand / limit, fairPart(limit, demands.toSpliced(index, 1)))
          )
          expect(given.reduce((sum, part) => sum + part, 0)).toBeLessThanOrEqual(1 + 1e-9)
        }
      )
    )
  })
})
