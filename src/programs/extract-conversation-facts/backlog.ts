/**
 * How much of a brain's conversations is done. The database can tell for most pages; for those whose text is a transcript
 * file, or that have no content hash, the text is read and its version compared with the marks.
 */
import { Effect, Option, Stream } from "effect"
import { conversationTypes, pageTypesOf } from "../../domain/ConversationPages.ts"
import { BrainConfig } from "../../services/BrainConfig.ts"
import { type ConversationCounts, Conversations } from "../../services/Conversations.ts"
import { Sources } from "../../services/Sources.ts"
import { resolveChatModel } from "./layer.ts"
import { markOf, readPage } from "./plan.ts"

const pagesAtOnce = 4

/** The counts of all sources that are not archived. */
export const conversationBacklog = Effect.fn("conversationBacklog")(function* () {
  const conversations = yield* Conversations
  const model = yield* resolveChatModel(Option.none())
  const scope = {
    model,
    sourceIds: yield* (yield* Sources).idsFor(Option.none()),
    pageTypes: pageTypesOf(conversationTypes),
    slug: Option.none<string>()
  }
  const counts = yield* conversations.count(scope)
  const repositoryPath = yield* (yield* BrainConfig).get("sync.repo_path")
  const marks = yield* conversations.candidates(scope, { includeDone: false }).pipe(
    Stream.filter((candidate) => candidate.versionUnknown && !candidate.forced),
    Stream.mapEffect(
      Effect.fnUntraced(function* (candidate) {
        const read = yield* readPage(candidate.id, repositoryPath)
        return read._tag === "Read" ? yield* markOf(candidate, read, model) : Option.none()
      }),
      { concurrency: pagesAtOnce, unordered: true }
    ),
    Stream.runFold(
      () => ({ complete: 0, "not-applicable": 0, "set-aside": 0 }),
      (found, mark) => (Option.isSome(mark) ? { ...found, [mark.value]: found[mark.value] + 1 } : found)
    )
  )
  return {
    ...counts,
    complete: counts.complete + marks.complete,
    notApplicable: counts.notApplicable + marks["not-applicable"],
    setAside: counts.setAside + marks["set-aside"],
    toDo: counts.toDo - marks.complete - marks["not-applicable"] - marks["set-aside"]
  } satisfies ConversationCounts
})
