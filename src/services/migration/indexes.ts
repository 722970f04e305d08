/**
 * The indexes of the new column, made while everybody works on the table. They are those of the old column, by their
 * definitions, whatever they are; so that after the swap gbrain finds what it made. One more, which the swap needs, tells
 * quickly whether any row would lose its vector.
 */
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { Database } from "../Database.ts"
import { alone, type ConcurrentIndex } from "../database/concurrentIndex.ts"
import { resilient } from "../database/Resilience.ts"
import { widestIndexed } from "../database/gbrainTables/EmbeddingColumns.ts"
import { type Migration, stillOpen } from "./state.ts"
import { type Beside, besideName, type TableSpec } from "./tables.ts"

/** An index to be made, under the name that it has until the swap. */
export type PlannedIndex = ConcurrentIndex

interface Definition {
  readonly name: string
  readonly definition: string
}

/** The indexes that depend on a column of a table, in its key or its condition. */
export const indexesOn = Effect.fnUntraced(function* (table: string, column: string) {
  const sql = yield* SqlClient.SqlClient
  return yield* resilient(sql<Definition>`
    select distinct relname as name, pg_get_indexdef(objid) as definition
    from pg_depend join pg_class on pg_class.oid = objid and relkind = 'i'
    where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and refobjid = to_regclass(${table})
      and refobjsubid = (select attnum from pg_attribute
        where attrelid = to_regclass(${table}) and attname = ${column} and not attisdropped)
    order by name`)
})

/** The index that tells which rows of a table would lose their vector. */
export const losingIndex = ({ table }: TableSpec): string => `gbrain_effect_losing_${table}`

/** The indexes that the new column of a table needs before the swap. */
export const plannedIndexes = Effect.fnUntraced(function* (
  spec: TableSpec,
  kind: "halfvec" | "vector",
  dimensions: number
) {
  const { kind: database } = yield* Database
  const old = (yield* indexesOn(spec.table, "embedding")).filter(({ name }) => name !== losingIndex(spec))
  const tooWide = dimensions > widestIndexed(kind)
  const nearest = (definition: string) => / using hnsw /i.test(definition)
  const wanted = [
    ...old,
    // A column that was too wide for an index may have become narrow enough. Embedded brains have none: see decision 003.
    ...(database === "pglite" || old.some(({ definition }) => nearest(definition))
      ? []
      : [
          {
            name: spec.index.name,
            definition: `CREATE INDEX ${spec.index.name} ON ${spec.table} USING hnsw (embedding vector_cosine_ops) ${spec.index.where}`
          }
        ])
  ]
  return [
    ...wanted
      .filter(({ definition }) => !(tooWide && nearest(definition)))
      .map(({ definition, name }): PlannedIndex => {
        const beside = besideName(name, "next")
        return { name: beside, statement: besideStatement(definition, beside, kind) }
      }),
    {
      name: losingIndex(spec),
      statement: `create index concurrently if not exists ${losingIndex(spec)} on ${spec.table} (id)
        where embedding is not null and embedding_next is null`
    }
  ]
})

/** The statement that makes the same index on the new column, under another name. */
export const besideStatement = (definition: string, name: string, kind: "halfvec" | "vector"): string => {
  const match = /^CREATE( UNIQUE)? INDEX \S+ ON (.*)$/is.exec(definition)
  const rest = (match?.[2] ?? "")
    .replaceAll(/\bembedding\b/g, "embedding_next")
    .replaceAll(/\b(?:half)?vec(?:tor)?_(cosine|l2|ip|l1)_ops\b/g, `${kind}_$1_ops`)
  return `create${match?.[1] ?? ""} index concurrently if not exists ${name} on ${rest}`
}

/** How far the index that is being made is, 0 to 1; none while none is. */
export const indexProgress = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly share: number }>`
    select coalesce(greatest(tuples_done::float8 / nullif(tuples_total, 0), blocks_done::float8 / nullif(blocks_total, 0)), 0)
      as share
    from pg_stat_progress_create_index where datname = current_database()`
  return Option.map(Option.fromUndefinedOr(row), ({ share }) => Math.min(1, share))
})

/** Drops the indexes of the columns beside, without keeping anybody waiting; those being made are given up. */
export const dropIndexes = Effect.fnUntraced(function* (migration: Migration, beside: Beside) {
  const sql = yield* SqlClient.SqlClient
  for (const spec of migration.specs) {
    const names = [
      ...(yield* indexesOn(spec.table, besideName("embedding", beside))).map(({ name }) => name),
      losingIndex(spec)
    ]
    for (const name of new Set(names)) {
      yield* stillOpen(migration)
      yield* sql`
        select pg_cancel_backend(pid) from pg_stat_progress_create_index where index_relid = to_regclass(${name})`
      yield* resilient(alone(`drop index concurrently if exists ${name}`))
    }
  }
})
