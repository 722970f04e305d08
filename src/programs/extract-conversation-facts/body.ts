/**
 * The text of a conversation page: the transcript file that its front matter names, where there is one, else what the
 * page itself says. A transcript is read only from inside the brain's own folder, symbolic links followed and checked.
 */
import { Effect, FileSystem, Option, Path, type PlatformError, Result } from "effect"
import { maxPageBytes } from "../../domain/ConversationPages.ts"
import { withoutFences } from "../../domain/Fences.ts"
import type { ConversationPage } from "../../services/Conversations.ts"

/** Where a page's text comes from. */
export type Body =
  | {
      readonly _tag: "Page"
      readonly text: string
      readonly hasFactsFence: boolean
      /** The transcript that the page names and that could not be read; none when it names none. */
      readonly unread: Option.Option<UnreadTranscript>
    }
  | {
      readonly _tag: "Transcript"
      readonly text: string
      readonly file: string
      readonly hasFactsFence: boolean
    }
  | { readonly _tag: "TooLarge"; readonly bytes: number; readonly of: string }

/** A transcript as its page names it, and why it could not be read. */
export interface UnreadTranscript {
  readonly named: string
  readonly why: string
}

/** In words. */
export const describeUnread = ({ named, why }: UnreadTranscript): string =>
  `the transcript ${named} cannot be read here: ${why}`

/**
 * Reads the body. `repositoryPath` is the folder that relative paths start from when the page's source has none of its
 * own (gbrain's config row `sync.repo_path`).
 */
export const readBody = Effect.fn("readBody")(function* (
  page: ConversationPage,
  repositoryPath: Option.Option<string>
): Effect.fn.Return<Body, never, FileSystem.FileSystem | Path.Path> {
  const own = withoutFences(`${page.compiled_truth}\n\n${page.timeline}`)
  const named = namedTranscript(page)
  let unread = Option.none<UnreadTranscript>()
  if (Option.isSome(named)) {
    const read = yield* Effect.result(readTranscript(page, named.value, repositoryPath))
    if (Result.isSuccess(read)) {
      return read.success._tag === "TooLarge"
        ? read.success
        : { ...read.success, hasFactsFence: own.hasFacts }
    }
    unread = Option.some({ named: named.value, why: read.failure })
  }
  if (page.bytes > maxPageBytes) return { _tag: "TooLarge", bytes: page.bytes, of: page.slug }
  return { _tag: "Page", text: own.text, hasFactsFence: own.hasFacts, unread }
})

/** The file that a page names for its transcript, whether it is there or not. */
export const namedTranscript = (page: Pick<ConversationPage, "frontmatter">): Option.Option<string> => {
  const named = page.frontmatter["raw_transcript"]
  return typeof named === "string" && named.trim() !== "" ? Option.some(named.trim()) : Option.none()
}

// Fails with why there is no text.
const readTranscript = Effect.fnUntraced(function* (
  page: ConversationPage,
  named: string,
  repositoryPath: Option.Option<string>
) {
  const fs = yield* FileSystem.FileSystem
  const { bytes, file } = yield* findTranscript(page, named, repositoryPath)
  if (bytes > maxPageBytes) return { _tag: "TooLarge" as const, bytes, of: file }
  // Without what surrounds it: the version of a page is told by this text, in gbrain's form.
  const text = (yield* Effect.mapError(fs.readFileString(file), reasonOf)).trim()
  return text === "" ? yield* Effect.fail("it is empty") : { _tag: "Transcript" as const, text, file }
})

const findTranscript = Effect.fnUntraced(function* (
  page: ConversationPage,
  named: string,
  repositoryPath: Option.Option<string>
) {
  const roots = [page.local_path, Option.getOrNull(repositoryPath)].filter(
    (root): root is string => root !== null && root !== ""
  )
  const reasons: Array<string> = []
  for (const root of roots) {
    const found = yield* Effect.result(findIn(root, named))
    if (Result.isSuccess(found)) return found.success
    reasons.push(found.failure)
  }
  return yield* Effect.fail(
    reasons.length === 0 ? "the brain knows no folder for its source" : [...new Set(reasons)].join("; ")
  )
})

const findIn = Effect.fnUntraced(function* (root: string, named: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const inside = yield* Effect.mapError(fs.realPath(root), (error) => `${root}: ${reasonOf(error)}`)
  const place = path.resolve(inside, named)
  const known = <A>(of: Effect.Effect<A, PlatformError.PlatformError>) =>
    Effect.mapError(of, (error) => `${place}: ${reasonOf(error)}`)
  const file = yield* known(fs.realPath(place))
  const relative = path.relative(inside, file)
  if (relative.startsWith("..") || path.isAbsolute(relative)) {
    return yield* Effect.fail(`${place} is not inside ${inside}`)
  }
  const info = yield* known(fs.stat(file))
  if (info.type !== "File") return yield* Effect.fail(`${place} is no file`)
  return { file, bytes: Number(info.size) }
})

const reasonOf = ({ message, reason }: PlatformError.PlatformError): string => {
  switch (reason._tag) {
    case "NotFound":
      return "not found"
    case "PermissionDenied":
      return "permission denied"
    default:
      return message
  }
}
