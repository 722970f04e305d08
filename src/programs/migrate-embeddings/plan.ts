/** What a migration would do and cost, without asking a model or changing anything; and how far the one that is open is. */
import { Effect, Option, Schema } from "effect"
import * as Money from "../../domain/Money.ts"
import { costOf } from "../../domain/Prices.ts"
import {
  EmbeddingMigrations,
  type EmbeddingSpace,
  type Migration,
  type TableSpec
} from "../../services/EmbeddingMigrations.ts"
import { Prices } from "../../services/Prices.ts"
import { loadTokenCounter } from "../../services/TokenCounter.ts"
import { RowProblem, Space } from "./report.ts"

const Count = Schema.Int

/** A table that changes. */
const PlannedTable = Schema.Struct({
  table: Schema.String,
  /** Its column now and then, such as `halfvec(1536)`. */
  from: Schema.String,
  to: Schema.String,
  /** Rows still to be embedded; of a large table an estimate. */
  rows: Count
})

/** What a migration would do. Dollars are null when the model's price is not known. */
export const MigrationPlan = Schema.Struct({
  command: Schema.Literal("migrate embeddings"),
  dry_run: Schema.Literal(true),
  from: Space,
  to: Space,
  /** Whether it goes on with a migration that was begun. */
  continues: Schema.Boolean,
  tables: Schema.Array(PlannedTable),
  rows: Count,
  input_tokens: Count,
  estimated_usd: Schema.NullOr(Schema.Finite),
  at_most_usd: Schema.NullOr(Schema.Finite)
})

/** What a migration would do. */
export type MigrationPlan = typeof MigrationPlan.Type

/** Texts of a table whose tokens are counted; the others are taken to be like them. */
const sampled = 300

/** Plans a migration to `to`, or what is left of the one that is open. */
export const planMigration = Effect.fn("planMigration")(function* (to: EmbeddingSpace) {
  const migrations = yield* EmbeddingMigrations
  const open = yield* migrations.open
  const from = Option.match(open, { onNone: () => undefined, onSome: (it) => it.from })
  const configured = yield* migrations.configured
  const tables = yield* tablesOf(open, from ?? configured, to)
  const counted = yield* Effect.forEach(tables, ({ from: now, spec, to: then }) =>
    Effect.map(countTokens(spec, open), (count) => ({ table: spec.table, from: now, to: then, ...count }))
  )
  const sum = (of: (table: (typeof counted)[number]) => number) =>
    counted.reduce((total, table) => total + of(table), 0)
  const price = (yield* Prices).of(to.model)
  const dollars = (inputTokens: number) =>
    Option.getOrNull(
      Option.map(price, (known) =>
        Money.toNumber(costOf(known, { inputTokens, cachedTokens: 0, outputTokens: 0 }))
      )
    )
  return {
    command: "migrate embeddings",
    dry_run: true,
    from: from ?? configured,
    to,
    continues: Option.isSome(open),
    tables: counted.map(({ from: now, rows, table, to: then }) => ({ table, from: now, to: then, rows })),
    rows: sum(({ rows }) => rows),
    input_tokens: sum(({ tokens }) => tokens),
    estimated_usd: dollars(sum(({ tokens }) => tokens)),
    // A token is never shorter than a byte.
    at_most_usd: dollars(sum(({ bytes }) => bytes))
  } satisfies MigrationPlan
})

const tablesOf = Effect.fnUntraced(function* (
  open: Option.Option<Migration>,
  from: EmbeddingSpace,
  to: EmbeddingSpace
) {
  const migrations = yield* EmbeddingMigrations
  if (Option.isNone(open)) return yield* migrations.plan(from, to)
  return open.value.specs.map((spec) => ({
    spec,
    from: `${from.dimensions} wide`,
    to: `${to.dimensions} wide`
  }))
})

const countTokens = Effect.fnUntraced(function* (spec: TableSpec, open: Option.Option<Migration>) {
  const migrations = yield* EmbeddingMigrations
  const begun = Option.filter(open, ({ phase }) => phase === "filling" || phase === "swapped")
  // Killed between being opened and making its columns, a migration has none to count by.
  const { bytes, rows } = yield* Effect.catchIf(
    migrations.count(spec, begun),
    () => Option.isSome(begun),
    () => migrations.count(spec, Option.none())
  )
  const texts = rows === 0 ? [] : yield* migrations.sample(spec, sampled)
  const count = yield* loadTokenCounter
  const sampledBytes = texts.reduce((total, text) => total + Buffer.byteLength(text, "utf8"), 0)
  const sampledTokens = texts.reduce((total, text) => total + count(text), 0)
  // Four bytes a token is usual where there is nothing to count on.
  const share = sampledBytes === 0 ? 1 / 4 : sampledTokens / sampledBytes
  return { rows, bytes, tokens: Math.ceil(bytes * share) }
})

/** How far a migration is. */
export const MigrationStatus = Schema.Struct({
  command: Schema.Literal("migrate embeddings --status"),
  configured: Space,
  /** None when nothing is under way and no old vectors are kept. */
  migration: Schema.NullOr(
    Schema.Struct({
      from: Space,
      to: Space,
      phase: Schema.String,
      /** Whether it leads back from a migration that is being undone. */
      is_undo: Schema.Boolean,
      started_at: Schema.String,
      swapped_at: Schema.NullOr(Schema.String),
      tables: Schema.Array(Schema.Struct({ table: Schema.String, rows_left: Count })),
      refused: Schema.Array(RowProblem)
    })
  )
})

/** How far a migration is. */
export type MigrationStatus = typeof MigrationStatus.Type

/** Looks at the migration that is open. */
export const migrationStatus = Effect.fn("migrationStatus")(function* () {
  const migrations = yield* EmbeddingMigrations
  const open = Option.getOrUndefined(yield* migrations.open)
  const configured = yield* migrations.configured
  if (open === undefined) {
    return { command: "migrate embeddings --status", configured, migration: null } satisfies MigrationStatus
  }
  const counts = open.phase === "filling" || open.phase === "swapped"
  const tables = yield* Effect.forEach(open.specs, (spec) =>
    Effect.map(
      // The columns may not be there yet, or not any more.
      counts
        ? Effect.orElseSucceed(migrations.count(spec, Option.some(open)), () => ({ rows: 0 }))
        : Effect.succeed({ rows: 0 }),
      ({ rows }) => ({ table: spec.table, rows_left: rows })
    )
  )
  const refused = counts ? yield* Effect.orElseSucceed(migrations.refused(open), () => []) : []
  return {
    command: "migrate embeddings --status",
    configured,
    migration: {
      from: open.from,
      to: open.to,
      phase: open.phase,
      is_undo: open.isReturn,
      started_at: open.startedAt.toISOString(),
      swapped_at: Option.getOrNull(Option.map(open.swappedAt, (at) => at.toISOString())),
      tables,
      refused: refused.map(({ id, reason, table }) => ({ item: `${table} ${id}`, reason }))
    }
  } satisfies MigrationStatus
})
