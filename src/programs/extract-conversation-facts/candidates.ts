/** The pages to work on, as a stream: what is done is left out before it counts against a limit. */
import { Effect, Option, Stream } from "effect"
import type { Candidate, Conversations, ConversationScope } from "../../services/Conversations.ts"
import { Progress } from "../../services/Progress.ts"
import type { ExtractionOptions } from "./options.ts"
import { markOf, readPage } from "./plan.ts"
import { skippedAs, type Tally, tallyUp } from "./report.ts"

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
  const progress = yield* Progress
  const read = yield* readPage(candidate.id, repositoryPath)
  if (read._tag !== "Read") return true
  const mark = yield* markOf(candidate, read, model)
  if (Option.isNone(mark)) return true
  yield* progress.count({ skipped: 1 })
  yield* tallyUp(tally, skippedAs(mark.value))
  return false
})
