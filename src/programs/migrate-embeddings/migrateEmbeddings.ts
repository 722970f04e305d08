/**
 * `migrate embeddings`: a brain goes over to another embedding model, or to another width, while everybody works on it. New
 * columns are made, filled and indexed beside the old ones, then exchanged in one short transaction. Stopped at any moment, it
 * continues or is undone.
 */
import { Clock, Effect, Exit, Option } from "effect"
import { sameSpace } from "../../domain/EmbeddingSpace.ts"
import { Budget } from "../../services/Budget.ts"
import { EmbeddingMigrations, type Migration, migrationLease } from "../../services/EmbeddingMigrations.ts"
import { EmbeddingModel } from "../../services/EmbeddingModel.ts"
import { type Lease, PageLease } from "../../services/PageLease.ts"
import { Runs, type RunStatus } from "../../services/Runs.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import { advance, type Run } from "./advance.ts"
import type { MigrationOptions } from "./options.ts"
import { makeMigrationReport, makeMigrationTally, type MigrationReport } from "./report.ts"
import { checkForward, refuse } from "./target.ts"

/**
 * Migrates the brain to the model and width of `EmbeddingModel`, or continues. Costs at most what `Budget` allows; what was paid for is
 * in the brain the moment it is there. Fails with `LeaseHeld` when another process is at it. `onInterrupt` gets the report
 * of a run that is interrupted.
 */
export const migrateEmbeddings = Effect.fn("migrateEmbeddings")(function* (
  options: MigrationOptions,
  onInterrupt: (report: MigrationReport) => Effect.Effect<void> = () => Effect.void
) {
  const migrations = yield* EmbeddingMigrations
  const model = yield* EmbeddingModel
  const to = { model: model.model, dimensions: model.dimensions }
  const from = yield* migrations.configured
  const plan = yield* migrations.plan(from, to)
  const open = yield* migrations.open
  if (Option.isNone(open) && plan.length === 0) return yield* nothingToDo(from, to)
  yield* model.checkPrice
  return yield* underLease(
    (lease, run) =>
      Effect.gen(function* () {
        const begun = yield* migrations.open
        if (Option.isSome(begun)) {
          yield* checkForward(begun.value)
          if (!sameSpace(begun.value.to, to)) return yield* refuse("Another migration was begun meanwhile.")
        }
        const migration = Option.isSome(begun)
          ? begun.value
          : yield* migrations.begin(
              from,
              to,
              plan.map(({ spec }) => spec.table)
            )
        return yield* advance(migration, lease, options, run)
      }),
    onInterrupt
  )
})

/**
 * Goes back to the model that was configured before the migration that is open, which is dropped where it was not swapped yet.
 * After a swap, rows that were written or edited since need a vector of the old model, which costs what they cost.
 */
export const undoMigration = Effect.fn("undoMigration")(function* (
  options: Omit<MigrationOptions, "finish">,
  onInterrupt: (report: MigrationReport) => Effect.Effect<void> = () => Effect.void
) {
  const migrations = yield* EmbeddingMigrations
  yield* (yield* EmbeddingModel).checkPrice
  return yield* underLease(
    (lease, run) =>
      Effect.gen(function* () {
        const open = yield* migrations.open
        if (Option.isNone(open)) return yield* refuse(nothingOpen)
        if (open.value.phase === "swapped" && !open.value.isReturn) {
          yield* migrations.turnRound(open.value, lease)
        }
        const back = yield* Effect.orDie(Effect.fromOption(yield* migrations.open))
        return back.isReturn
          ? yield* advance(back, lease, { ...options, finish: true }, run)
          : yield* refuse("The migration moved on meanwhile; look at it: gbrain migrate embeddings --status")
      }),
    onInterrupt
  )
})

/** What is said where nothing is under way. */
export const nothingOpen = "No migration of embeddings is under way, and no old vectors are kept."

/** Runs `work` under the lease of migrations, writes down that it ran, and reports. */
const underLease = Effect.fnUntraced(function* <E, R>(
  work: (lease: Lease, run: Run) => Effect.Effect<RunStatus, E, R>,
  onInterrupt: (report: MigrationReport) => Effect.Effect<void>
) {
  const runs = yield* Runs
  const pool = yield* WorkerPool
  const leases = yield* PageLease
  const startedAt = yield* Clock.currentTimeMillis
  const tally = makeMigrationTally()
  let subject: Migration | undefined
  const about = (migration: Migration): void => {
    subject = migration
  }
  return yield* leases.withLease(migrationLease, (lease) =>
    Effect.gen(function* () {
      const run = yield* runs.begin({ command: "migrate embeddings", workers: yield* pool.limit })
      const finish = Effect.fnUntraced(function* (status: RunStatus) {
        if (subject === undefined) return Option.none<MigrationReport>()
        const made: MigrationReport = yield* makeMigrationReport({
          migration: subject,
          status,
          tally,
          startedAt
        })
        const { spent } = yield* (yield* Budget).snapshot
        yield* Effect.ignore(
          Effect.timeout(
            Effect.interruptible(runs.finish(run, { status, spent, report: { ...made } })),
            "5 seconds"
          )
        )
        return Option.some(made)
      })
      return yield* work(lease, { tally, about }).pipe(
        Effect.flatMap(finish),
        Effect.flatMap((made) => Effect.orDie(Effect.fromOption(made))),
        Effect.onExit((exit) =>
          Exit.isFailure(exit)
            ? Effect.flatMap(finish(Exit.hasInterrupts(exit) ? "interrupted" : "failed"), (made) =>
                Exit.hasInterrupts(exit) && Option.isSome(made) ? onInterrupt(made.value) : Effect.void
              )
            : Effect.void
        )
      )
    })
  )
})

const nothingToDo = (from: MigrationReport["from"], to: MigrationReport["to"]) =>
  Effect.flatMap(Clock.currentTimeMillis, (startedAt) =>
    makeMigrationReport({
      migration: { from, to, specs: [], phase: null },
      status: "completed",
      tally: makeMigrationTally(),
      startedAt
    })
  )
