/** Runs that the brain remembers, however they end: done, failed, interrupted. One whose process dies stays begun. */
import { Cause, Effect, Exit } from "effect"
import { SqlError } from "effect/sql"
import * as Money from "../domain/Money.ts"
import { reasonOf } from "../services/Database.ts"
import { Runs, type RunStatus } from "../services/Runs.ts"
import { WorkerPool } from "../services/WorkerPool.ts"

/** How a run is written down and told. */
export interface OnRecord<A, Report, E, R> {
  readonly command: string
  /** A run that writes nothing is not written down either. */
  readonly dryRun: boolean
  /** The report, given what the work answered; nothing when it was interrupted. */
  readonly report: (ended: A | undefined) => Effect.Effect<Report, E, R>
  /** Gets the report of a run that is interrupted. */
  readonly onInterrupt: (report: Report) => Effect.Effect<void>
}

/** How long writing a report down may hold up somebody who pressed Ctrl-C. */
const farewell = "5 seconds"

/** Does work that spends nothing as a run of the brain; answers its report. */
export const onRecord = Effect.fn("onRecord")(function* <
  A,
  E,
  R,
  Report extends { readonly status: RunStatus },
  E1,
  R1
>(work: Effect.Effect<A, E, R>, options: OnRecord<A, Report, E1, R1>) {
  const runs = yield* Runs
  const pool = yield* WorkerPool
  const run = options.dryRun
    ? undefined
    : yield* runs.begin({ command: options.command, workers: pool.workers })

  const write = (status: RunStatus, report: object) =>
    run === undefined
      ? Effect.void
      : runs.finish(run, { status, spent: Money.zero, report: JSON.parse(JSON.stringify(report)) })
  const writeInHaste = (status: RunStatus, report: object) =>
    Effect.ignore(Effect.timeout(Effect.interruptible(write(status, report)), farewell))

  return yield* work.pipe(
    Effect.flatMap(options.report),
    Effect.tap((report) => write(report.status, report)),
    Effect.onExit((exit) => {
      if (Exit.isSuccess(exit)) return Effect.void
      if (!Exit.hasInterrupts(exit)) {
        const stopped = wordsOf(Cause.squash(exit.cause))
        return writeInHaste("failed", { command: options.command, status: "failed", stopped })
      }
      return options.report(undefined).pipe(
        Effect.tap((report) => writeInHaste(report.status, report)),
        Effect.flatMap(options.onInterrupt),
        Effect.ignore
      )
    })
  )
})

/** An error in words for a report. */
export const wordsOf = (error: unknown): string =>
  SqlError.isSqlError(error)
    ? `the database failed: ${reasonOf(error)}`
    : error instanceof Error
      ? error.message
      : String(error)
