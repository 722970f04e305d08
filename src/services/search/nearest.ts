/** What is nearest to a question in meaning: chunks, each for its page, and facts. */
import { Effect, Option } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import type { EmbeddingSpace } from "../../domain/EmbeddingSpace.ts"
import type { FoundFact } from "./factsByWords.ts"
import type { FoundPage } from "./pagesByWords.ts"
import { holdSpace } from "./heldSpace.ts"
import { type SearchScope, visibleFact, visiblePage } from "./scope.ts"
import type { VectorAccess, VectorIndexes } from "./VectorIndex.ts"

/** Chunks that are looked at for each page that is wanted: the nearest are often of one page. */
const chunksPerPage = 3

/** A question as a vector, and whose vector that is. */
export interface AskedVector extends EmbeddingSpace {
  readonly vector: Float32Array
}

/** How many are wanted, and how to find out what there is to ask. */
export interface NearestOptions {
  readonly limit: number
  readonly indexes: Effect.Effect<VectorIndexes, SqlError.SqlError, SqlClient.SqlClient>
}

/** The pages whose chunks are nearest, each by its nearest chunk; the nearest first. */
export const pagesNear = Effect.fn("pagesNear")(function* (
  asked: AskedVector,
  scope: SearchScope,
  options: NearestOptions
) {
  const sql = yield* SqlClient.SqlClient
  return yield* nearest(
    "chunks",
    asked,
    options,
    (distance) =>
      sql<FoundPage>`
      with nearest as materialized (
        select chunk.page_id, chunk.id as chunk_id, ${distance} as distance
        from content_chunks chunk join pages page on page.id = chunk.page_id and ${visiblePage(sql, scope)}
        where chunk.embedding is not null and chunk.modality = 'text'
        order by ${distance} limit ${options.limit * chunksPerPage}
      ), best as (
        select distinct on (page_id) * from nearest order by page_id, distance, chunk_id
      )
      select page_id, chunk_id from best order by distance, page_id limit ${options.limit}`
  )
})

/** The nearest facts, the nearest first. */
export const factsNear = Effect.fn("factsNear")(function* (
  asked: AskedVector,
  scope: SearchScope,
  options: NearestOptions
) {
  const sql = yield* SqlClient.SqlClient
  return yield* nearest(
    "facts",
    asked,
    options,
    (distance) =>
      sql<FoundFact>`
      with nearest as materialized (
        select fact.id, ${distance} as distance from facts fact
        where fact.embedding is not null and ${visibleFact(sql, scope)}
        order by ${distance} limit ${options.limit}
      )
      select id::text as fact_id from nearest order by distance, id`
  )
})

// The settings hold for one transaction, so they touch nobody else's statements on the connection.
const nearest = <A, E, R>(
  kind: "chunks" | "facts",
  asked: AskedVector,
  { indexes }: NearestOptions,
  statement: (distance: Statement.Fragment) => Effect.Effect<ReadonlyArray<A>, E, R>
) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* holdSpace(asked)
        const now = yield* indexes
        // A column of another width has no vectors that could be compared: see `WidthMismatch`.
        const access = Option.filter(now[kind], ({ column }) => column.dimensions === asked.dimensions)
        if (Option.isNone(access)) return []
        yield* now.settings
        return yield* statement(access.value.distance(vectorText(asked.vector)))
      })
    )
  )

/** A vector as pgvector reads it. */
const vectorText = (vector: Float32Array): string => `[${vector.join(",")}]`

/** Whether any of a table's rows has a vector. */
export const hasVectors = Effect.fn("hasVectors")(function* (access: Option.Option<VectorAccess>) {
  const sql = yield* SqlClient.SqlClient
  if (Option.isNone(access)) return false
  const [row] = yield* sql<{ readonly some: boolean }>`
    select exists (select 1 from ${sql(access.value.column.table)} where embedding is not null) as some`
  return row?.some ?? false
})
