/** The texts of files in place of those in the brain: a folder that was edited, and not imported yet. */
import { Effect, Option, Result, Stream } from "effect"
import { ExtractPages } from "../../services/ExtractPages.ts"
import { keepingType, type PageFile, readingOf, readPageFile } from "../import/read.ts"
import { type FoundFile, scanDirectory } from "../import/scan.ts"
import type { GroupOptions } from "./group.ts"
import type { ExtractOptions } from "./options.ts"
import { extractTexts } from "./pages.ts"
import { addFailure, type ExtractTally } from "./report.ts"
import { type PageText, textOf } from "./text.ts"

/** Files that are worked on together. */
export interface FileGroup {
  readonly files: ReadonlyArray<FoundFile>
  readonly label: string
}

const groupFiles = 200

/** The files of a folder, in groups. */
export const fileGroups = Effect.fn("fileGroups")(function* (directory: string) {
  const { files, root, skipped } = yield* scanDirectory(directory)
  return {
    root,
    skipped,
    files: files.length,
    groups: Stream.fromIterable(files).pipe(
      Stream.grouped(groupFiles),
      Stream.map((group): FileGroup => ({
        files: group,
        label: `${group[0]?.path ?? ""}${group.length > 1 ? ` and ${group.length - 1} more` : ""}`
      }))
    )
  }
})

/** Extracts the pages that files are. A file that is no page of the brain is counted: it is to be imported first. */
export const extractFiles = Effect.fn("extractFiles")(function* (
  root: string,
  sourceId: string,
  group: FileGroup,
  asked: ExtractOptions,
  options: GroupOptions,
  tally: ExtractTally
) {
  const store = yield* ExtractPages
  const read = new Map<string, PageFile>()
  for (const file of group.files) {
    const result = yield* readingOf(readPageFile(root, file))
    if (Result.isFailure(result)) addFailure(tally, file.path, result.failure)
    else read.set(file.slug, result.success)
  }
  const ids = yield* store.idsOf(sourceId, [...read.keys()])
  const pages = yield* store.load(ids)
  tally.filesWithoutPage += read.size - pages.length
  const texts = pages.flatMap((page): ReadonlyArray<PageText> => {
    const found = read.get(page.slug)
    const file = found && keepingType(found, new Map([[page.slug, page.type]]))
    if (file === undefined || !isWanted(file, page.version, asked)) return []
    return [
      {
        ...textOf(page),
        type: file.page.type,
        text: `${file.page.compiledTruth}\n${file.page.timeline}`,
        frontmatter: file.page.frontmatter,
        // Only what the brain has was extracted from the page that the brain has.
        marks: page.stale && file.contentHash === page.content_hash
      }
    ]
  })
  const { edited } = yield* extractTexts(texts, options, tally)
  tally.edited += edited.length
})

const isWanted = (file: PageFile, version: string, { since, type }: ExtractOptions): boolean =>
  Option.getOrElse(type, () => file.page.type) === file.page.type &&
  Option.getOrElse(since, () => 0) < Date.parse(version)
