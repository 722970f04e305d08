/** A group of files: read, compared with what the brain has, and what is new or changed written in one transaction. */
import { Effect, FileSystem, Path, Result } from "effect"
import type { PageChunk } from "../../domain/Chunks.ts"
import type { CodeChunk } from "../../domain/code/CodeChunks.ts"
import { CodeParser, type CodeUnreadable } from "../../services/CodeParser.ts"
import {
  type ImportedPage,
  type ImportOrigin,
  type KnownPage,
  PageWriter,
  type StandingPage
} from "../../services/PageWriter.ts"
import { sha256Hex } from "../../services/Sha256.ts"
import { Progress } from "../../services/Progress.ts"
import { Underived } from "../../services/Underived.ts"
import { inHalves } from "../halves.ts"
import { pageChunks } from "./pageChunks.ts"
import { type CodeFile, keepingType, type PageFile, readCodeFile, readingOf, readPageFile } from "./read.ts"
import type { ImportTally } from "./report.ts"
import type { FoundFile } from "./scan.ts"

/** What groups of one import share. */
export interface GroupContext {
  readonly origin: ImportOrigin
  readonly dryRun: boolean
  /** Whether links and timelines are made of what is written. */
  readonly derives: boolean
  readonly tally: ImportTally
  /** Pages whose files are gone, by what finds them again under another name. */
  readonly gone: Map<string, KnownPage>
}

/** Files that are worked on together. */
export interface FileGroup {
  readonly files: ReadonlyArray<FoundFile>
  readonly label: string
}

type ReadFile = PageFile | CodeFile

/** Files read at a time: disks and file servers like to be asked for several. */
const readAhead = 8

/** What a file was cut into. */
interface Cut {
  readonly page?: ReadonlyArray<PageChunk>
  readonly code?: ReadonlyArray<CodeChunk>
}

const chunksIn = (cut: Cut | undefined): number => (cut?.page?.length ?? 0) + (cut?.code?.length ?? 0)

interface Change {
  readonly file: ReadFile
  readonly moved: KnownPage | undefined
  readonly isNew: boolean
}

/** Reads the files of a group. What cannot be read is noted, and the others go on. */
export const readGroup = Effect.fnUntraced(function* (group: FileGroup, context: GroupContext) {
  const progress = yield* Progress
  const read = yield* Effect.forEach(
    group.files,
    (file) =>
      readingOf<ReadFile, Effect.Services<ReturnType<typeof readPageFile>>>(
        file.kind === "code"
          ? readCodeFile(context.origin.directory, file)
          : readPageFile(context.origin.directory, file)
      ),
    { concurrency: readAhead }
  )
  const files: Array<ReadFile> = []
  for (const [index, result] of read.entries()) {
    if (Result.isSuccess(result)) files.push(result.success)
    else context.tally.skipped.push({ path: group.files[index]?.path ?? "", reason: result.failure })
  }
  yield* progress.count({ skipped: read.length - files.length })
  return files
})

/** Writes what is new or changed in a group that was read. */
export const writeGroup = Effect.fn("writeGroup")(function* (
  read: ReadonlyArray<ReadFile>,
  context: GroupContext
) {
  const writer = yield* PageWriter
  const progress = yield* Progress
  const { origin, tally } = context
  const types = yield* writer.types(
    origin.sourceId,
    read.flatMap((file) => ("code" in file || file.page.typeIsExplicit ? [] : [file.slug]))
  )
  const files = read.map((file) => ("code" in file ? file : keepingType(file, types)))
  const there = yield* writer.standing(
    origin.sourceId,
    files.map((file) => file.slug)
  )
  const free = yield* Effect.filter(files, (file) => isFree(file, there.get(file.slug), context))
  yield* progress.count({ skipped: files.length - free.length })
  const changes = free.flatMap((file): ReadonlyArray<Change> => {
    const page = there.get(file.slug)
    if (page !== undefined && page.contentHash === file.contentHash) return []
    const isNew = page === undefined
    return [{ file, isNew, moved: isNew ? takeMoved(file, context.gone) : undefined }]
  })
  const unchanged = free.length - changes.length
  tally.unchanged += unchanged
  yield* progress.count({ done: unchanged })
  const cut = yield* cutFiles(changes, context)
  yield* inHalves(
    changes.filter(({ file }) => cut.has(file)),
    Effect.fnUntraced(function* (some) {
      if (context.dryRun) {
        for (const { file } of some) {
          tally.chunks += chunksIn(cut.get(file))
        }
      } else yield* write(some, cut, context)
      for (const { isNew, moved } of some) {
        if (moved !== undefined) tally.renamed++
        else if (isNew) tally.created++
        else tally.updated++
      }
      yield* progress.count({ done: some.length })
    }),
    ({ file }, reason) => {
      tally.failed++
      tally.failures.push({ item: file.path, reason })
    }
  )
})

// Two files can make one slug, `x-ts.md` and `x.ts`, or one of each of two folders: they would take the page from each other in turns.
const isFree = Effect.fnUntraced(function* (
  file: ReadFile,
  page: StandingPage | undefined,
  { origin, tally }: GroupContext
) {
  if (
    page === undefined ||
    (page.kind === file.kind && (page.directory ?? origin.directory) === origin.directory)
  )
    return true
  const place = yield* placeOf(page)
  if (page.directory !== null && place === undefined) return true
  const other = place ?? `a page of ${page.kind} that was not imported`
  tally.skipped.push({ path: file.path, reason: `has the same slug as ${other}: ${file.slug}` })
  return false
})

/** Where the file of a page is; nothing when it is not there any more. */
const placeOf = Effect.fnUntraced(function* ({ directory, path: relative }: StandingPage) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if (directory === null || relative === null) return undefined
  const place = path.join(directory, relative)
  return (yield* Effect.orElseSucceed(fs.exists(place), () => false)) ? place : undefined
})

const write = Effect.fnUntraced(function* (
  changes: ReadonlyArray<Change>,
  cut: ReadonlyMap<ReadFile, Cut>,
  { derives, origin, tally }: GroupContext
) {
  const writer = yield* PageWriter
  if (derives) {
    yield* (yield* Underived).note(
      origin,
      changes.map(({ file }) => file.slug)
    )
  }
  const moves = changes.flatMap(({ file, moved }) => (moved === undefined ? [] : [{ file, moved }]))
  yield* writer.rename(moves.map(({ file, moved }) => ({ id: moved.id, slug: file.slug, path: file.path })))
  const written = yield* writer.write(
    origin,
    changes.flatMap(({ file, moved }) =>
      "code" in file
        ? [codePage(file, cut.get(file)?.code ?? [])]
        : // A page that only moved says what it said.
          moved === undefined
          ? [markdownPage(file, cut.get(file)?.page ?? [])]
          : []
    )
  )
  tally.chunks += written.chunks
  tally.chunksKept += written.kept
  tally.edges += written.edges
})

/** What finds a page that moved: the hash of a markdown page knows no path, that of a file of code does. */
export const moveKey = (kind: string, hash: string): string => `${kind}:${hash}`

const takeMoved = (file: ReadFile, gone: Map<string, KnownPage>): KnownPage | undefined => {
  const key = moveKey(file.kind, "code" in file ? sha256Hex(file.text) : file.contentHash)
  const page = gone.get(key)
  gone.delete(key)
  return page
}

// Threads have their own limit; a file that cannot be cut is noted, and the others go on.
const cutFiles = Effect.fnUntraced(function* (changes: ReadonlyArray<Change>, { tally }: GroupContext) {
  const parser = yield* CodeParser
  const progress = yield* Progress
  const cut = new Map<ReadFile, Cut>()
  const cutting = (file: ReadFile): Effect.Effect<Cut, CodeUnreadable, CodeParser> =>
    "code" in file
      ? Effect.map(parser.chunks({ path: file.path, text: file.text }), (code) => ({ code }))
      : Effect.map(pageChunks(file.page), (page) => ({ page }))
  yield* Effect.forEach(
    changes,
    ({ file }) =>
      cutting(file).pipe(
        Effect.match({
          onSuccess: (chunks) => {
            cut.set(file, chunks)
            return 0
          },
          onFailure: (error) => {
            tally.skipped.push({ path: file.path, reason: error.message })
            return 1
          }
        }),
        Effect.flatMap((skipped) => progress.count({ skipped }))
      ),
    { concurrency: "unbounded", discard: true }
  )
  return cut
})

const markdownPage = (file: PageFile, chunks: ReadonlyArray<PageChunk>): ImportedPage => ({
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
  chunks
})

const codePage = (file: CodeFile, chunks: ReadonlyArray<CodeChunk>): ImportedPage => ({
  slug: file.slug,
  type: "code",
  title: file.code.title,
  compiledTruth: file.text,
  timeline: "",
  frontmatter: file.code.frontmatter,
  contentHash: file.contentHash,
  effectiveDate: null,
  effectiveDateSource: null,
  path: file.path,
  tags: file.code.tags,
  chunks: [],
  code: chunks
})
