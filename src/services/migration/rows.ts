/** The rows of a migration: which still want a vector, and the writing of vectors. */
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { embeddedText } from "../../domain/EmbeddedText.ts"
import { resilient } from "../database/Resilience.ts"
import type { VectorArray } from "../database/vectorCodec.ts"
import type { Migration } from "./state.ts"
import { besideName, type MigratedTable, type TableSpec, tableSpecs } from "./tables.ts"

/** A row that wants a vector. */
export interface PendingRow {
  readonly table: MigratedTable
  readonly id: number
  /** The text to embed. */
  readonly text: string
  /** Of the text as it is stored; a vector is written only while it is the same. */
  readonly hash: string
}

/** A vector for a row. */
export interface MadeVector extends Pick<PendingRow, "id" | "hash"> {
  readonly vector: Float32Array
}

/**
 * Which rows are asked for: `wanted` are all that should have a vector and have none in the new column; `losing` those of them
 * that have one in the old.
 */
export type PendingKind = "wanted" | "losing"

/** Once swapped, the new column is the one that is read. */
const columnsOf = ({ phase }: Pick<Migration, "phase">) =>
  phase === "swapped"
    ? { fresh: "embedding", old: besideName("embedding", "previous") }
    : { fresh: besideName("embedding", "next"), old: "embedding" }

const notRefused = (spec: TableSpec, { id }: Migration): string =>
  `not exists (select 1 from gbrain_effect.embedding_refusals refusal where refusal.migration_id = ${id}
    and refusal.table_name = '${spec.table}' and refusal.row_id = t.id and refusal.text_hash = md5(t.${spec.text}))`

/** The condition for a row `t` that loses its vector if the columns are swapped now. */
export const losing = (spec: TableSpec, migration: Migration): string => {
  const { fresh, old } = columnsOf(migration)
  return `t.${old} is not null and t.${fresh} is null and ${notRefused(spec, migration)}`
}

const pending = (spec: TableSpec, migration: Migration, kind: PendingKind): string => {
  if (kind === "losing") return losing(spec, migration)
  const { fresh, old } = columnsOf(migration)
  return `t.${fresh} is null and (t.${old} is not null or (${spec.wanted} and t.${spec.text} ~ '\\S'))
    and ${notRefused(spec, migration)}`
}

/** The next rows in the order of their ids. At most `limit`; their texts are of `bytes` together, or it is one row. */
export const pendingRows = Effect.fnUntraced(function* (
  migration: Migration,
  spec: TableSpec,
  options: {
    readonly kind: PendingKind
    readonly after: number
    readonly limit: number
    readonly bytes: number
  }
) {
  const sql = yield* SqlClient.SqlClient
  // A page of very long texts is cut short before it is sent; the rest comes with the next.
  const rows = yield* resilient(
    sql.unsafe<Pick<PendingRow, "id" | "hash"> & Parameters<typeof embeddedText>[0]>(
      `with page as materialized (
        select t.id from ${spec.table} t ${spec.join}
        where t.id > $1::bigint and ${pending(spec, migration, options.kind)} order by t.id limit $2::int
      ), sized as (
        select t.id, sum(octet_length(t.${spec.text})) over (order by t.id) - octet_length(t.${spec.text}) as before
        from page join ${spec.table} t using (id)
      )
      select t.id::float8 as id, t.${spec.text} as text, md5(t.${spec.text}) as hash, ${
        spec.underTitle
          ? "t.chunk_source as source, page.title, page.contextual_retrieval_mode as mode"
          : "'' as source, '' as title, null as mode"
      }
      from sized join ${spec.table} t using (id) ${spec.join}
      where sized.before < $3::float8 order by t.id`,
      [options.after, options.limit, options.bytes]
    )
  )
  return rows.map((row): PendingRow => ({
    table: spec.table,
    id: row.id,
    hash: row.hash,
    text: embeddedText(row)
  }))
})

/** How many rows are pending, and how long their texts are together, in bytes: counted, or foretold for a large table. */
export const countPending = Effect.fnUntraced(function* (
  spec: TableSpec,
  migration: Option.Option<Migration>
) {
  const sql = yield* SqlClient.SqlClient
  const [size] = yield* sql<{ readonly rows: number }>`
    select greatest(reltuples, 0)::float8 as rows from pg_class where oid = ${spec.table}::regclass`
  const share = Math.min(1, countedExactly / Math.max(1, size?.rows ?? 0))
  const sample = share === 1 ? "" : `tablesample system (${(share * 100).toFixed(4)})`
  // Before the columns are made every row is pending that has a vector or should have one.
  const condition = Option.match(migration, {
    onNone: () => `(t.embedding is not null or (${spec.wanted} and t.${spec.text} ~ '\\S'))`,
    onSome: (begun) => pending(spec, begun, "wanted")
  })
  const [counted] = yield* sql.unsafe<{ readonly rows: number; readonly bytes: number }>(
    `select count(*)::float8 as rows, coalesce(sum(octet_length(t.${spec.text})), 0)::float8 as bytes
    from ${spec.table} t ${sample} ${spec.join} where ${condition}`
  )
  return {
    rows: Math.round((counted?.rows ?? 0) / share),
    bytes: Math.round((counted?.bytes ?? 0) / share)
  }
})

/** A larger table is looked at in part: counting a hundred million rows takes longer than anybody waits for an estimate. */
const countedExactly = 500_000

/** Some of a table's texts, to count tokens on. */
export const sampleTexts = Effect.fnUntraced(function* (spec: TableSpec, limit: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe<{ readonly text: string }>(
    `select left(t.${spec.text}, 20000) as text from ${spec.table} t where t.embedding is not null limit $1::int`,
    [limit]
  )
  return rows.map(({ text }) => text)
})

/**
 * Writes vectors into the new column, in one statement, where the text is still the one that was embedded and nobody has
 * written one. Answers how many were written; none once the migration is not open any more.
 */
export const writeVectors = Effect.fnUntraced(function* (
  migration: Migration,
  spec: TableSpec,
  kind: "halfvec" | "vector",
  made: ReadonlyArray<MadeVector>,
  vectorArray: VectorArray
) {
  if (made.length === 0) return 0
  const sql = yield* SqlClient.SqlClient
  const { fresh } = columnsOf(migration)
  const beside = (column: string): string =>
    migration.phase === "swapped" ? column : besideName(column, "next")
  const companions = spec.companions.map(
    ({ column, value }) => `, ${beside(column)} = ${value === "model" ? "$4" : value}`
  )
  const rows = yield* resilient(
    sql.unsafe(
      `update ${spec.table} t
      set ${fresh} = made.vector::${kind}(${migration.to.dimensions})${companions.join("")}
      from unnest($1::text[], $2::text[], $3) as made(id, hash, vector)
      where t.id = made.id::bigint and md5(t.${spec.text}) = made.hash and t.${fresh} is null
        and exists (select 1 from gbrain_effect.embedding_migrations
          where id = ${migration.id} and phase = '${migration.phase}' and to_model = $4)
      returning t.id`,
      [
        made.map(({ id }) => String(id)),
        made.map(({ hash }) => hash),
        yield* vectorArray(made.map(({ vector }) => vector)),
        migration.to.model
      ]
    )
  )
  return rows.length
})

/** Notes that the model refuses a row's present text. */
export const noteRefusal = Effect.fnUntraced(function* (
  migration: Migration,
  row: Pick<PendingRow, "table" | "id" | "hash">,
  reason: string
) {
  const sql = yield* SqlClient.SqlClient
  yield* resilient(sql`
    insert into gbrain_effect.embedding_refusals (migration_id, table_name, row_id, text_hash, reason)
    values (${migration.id}::bigint, ${row.table}, ${row.id}::float8::bigint, ${row.hash}, ${reason})
    on conflict (migration_id, table_name, row_id)
      do update set text_hash = excluded.text_hash, reason = excluded.reason`)
})

/** A row that would go without a vector, and why. */
export interface Refusal {
  readonly table: string
  readonly id: number
  /** Whether it has a vector now, which it would lose. */
  readonly losing: boolean
  readonly reason: string
}

/** The rows whose present texts the model refuses; the first thousand. */
export const refusals = Effect.fnUntraced(function* (migration: Migration) {
  const sql = yield* SqlClient.SqlClient
  const { old } = columnsOf(migration)
  const found: Array<Refusal> = []
  for (const spec of tableSpecs) {
    if (!migration.specs.includes(spec)) continue
    found.push(
      ...(yield* sql.unsafe<Refusal>(
        `select refusal.table_name as table, t.id::float8 as id, t.${old} is not null as losing, refusal.reason
        from gbrain_effect.embedding_refusals refusal join ${spec.table} t on t.id = refusal.row_id
        where refusal.migration_id = ${migration.id} and refusal.table_name = '${spec.table}'
          and refusal.text_hash = md5(t.${spec.text}) order by t.id limit 1000`
      ))
    )
  }
  return found
})
