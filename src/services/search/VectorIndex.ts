/**
 * How the vectors of this brain are to be asked for the nearest ones. An index serves only the operator and the type that it
 * was made for, so both are read from the index that there is, whoever made it; without one, an exact scan answers.
 */
import { Context, Effect, Option, Ref, SemVer } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import { pgvectorVersion } from "../Brain.ts"
import { type VectorColumn, vectorColumns } from "../EmbeddingWidth.ts"

/** A table's vectors. */
export interface VectorAccess {
  readonly column: VectorColumn
  /** The distance between a row's vector and a vector in pgvector's text form. */
  readonly distance: (vector: string) => Statement.Fragment
  /** Whether an index answers. */
  readonly indexed: boolean
}

/** The vectors of a brain. */
export interface VectorIndexes {
  readonly chunks: Option.Option<VectorAccess>
  readonly facts: Option.Option<VectorAccess>
  /** Settings for a transaction that asks an index. */
  readonly settings: Effect.Effect<void, never, SqlClient.SqlClient>
}

const operators: Readonly<Record<string, string>> = { cosine: "<=>", l2: "<->", ip: "<#>" }

/** Since this version an index goes on where filters leave too little. */
const iteratesSince = SemVer.parseUnsafe("0.8.0")

/** How indexes of vectors are asked. */
export const VectorSearchPolicy = Context.Reference("gbrain/VectorSearchPolicy", {
  defaultValue: () => ({
    /**
     * Rows that an index keeps in view while it looks for the nearest: more find more of what is really nearest, and take longer.
     * Measured with `node bench/search.ts`; see decision 016.
     */
    efSearch: 400
  })
})

/** The vector columns and their indexes as they are: looked at closely only when one of them has become another. */
export const makeVectorIndexes = Effect.map(
  Ref.make<Option.Option<{ readonly shape: string; readonly indexes: VectorIndexes }>>(Option.none()),
  (known) =>
    Effect.gen(function* () {
      const shape = yield* shapeNow()
      const before = yield* Ref.get(known)
      if (Option.isSome(before) && before.value.shape === shape) return before.value.indexes
      const indexes = yield* inspectVectors()
      yield* Ref.set(known, Option.some({ shape, indexes }))
      return indexes
    })
)

const shapeNow = Effect.fnUntraced(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly shape: string }>`
    select concat_ws(' ',
      (select string_agg(concat_ws(' ', attrelid, attnum, format_type(atttypid, atttypmod)), ',' order by attrelid)
        from pg_attribute where attrelid in ('facts'::regclass, 'content_chunks'::regclass) and attname = 'embedding'
        and not attisdropped),
      (select string_agg(indexrelid::text, ',' order by indexrelid) from pg_index
        where indrelid in ('facts'::regclass, 'content_chunks'::regclass) and indisvalid and indisready),
      (select extversion from pg_extension where extname = 'vector')) as shape`
  return row?.shape ?? ""
})

/** Looks at the vector columns and their indexes. */
export const inspectVectors = Effect.fn("inspectVectors")(function* () {
  const sql = yield* SqlClient.SqlClient
  const columns = yield* vectorColumns()
  const indexes = yield* sql<{
    readonly table: string
    readonly expression: string
    readonly family: string
  }>`
    select indrelid::regclass::text as table, pg_get_indexdef(indexrelid, 1, true) as expression, opcname as family
    from pg_index
    join pg_class on pg_class.oid = indexrelid join pg_am on pg_am.oid = relam and amname in ('hnsw', 'ivfflat')
    join pg_opclass on pg_opclass.oid = indclass[0]
    where indrelid in ('facts'::regclass, 'content_chunks'::regclass) and indisvalid and indisready
      and pg_get_indexdef(indexrelid, 1, true) ~ '^\\(?embedding\\M'
    order by amname, opcname like '%cosine%' desc`
  const version = yield* pgvectorVersion(sql)
  const iterates = Option.exists(version, (it) => SemVer.isGreaterThanOrEqualTo(it, iteratesSince))

  const access = (table: VectorColumn["table"]): Option.Option<VectorAccess> =>
    Option.map(Option.fromUndefinedOr(columns.find((it) => it.table === table)), (column) => {
      const index = indexes.find((it) => it.table === table)
      const match = /^(vector|halfvec)_(cosine|l2|ip)_ops$/.exec(index?.family ?? "")
      const type = match?.[1] ?? column.type
      // From the database's own description of an index on this column, never from a page.
      const expression =
        index !== undefined && match !== null && index.expression !== "embedding"
          ? `(embedding::${type}(${column.dimensions}))`
          : "embedding"
      const operator = operators[match?.[2] ?? "cosine"] ?? "<=>"
      return {
        column,
        indexed: match !== null,
        distance: (vector) => sql`${sql.literal(`${expression} ${operator}`)} ${vector}::${sql.literal(type)}`
      }
    })

  const set = (name: string, value: string) => sql`select set_config(${name}, ${value}, true)`
  return {
    chunks: access("content_chunks"),
    facts: access("facts"),
    settings: Effect.orDie(
      Effect.gen(function* () {
        if (indexes.length === 0) return
        const { efSearch } = yield* VectorSearchPolicy
        yield* set("hnsw.ef_search", String(efSearch))
        // Only a little out of order, and what is found is put in order anyway.
        if (iterates) yield* set("hnsw.iterative_scan", "relaxed_order")
      })
    )
  } satisfies VectorIndexes
})
