/** What a migration reports. */
import { Clock, Effect, Option, Schema } from "effect"
import { SqlError } from "effect/sql"
import * as Money from "../../domain/Money.ts"
import { Budget, type BudgetExhausted, BudgetPeriod } from "../../services/Budget.ts"
import { reasonOf } from "../../services/Database.ts"
import type { Migration } from "../../services/EmbeddingMigrations.ts"
import type { RunStatus } from "../../services/Runs.ts"
import { Usage } from "../../services/Usage.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"

const Count = Schema.Int

/** A model and the width of its vectors. */
export const Space = Schema.Struct({ model: Schema.String, dimensions: Count })

/** Rows that went wrong, named. */
export const RowProblem = Schema.Struct({ item: Schema.String, reason: Schema.String })

/** The report of a run. Durations in milliseconds, money in dollars. */
export const MigrationReport = Schema.Struct({
  command: Schema.Literal("migrate embeddings"),
  status: Schema.Literals(["completed", "incomplete", "budget", "failed", "interrupted"]),
  /** How far the migration is: none is open when there was nothing to do. */
  phase: Schema.NullOr(Schema.Literals(["filling", "swapped", "finishing", "undoing", "finished", "undone"])),
  from: Space,
  to: Space,
  tables: Schema.Array(Schema.String),
  workers: Count,
  /** Rows that were given their new vector by this run. */
  rows_embedded: Count,
  /** Rows whose text changed while it was embedded; they were embedded again. */
  rows_changed: Count,
  /** Rows whose text the model refuses, over all runs. */
  rows_refused: Count,
  /** Rows whose text was longer than the model takes: its beginning was embedded. */
  rows_cut: Count,
  /** Rows that failed; they are taken again by the next run. */
  rows_failed: Count,
  indexes_made: Count,
  /** How often the tables were asked for before they were free for the swap. */
  swap_attempts: Count,
  spent_usd: Schema.Finite,
  cap_usd: Schema.NullOr(Schema.Finite),
  /** Which cap was reached: the run's, that of jobs that share one, or the brain's a day or a month; and the words for it. */
  budget_period: Schema.NullOr(BudgetPeriod),
  budget_message: Schema.NullOr(Schema.String),
  embedding_calls: Count,
  embedding_tokens: Count,
  unpriced_calls: Count,
  retries: Count,
  rate_limited: Count,
  elapsed_ms: Count,
  failures: Schema.Array(RowProblem),
  refused: Schema.Array(RowProblem),
  /** Why the run ended before the migration did, in words. */
  stopped: Schema.NullOr(Schema.String)
})

/** The report of a run. */
export type MigrationReport = typeof MigrationReport.Type

/** What is counted while rows are worked on. */
export interface MigrationTally {
  embedded: number
  changed: number
  indexes: number
  swapAttempts: number
  failed: number
  failures: Array<typeof RowProblem.Type>
  refused: Array<typeof RowProblem.Type>
  cut: number
  budget: Option.Option<Pick<BudgetExhausted, "period" | "message">>
  /** Why the run ended early: an error, or words. */
  stopped: Option.Option<unknown>
}

/** A tally at zero. */
export const makeMigrationTally = (): MigrationTally => ({
  embedded: 0,
  changed: 0,
  indexes: 0,
  swapAttempts: 0,
  failed: 0,
  cut: 0,
  failures: [],
  refused: [],
  budget: Option.none(),
  stopped: Option.none()
})

/** An error in words. */
const wordsFor = (error: unknown): string => {
  if (SqlError.isSqlError(error)) return `the database failed: ${reasonOf(error)}`
  return error instanceof Error ? error.message : String(error)
}

/** Puts the report together. */
export const makeMigrationReport = Effect.fnUntraced(function* (options: {
  readonly migration: Pick<Migration, "from" | "to" | "specs"> & { readonly phase: Migration["phase"] | null }
  readonly status: RunStatus
  readonly tally: MigrationTally
  readonly startedAt: number
}) {
  const { migration, tally } = options
  const budget = yield* (yield* Budget).snapshot
  const usage = yield* (yield* Usage).snapshot
  const pool = yield* WorkerPool
  return {
    command: "migrate embeddings",
    status: options.status,
    phase: migration.phase,
    from: migration.from,
    to: migration.to,
    tables: migration.specs.map(({ table }) => table),
    workers: yield* pool.limit,
    rows_embedded: tally.embedded,
    rows_changed: tally.changed,
    rows_refused: tally.refused.length,
    rows_cut: tally.cut,
    rows_failed: tally.failed,
    indexes_made: tally.indexes,
    swap_attempts: tally.swapAttempts,
    spent_usd: Money.toNumber(budget.spent),
    cap_usd: Option.match(budget.cap, { onNone: () => null, onSome: Money.toNumber }),
    budget_period: Option.getOrNull(Option.map(tally.budget, ({ period }) => period)),
    budget_message: Option.getOrNull(Option.map(tally.budget, ({ message }) => message)),
    embedding_calls: usage.embeddingCalls,
    embedding_tokens: usage.embeddingTokens,
    unpriced_calls: usage.unpricedCalls,
    retries: usage.retries,
    rate_limited: usage.rateLimited,
    elapsed_ms: (yield* Clock.currentTimeMillis) - options.startedAt,
    failures: tally.failures.slice(0, 1000),
    refused: tally.refused,
    stopped: Option.getOrNull(Option.map(tally.stopped, wordsFor))
  } satisfies MigrationReport
})
