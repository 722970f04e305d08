/** `gbrain reindex`: a mode says what is brought up to date. */
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { reindexLayer } from "../../programs/reindex/layer.ts"
import { reindexMarkdown } from "../../programs/reindex/reindexMarkdown.ts"
import { UsageError } from "../exit.ts"
import { optionalCount, optionalText } from "../flags.ts"
import { openBrain } from "../open.ts"
import { reindexText } from "../render/reindex.ts"
import { sweepFlags, tellSweep } from "../sweep.ts"

const flags = {
  markdown: Flag.Boolean("markdown").pipe(
    Flag.withDescription("Cut pages again whose chunks do not fit their text, or are of an older chunker"),
    Flag.withDefault(false)
  ),
  sourceId: optionalText("source-id", "ID", "One source; all that are not archived unless told"),
  type: optionalText("type", "TYPE", "Only pages of this type, such as person"),
  limit: optionalCount("limit", "Read so many pages at most"),
  ...sweepFlags
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
      Effect.provide(reindexLayer({ workers: asked.workers })),
      Effect.provide(openBrain(asked, asked.workers))
    )
} satisfies Record<string, (asked: Flags) => unknown>

/** The mode that is asked for; exactly one is to be. */
const modeOf = (asked: Flags): Option.Option<keyof typeof modes> =>
  asked.markdown ? Option.some("markdown") : Option.none()

export const reindexCommand = Command.make("reindex", flags, (asked) =>
  Option.match(modeOf(asked), {
    onSome: (mode) => modes[mode](asked),
    onNone: () =>
      Effect.fail(
        new UsageError({
          message: `Say what to bring up to date: gbrain reindex ${Object.keys(modes)
            .map((mode) => `--${mode}`)
            .join("|")}`
        })
      )
  })
).pipe(
  Command.withDescription(
    "Find pages whose chunks are out of date and cut them again; embeddings of what stays are kept"
  ),
  Command.withExamples([
    { command: "gbrain reindex --markdown --dry-run", description: "Which pages are out of date" },
    { command: "gbrain reindex --markdown --workers 4", description: "Bring them up to date" }
  ])
)
