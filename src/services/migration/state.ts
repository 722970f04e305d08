/** The row that says which embedding migration is open and how far it is. */
import { Effect, Option, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { EmbeddingSpace } from "../../domain/EmbeddingSpace.ts"
import { resilient } from "../database/Resilience.ts"
import { type MigratedTable, type TableSpec, tableSpecs } from "./tables.ts"

/**
 * How far a migration is. `filling`: the new columns are made and filled beside the old ones. `swapped`: the new ones are read, the old ones
 * kept. `finishing` and `undoing`: the columns beside are being dropped. `finished` and `undone`: it is over.
 */
export type MigrationPhase = "filling" | "swapped" | "finishing" | "undoing" | "finished" | "undone"

const phases: ReadonlyArray<MigrationPhase> = [
  "filling",
  "swapped",
  "finishing",
  "undoing",
  "finished",
  "undone"
]

/** An embedding migration. */
export interface Migration {
  readonly id: string
  readonly from: EmbeddingSpace
  readonly to: EmbeddingSpace
  readonly specs: ReadonlyArray<TableSpec>
  readonly phase: MigrationPhase
  /** Whether it leads back to what was before another migration. */
  readonly isReturn: boolean
  /** Up to which id each table has been embedded. */
  readonly position: Readonly<Record<string, number>>
  readonly startedAt: Date
  readonly swappedAt: Option.Option<Date>
}

/** Whether a migration changes what the vectors of pages' chunks are, which pages say of themselves. */
export const changesPages = ({ specs }: Pick<Migration, "specs">): boolean =>
  specs.some(({ table }) => table === "content_chunks")

/** The migration was ended by somebody else while this process worked on it. */
export class MigrationGone extends Schema.TaggedError<MigrationGone>()("MigrationGone", {
  message: Schema.String
}) {}

interface Row {
  readonly id: bigint
  readonly from_model: string
  readonly from_dimensions: number
  readonly to_model: string
  readonly to_dimensions: number
  readonly tables: ReadonlyArray<string>
  readonly phase: string
  readonly returning_from: bigint | null
  readonly position: unknown
  readonly started_at: Date
  readonly swapped_at: Date | null
}

const Position = Schema.Record(Schema.String, Schema.Finite)

const migrationOf = (row: Row): Migration => ({
  id: String(row.id),
  from: { model: row.from_model, dimensions: row.from_dimensions },
  to: { model: row.to_model, dimensions: row.to_dimensions },
  specs: tableSpecs.filter(({ table }) => row.tables.includes(table)),
  phase: phases.find((phase) => phase === row.phase) ?? "filling",
  isReturn: row.returning_from !== null,
  position: Option.getOrElse(Schema.decodeUnknownOption(Position)(row.position), () => ({})),
  startedAt: row.started_at,
  swappedAt: Option.fromNullishOr(row.swapped_at)
})

/** The migration that is open; none when there is none. */
export const openMigration: Effect.Effect<
  Option.Option<Migration>,
  SqlError.SqlError,
  SqlClient.SqlClient
> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* resilient(sql<Row>`
      select * from gbrain_effect.embedding_migrations where phase not in ('undone', 'finished')`)
  return Option.map(Option.fromUndefinedOr(rows[0]), migrationOf)
})

/** Opens a migration; answers the one that is open already where there is one. */
export const beginMigration = Effect.fnUntraced(function* (
  from: EmbeddingSpace,
  to: EmbeddingSpace,
  tables: ReadonlyArray<MigratedTable>
) {
  const sql = yield* SqlClient.SqlClient
  yield* resilient(sql`
    insert into gbrain_effect.embedding_migrations
      (from_model, from_dimensions, to_model, to_dimensions, tables, phase)
    values (${from.model}, ${from.dimensions}, ${to.model}, ${to.dimensions}, ${tables}::text[], 'filling')
    on conflict ((true)) where phase not in ('undone', 'finished') do nothing`)
  return yield* Effect.flatMap(openMigration, (open) => Effect.orDie(Effect.fromOption(open)))
})

/** The migration as it is now; fails with `MigrationGone` when it is no longer the one that is open. */
export const stillOpen = Effect.fnUntraced(function* ({ id }: Migration) {
  const open = yield* openMigration
  if (Option.isSome(open) && open.value.id === id) return open.value
  return yield* new MigrationGone({
    message: "The migration was ended by another process meanwhile. See: gbrain migrate embeddings --status"
  })
})

/** Moves a migration on. */
export const setPhase = Effect.fnUntraced(function* ({ id }: Migration, phase: MigrationPhase) {
  const sql = yield* SqlClient.SqlClient
  const over = phase === "finished" || phase === "undone"
  yield* sql`
    update gbrain_effect.embedding_migrations set phase = ${phase},
      swapped_at = case when ${phase} = 'swapped' then clock_timestamp() else swapped_at end,
      ended_at = case when ${over} then clock_timestamp() end
    where id = ${id}::bigint and phase not in ('undone', 'finished')`
  if (over) yield* sql`delete from gbrain_effect.embedding_refusals where migration_id = ${id}::bigint`
})

/** Notes up to which id a table has been embedded, so that a later run need not look at all of it again. */
export const notePosition = Effect.fnUntraced(function* (
  { id }: Migration,
  table: MigratedTable,
  upTo: number
) {
  const sql = yield* SqlClient.SqlClient
  yield* resilient(sql`
    update gbrain_effect.embedding_migrations
    set position = position || jsonb_build_object(${table}::text, ${upTo}::float8)
    where id = ${id}::bigint`)
})
