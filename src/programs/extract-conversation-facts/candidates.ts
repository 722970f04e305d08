/** The pages to work on, as a stream: what is done is left out before it counts against a limit. */
import { Effect, Option, Stream } from "effect"
import { type Candidate, Conversations, type ConversationScope } from "../../services/Conversations.ts"
import { Progress } from "../../services/Progress.ts"
import type { ExtractionOptions } from "./options.ts"
import { readPage } from "./plan.ts"
import { type Tally, tallyUp } from "./report.ts"

/** The candidates of a run. */
export const candidates = (
  conversations: Conversations["Service"],
  scope: ConversationScope,
  options: ExtractionOptions,
  repositoryPath: Option.Option<string>,
  tally: Tally
) => {
  const needing = conversations
    .candidates(scope, { includeDone: options.force })
    .pipe(
      Stream.filterEffect((candidate) =>
        options.force || candidate.forced || !candidate.versionUnknown
          ? Effect.succeed(true)
          : needsWork(candidate, scope.model, repositoryPath, tally)
      )
    )
  return Option.isSome(options.limit) ? Stream.take(needing, options.limit.value) : needing
}

// Whether a page with a transcript file is done, only the file can tell.
const needsWork = Effect.fnUntraced(function* (
  candidate: Candidate,
  model: string,
  repositoryPath: Option.Option<string>,
  tally: Tally
) {
  const conversations = yield* Conversations
  const progress = yield* Progress
  const read = yield* readPage(candidate.id, repositoryPath)
  if (read._tag !== "Read") return true
  const mark = yield* conversations.markOf(candidate, read.versionToken, model)
  if (Option.isNone(mark)) return true
  yield* progress.count({ skipped: 1 })
  yield* tallyUp(
    tally,
    mark.value === "complete"
      ? { skippedCompleted: 1 }
      : mark.value === "not-applicable"
        ? { skippedNonExtractable: 1 }
        : { setAside: 1 }
  )
  return false
})
