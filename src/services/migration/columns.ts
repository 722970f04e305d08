/** The columns beside those that are read: made before a migration, dropped after it. Both change the catalog only. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { embeddingSignature } from "../../domain/EmbeddedText.ts"
import { resilient } from "../database/Resilience.ts"
import { widestIndexed } from "../database/gbrainTables/EmbeddingColumns.ts"
import { withShortLocks } from "../database/shortLocks.ts"
import { changesPages, type Migration, stillOpen } from "./state.ts"
import {
  type Beside,
  besideName,
  type Companion,
  type MigratedTable,
  signatureColumn,
  type TableSpec,
  tableSpecs
} from "./tables.ts"

/** A vector column as it is. */
export interface ActualColumn {
  readonly table: MigratedTable
  readonly column: string
  readonly kind: "halfvec" | "vector"
  readonly dimensions: number
}

/** The vector columns of the brain's tables, those beside included. */
export const actualColumns = Effect.fnUntraced(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* resilient(sql<{
    readonly table: string
    readonly column: string
    readonly type: string
  }>`
    select relname as table, attname as column, format_type(atttypid, atttypmod) as type
    from pg_attribute join pg_class on pg_class.oid = attrelid
    where attrelid in (to_regclass('content_chunks'), to_regclass('facts'), to_regclass('takes'))
      and attname in ('embedding', 'embedding_next', 'embedding_previous') and not attisdropped`)
  return rows.flatMap((row): ReadonlyArray<ActualColumn> => {
    const type = /^(?:\w+\.)?(halfvec|vector)\((\d+)\)$/.exec(row.type)
    const spec = tableSpecs.find(({ table }) => table === row.table)
    if (type === null || spec === undefined) return []
    const kind = type[1] === "halfvec" ? "halfvec" : "vector"
    return [{ table: spec.table, column: row.column, kind, dimensions: Number(type[2]) }]
  })
})

/**
 * The kind of a column at a new width: the same, but where that has no index at this width and `halfvec` has one. gbrain's
 * statements work on either: it compares with `vector` values, which become what they are compared with.
 */
export const kindAt = (
  kind: "halfvec" | "vector",
  dimensions: number,
  hasHalfvec: boolean
): "halfvec" | "vector" =>
  hasHalfvec && dimensions > widestIndexed(kind) && dimensions <= widestIndexed("halfvec") ? "halfvec" : kind

/** Makes the columns of a table beside those that are read, and sees to it that an edited text loses its new vector. */
export const prepareTable = Effect.fnUntraced(function* (
  migration: Migration,
  spec: TableSpec,
  type: string
) {
  const sql = yield* SqlClient.SqlClient
  const columns = [
    `add column if not exists embedding_next ${type}`,
    // A default that is a constant costs no rewriting: rows that are there have it without being touched.
    ...spec.companions.map(
      ({ column, initial, type: companionType }) =>
        `add column if not exists ${besideName(column, "next")} ${companionType}` +
        (initial === "model" ? ` not null default ${quoted(migration.to.model)}` : "")
    )
  ]
  // Nobody is kept waiting for what is there already.
  const trigger = yield* resilient(sql`
    select 1 as one from pg_trigger where tgrelid = ${spec.table}::regclass and tgname = ${triggerName}`)
  if (trigger.length > 0) return
  yield* withShortLocks(
    [spec.table],
    Effect.gen(function* () {
      yield* stillOpen(migration)
      yield* sql.unsafe(`alter table ${spec.table} ${columns.join(", ")}`)
      yield* forgetOnEdit(spec, "next")
    })
  )
})

/** The same for pages, whose signatures say of which model their chunks' vectors are. */
export const preparePages = Effect.fnUntraced(function* (migration: Migration) {
  const sql = yield* SqlClient.SqlClient
  const signature = quoted(embeddingSignature(migration.to.model, migration.to.dimensions))
  const column = yield* resilient(sql`
    select 1 as one from pg_attribute where attrelid = 'pages'::regclass
      and attname = ${besideName(signatureColumn, "next")} and not attisdropped`)
  if (column.length > 0) return
  yield* withShortLocks(
    ["pages"],
    Effect.andThen(
      stillOpen(migration),
      sql.unsafe(
        `alter table pages add column if not exists ${besideName(signatureColumn, "next")} text default ${signature}`
      )
    )
  )
})

/** Drops the columns beside. Their indexes are dropped before, where nobody has to wait for it. */
export const dropColumns = Effect.fnUntraced(function* (migration: Migration, beside: Beside) {
  const sql = yield* SqlClient.SqlClient
  const drop = (table: string, columns: ReadonlyArray<string>) =>
    `alter table ${table} ${columns.map((column) => `drop column if exists ${besideName(column, beside)}`).join(", ")}`
  for (const spec of migration.specs) {
    yield* withShortLocks(
      [spec.table],
      Effect.gen(function* () {
        yield* stillOpen(migration)
        yield* sql.unsafe(`drop trigger if exists ${triggerName} on ${spec.table}`)
        yield* sql.unsafe(`drop function if exists ${functionName(spec)}`)
        yield* sql.unsafe(drop(spec.table, ["embedding", ...spec.companions.map(({ column }) => column)]))
      })
    )
  }
  if (changesPages(migration)) {
    yield* withShortLocks(
      ["pages"],
      Effect.andThen(stillOpen(migration), sql.unsafe(drop("pages", [signatureColumn])))
    )
  }
})

/** Inside a transaction: from now on an edited text loses the vector beside it, for that is of the text it was. */
export const forgetOnEdit = Effect.fnUntraced(function* (spec: TableSpec, beside: Beside) {
  const sql = yield* SqlClient.SqlClient
  const forgotten = ["embedding", ...spec.companions.filter(forgettable).map(({ column }) => column)]
  yield* sql.unsafe(`
    create or replace function ${functionName(spec)} returns trigger language plpgsql as $$
    begin
      ${forgotten.map((column) => `new.${besideName(column, beside)} := null;`).join(" ")}
      return new;
    end $$`)
  yield* sql.unsafe(`
    create or replace trigger ${triggerName} before update of ${spec.text} on ${spec.table} for each row
    when (old.${spec.text} is distinct from new.${spec.text}) execute function ${functionName(spec)}`)
})

const forgettable = ({ initial }: Companion): boolean => initial === "null"

const triggerName = "gbrain_effect_forget_vector"

const functionName = ({ table }: TableSpec): string => `gbrain_effect.forget_vector_of_${table}()`

/** A text as a literal of SQL. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
