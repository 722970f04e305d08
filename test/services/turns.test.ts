/** Processes that take turns on one brain. */
import { expect, inject, it } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Fiber, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { resilient } from "../../src/services/database/Resilience.ts"
import { takeTurn, turns } from "../../src/services/database/turns.ts"
import * as Money from "../../src/domain/Money.ts"
import { BrainConfig } from "../../src/services/BrainConfig.ts"
import { Budget } from "../../src/services/Budget.ts"
import { Ledger } from "../../src/services/Ledger.ts"
import { PageNames } from "../../src/services/PageNames.ts"
import { postgresBrain } from "../support/brains.ts"

it.live.skipIf(inject("noPostgres") !== "")(
  "one that falls silent in the middle of its turn holds nobody up, and has its turn again when it wakes",
  () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const turn = takeTurn(sql, 1, Duration.millis(300))
      yield* sql`create table said (word text)`
      const [asleep, woken] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const sleeper = yield* Effect.gen(function* () {
        yield* turn
        yield* Deferred.succeed(asleep, undefined)
        yield* Deferred.await(woken)
        yield* sql`insert into said values ('late')`
      }).pipe(sql.withTransaction, resilient, Effect.forkChild)
      yield* Deferred.await(asleep)
      yield* turn.pipe(Effect.andThen(sql`insert into said values ('soon')`), sql.withTransaction)
      yield* Deferred.succeed(woken, undefined)
      yield* Fiber.join(sleeper)
      expect(yield* sql`select word from said`).toEqual([{ word: "soon" }, { word: "late" }])
    }).pipe(Effect.scoped, Effect.provide(postgresBrain))
)

it("no two turns have the same number", () => {
  const numbers = Object.values(turns)
  expect(new Set(numbers).size).toBe(numbers.length)
})

it.live.skipIf(inject("noPostgres") !== "")(
  "a run that brings the names of pages up to date keeps no paid call waiting for its money",
  () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const built = yield* Layer.build(
        Layer.mergeAll(
          PageNames.layer,
          Budget.layerLedger({ cap: Option.none() }).pipe(Layer.provide(Ledger.layer))
        ).pipe(Layer.provide(BrainConfig.layer))
      )
      // Somebody has the table, so that the refresh is in the middle of its turn for as long as we like.
      const [locked, done] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const holder = yield* sql`lock table gbrain_effect.page_names`.pipe(
        Effect.andThen(Deferred.succeed(locked, undefined)),
        Effect.andThen(Deferred.await(done)),
        sql.withTransaction,
        Effect.forkChild
      )
      yield* Deferred.await(locked)
      const refresh = yield* Effect.forkChild(Context.get(built, PageNames).refresh)
      const waiting = sql`select 1 from pg_locks where not granted and relation = 'gbrain_effect.page_names'::regclass`
      yield* Effect.repeat(Effect.delay(waiting, "5 millis"), { until: (rows) => rows.length > 0 })
      yield* Context.get(built, Budget).withReservation(Money.fromPico(1n), (settle) => settle(Money.zero))
      expect(refresh.pollUnsafe()).toBeUndefined()
      yield* Deferred.succeed(done, undefined)
      yield* Fiber.joinAll([holder, refresh])
    }).pipe(Effect.scoped, Effect.provide(postgresBrain))
)
