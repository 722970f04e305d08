/** The stations of a migration, from wherever it is to its end: fill, index, swap, fill what was missed, drop the old. */
import { Clock, Duration, Effect, Option } from "effect"
import { EmbeddingMigrations, type Migration } from "../../services/EmbeddingMigrations.ts"
import type { Lease } from "../../services/PageLease.ts"
import { Progress } from "../../services/Progress.ts"
import type { RunStatus } from "../../services/Runs.ts"
import { pass, type Pass } from "./fill.ts"
import { makeIndexes } from "./indexes.ts"
import { type MigrationOptions, MigrationPolicy } from "./options.ts"
import type { MigrationTally } from "./report.ts"

/** Rows anywhere in the tables. */
const everything: Pass = { kind: "wanted", from: {}, rows: Infinity, note: false }

/** Rows that would lose their vector. */
const losing: Pass = { kind: "losing", from: {}, rows: Infinity, note: false }

/** What a run under the lease has to do with. */
export interface Run {
  readonly tally: MigrationTally
  /** Tells which migration the report is about. */
  readonly about: (migration: Migration) => void
}

/** From wherever the migration is to its end, or until something stops it. Answers how the run ended. */
export const advance = Effect.fn("advance")(function* (
  begun: Migration,
  lease: Lease,
  options: MigrationOptions,
  { about, tally }: Run
) {
  const migrations = yield* EmbeddingMigrations
  const progress = yield* Progress
  const refreshed = Effect.tap(
    Effect.flatMap(migrations.open, (open) => Effect.orDie(Effect.fromOption(open))),
    (it) => Effect.sync(() => about(it))
  )
  about(begun)
  if (begun.phase === "filling") yield* migrations.prepare(begun)
  const counts =
    begun.phase === "filling"
      ? yield* Effect.forEach(begun.specs, (spec) => migrations.count(spec, Option.some(begun)))
      : []
  const rows = counts.reduce((sum, count) => sum + count.rows, 0)
  yield* progress.begin({
    command: "migrate embeddings",
    unit: "rows",
    total: Option.some(rows)
  })

  let migration = begun
  if (migration.phase === "filling") {
    const first: Pass = { kind: "wanted", from: migration.position, rows, note: true }
    if (!(yield* pass(migration, first, tally))) return endOf(tally)
    yield* makeIndexes(migration, tally)
    if (!(yield* pass(migration, everything, tally))) return endOf(tally)
    const status = yield* swapIn(migration, lease, options, tally)
    if (status !== "completed") return status
    migration = yield* refreshed
  }
  if (migration.phase === "swapped") {
    // Rows that had no vector before the swap and got their text meanwhile.
    const whole = yield* pass(migration, everything, tally)
    yield* noteRefused(migration, tally)
    yield* migrations.settlePages(migration)
    if (!whole) return endOf(tally)
  }
  if (migration.isReturn || options.finish || migration.phase === "finishing") {
    yield* progress.stage(Option.some("dropping the old vectors"))
    yield* migrations.drop(migration)
    about({ ...migration, phase: "finished" })
    yield* progress.stage(Option.none())
  }
  return "completed" as const
})

const endOf = (tally: MigrationTally): RunStatus =>
  tally.failed > 0 || Option.isSome(tally.stopped) ? "failed" : "budget"

/** Embeds what others write until a moment is found in which nothing is missing. */
const swapIn = Effect.fnUntraced(function* (
  migration: Migration,
  lease: Lease,
  options: MigrationOptions,
  tally: MigrationTally
) {
  const migrations = yield* EmbeddingMigrations
  const progress = yield* Progress
  const { swapWithin } = yield* MigrationPolicy
  const startedAt = yield* Clock.currentTimeMillis
  for (;;) {
    if (!(yield* pass(migration, losing, tally))) return endOf(tally)
    const refused = yield* noteRefused(migration, tally)
    if (refused > 0 && !options.skipRefused) {
      tally.stopped = Option.some(
        `the model refuses the texts of ${refused} rows, which would lose their vectors. Edit them and run again, or leave them without: --skip-refused`
      )
      return "failed" as const
    }
    yield* progress.stage(Option.some("swapping"))
    const outcome = yield* migrations.swap(migration, lease)
    yield* progress.stage(Option.none())
    if (outcome._tag === "Swapped") {
      tally.swapAttempts += outcome.attempts
      return "completed" as const
    }
    const elapsed = (yield* Clock.currentTimeMillis) - startedAt
    if (elapsed > Duration.toMillis(swapWithin)) {
      tally.stopped = Option.some(
        `other processes keep writing vectors of ${migration.from.model} into ${outcome.spec.table}. Stop them, or run again when they are done: everything else is ready`
      )
      return "incomplete" as const
    }
  }
})

const noteRefused = Effect.fnUntraced(function* (migration: Migration, tally: MigrationTally) {
  const refused = yield* (yield* EmbeddingMigrations).refused(migration)
  tally.refused = refused.map(({ id, reason, table }) => ({ item: `${table} ${id}`, reason }))
  return refused.filter(({ losing }) => losing).length
})
