/**
 * One page: read it under its lease, plan its questions, ask them, and write the outcome in one commit. What is found
 * out on the way is counted in the run's tally.
 */
import { Effect, Option } from "effect"
import { maxPageBytes } from "../../domain/ConversationPages.ts"
import { ChatModel } from "../../services/ChatModel.ts"
import { type Candidate, Conversations } from "../../services/Conversations.ts"
import { Progress } from "../../services/Progress.ts"
import type { ItemContext } from "../bulk.ts"
import { namedTranscript } from "./body.ts"
import { commitPage } from "./commit.ts"
import type { ExtractionOptions } from "./options.ts"
import { planPage, readPage } from "./plan.ts"
import { type Tally, tallyUp, warn } from "./report.ts"
import { extractSegments } from "./segments.ts"

/** Works on one page. */
export const extractPage = Effect.fn("extractPage")(function* (
  candidate: Candidate,
  context: ItemContext,
  run: {
    readonly options: ExtractionOptions
    readonly repositoryPath: Option.Option<string>
    readonly tally: Tally
  }
) {
  const conversations = yield* Conversations
  const model = yield* ChatModel
  const progress = yield* Progress
  const { options, tally } = run
  const skip = (counts: Parameters<typeof tallyUp>[1]) =>
    Effect.andThen(tallyUp(tally, counts), progress.count({ skipped: 1 }))

  const read = yield* readPage(candidate.id, run.repositoryPath)
  if (read._tag === "Disappeared") return yield* skip({ disappeared: 1 })
  if (read._tag === "TooLarge") {
    yield* warn(
      tally,
      candidate.slug,
      `${read.of} has ${read.bytes} bytes, more than the ${maxPageBytes} that are taken on; split it`
    )
    return yield* skip({ tooLarge: 1 })
  }
  // The lease is on the old slug, and so would its facts be.
  if (read.page.slug !== candidate.slug) {
    yield* warn(tally, candidate.slug, `renamed to ${read.page.slug} meanwhile; the next run takes it`)
    return yield* skip({ disappeared: 1 })
  }
  const transcript = namedTranscript(read.page)
  if (Option.isSome(transcript) && read.body._tag === "Page") {
    const reason = `the transcript ${transcript.value} cannot be read here; the page's own text was taken in its place`
    yield* warn(tally, candidate.slug, reason)
  }
  const forced = options.force
    ? Option.some(yield* conversations.force(candidate.id))
    : candidate.forced
      ? yield* conversations.forced(candidate.id)
      : Option.none()
  // Somebody else may have finished it between the listing and the lease.
  if (Option.isNone(forced)) {
    const mark = yield* conversations.markOf(candidate, read.versionToken, model.model)
    if (Option.isSome(mark)) {
      return yield* skip(
        mark.value === "complete"
          ? { skippedCompleted: 1 }
          : mark.value === "not-applicable"
            ? { skippedNonExtractable: 1 }
            : { setAside: 1 }
      )
    }
  }

  const plan = planPage(read, model.model)
  const lease = yield* Effect.orDie(Effect.fromOption(context.lease))
  if (plan._tag === "NotAConversation") {
    if (plan.reason === "headings that may be speakers") {
      yield* conversations.setAside(candidate, read.versionToken, plan.detail, Option.none())
      yield* warn(tally, candidate.slug, plan.detail)
      return yield* skip({ setAside: 1 })
    }
    const mark = {
      mark: "not-applicable" as const,
      versionToken: read.versionToken,
      context: `scanned, not extractable: ${plan.detail}`
    }
    const outcome = { answers: [], afresh: false, mark: Option.some(mark), replace: "all" as const }
    yield* commitPage(candidate, read, lease, tally, outcome)
    return yield* skip({ markedNonExtractable: 1 })
  }
  for (const warning of plan.conversation.warnings) yield* warn(tally, candidate.slug, warning)
  yield* extractSegments(candidate, read, plan.asked, lease, context, { options, forced, tally })
})
