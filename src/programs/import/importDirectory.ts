/**
 * `import`: the markdown files of a folder, its code, or both become pages. Files are read and cut by N workers; what has not
 * changed is not written; a file that moved keeps its page, and all that is attached to it; one that is gone takes its page
 * along. What changed has its links and timeline extracted, and so has what an import that was stopped had left. Fails with `LeaseHeld` when
 * another process imports the folder.
 */
import { Clock, Effect, Option, Stream } from "effect"
import { type ImportOrigin, type KnownPage, PageWriter } from "../../services/PageWriter.ts"
import { PageLease } from "../../services/PageLease.ts"
import { Progress } from "../../services/Progress.ts"
import { Sources } from "../../services/Sources.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import { bulk, type BulkReport } from "../bulk.ts"
import { isFatal } from "../extract-conversation-facts/fatal.ts"
import { onRecord, wordsOf } from "../onRecord.ts"
import { derive, derivedKind } from "./derive.ts"
import { type FileGroup, type GroupContext, moveKey, readGroup, writeGroup } from "./group.ts"
import { type ImportReport, type ImportTally, makeImportTally } from "./report.ts"
import { BadDirectory, type FoundFile, scanDirectory, type Strategy } from "./scan.ts"

export { ImportReport } from "./report.ts"

/** What to import. */
export interface ImportOptions {
  readonly directory: string
  readonly sourceId: Option.Option<string>
  readonly strategy: Strategy
  /** Files too that `.gitignore` leaves out. */
  readonly includeIgnored: boolean
  /** Say what would be written; write nothing. */
  readonly dryRun: boolean
}

/** The markdown files of a folder, into the default source. */
export const defaultImportOptions: Omit<ImportOptions, "directory"> = {
  sourceId: Option.none(),
  strategy: "markdown",
  includeIgnored: false,
  dryRun: false
}

/** Files written in one transaction. Those of code have many more rows each. */
const groupFiles = { markdown: 200, code: 50 } as const

/** Imports a folder into a source. `onInterrupt` gets the report of an import that is interrupted. */
export const importDirectory = Effect.fn("importDirectory")(function* (
  options: ImportOptions,
  onInterrupt: (report: ImportReport) => Effect.Effect<void> = () => Effect.void
) {
  const [sourceId = "default"] = yield* (yield* Sources).idsFor(
    Option.orElseSome(options.sourceId, () => "default")
  )
  const startedAt = yield* Clock.currentTimeMillis
  const scan = yield* scanDirectory(options.directory, options)
  const origin: ImportOrigin = { sourceId, directory: scan.root }
  const tally = makeImportTally()
  for (const file of scan.skipped) tally.skipped.push(file)
  const pool = yield* WorkerPool
  const leases = yield* PageLease
  yield* (yield* Progress).begin({ command: "import", unit: "files", total: Option.some(scan.files.length) })

  const report = (ended: BulkReport<unknown> | undefined) =>
    Effect.map(Clock.currentTimeMillis, (now): ImportReport => {
      const elapsed = now - startedAt
      const stopped = Option.getOrNull(Option.map(ended?.stopped ?? Option.none(), wordsOf))
      const failed = tally.failed + (ended?.failed ?? 0)
      return {
        command: "import",
        status: ended === undefined ? "interrupted" : failed > 0 || stopped !== null ? "failed" : "completed",
        dry_run: options.dryRun,
        strategy: options.strategy,
        workers: pool.workers,
        directory: scan.root,
        source: sourceId,
        files: scan.files.length,
        code_files: scan.files.filter((file) => file.kind === "code").length,
        unchanged: tally.unchanged,
        created: tally.created,
        updated: tally.updated,
        renamed: tally.renamed,
        deleted: tally.deleted,
        failed,
        edited: tally.edited,
        chunks: tally.chunks,
        chunks_kept: tally.chunksKept,
        code_edges: tally.edges,
        links: tally.links,
        timeline_entries: tally.timelineEntries,
        ignored: scan.ignored,
        skipped: tally.skipped,
        failures: [...tally.failures, ...(ended?.failures ?? [])],
        elapsed_ms: elapsed,
        files_per_second: elapsed === 0 ? 0 : Math.round((doneIn(tally) / elapsed) * 1000),
        stopped
      }
    })

  const known = (yield* (yield* PageWriter).fromDirectory(origin)).filter((page) =>
    isOfStrategy(page, options.strategy)
  )
  const unread = scan.skipped.find((skipped) => skipped.path === ".")
  if (unread !== undefined)
    return yield* new BadDirectory({
      directory: origin.directory,
      message: `The folder ${origin.directory} ${unread.reason}.`
    })
  if (scan.files.length === 0) return yield* nothingThere(origin, options.strategy, known.length)
  const gone = goneOf(known, scan.files, scan.skipped)
  const work = onRecord(importFiles(origin, scan.files, gone, options, tally), {
    command: "import",
    dryRun: options.dryRun,
    report,
    onInterrupt
  })
  // Two imports of one folder would take each other's files for moved or gone.
  return yield* options.dryRun ? work : leases.withLease(`import:${sourceId}:${scan.root}`, () => work)
})

/** Writes the files; then, all of them having been looked at, what is gone goes, and what is derived from the new is made. */
const importFiles = Effect.fnUntraced(function* (
  origin: ImportOrigin,
  files: ReadonlyArray<FoundFile>,
  gone: ReadonlyArray<KnownPage>,
  options: ImportOptions,
  tally: ImportTally
) {
  const writer = yield* PageWriter
  const kind = yield* derivedKind
  const context: GroupContext = {
    origin,
    dryRun: options.dryRun,
    derives: Option.isSome(kind),
    tally,
    gone: yield* byMoveKey(gone)
  }
  const left = context.gone
  const movable = new Map([...left].map(([key, page]) => [page.id, key]))
  const ended = yield* bulk({
    items: Stream.concat(groupsOf(files, "markdown"), groupsOf(files, "code")),
    label: (group: FileGroup) => group.label,
    isFatal,
    work: (group, { piece }) =>
      Effect.flatMap(readGroup(group, context), (read) => piece(writeGroup(read, context)))
  })
  if (Option.isSome(ended.stopped)) return ended
  const deleted = gone.filter((page) => {
    const key = movable.get(page.id)
    return key === undefined || left.has(key)
  })
  tally.deleted = deleted.length
  if (options.dryRun) return ended
  yield* writer.remove(deleted.map((page) => page.id))
  yield* writer.setLocalPath(origin)
  if (Option.isSome(kind)) yield* derive(origin, kind.value, tally)
  return ended
})

const groupsOf = (files: ReadonlyArray<FoundFile>, kind: FoundFile["kind"]) =>
  Stream.fromIterable(files).pipe(
    Stream.filter((file) => file.kind === kind),
    Stream.grouped(groupFiles[kind]),
    Stream.map((group): FileGroup => ({
      files: group,
      label: `${group[0]?.path ?? ""}${group.length > 1 ? ` and ${group.length - 1} more` : ""}`
    }))
  )

const isOfStrategy = (page: KnownPage, strategy: Strategy): boolean =>
  strategy === "all" || (page.kind === "code") === (strategy === "code")

// What could not be read is not gone, and neither is what is in a folder that could not be read.
const goneOf = (
  known: ReadonlyArray<KnownPage>,
  files: ReadonlyArray<FoundFile>,
  skipped: ReadonlyArray<{ readonly path: string }>
): ReadonlyArray<KnownPage> => {
  const slugs = new Set(files.map((file) => file.slug))
  // The front matter of a file may spell its slug in another way than its path does.
  const paths = new Set(files.map((file) => file.path))
  // What could not be read is not gone, and neither is what is in a folder that could not be read.
  return known.filter(
    ({ path, slug }) =>
      !slugs.has(slug) &&
      !(path !== null && (paths.has(path) || skipped.some((left) => path.startsWith(left.path))))
  )
}

const byMoveKey = Effect.fnUntraced(function* (gone: ReadonlyArray<KnownPage>) {
  const code = gone.filter((page) => page.kind === "code")
  const texts = yield* (yield* PageWriter).textHashes(code.map((page) => page.id))
  return new Map(
    gone.flatMap((page) => {
      const hash = page.kind === "code" ? texts.get(page.id) : page.contentHash
      return hash === undefined || hash === null ? [] : [[moveKey(page.kind, hash), page] as const]
    })
  )
})

const nothingThere = ({ directory, sourceId }: ImportOrigin, strategy: Strategy, known: number) => {
  const what = { markdown: "markdown files", code: "files of code", all: "files to import" }[strategy]
  return new BadDirectory({
    directory,
    message:
      known === 0
        ? `There are no ${what} in ${directory}.`
        : `There are no ${what} in ${directory} any more, and ${known === 1 ? "1 page" : `${known} pages`} came from it. ` +
          `Nothing was deleted; if they are to go, remove the source: gbrain sources remove ${sourceId}`
  })
}

const doneIn = (tally: ImportTally): number => tally.unchanged + tally.created + tally.updated + tally.renamed
