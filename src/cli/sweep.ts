/** What the commands have in common that visit the brain in bulk and ask no model: flags, progress, the report, exit codes. */
import { Effect, type Scope } from "effect"
import { Flag } from "effect/cli"
import type { SweepStatus } from "../programs/sweep/ending.ts"
import type { Progress } from "../services/Progress.ts"
import { Ended, exitCodes } from "./exit.ts"
import { json, locationFlags, workers } from "./flags.ts"
import { progressStyle, showProgress } from "./render/ProgressView.ts"
import { print, printJson } from "./render/text.ts"

/** The flags. */
export const sweepFlags = {
  workers,
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Say what would be written; write nothing"),
    Flag.withDefault(false)
  ),
  json,
  progressJson: Flag.Boolean("progress-json").pipe(
    Flag.withDescription("Progress as lines of JSON on standard error"),
    Flag.withDefault(false)
  ),
  ...locationFlags
}

/** Runs a sweep with its progress shown, and tells the report, also that of a run which is interrupted. */
export const tellSweep = <Report extends { readonly status: SweepStatus }, E, R>(
  flags: { readonly json: boolean; readonly progressJson: boolean },
  inWords: (report: Report) => string,
  run: (tell: (report: Report) => Effect.Effect<void>) => Effect.Effect<Report, E, R>
): Effect.Effect<void, E | Ended, Exclude<R, Scope.Scope> | Progress> =>
  Effect.gen(function* () {
    const tell = (report: Report) => (flags.json ? printJson(report) : print(inWords(report)))
    const report = yield* Effect.andThen(showProgress(progressStyle(flags)), run(tell)).pipe(Effect.scoped)
    yield* tell(report)
    if (report.status === "failed") return yield* new Ended({ code: exitCodes.failed })
  })
