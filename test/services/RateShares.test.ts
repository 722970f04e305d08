import { expect, it } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Layer, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { type Others, RateShares, SharePolicy } from "../../src/services/RateShares.ts"
import { onBothDatabases } from "../support/brains.ts"

const processAs = (pid: number) =>
  Layer.fresh(RateShares.layer).pipe(
    Layer.provide(Layer.succeed(HostProcess, HostProcess.of({ pid, host: "here", isAlive: () => true }))),
    Layer.provide(
      Layer.succeed(SharePolicy, { every: Duration.millis(20), silentAfter: Duration.seconds(5) })
    )
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
