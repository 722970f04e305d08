/** `gbrain import`: files become pages. */
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { importDirectory } from "../../programs/import/importDirectory.ts"
import { importLayer } from "../../programs/import/layer.ts"
import type { ImportReport } from "../../programs/import/report.ts"
import { strategies, type Strategy } from "../../programs/import/scan.ts"
import { Ended, exitCodes } from "../exit.ts"
import { json, locationFlags, optionalText, workers } from "../flags.ts"
import { brainFor } from "../open.ts"
import { importText, skippedText } from "../render/import.ts"
import { progressStyle, showProgress } from "../render/ProgressView.ts"
import { print, printable, printJson } from "../render/text.ts"

const strategy = Flag.String("strategy").pipe(
  Flag.withDescription("Which files: markdown, code, or all; markdown unless told"),
  Flag.withMetavar(strategies.join("|")),
  Flag.filterMap(
    // `auto` is the original's word for all.
    (text) => Option.fromUndefinedOr(strategies.find((it) => it === (text === "auto" ? "all" : text))),
    (text) => `--strategy takes ${strategies.join(", ")}, not "${text}"`
  ),
  Flag.withDefault<Strategy>("markdown")
)

const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

export const importCommand = Command.make(
  "import",
  {
    directory: Argument.String("directory").pipe(
      Argument.withDescription("Folder of markdown files, or of code")
    ),
    source: optionalText("source", "ID", "Source that the pages belong to; default unless told").pipe(
      Flag.withAlias("source-id")
    ),
    strategy,
    includeIgnored: flag("include-gitignored", "Files too that .gitignore leaves out"),
    workers,
    dryRun: flag("dry-run", "Say what would be written; write nothing"),
    json,
    progressJson: flag("progress-json", "Progress as lines of JSON on standard error"),
    ...locationFlags
  },
  Effect.fn(function* (flags) {
    const tell = Effect.fnUntraced(function* (report: ImportReport) {
      if (flags.json) return yield* printJson(report)
      yield* print(importText(report))
      for (const line of skippedText(report)) yield* Console.error(printable(line))
    })
    yield* Effect.gen(function* () {
      const report = yield* Effect.gen(function* () {
        yield* showProgress(progressStyle(flags))
        return yield* importDirectory({ ...flags, sourceId: flags.source }, tell)
      }).pipe(Effect.scoped)
      yield* tell(report)
      if (report.status === "failed") return yield* new Ended({ code: exitCodes.failed })
    }).pipe(
      Effect.catchTag("LeaseHeld", ({ holderHost, holderPid }) =>
        Effect.andThen(
          Console.error(
            printable(`gbrain: process ${holderPid} on ${holderHost} is importing this folder already.`)
          ),
          new Ended({ code: exitCodes.heldElsewhere })
        )
      ),
      Effect.provide(importLayer({ workers: flags.workers })),
      Effect.provide(brainFor(flags))
    )
  })
).pipe(
  Command.withDescription("Bring the files of a folder into the brain; what has not changed costs nothing"),
  Command.withExamples([
    { command: "gbrain import ./notes --workers 4", description: "The markdown files of a folder" },
    {
      command: "gbrain import ./repository --strategy code --workers 8",
      description: "Code, cut by symbol, with what calls what"
    },
    { command: "gbrain import ./notes --dry-run", description: "What would change" }
  ])
)
