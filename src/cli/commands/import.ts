/** `gbrain import`: files become pages. */
import { Console, Effect, Layer } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { createLogUpdate } from "log-update"
import { type ImportReport, importDirectory } from "../../programs/import/importDirectory.ts"
import { importLayer } from "../../programs/import/layer.ts"
import { json, locationFlags, optionalText, workers } from "../flags.ts"
import { openBrain } from "../open.ts"
import { duration } from "../render/progress.ts"
import { print, printable, printJson } from "../render/text.ts"

export const importCommand = Command.make(
  "import",
  {
    directory: Argument.String("directory").pipe(Argument.withDescription("Folder of markdown files")),
    source: optionalText("source", "ID", "Source that the pages belong to; default unless told").pipe(
      Flag.withAlias("source-id")
    ),
    workers,
    json,
    ...locationFlags
  },
  Effect.fn(function* (flags) {
    const draw = process.stderr.isTTY && !flags.json ? createLogUpdate(process.stderr) : undefined
    const report = yield* importDirectory({
      directory: flags.directory,
      sourceId: flags.source,
      workers: flags.workers,
      onProgress: (done, total) => Effect.sync(() => draw?.(`${done} of ${total} files`))
    }).pipe(
      Effect.ensuring(Effect.sync(() => draw?.clear())),
      Effect.provide(importLayer.pipe(Layer.provideMerge(openBrain(flags, flags.workers))))
    )
    if (flags.json) return yield* printJson(report)
    yield* print(describe(report))
    for (const { path, reason } of report.skipped)
      yield* Console.error(printable(`skipped ${path}: ${reason}`))
  })
).pipe(
  Command.withDescription(
    "Bring the markdown files of a folder into the brain; what has not changed costs nothing"
  ),
  Command.withExamples([{ command: "gbrain import ./notes --workers 4", description: "Import a folder" }])
)

const describe = (report: ImportReport): string => {
  const parts = [
    `${report.created} new`,
    `${report.updated} changed`,
    `${report.unchanged} unchanged`,
    ...(report.renamed > 0 ? [`${report.renamed} renamed`] : []),
    ...(report.deleted > 0 ? [`${report.deleted} deleted`] : []),
    ...(report.skipped.length > 0 ? [`${report.skipped.length} skipped`] : [])
  ]
  return `Imported ${report.files} files from ${report.directory}: ${parts.join(", ")}; ${report.chunks} chunks, ${report.links} links and ${report.timeline_entries} timeline entries written in ${duration(report.elapsed_ms)}.`
}
