/** The index on vectors: out of the way for a large write, and there again whatever happened between. */
import { expect, inject, it, describe } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { alone } from "../../src/services/database/concurrentIndex.ts"
import { PageLease } from "../../src/services/PageLease.ts"
import { VectorIndex, VectorIndexPolicy } from "../../src/services/VectorIndex.ts"
import { embeddedBrain, postgresBrain } from "../support/brains.ts"

const layer = (policy: { readonly fromVectors: number; readonly mostPerWritten: number }) =>
  VectorIndex.layer.pipe(
    Layer.provideMerge(PageLease.layer),
    Layer.provide(Layer.succeed(VectorIndexPolicy, { ...policy, patience: Duration.seconds(1) }))
  )
const always = layer({ fromVectors: 1, mostPerWritten: 2 })

const indexes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ readonly definition: string; readonly valid: boolean }>`
    select pg_get_indexdef(indexrelid) as definition, indisvalid as valid from pg_index
    join pg_class on pg_class.oid = indexrelid where relname = 'idx_chunks_embedding'`
})

const quiet = () => Effect.void

/** Somebody in a transaction on the table, until the deferred is done. */
const inTransaction = Effect.fnUntraced(function* (statement: string) {
  const sql = yield* SqlClient.SqlClient
  const began = yield* Deferred.make<void>()
  const over = yield* Deferred.make<void>()
  const fiber = yield* sql
    .unsafe(statement)
    .pipe(
      Effect.andThen(Deferred.succeed(began, undefined)),
      Effect.andThen(Deferred.await(over)),
      sql.withTransaction,
      Effect.forkChild
    )
  yield* Deferred.await(began)
  return Effect.andThen(Deferred.succeed(over, undefined), Fiber.join(fiber))
})

/** A reader who waits for nobody: fails when it would have to, longer than for a change of the catalog. */
const impatientRead = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`set local lock_timeout = '500ms'`
  yield* sql`select 1 from content_chunks limit 1`
})

/** Reads again and again while `work` is under way, at least so many times. */
const readingMeanwhile = Effect.fnUntraced(function* <A, E, E2, R>(
  times: number,
  work: Fiber.Fiber<A, E>,
  end: Effect.Effect<unknown, E2, R>
) {
  const sql = yield* SqlClient.SqlClient
  for (let read = 0; read < times; read++) {
    yield* sql.withTransaction(impatientRead)
    yield* Effect.sleep(50)
  }
  yield* end
  return yield* Fiber.join(work)
})

describe.skipIf(inject("noPostgres") !== "")(`VectorIndex on Postgres ${inject("noPostgres")}`, () => {
  it.live("is built again exactly as it was, and is off the record then", () =>
    Effect.gen(function* () {
      const index = yield* VectorIndex
      const before = yield* indexes
      expect(before).toMatchObject([{ valid: true }])
      expect(yield* index.setAsideFor(100)).toBe(true)
      expect(yield* indexes).toEqual([])
      expect(yield* index.inPlace).toBe(false)
      expect(yield* index.pending).toEqual(["idx_chunks_embedding"])
      expect(yield* index.restore(quiet)).toBe("built")
      expect(yield* indexes).toEqual(before)
      expect(yield* index.pending).toEqual([])
      expect(yield* index.restore(quiet)).toBe("nothing")
    }).pipe(Effect.provide(always), Effect.scoped, Effect.provide(postgresBrain))
  )

  it.live("one that an interrupted build left invalid is dropped and built anew", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const index = yield* VectorIndex
      const before = yield* indexes
      yield* sql`update pg_index set indisvalid = false where indexrelid = 'idx_chunks_embedding'::regclass`
      expect(yield* index.pending).toEqual(["idx_chunks_embedding"])
      expect(yield* index.restore(quiet)).toBe("built")
      expect(yield* indexes).toEqual(before)
    }).pipe(Effect.provide(always), Effect.scoped, Effect.provide(postgresBrain))
  )

  it.live("a build that outlived its process is waited for, and keeps nobody from reading", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const index = yield* VectorIndex
      const before = yield* indexes
      yield* index.setAsideFor(100)
      const end = yield* inTransaction("delete from content_chunks")
      // The database's process goes on when the one that asked for it is killed: it waits for the transactions before it.
      const outlived = yield* Effect.forkChild(
        alone(
          "create index concurrently idx_chunks_embedding on content_chunks using hnsw (embedding vector_cosine_ops)"
        )
      )
      yield* Effect.repeat(
        sql<{
          readonly n: number
        }>`select count(*)::int as n from pg_stat_progress_create_index where index_relid is not null`,
        { until: ([row]) => row?.n === 1, schedule: Schedule.spaced("20 millis") }
      )
      const restored = yield* Effect.forkChild(index.restore(quiet))
      expect(yield* readingMeanwhile(30, restored, end)).toBe("built")
      yield* Fiber.join(outlived)
      expect(yield* indexes).toEqual(before)
      expect(yield* index.pending).toEqual([])
    }).pipe(Effect.provide(always), Effect.scoped, Effect.provide(postgresBrain))
  )

  it.live("stays while somebody reads for long, and nobody else waits behind the attempt", () =>
    Effect.gen(function* () {
      const index = yield* VectorIndex
      const before = yield* indexes
      const end = yield* inTransaction("select count(*) from content_chunks")
      const aside = yield* Effect.forkChild(index.setAsideFor(100))
      expect(yield* readingMeanwhile(20, aside, Effect.void)).toBe(false)
      expect(yield* indexes).toEqual(before)
      yield* end
      expect(yield* index.setAsideFor(100)).toBe(true)
    }).pipe(Effect.provide(always), Effect.scoped, Effect.provide(postgresBrain))
  )

  it.live("stays for a small write, for one into a large brain, and while somebody else sees to it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into pages (slug, type, title) values ('a', 'note', 'a')`
      yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text, embedding)
        select 1, n, 'text', array_fill(n::real, array[64])::vector from generate_series(1, 50) n`
      const set = (vectors: number) => Effect.flatMap(VectorIndex, (index) => index.setAsideFor(vectors))
      const policy = layer({ fromVectors: 20, mostPerWritten: 2 })
      expect(yield* set(10).pipe(Effect.provide(policy))).toBe(false)
      expect(yield* set(40).pipe(Effect.provide(policy))).toBe(false)
      yield* sql`insert into gbrain_cycle_locks (id, holder_pid, holder_host, acquired_at, ttl_expires_at)
        values ('gbrain-effect-vector-index', 1, 'elsewhere', now(), now() + interval '1 hour')`
      expect(yield* set(60).pipe(Effect.provide(policy))).toBe(false)
      yield* sql`delete from gbrain_cycle_locks`
      expect(yield* set(60).pipe(Effect.provide(policy))).toBe(true)
    }).pipe(Effect.scoped, Effect.provide(postgresBrain))
  )
})

describe("VectorIndex on PGlite", () => {
  it.live("has nothing to set aside", () =>
    Effect.gen(function* () {
      const index = yield* VectorIndex
      expect(yield* index.setAsideFor(1_000_000)).toBe(false)
      expect(yield* index.restore(quiet)).toBe("nothing")
    }).pipe(Effect.provide(always), Effect.scoped, Effect.provide(embeddedBrain))
  )
})
