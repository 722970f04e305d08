/** `gbrain reindex`: a mode says what is brought up to date. */
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { reindexLayer } from "../../programs/reindex/layer.ts"
import { reindexMarkdown } from "../../programs/reindex/reindexMarkdown.ts"
import { mostWorkers } from "../../services/WorkerPool.ts"
import { UsageError } from "../exit.ts"
import { optionalCount, optionalText, workersOrAuto } from "../flags.ts"
import { brainFor } from "../open.ts"
import { reindexText } from "../render/reindex.ts"
import { sweepFlags, tellSweep } from "../sweep.ts"
import { multimodalFlags, reindexMultimodalMode } from "./reindexMultimodal.ts"

const flags = {
  markdown: Flag.Boolean("markdown").pipe(
    Flag.withDescription("Cut pages again whose chunks do not fit their text, or are of an older chunker"),
    Flag.withDefault(false)
  ),
  sourceId: optionalText("source-id", "ID", "One source; all that are not archived unless told"),
  type: optionalText("type", "TYPE", "Only pages of this type, such as person"),
  limit: optionalCount("limit", "Read so many pages, or embed so many images and texts, at most"),
  ...sweepFlags,
  workers: workersOrAuto,
  ...multimodalFlags
}

type Flags = Command.Command.Config.Infer<typeof flags>

/** What each mode does. */
const modes = {
  markdown: (asked: Flags) =>
    tellSweep(asked, reindexText, (tell) =>
      reindexMarkdown(
        { sourceId: asked.sourceId, type: asked.type, limit: asked.limit, dryRun: asked.dryRun },
        tell
      )
    ).pipe(
      Effect.provide(reindexLayer({ workers: mostWorkers(asked.workers) })),
      Effect.provide(brainFor({ ...asked, workers: mostWorkers(asked.workers) }))
    ),
  multimodal: reindexMultimodalMode
} satisfies Record<string, (asked: Flags) => unknown>

/** What is wrong with the flags, if anything: exactly one mode is to be asked for, and only flags that it has. */
const contradiction = (asked: Flags): string | undefined => {
  if (asked.markdown === asked.multimodal) {
    const which = Object.keys(modes).map((mode) => `--${mode}`)
    return asked.markdown
      ? `${which.join(" and ")} are two runs; give one of them.`
      : `Say what to bring up to date: gbrain reindex ${which.join("|")}`
  }
  if (asked.multimodal && Option.isSome(asked.type)) return "--type goes with --markdown only."
  if (asked.markdown && typeof asked.workers !== "number") {
    return "--workers auto goes with --multimodal only: without calls to a model there is nothing to find out."
  }
  const others = [
    ...(Option.isSome(asked.only) ? ["--only"] : []),
    ...(Option.isSome(asked.model) ? ["--model"] : []),
    ...(asked.costEstimate ? ["--cost-estimate"] : []),
    ...(asked.force ? ["--force"] : [])
  ]
  if (asked.markdown && others.length > 0) return `${others.join(" and ")} goes with --multimodal only.`
  return undefined
}

export const reindexCommand = Command.make("reindex", flags, (asked) => {
  const wrong = contradiction(asked)
  if (wrong !== undefined) return Effect.fail(new UsageError({ message: wrong }))
  return asked.multimodal ? modes.multimodal(asked) : modes.markdown(asked)
}).pipe(
  Command.withDescription(
    "Bring up to date what is made of pages: chunks cut from their text, or vectors of images, PDFs and texts"
  ),
  Command.withExamples([
    { command: "gbrain reindex --markdown --dry-run", description: "Which pages are out of date" },
    { command: "gbrain reindex --markdown --workers 4", description: "Bring them up to date" },
    {
      command: "gbrain reindex --multimodal --cost-estimate",
      description: "Which images, pages of PDFs and texts there are to embed, and what that would cost"
    },
    {
      command: "gbrain reindex --multimodal --only images --workers 8 --max-cost-usd 2",
      description: "Images and PDFs only, eight calls at a time, for two dollars at most"
    }
  ])
)
