/** Reads one file as a page, or says why it cannot be one. */
import { Effect, FileSystem, Path, Result } from "effect"
import { chunkPage, type PageChunk } from "../../domain/Chunks.ts"
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
  const page = yield* Effect.fromResult(parsePage(text, file.path))
  return { ...file, page, contentHash: sha256Hex(hashedContent(page)) }
})

const decodeUtf8 = (bytes: Uint8Array): Result.Result<string, string> => {
  if (bytes.includes(0)) return Result.fail("is no text: it has bytes of zero")
  try {
    return Result.succeed(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {
    return Result.fail("is not valid UTF-8; convert it and import again")
  }
}

/** The chunks of a page file. */
export const chunksOf = (file: PageFile): ReadonlyArray<PageChunk> => chunkPage(file.page)
