/** What can be a job: how its options are read, which jobs a submission becomes, how one is run. */
import { Effect, type Option, Schema } from "effect"
import type { Purse } from "../../services/Ledger.ts"
import type { Progress } from "../../services/Progress.ts"
import type { RunStatus } from "../../services/Runs.ts"
import type { Workers } from "../../services/WorkerPool.ts"

/** A submission that was not taken: nothing was handed over. */
export class JobRefused extends Schema.TaggedError<JobRefused>()("JobRefused", {
  message: Schema.String,
  /** Whether something was asked for that is not there or cannot be, rather than that something went wrong. */
  wrongUsage: Schema.Boolean
}) {}

/** The process that had the brain open and answered for its jobs is not there any more. Whoever opens the brain can go on. */
export class RunnerGone extends Schema.TaggedError<RunnerGone>()("RunnerGone", {
  message: Schema.String
}) {}

/** A part of a submission: one job. */
export interface JobPart<Options> {
  readonly sourceId: Option.Option<string>
  readonly options: Options
}

/** How a command ended that ran as a job. */
export interface JobReport {
  readonly status: RunStatus
  readonly report: Schema.Json
  /** Why it stopped early, in words. */
  readonly stopped: string | null
}

/** What a run gets besides its options. */
export interface JobRun {
  readonly workers: Workers
  readonly purse: Option.Option<Purse>
  /** Runs beside the work as long as it goes on: looks at its progress. */
  readonly beside: Effect.Effect<void, never, Progress>
  /** Gets the report of a run that is interrupted. */
  readonly onInterrupt: (report: JobReport) => Effect.Effect<void>
}

/**
 * Makes a kind of job of a command: its options as JSON, a check of what is asked for, as the command itself makes it before it
 * begins, which divides it into jobs, and the run of one. What is answered takes and gives options as JSON, since they are kept so.
 */
export const makeJobKind = <Options, E1, R1, E2, R2>(kind: {
  readonly command: string
  readonly options: Schema.Codec<Options, Schema.Json>
  readonly divide: (options: Options) => Effect.Effect<ReadonlyArray<JobPart<Options>>, E1, R1>
  readonly run: (options: Options, run: JobRun) => Effect.Effect<JobReport, E2, R2>
}) => {
  const encode = (options: Options) => Effect.orDie(Schema.encodeEffect(kind.options)(options))
  // They may have been written by another version.
  const read = (asked: unknown) =>
    Schema.decodeUnknownEffect(kind.options)(asked).pipe(
      Effect.mapError(
        (error) =>
          new JobRefused({
            wrongUsage: false,
            message: `The options of ${kind.command} cannot be read: ${error.message}`
          })
      )
    )
  return {
    command: kind.command,
    encode,
    divide: Effect.fn("JobKind.divide")(function* (asked: unknown) {
      const parts = yield* kind.divide(yield* read(asked))
      return yield* Effect.forEach(parts, ({ options, sourceId }) =>
        Effect.map(encode(options), (encoded): JobPart<Schema.Json> => ({ sourceId, options: encoded }))
      )
    }),
    run: Effect.fn("JobKind.run")(function* (asked: unknown, run: JobRun) {
      return yield* kind.run(yield* read(asked), run)
    })
  }
}
