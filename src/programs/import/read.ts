/** Reads one file as a page, or says why it cannot be one. */
import { Clock, Effect, FileSystem, Path, Result } from "effect"
import { chunkPage, type PageChunk } from "../../domain/Chunks.ts"
import { furthestAhead } from "../../domain/EffectiveDate.ts"
import { hashedContent, type ParsedPage, parsePage } from "../../domain/Markdown.ts"
import { sha256Hex } from "../../services/Sha256.ts"
import type { FoundFile } from "./scan.ts"

/** A file that is a page. */
export interface PageFile extends FoundFile {
  readonly page: ParsedPage
  readonly contentHash: string
}

/** Larger files are no pages that anybody wrote. */
const maxFileBytes = 50 * 1024 * 1024

/** The page in a file. Fails with the reason, in words. */
export const readPageFile = Effect.fnUntraced(function* (
  root: string,
  file: FoundFile
): Effect.fn.Return<PageFile, string, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const bytes = yield* Effect.mapError(
    fs.readFile(path.join(root, file.path)),
    (error) => `cannot be read (${error.message})`
  )
  if (bytes.length > maxFileBytes)
    return yield* Effect.fail(`has ${bytes.length} bytes, more than ${maxFileBytes}`)
  const text = yield* Effect.fromResult(decodeUtf8(bytes))
  const now = yield* Clock.currentTimeMillis
  return asPageFile(file, yield* Effect.fromResult(parsePage(text, file.path, now + furthestAhead)))
})

const asPageFile = (file: FoundFile, page: ParsedPage): PageFile => ({
  path: file.path,
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

const decodeUtf8 = (bytes: Uint8Array): Result.Result<string, string> => {
  if (bytes.includes(0)) return Result.fail("is no text: it has bytes of zero")
  try {
    return Result.succeed(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return Result.fail("is not valid UTF-8; convert it and import again")
  }
}

/** The chunks of a page file. */
export const chunksOf = (file: PageFile): ReadonlyArray<PageChunk> => chunkPage(file.page)
