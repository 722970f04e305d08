/** Vectors are asked by the index that there is, and filters lose no hits. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { defaultEmbedding } from "../../../src/services/Brain.ts"
import { Search, type SearchScope } from "../../../src/services/Search.ts"
import { inspectVectors } from "../../../src/services/search/VectorIndex.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { seeded } from "../../support/stand-in/behaviour.ts"

const vectorOf = (random: () => number, towards: number): Float32Array =>
  Float32Array.from({ length: 64 }, (_, index) => (index === 0 ? towards : 0) + random() - 0.5)

const text = (vector: Float32Array) => `[${vector.join(",")}]`

/** Many chunks near to what is asked in one source, and a few that are farther away in another. */
const crowd = Effect.fnUntraced(function* (near: number) {
  const sql = yield* SqlClient.SqlClient
  const random = seeded(3)
  yield* sql`insert into sources (id, name) values ('small', 'small')`
  const rows = Array.from({ length: near + 5 }, (_, index) => ({
    source: index < near ? "default" : "small",
    slug: `p/${index}`,
    vector: text(vectorOf(random, index < near ? 3 : -1))
  }))
  yield* sql`
    with made as (
      insert into pages (source_id, slug, type, title) select source, slug, 'note', slug
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(source text, slug text) returning id, slug
    )
    insert into content_chunks (page_id, chunk_index, chunk_text, embedding)
    select made.id, 0, made.slug, row.vector::vector
    from made join jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(slug text, vector text) using (slug)`
  yield* sql`insert into facts (source, fact, embedding) select 'test', chunk_text, embedding::halfvec from content_chunks`
})

const vector = Float32Array.from({ length: 64 }, (_, index) => (index === 0 ? 1 : 0))
const asked = { ...defaultEmbedding, dimensions: vector.length, vector }
const scope = (...sourceIds: ReadonlyArray<string>): SearchScope => ({
  sourceIds,
  types: [],
  visibility: "all"
})

// What the planner would use if it had the choice of nothing else: whether an index can serve the statement at all.
const planOf = Effect.fnUntraced(function* (table: "chunks" | "facts") {
  const sql = yield* SqlClient.SqlClient
  const access = Option.getOrThrow((yield* inspectVectors())[table])
  const distance = access.distance(text(vector))
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`set local enable_seqscan = off`
      yield* sql`set local enable_sort = off`
      const rows = yield* sql<{ readonly "QUERY PLAN": string }>`
        explain select id from ${sql(access.column.table)} where embedding is not null
          ${table === "facts" ? sql`and expired_at is null` : sql``} order by ${distance} limit 5`
      return rows.map((row) => row["QUERY PLAN"]).join("\n")
    })
  )
})

onBothDatabases("vectors in search", (brain) => {
  describe("the index that a brain has", () => {
    const kinds = [
      ["of the column's type", "(embedding vector_cosine_ops)"],
      ["of halfvec over vector", "((embedding::halfvec(64)) halfvec_cosine_ops)"],
      ["by another distance", "(embedding vector_l2_ops)"]
    ] as const
    for (const [name, definition] of kinds) {
      it.effect(`${name} is the one that answers`, () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* crowd(50)
          yield* sql`drop index if exists idx_chunks_embedding`
          yield* sql.unsafe(`create index of_this_brain on content_chunks using hnsw ${definition}`)
          expect(yield* planOf("chunks")).toContain("of_this_brain")
        }).pipe(Effect.provide(brain))
      )
    }

    it.effect(
      "of facts, which leaves out the expired, is used as well; without any the answer is the same",
      () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* crowd(50)
          const search = yield* Search
          yield* sql`drop index if exists idx_facts_embedding_hnsw`
          const without = yield* search.factsNear(asked, scope("default"), 5)
          expect(without).toHaveLength(5)
          yield* sql`create index idx_facts_embedding_hnsw on facts using hnsw (embedding halfvec_cosine_ops)
          where embedding is not null and expired_at is null`
          expect(yield* planOf("facts")).toContain("idx_facts_embedding_hnsw")
          expect(yield* search.factsNear(asked, scope("default"), 5)).toEqual(without)
        }).pipe(Effect.provide(Search.layer), Effect.provide(brain))
    )
  })

  it.effect("a filter that most of the nearest do not pass loses no hit", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* crowd(1500)
      yield* sql`create index if not exists idx_chunks_embedding on content_chunks using hnsw (embedding vector_cosine_ops)`
      // The other plans are exact anyway: here the index has to do it.
      yield* sql`set enable_sort = off`
      yield* sql`set enable_seqscan = off`
      yield* sql`set enable_bitmapscan = off`
      const found = yield* (yield* Search).pagesNear(asked, scope("small"), 5)
      expect(found).toHaveLength(5)
    }).pipe(Effect.provide(Search.layer), Effect.provide(brain))
  )
})
