/** The index on vectors: out of the way for a large write, and there again whatever happened between. */
import { expect, inject, it, describe } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { PageLease } from "../../src/services/PageLease.ts"
import { VectorIndex, VectorIndexPolicy } from "../../src/services/VectorIndex.ts"
import { embeddedBrain, postgresBrain } from "../support/brains.ts"

const layer = (policy: { readonly fromVectors: number; readonly mostPerWritten: number }) =>
  VectorIndex.layer.pipe(
    Layer.provideMerge(PageLease.layer),
    Layer.provide(Layer.succeed(VectorIndexPolicy, policy))
  )
const always = layer({ fromVectors: 1, mostPerWritten: 2 })

const indexes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ readonly definition: string; readonly valid: boolean }>`
    select pg_get_indexdef(indexrelid) as definition, indisvalid as valid from pg_index
    join pg_class on pg_class.oid = indexrelid where relname = 'idx_chunks_embedding'`
})

const quiet = () => Effect.void

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
