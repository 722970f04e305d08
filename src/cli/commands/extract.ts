/** `gbrain extract`. */
import { Duration, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { extract } from "../../programs/extract/extract.ts"
import { extractLayer } from "../../programs/extract/layer.ts"
import { type ExtractKind, extractKinds, type ExtractOptions } from "../../programs/extract/options.ts"
import type { ExtractReport } from "../../programs/extract/report.ts"
import { Sources } from "../../services/Sources.ts"
import { Ended, exitCodes, UsageError } from "../exit.ts"
import { instant, json, locationFlags, optionalText, workers } from "../flags.ts"
import { brainForGroups } from "../open.ts"
import { extractText } from "../render/extract.ts"
import { progressStyle, showProgress } from "../render/ProgressView.ts"
import { print, printJson } from "../render/text.ts"

const kind = Argument.String("kind").pipe(
  Argument.withDescription(`What to extract: ${extractKinds.join(", ")}`),
  Argument.filterMap(
    (text): Option.Option<ExtractKind> => Option.fromUndefinedOr(extractKinds.find((it) => it === text)),
    () => extractKinds.join(", ")
  ),
  Argument.optional
)

const from = Flag.String("source").pipe(
  Flag.withDescription(
    "Where the texts are: db, what was imported; fs, the files of --dir or of the source's own folder. db unless told"
  ),
  Flag.withMetavar("fs|db"),
  Flag.filterMap(
    (text): Option.Option<"fs" | "db"> =>
      text === "fs" || text === "db" ? Option.some(text) : Option.none(),
    (text) => `--source takes fs or db, not "${text}"; --source-id names a source`
  ),
  Flag.optional
)

const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

/** How long `--stale` begins new pages: it is meant to be run every now and then. */
const staleLimit = Duration.minutes(30)

export const extractCommand = Command.make(
  "extract",
  {
    kind,
    from,
    sourceId: optionalText("source-id", "ID", "One source; all that are not archived unless told"),
    directory: optionalText("dir", "DIR", "The folder of markdown files to read; means --source fs"),
    type: optionalText("type", "TYPE", "Only pages of this type, such as person"),
    since: instant("since", "Only pages written after this"),
    includeFrontmatter: flag(
      "include-frontmatter",
      "Links of the front matter too; takes pages that are up to date again"
    ),
    force: flag("force", "Take pages that are up to date again"),
    stale: flag("stale", "Links and timeline of all that is out of date, for thirty minutes at most"),
    catchUp: flag("catch-up", "With --stale: go on until nothing is out of date"),
    workers,
    dryRun: flag("dry-run", "Say what would be written; write nothing"),
    json,
    progressJson: flag("progress-json", "Progress as lines of JSON on standard error"),
    ...locationFlags
  },
  Effect.fn(function* (flags) {
    const asked = yield* optionsOf(flags)
    yield* Effect.gen(function* () {
      const directory = asked.files
        ? Option.some(yield* folderOf(flags.directory, flags.sourceId))
        : Option.none()
      const tell = (report: ExtractReport) => (flags.json ? printJson(report) : print(extractText(report)))
      const report = yield* Effect.gen(function* () {
        yield* showProgress(progressStyle(flags))
        return yield* extract({ ...asked.options, directory }, tell)
      }).pipe(Effect.scoped)
      yield* tell(report)
      if (report.status === "failed") return yield* new Ended({ code: exitCodes.failed })
    }).pipe(Effect.provide(extractLayer({ workers: flags.workers })), Effect.provide(brainForGroups(flags)))
  })
).pipe(
  Command.withDescription(
    "Read what pages say of other pages and of days, and keep it as links and timelines"
  ),
  Command.withExamples([
    { command: "gbrain extract all --workers 8", description: "Everything that is out of date" },
    { command: "gbrain extract links --dry-run", description: "Which links there would be" },
    {
      command: "gbrain extract all --dir ./notes",
      description: "From files that are edited, not imported yet"
    },
    { command: "gbrain extract --stale", description: "The same every night, for half an hour at most" }
  ])
)

interface Flags {
  readonly kind: Option.Option<ExtractKind>
  readonly from: Option.Option<"fs" | "db">
  readonly sourceId: Option.Option<string>
  readonly directory: Option.Option<string>
  readonly type: Option.Option<string>
  readonly since: Option.Option<number>
  readonly includeFrontmatter: boolean
  readonly force: boolean
  readonly stale: boolean
  readonly catchUp: boolean
  readonly dryRun: boolean
}

/** What is asked for, once the flags do not contradict each other. */
const optionsOf = Effect.fnUntraced(function* (flags: Flags) {
  const files = Option.isSome(flags.directory) || Option.contains(flags.from, "fs")
  const wrong = contradiction(flags, files)
  if (wrong !== undefined) return yield* new UsageError({ message: wrong })
  return {
    files,
    options: {
      kind: Option.getOrElse(flags.kind, (): ExtractKind => "all"),
      sourceId: flags.sourceId,
      type: flags.type,
      since: flags.since,
      includeFrontmatter: flags.includeFrontmatter,
      // A page is up to date by its text; whether its front matter was read then, nobody noted.
      force: flags.force || (flags.includeFrontmatter && !flags.stale),
      timeLimit: flags.stale && !flags.catchUp ? Option.some(staleLimit) : Option.none(),
      dryRun: flags.dryRun
    } satisfies Omit<ExtractOptions, "directory">
  }
})

const contradiction = (flags: Flags, files: boolean): string | undefined => {
  if (Option.isNone(flags.kind) && !flags.stale) {
    return `Say what to extract: gbrain extract ${extractKinds.join("|")}, or gbrain extract --stale`
  }
  if (Option.isSome(flags.directory) && Option.contains(flags.from, "db")) {
    return "--dir names files and --source db means the brain; give one of them."
  }
  if (flags.stale && files) return "--stale is about what the brain has; it goes with --source db only."
  if (flags.stale && flags.force)
    return "--stale takes what is out of date and --force everything; give one of them."
  if (flags.stale && Option.exists(flags.kind, (it) => it !== "all")) {
    return "--stale takes links and timeline: a page is out of date for both."
  }
  if (flags.catchUp && !flags.stale)
    return "--catch-up goes with --stale only; other runs have no time limit."
  if (flags.force && files) return "Files are read in any case: leave out --force."
  if (flags.includeFrontmatter && Option.contains(flags.kind, "timeline")) {
    return "The front matter makes links and no timeline: leave out --include-frontmatter."
  }
  return undefined
}

/** The folder whose files are read: the one that is told, or the source's own. */
const folderOf = Effect.fnUntraced(function* (
  directory: Option.Option<string>,
  sourceId: Option.Option<string>
) {
  if (Option.isSome(directory)) return directory.value
  const sources = yield* Sources
  const [id = "default"] = yield* sources.idsFor(Option.orElseSome(sourceId, () => "default"))
  const folder = (yield* sources.all).find((source) => source.id === id)?.localPath
  if (folder !== undefined && folder !== null) return folder
  return yield* new UsageError({
    message: `Nobody told where the files of the source ${id} are. Name the folder with --dir, or take the texts in the brain: --source db`
  })
})
