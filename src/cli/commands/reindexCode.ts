/** `gbrain reindex-code`. */
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { reindexCodeLayer } from "../../programs/reindex-code/layer.ts"
import { reindexCode } from "../../programs/reindex-code/reindexCode.ts"
import type { ReindexCodeReport } from "../../programs/reindex-code/report.ts"
import { Ended, exitCodes } from "../exit.ts"
import { json, locationFlags, optionalCount, optionalText, workers } from "../flags.ts"
import { brainFor } from "../open.ts"
import { progressStyle, showProgress } from "../render/ProgressView.ts"
import { reindexCodeText } from "../render/reindexCode.ts"
import { print, printJson } from "../render/text.ts"

const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

export const reindexCodeCommand = Command.make(
  "reindex-code",
  {
    source: optionalText("source", "ID", "One source; all that are not archived unless told").pipe(
      Flag.withAlias("source-id")
    ),
    force: flag("force", "Take pages that are up to date again"),
    limit: optionalCount("limit", "At most this many pages"),
    workers,
    dryRun: flag("dry-run", "Say what would be written; write nothing"),
    json,
    progressJson: flag("progress-json", "Progress as lines of JSON on standard error"),
    ...locationFlags
  },
  Effect.fn(function* (flags) {
    const tell = (report: ReindexCodeReport) =>
      flags.json ? printJson(report) : print(reindexCodeText(report))
    yield* Effect.gen(function* () {
      const report = yield* Effect.gen(function* () {
        yield* showProgress(progressStyle(flags))
        return yield* reindexCode({ ...flags, sourceId: flags.source }, tell)
      }).pipe(Effect.scoped)
      yield* tell(report)
      if (report.status === "failed") return yield* new Ended({ code: exitCodes.failed })
    }).pipe(Effect.provide(reindexCodeLayer({ workers: flags.workers })), Effect.provide(brainFor(flags)))
  })
).pipe(
  Command.withDescription(
    "Cut pages of code again whose chunks are by older rules, or of an older text; what is the same keeps its embedding"
  ),
  Command.withExamples([
    { command: "gbrain reindex-code --workers 4", description: "Everything that is out of date" },
    { command: "gbrain reindex-code --dry-run", description: "How much that is" }
  ])
)
