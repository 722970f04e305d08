/**
 * The swap: in one short transaction the new columns take the names of the old ones, their indexes too, and the brain's
 * settings name the new model. Nothing is copied, so it takes as long for a hundred million rows as for ten. And the way back:
 * the same, with the columns that were kept.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type Lease, PageLease } from "../PageLease.ts"
import { forgetOnEdit, quoted } from "./columns.ts"
import { indexesOn, losingIndex } from "./indexes.ts"
import { losing } from "./rows.ts"
import { withShortLocks } from "../database/shortLocks.ts"
import { changesPages, type Migration, setPhase, stillOpen } from "./state.ts"
import { type Beside, besideName, signatureColumn, type TableSpec } from "./tables.ts"

/** What came of an attempt to swap: done, or first the rows of a table must get their vectors. */
export type SwapOutcome =
  | { readonly _tag: "Swapped"; readonly attempts: number }
  | { readonly _tag: "RowsLeft"; readonly spec: TableSpec }

/**
 * Swaps, unless a row would lose its vector: then nothing is changed. Safe to repeat when the answer was lost.
 */
export const swap = Effect.fnUntraced(function* (migration: Migration, lease: Lease, hasQueryCache: boolean) {
  const sql = yield* SqlClient.SqlClient
  const leases = yield* PageLease
  const tables = [
    ...(changesPages(migration) ? ["pages"] : []),
    ...migration.specs.map(({ table }) => table),
    ...(hasQueryCache ? ["query_cache"] : [])
  ]
  const { attempts, value } = yield* withShortLocks(
    tables,
    Effect.gen(function* () {
      // Answered before, and the answer was lost.
      const now = yield* stillOpen(migration)
      if (now.phase === "swapped") return { _tag: "Swapped" as const }
      yield* leases.confirm(lease)
      // However few rows there are, the small index is the way; a table may have grown since it was last measured.
      yield* sql.unsafe("set local enable_seqscan = off")
      for (const spec of migration.specs) {
        const left = yield* sql.unsafe(
          `select 1 as one from ${spec.table} t where ${losing(spec, migration)} limit 1`
        )
        if (left.length > 0) return { _tag: "RowsLeft" as const, spec }
      }
      for (const spec of migration.specs) yield* exchange(spec)
      if (changesPages(migration)) {
        yield* rename("pages", signatureColumn, "previous")
        yield* sql.unsafe(
          `alter table pages rename column ${besideName(signatureColumn, "next")} to ${signatureColumn}`
        )
        // Pages written from now on say for themselves of which model their chunks' vectors are.
        yield* sql.unsafe(`alter table pages alter column ${signatureColumn} drop default`)
      }
      if (hasQueryCache) yield* emptyQueryCache(migration.to.dimensions)
      yield* sql`
        insert into config (key, value) values ('embedding_model', ${migration.to.model}),
          ('embedding_dimensions', ${String(migration.to.dimensions)})
        on conflict (key) do update set value = excluded.value`
      yield* setPhase(migration, "swapped")
      return { _tag: "Swapped" as const }
    })
  )
  return value._tag === "Swapped" ? { ...value, attempts } : value
})

const columnsOf = (spec: TableSpec): ReadonlyArray<string> => [
  "embedding",
  ...spec.companions.map(({ column }) => column)
]

const rename = Effect.fnUntraced(function* (table: string, column: string, beside: Beside) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`alter table ${table} rename column ${column} to ${besideName(column, beside)}`)
})

const renameIndex = Effect.fnUntraced(function* (from: string, to: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`alter index if exists ${from} rename to ${to}`)
})

const exchange = Effect.fnUntraced(function* (spec: TableSpec) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(`drop index if exists ${losingIndex(spec)}`)
  const old = yield* indexesOn(spec.table, "embedding")
  const made = yield* indexesOn(spec.table, besideName("embedding", "next"))
  for (const { name } of old) yield* renameIndex(name, besideName(name, "previous"))
  for (const { name } of made) yield* renameIndex(name, name.replace(/_next$/, ""))
  for (const column of columnsOf(spec)) {
    yield* rename(spec.table, column, "previous")
    yield* sql.unsafe(`alter table ${spec.table} rename column ${besideName(column, "next")} to ${column}`)
  }
  // The old vectors are kept true too: one whose text is edited is not a way back any more.
  yield* forgetOnEdit(spec, "previous")
})

/** gbrain's cache of answers is found by the vectors of questions, which are of the old model. It fills again by itself. */
const emptyQueryCache = Effect.fnUntraced(function* (dimensions: number) {
  const sql = yield* SqlClient.SqlClient
  const indexes = yield* indexesOn("query_cache", "embedding")
  const [column] = yield* sql<{ readonly kind: string }>`
    select format_type(atttypid, null) as kind from pg_attribute
    where attrelid = to_regclass('query_cache') and attname = 'embedding' and not attisdropped`
  if (column === undefined) return
  yield* sql`truncate query_cache`
  yield* sql.unsafe(
    `alter table query_cache drop column embedding, add column embedding ${column.kind}(${dimensions})`
  )
  const widest = column.kind === "halfvec" ? 4000 : 2000
  for (const { definition } of indexes) {
    if (/ using hnsw /i.test(definition) && dimensions > widest) continue
    yield* sql.unsafe(definition)
  }
})

/** Whether the brain has gbrain's cache of answers. */
export const queryCacheExists = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    select 1 as one from pg_attribute
    where attrelid = to_regclass('query_cache') and attname = 'embedding' and not attisdropped`
  return rows.length > 0
})

/**
 * Turns a swapped migration round: the columns that were kept become those to be swapped in. Those of their rows whose texts were
 * edited since, or that are new, have no vector there yet.
 */
export const turnRound = Effect.fnUntraced(function* (migration: Migration, lease: Lease) {
  const sql = yield* SqlClient.SqlClient
  const leases = yield* PageLease
  yield* withShortLocks(
    [...(changesPages(migration) ? ["pages"] : []), ...migration.specs.map(({ table }) => table)],
    Effect.gen(function* () {
      if ((yield* stillOpenOrTurned(migration)) === "turned") return
      yield* leases.confirm(lease)
      for (const spec of migration.specs) {
        for (const { name } of yield* indexesOn(spec.table, besideName("embedding", "previous"))) {
          yield* renameIndex(name, name.replace(/_previous$/, "_next"))
        }
        for (const column of columnsOf(spec)) {
          yield* sql.unsafe(
            `alter table ${spec.table} rename column ${besideName(column, "previous")} to ${besideName(column, "next")}`
          )
        }
        yield* forgetOnEdit(spec, "next")
      }
      if (changesPages(migration)) {
        yield* sql.unsafe(
          `alter table pages rename column ${besideName(signatureColumn, "previous")} to ${besideName(signatureColumn, "next")}`
        )
      }
      yield* setPhase(migration, "undone")
      yield* sql.unsafe(
        `insert into gbrain_effect.embedding_migrations
          (from_model, from_dimensions, to_model, to_dimensions, tables, phase, returning_from)
        select to_model, to_dimensions, from_model, from_dimensions, tables, 'filling', id
        from gbrain_effect.embedding_migrations where id = ${quoted(migration.id)}::bigint`
      )
    })
  )
})

const stillOpenOrTurned = Effect.fnUntraced(function* (migration: Migration) {
  const sql = yield* SqlClient.SqlClient
  const turned = yield* sql`
    select 1 as one from gbrain_effect.embedding_migrations
    where returning_from = ${migration.id}::bigint and phase not in ('undone', 'finished')`
  if (turned.length > 0) return "turned" as const
  yield* stillOpen(migration)
  return "open" as const
})
