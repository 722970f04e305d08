/** A table is changed without anybody who reads it waiting, however long somebody else holds it. */
import { describe, expect, inject, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber } from "effect"
import { SqlClient } from "effect/sql"
import { Layer } from "effect"
import { LockPolicy } from "../../src/services/database/shortLocks.ts"
import { EmbeddingMigrations, migrationLease } from "../../src/services/EmbeddingMigrations.ts"
import { PageLease } from "../../src/services/PageLease.ts"
import { postgresBrain } from "../support/brains.ts"
import { newSpace, oldSpace, putChunks, putFacts, putPage, vectorOf } from "../support/migrations.ts"

const layer = EmbeddingMigrations.layer.pipe(
  Layer.provideMerge(PageLease.layer),
  Layer.provideMerge(postgresBrain)
)

/** A migration of a small brain that lacks nothing but the swap. */
const ready = Effect.gen(function* () {
  const migrations = yield* EmbeddingMigrations
  yield* putChunks(yield* putPage("one"), ["The boat needs a winch."])
  yield* putFacts(["The lease runs for three years."])
  const migration = yield* migrations.begin(oldSpace, newSpace, ["content_chunks", "facts"])
  yield* migrations.prepare(migration)
  for (const spec of migration.specs) {
    const rows = yield* migrations.pending(migration, spec, {
      kind: "wanted",
      after: 0,
      limit: 10,
      bytes: 1e6
    })
    yield* migrations.write(
      migration,
      spec,
      rows.map(({ hash, id, text }) => ({
        id,
        hash,
        vector: Float32Array.from(JSON.parse(vectorOf(newSpace, text)))
      }))
    )
  }
  for (const index of yield* migrations.indexes(migration)) yield* migrations.makeIndex(index)
  return migration
})

/** Somebody who reads for long, until the answer is run; and the database's process that does it. */
const longReader = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const began = yield* Deferred.make<number>()
  const over = yield* Deferred.make<void>()
  const fiber = yield* sql<{
    readonly pid: number
  }>`select pg_backend_pid() as pid, count(*) from pages`.pipe(
    Effect.flatMap(([row]) => Deferred.succeed(began, row?.pid ?? 0)),
    Effect.andThen(Deferred.await(over)),
    sql.withTransaction,
    Effect.forkChild
  )
  const pid = yield* Deferred.await(began)
  return { pid, end: Effect.andThen(Deferred.succeed(over, undefined), Fiber.join(fiber)) }
})

describe.skipIf(inject("noPostgres") !== "")(`short locks ${inject("noPostgres")}`, () => {
  it.live(
    "a swap that waits for a long reader lets everybody else through, and is done when that one is",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const migrations = yield* EmbeddingMigrations
        const migration = yield* ready
        const reader = yield* longReader
        const swapping = yield* Effect.forkChild(
          (yield* PageLease).withLease(migrationLease, (lease) => migrations.swap(migration, lease))
        )
        for (let read = 0; read < 30; read++) {
          // Longer than an attempt may keep anybody waiting, much shorter than the reader stays.
          yield* sql.withTransaction(
            Effect.gen(function* () {
              yield* sql`set local lock_timeout = '500ms'`
              for (const table of ["pages", "content_chunks", "facts"])
                yield* sql`select count(*) from ${sql(table)}`
            })
          )
          yield* Effect.sleep(50)
        }
        expect(yield* migrations.open).toMatchObject({ value: { phase: "filling" } })
        yield* reader.end
        const outcome = yield* Fiber.join(swapping)
        expect(outcome).toMatchObject({ _tag: "Swapped" })
        expect(outcome._tag === "Swapped" ? outcome.attempts : 0).toBeGreaterThan(1)
      }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.live("one who never ends is named, and nothing is changed", () =>
    Effect.gen(function* () {
      const migrations = yield* EmbeddingMigrations
      const migration = yield* ready
      const reader = yield* longReader
      const error = yield* Effect.flip(
        (yield* PageLease).withLease(migrationLease, (lease) => migrations.swap(migration, lease))
      ).pipe(Effect.updateService(LockPolicy, (policy) => ({ ...policy, giveUpAfter: Duration.seconds(1) })))
      expect(error).toMatchObject({
        _tag: "TableBusy",
        message: expect.stringContaining(`the database's process ${reader.pid} has been in a transaction`)
      })
      expect(yield* migrations.open).toMatchObject({ value: { phase: "filling" } })
      yield* reader.end
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
