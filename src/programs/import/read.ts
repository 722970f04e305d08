/** Reads one file as a page, or says why it cannot be one. */
import { Clock, Effect, FileSystem, Option, Path, Result } from "effect"
import { furthestAhead } from "../../domain/EffectiveDate.ts"
import { type CodePage, codePageOf, hashedCode, isMinified, largestCode } from "../../domain/code/CodePage.ts"
import { hashedContent, type ParsedPage, parsePage } from "../../domain/Markdown.ts"
import { sha256Hex } from "../../services/Sha256.ts"
import type { FoundFile } from "./scan.ts"

/** A markdown file that is a page. */
export interface PageFile extends FoundFile {
  readonly page: ParsedPage
  readonly contentHash: string
}

/** A file of code that is a page. */
export interface CodeFile extends FoundFile {
  readonly code: CodePage
  readonly text: string
  readonly contentHash: string
}

/** Larger files are no pages that anybody wrote. */
const largestPage = 50 * 1024 * 1024

/** How often a file is read that is written to at the same time. */
const readings = 3

/** The page in a markdown file. Fails with the reason, in words. */
export const readPageFile = Effect.fnUntraced(function* (root: string, file: FoundFile) {
  const text = yield* readText(root, file.path, largestPage)
  const now = yield* Clock.currentTimeMillis
  return asPageFile(file, yield* Effect.fromResult(parsePage(text, file.path, now + furthestAhead)))
})

const asPageFile = (file: FoundFile, page: ParsedPage): PageFile => ({
  ...file,
  slug: page.slug,
  page,
  contentHash: sha256Hex(hashedContent(page))
})

/** The page with the type that it has in the brain, when its file names none: gbrain's rule, and part of the hash. */
export const keepingType = (file: PageFile, types: ReadonlyMap<string, string>): PageFile => {
  const type = types.get(file.slug)
  return file.page.typeIsExplicit || type === undefined || type === file.page.type
    ? file
    : asPageFile(file, { ...file.page, type })
}

/** The page in a file of code. Fails with the reason, in words. */
export const readCodeFile = Effect.fnUntraced(function* (root: string, file: FoundFile) {
  const code = codePageOf(file.path)
  if (code === undefined) return yield* Effect.fail("is no code that is known")
  const text = yield* readText(root, file.path, largestCode)
  if (isMinified(file.path, text))
    return yield* Effect.fail("was made by a program: its lines are too long to read")
  return { ...file, code, text, contentHash: sha256Hex(hashedCode(code, text)) } satisfies CodeFile
})

/** The text of a file: whole, as it was at one moment, and in the folder. */
const readText = Effect.fnUntraced(function* (
  root: string,
  relative: string,
  largest: number
): Effect.fn.Return<string, string, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const place = path.join(root, relative)
  const readable = <A, E extends { readonly message: string }>(effect: Effect.Effect<A, E>) =>
    Effect.mapError(effect, (error) => `cannot be read (${error.message})`)
  for (let reading = 0; reading < readings; reading++) {
    const before = yield* readable(fs.stat(place))
    if (before.type !== "File") return yield* Effect.fail("is no file any more")
    if (before.size > BigInt(largest)) {
      return yield* Effect.fail(`has ${before.size} bytes, more than ${largest}`)
    }
    const bytes = yield* readable(fs.readFile(place))
    const after = yield* readable(fs.stat(place))
    const same =
      after.size === BigInt(bytes.length) &&
      Option.getOrUndefined(after.mtime)?.getTime() === Option.getOrUndefined(before.mtime)?.getTime()
    if (same) return yield* Effect.fromResult(decodeUtf8(bytes))
  }
  return yield* Effect.fail("is being written to; import again when it is done")
})

const decodeUtf8 = (bytes: Uint8Array): Result.Result<string, string> => {
  if (bytes.includes(0)) return Result.fail("is no text: it has bytes of zero")
  try {
    return Result.succeed(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return Result.fail("is not valid UTF-8; convert it and import again")
  }
}

/** What became of reading a file. One that a bug of ours breaks on is left with the reason, like one that cannot be read. */
export const readingOf = <A, R>(
  reading: Effect.Effect<A, string, R>
): Effect.Effect<Result.Result<A, string>, never, R> =>
  Effect.result(
    Effect.catchDefect(reading, (defect) =>
      Effect.fail(
        `cannot be read, which is a bug: ${defect instanceof Error ? defect.message : String(defect)}`
      )
    )
  )
