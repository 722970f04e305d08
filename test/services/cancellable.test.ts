/** Writes that wait for somebody's lock let go at an interruption, and nobody else waits with them. */
import { describe, expect, inject, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { Journal } from "../../src/services/Journal.ts"
import { PageWriter } from "../../src/services/PageWriter.ts"
import { PicturePages } from "../../src/services/PicturePages.ts"
import { Sources } from "../../src/services/Sources.ts"
import { postgresBrain } from "../support/brains.ts"

const layer = Layer.mergeAll(PageWriter.layer, PicturePages.layer, Sources.layer, Journal.layer).pipe(
  Layer.provideMerge(postgresBrain)
)

const waiting = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql<{ readonly query: string }>`
    select query from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
)

/** Nobody else can write to the table while `use` runs. */
const withLocked = <A, E, R>(table: string, use: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const held = yield* Deferred.make<void>()
    const over = yield* Deferred.make<void>()
    const holder = yield* sql`lock table ${sql.literal(table)} in share mode`.pipe(
      Effect.andThen(Deferred.succeed(held, undefined)),
      Effect.andThen(Deferred.await(over)),
      sql.withTransaction,
      Effect.forkChild
    )
    yield* Deferred.await(held)
    const used = yield* use
    yield* Deferred.succeed(over, undefined)
    yield* Fiber.join(holder)
    return used
  })

const origin = { sourceId: "default", directory: "/notes" }

/** Something written, by the table that it waits for. */
const writes: ReadonlyArray<
  readonly [name: string, table: string, write: Effect.Effect<unknown, unknown, Layer.Success<typeof layer>>]
> = [
  ["pages go", "pages", Effect.flatMap(PageWriter, (it) => it.remove([1]))],
  ["a source's folder is noted", "sources", Effect.flatMap(PageWriter, (it) => it.setLocalPath(origin))],
  ["pictures go", "pages", Effect.flatMap(PicturePages, (it) => it.removeOthers(origin, []))],
  [
    "a source is made",
    "sources",
    Effect.flatMap(Sources, (it) => it.add({ id: "c", name: "c", localPath: Option.none() }))
  ],
  ["a source goes", "sources", Effect.flatMap(Sources, (it) => it.remove("b"))],
  [
    "a vector is journaled",
    "gbrain_effect.journal_vectors",
    Effect.flatMap(Journal, (it) => it.recordVectors([{ key: "k", vector: Float32Array.of(1, 0) }]))
  ]
]

describe.skipIf(inject("noPostgres") !== "")(`writes that wait ${inject("noPostgres")}`, () => {
  for (const [name, table, write] of writes) {
    it.live(`${name}: cancelled by an interruption, and others go through meanwhile`, () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`insert into sources (id, name) values ('b', 'b')`
        const left = yield* withLocked(
          table,
          Effect.gen(function* () {
            const writing = yield* Effect.forkChild(write)
            while ((yield* waiting).length === 0) yield* Effect.sleep(5)
            // More than there are connections.
            const others = Effect.forEach(Array(100), () => sql`select 1`, { concurrency: "unbounded" })
            yield* others
            yield* Fiber.interrupt(writing)
            const still = yield* waiting
            yield* others
            return still
          })
        )
        expect(left).toEqual([])
        expect(yield* sql`select id from sources order by id`).toEqual([{ id: "b" }, { id: "default" }])
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  }
})
