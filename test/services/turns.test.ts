/** Processes that take turns on one brain. */
import { expect, inject, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber } from "effect"
import { SqlClient } from "effect/sql"
import { resilient } from "../../src/services/database/Resilience.ts"
import { takeTurn } from "../../src/services/database/turns.ts"
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
