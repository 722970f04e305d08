import { expect, it } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { SqlClient } from "effect/sql"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { RateLimiter } from "../../src/services/RateLimiter.ts"
import { type Others, RateShares, SharePolicy } from "../../src/services/RateShares.ts"
import { onBothDatabases } from "../support/brains.ts"

const processAs = (pid: number, silentAfter = Duration.seconds(5)) =>
  Layer.fresh(RateShares.layer).pipe(
    Layer.provide(Layer.succeed(HostProcess, HostProcess.of({ pid, host: "here", isAlive: () => true }))),
    Layer.provide(Layer.succeed(SharePolicy, { every: Duration.millis(20), silentAfter }))
  )

onBothDatabases("RateShares", (brain) => {
  const shares = (pid: number) =>
    Effect.map(Layer.build(processAs(pid)), (built) => Context.get(built, RateShares))

  /** Takes part, and answers what is heard once it fits. */
  const hear = (pid: number, perMinute: number, fits: (others: Others) => boolean) =>
    Effect.gen(function* () {
      const heard = yield* Deferred.make<Others>()
      yield* (yield* shares(pid)).join("api model", {
        demand: () => ({ perMinute, pauseMs: perMinute === Infinity ? 60_000 : 0 }),
        onOthers: (others) => {
          if (fits(others)) Deferred.doneUnsafe(heard, Effect.succeed(others))
        }
      })
      return heard
    })

  it.live("processes hear what the others want, and the longest pause that one was asked for", () =>
    Effect.gen(function* () {
      const one = yield* hear(1, Infinity, ({ demands }) => demands.length === 2)
      const two = yield* hear(2, 120, ({ demands, pauseMs }) => demands.length === 2 && pauseMs > 0)
      yield* hear(3, Infinity, () => false)
      expect([...(yield* Deferred.await(one)).demands].sort((a, b) => a - b)).toEqual([120, Infinity])
      const heard = yield* Deferred.await(two)
      expect(heard.demands).toEqual([Infinity, Infinity])
      expect(heard.pauseMs).toBeGreaterThan(50_000)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  // The processes speak in real time; the calls go by virtual time, in which none of them is late.
  it.live("processes that start with many calls at once keep the limit together", () =>
    Effect.gen(function* () {
      /** A process's limiter, and whether it heard that the others want all they can get, or was told often enough that it should have. */
      const start = Effect.fnUntraced(function* (pid: number) {
        const heard = yield* Deferred.make<void>()
        let told = 0
        const listening = Layer.effect(
          RateShares,
          Effect.map(RateShares, (shares) =>
            RateShares.of({
              join: (key, { demand, onOthers }) =>
                shares.join(key, {
                  demand,
                  onOthers: (others) => {
                    onOthers(others)
                    if (others.demands.includes(Infinity) || ++told === 100) {
                      Deferred.doneUnsafe(heard, Effect.void)
                    }
                  }
                })
            })
          )
        )
        const limiter = Layer.fresh(RateLimiter.layer({ maxInFlight: 20 })).pipe(
          Layer.provide(listening),
          Layer.provide(processAs(pid, Duration.minutes(5)))
        )
        return { heard, limiter: Context.get(yield* Layer.build(limiter), RateLimiter), answered: 0 }
      })
      const processes = [yield* start(1), yield* start(2)]
      const facts = {
        requests: { limit: 600, remaining: 600, resetMs: 0 },
        tokens: undefined,
        retryAfterMs: undefined
      }
      yield* Effect.gen(function* () {
        for (const process of processes) {
          const call = process.limiter.withPermit({ key: "api model", tokens: 1 })((feedback) =>
            Effect.gen(function* () {
              yield* Effect.sleep("50 millis")
              process.answered++
              yield* feedback({ outcome: "ok", facts })
            })
          )
          yield* Effect.forkScoped(
            Effect.all(
              Array.from({ length: 20 }, () => Effect.forever(call)),
              { concurrency: 20 }
            )
          )
        }
        for (const process of processes) yield* Deferred.await(process.heard)
        // What nobody had told before the first answers is over.
        yield* TestClock.adjust("10 seconds")
        for (const process of processes) process.answered = 0
        yield* TestClock.adjust("1 minute")
        const [one = 0, two = 0] = processes.map(({ answered }) => answered)
        expect(one + two).toBeLessThanOrEqual(600)
        expect(one).toBeGreaterThan(280)
        expect(two).toBeGreaterThan(280)
      }).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("a process that ends, or falls silent, is left out", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const scope = yield* Scope.make()
      yield* hear(2, 60, () => false).pipe(Scope.provide(scope))
      yield* sql`insert into gbrain_effect.rate_shares values
        ('api model', 'elsewhere', 9, 60, now(), now() - interval '6 seconds')`
      const together = yield* hear(1, Infinity, ({ demands }) => demands.length === 1)
      yield* Deferred.await(together)
      yield* Scope.close(scope, yield* Effect.exit(Effect.void))
      const alone = yield* hear(3, Infinity, ({ demands }) => demands.length === 1)
      expect((yield* Deferred.await(alone)).demands).toEqual([Infinity])
    }).pipe(Effect.scoped, Effect.provide(brain))
  )
})
