/**
 * The text of a conversation page: the transcript file that its front matter names, where there is one, else what the
 * page itself says. A transcript is read only from inside the brain's own folder, symbolic links followed and checked.
 */
import { Effect, FileSystem, Option, Path } from "effect"
import { maxPageBytes } from "../../domain/ConversationPages.ts"
import { withoutFences } from "../../domain/Fences.ts"
import type { ConversationPage } from "../../services/Conversations.ts"

/** Where a page's text comes from. */
export type Body =
  | { readonly _tag: "Page"; readonly text: string; readonly hasFactsFence: boolean }
  | {
      readonly _tag: "Transcript"
      readonly text: string
      readonly file: string
      readonly hasFactsFence: boolean
    }
  | { readonly _tag: "TooLarge"; readonly bytes: number; readonly of: string }

/**
 * Reads the body. `repositoryPath` is the folder that relative paths start from when the page's source has none of its
 * own (gbrain's config row `sync.repo_path`).
 */
export const readBody = Effect.fn("readBody")(function* (
  page: ConversationPage,
  repositoryPath: Option.Option<string>
): Effect.fn.Return<Body, never, FileSystem.FileSystem | Path.Path> {
  const own = withoutFences(`${page.compiled_truth}\n\n${page.timeline}`)
  const transcript = yield* findTranscript(page, repositoryPath)
  if (Option.isSome(transcript)) {
    const { bytes, file } = transcript.value
    if (bytes > maxPageBytes) return { _tag: "TooLarge", bytes, of: file }
    const fs = yield* FileSystem.FileSystem
    // Without what surrounds it: the version of a page is told by this text, in gbrain's form.
    const text = (yield* Effect.orElseSucceed(fs.readFileString(file), () => "")).trim()
    if (text !== "") return { _tag: "Transcript", text, file, hasFactsFence: own.hasFacts }
  }
  if (page.bytes > maxPageBytes) return { _tag: "TooLarge", bytes: page.bytes, of: page.slug }
  return { _tag: "Page", text: own.text, hasFactsFence: own.hasFacts }
})

/** The file that a page names for its transcript, whether it is there or not. */
export const namedTranscript = (page: Pick<ConversationPage, "frontmatter">): Option.Option<string> => {
  const named = page.frontmatter["raw_transcript"]
  return typeof named === "string" && named.trim() !== "" ? Option.some(named.trim()) : Option.none()
}

const findTranscript = Effect.fnUntraced(function* (
  page: ConversationPage,
  repositoryPath: Option.Option<string>
) {
  const named = namedTranscript(page)
  if (Option.isNone(named)) return Option.none()
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const roots = [page.local_path, Option.getOrNull(repositoryPath)].filter(
    (root): root is string => root !== null && root !== ""
  )
  for (const root of roots) {
    const found = yield* Effect.gen(function* () {
      const inside = yield* fs.realPath(root)
      const file = yield* fs.realPath(path.resolve(inside, named.value))
      const relative = path.relative(inside, file)
      if (relative.startsWith("..") || path.isAbsolute(relative)) return Option.none()
      const info = yield* fs.stat(file)
      return info.type === "File" ? Option.some({ file, bytes: Number(info.size) }) : Option.none()
    }).pipe(Effect.orElseSucceed(() => Option.none<{ readonly file: string; readonly bytes: number }>()))
    if (Option.isSome(found)) return found
  }
  return Option.none()
})
