/**
 * `import`: the markdown files of a folder become pages. Files are read and parsed by N workers; what has not changed is
 * not written; a file that moved keeps its page, and all that is attached to it; one that is gone takes its page along. What
 * changed has its links and timeline extracted.
 */
import { Clock, Effect, Option, Result, Schema, Stream } from "effect"
import { BrainConfig, isSwitchedOff } from "../../services/BrainConfig.ts"
import { Database } from "../../services/Database.ts"
import { type ImportOrigin, type KnownPage, PageWriter } from "../../services/PageWriter.ts"
import { Sources } from "../../services/Sources.ts"
import { extractForSlugs, type WrittenPages } from "../extract/forSlugs.ts"
import { makeTally } from "../extract/report.ts"
import { chunksOf, keepingType, type PageFile, readPageFile } from "./read.ts"
import { BadDirectory, scanDirectory } from "./scan.ts"

const Count = Schema.Int

/** The report of an import. */
export const ImportReport = Schema.Struct({
  command: Schema.Literal("import"),
  directory: Schema.String,
  source: Schema.String,
  files: Count,
  unchanged: Count,
  created: Count,
  updated: Count,
  renamed: Count,
  deleted: Count,
  chunks: Count,
  /** Links and timeline entries that the changed pages brought. */
  links: Count,
  timeline_entries: Count,
  /** Files left out, with the reason. */
  skipped: Schema.Array(Schema.Struct({ path: Schema.String, reason: Schema.String })),
  elapsed_ms: Count
})

/** The report of an import. */
export type ImportReport = typeof ImportReport.Type

/** Pages written in one transaction. */
const batchSize = 200

/** Imports a folder into a source. Progress is told through `onProgress`, as files are done. */
export const importDirectory = Effect.fn("importDirectory")(function* (options: {
  readonly directory: string
  readonly sourceId: Option.Option<string>
  readonly workers: number
  readonly onProgress?: (done: number, total: number) => Effect.Effect<void>
}) {
  const startedAt = yield* Clock.currentTimeMillis
  const sources = yield* Sources
  const writer = yield* PageWriter
  const database = yield* Database
  const [sourceId = "default"] = yield* sources.idsFor(
    Option.some(Option.getOrElse(options.sourceId, () => "default"))
  )
  const { files, root, skipped } = yield* scanDirectory(options.directory)
  const origin: ImportOrigin = { sourceId, directory: root }

  const known = yield* writer.fromDirectory(origin)
  if (files.length === 0) {
    return yield* new BadDirectory({
      directory: root,
      message:
        known.length === 0
          ? `There are no markdown files in ${root}.`
          : `There are no markdown files in ${root} any more, and ${known.length} pages came from it. ` +
            `Nothing was deleted; if they are to go, remove the source: gbrain sources remove ${sourceId}`
    })
  }
  const slugs = new Set(files.map((file) => file.slug))
  // The front matter of a file may spell its slug in another way than its path does.
  const paths = new Set(files.map((file) => file.path))
  // What could not be read is not gone, and neither is what is in a folder that could not be read.
  const gone = known.filter(
    (page) =>
      !slugs.has(page.slug) &&
      !(page.path !== null && paths.has(page.path)) &&
      !skipped.some((file) => page.path !== null && page.path.startsWith(file.path))
  )
  const goneByHash = new Map(
    gone.flatMap((page) => (page.contentHash === null ? [] : [[page.contentHash, page] as const]))
  )

  const counts = { unchanged: 0, created: 0, updated: 0, renamed: 0, chunks: 0, done: 0 }
  const written: Array<string> = []
  const unreadable: Array<{ readonly path: string; readonly reason: string }> = []

  const writeBatch = Effect.fnUntraced(function* (read: ReadonlyArray<PageFile>) {
    const types = yield* writer.types(
      sourceId,
      read.filter((file) => !file.page.typeIsExplicit).map((file) => file.slug)
    )
    const batch = read.map((file) => keepingType(file, types))
    const there = yield* writer.hashes(
      sourceId,
      batch.map((file) => file.slug)
    )
    const renames: Array<KnownPage & { readonly to: PageFile }> = []
    const changed: Array<PageFile> = []
    for (const file of batch) {
      const hash = there.get(file.slug)
      const moved = there.has(file.slug) ? undefined : goneByHash.get(file.contentHash)
      if (hash === file.contentHash) counts.unchanged++
      else if (moved !== undefined) {
        goneByHash.delete(file.contentHash)
        renames.push({ ...moved, to: file })
        counts.renamed++
      } else {
        changed.push(file)
        if (there.has(file.slug)) counts.updated++
        else counts.created++
      }
    }
    written.push(...renames.map(({ to }) => to.slug), ...changed.map((file) => file.slug))
    yield* writer.rename(renames.map(({ id, to }) => ({ id, slug: to.slug, path: to.path })))
    counts.chunks += yield* writer.write(origin, changed.map(toImported))
    counts.done += batch.length
    yield* options.onProgress?.(counts.done, files.length) ?? Effect.void
  })

  yield* Stream.fromIterable(files).pipe(
    Stream.mapEffect(
      (file) => Effect.map(Effect.result(readPageFile(root, file)), (read) => ({ file, read })),
      {
        concurrency: Math.max(options.workers, 4)
      }
    ),
    Stream.filter(({ file, read }) => {
      if (Result.isFailure(read)) {
        unreadable.push({ path: file.path, reason: read.failure })
        counts.done++
      }
      return Result.isSuccess(read)
    }),
    Stream.flatMap(({ read }) => Stream.fromIterable(Result.isSuccess(read) ? [read.success] : [])),
    Stream.grouped(batchSize),
    // The embedded database has one connection: a second writer would only wait.
    Stream.mapEffect(writeBatch, {
      concurrency: database.kind === "pglite" ? 1 : options.workers,
      unordered: true
    }),
    Stream.runDrain
  )

  const renamedIds = new Set(
    gone
      .filter((page) => page.contentHash !== null && !goneByHash.has(page.contentHash))
      .map((page) => page.id)
  )
  const deleted = gone.filter((page) => !renamedIds.has(page.id))
  yield* writer.remove(deleted.map((page) => page.id))
  yield* writer.setLocalPath(origin)
  const derived = yield* derive({ sourceId, slugs: written, workers: options.workers })

  return {
    command: "import",
    directory: root,
    source: sourceId,
    files: files.length,
    unchanged: counts.unchanged,
    created: counts.created,
    updated: counts.updated,
    renamed: counts.renamed,
    deleted: deleted.length,
    chunks: counts.chunks,
    links: derived.links.created,
    timeline_entries: derived.timeline.created,
    skipped: [...skipped, ...unreadable],
    elapsed_ms: (yield* Clock.currentTimeMillis) - startedAt
  } satisfies ImportReport
})

/**
 * Links and timelines of the pages that were written. The brain can be set to have either made by `extract` only, with gbrain's
 * settings `auto_link` and `auto_timeline`.
 */
const derive = Effect.fnUntraced(function* (written: WrittenPages) {
  const config = yield* BrainConfig
  const isOff = (key: string) => Effect.map(config.get(key), Option.exists(isSwitchedOff))
  const noLinks = yield* isOff("auto_link")
  const noTimeline = yield* isOff("auto_timeline")
  if (written.slugs.length === 0 || (noLinks && noTimeline)) return makeTally()
  return yield* extractForSlugs(written, noLinks ? "timeline" : noTimeline ? "links" : "all")
})

const toImported = (file: PageFile) => ({
  slug: file.slug,
  type: file.page.type,
  title: file.page.title,
  compiledTruth: file.page.compiledTruth,
  timeline: file.page.timeline,
  frontmatter: file.page.frontmatter,
  contentHash: file.contentHash,
  effectiveDate: file.page.effectiveDate?.date ?? null,
  effectiveDateSource: file.page.effectiveDate?.source ?? null,
  path: file.path,
  tags: file.page.tags,
  chunks: chunksOf(file)
})
