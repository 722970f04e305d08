/**
 * One page: read it under its lease, plan its questions, ask them, and write the outcome in one commit. What is found
 * out on the way is counted in the run's tally.
 */
import { Effect, Option, Schema } from "effect"
import type { NotAConversation } from "../../domain/conversation/Message.ts"
import { maxPageBytes } from "../../domain/ConversationPages.ts"
import { ChatModel } from "../../services/ChatModel.ts"
import { type Candidate, Conversations } from "../../services/Conversations.ts"
import { FactStore } from "../../services/FactStore.ts"
import type { Lease } from "../../services/PageLease.ts"
import { Progress } from "../../services/Progress.ts"
import type { ItemContext } from "../bulk.ts"
import { describeUnread } from "./body.ts"
import { commitPage, keepingFacts } from "./commit.ts"
import type { ExtractionOptions } from "./options.ts"
import { markOf, type Plan, planPage, type ReadPage, readPage, unreadTranscript } from "./plan.ts"
import { countUnrecognised, skippedAs, type Tally, tallyUp, warn } from "./report.ts"
import { extractSegments } from "./segments.ts"

/** A page's transcript cannot be read here, and nothing is to be taken in its place: the page is left as it is. */
export class TranscriptUnreadable extends Schema.TaggedError<TranscriptUnreadable>()("TranscriptUnreadable", {
  message: Schema.String
}) {}

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
  const forced = options.force
    ? Option.some(yield* conversations.force(candidate.id))
    : candidate.forced
      ? yield* conversations.forced(candidate.id)
      : Option.none()
  // Somebody else may have finished it between the listing and the lease.
  if (Option.isNone(forced)) {
    const mark = yield* markOf(candidate, read, model.model)
    if (Option.isSome(mark)) return yield* skip(skippedAs(mark.value))
  }

  const plan = planPage(read, model.model)
  yield* checkTranscript(candidate, read, plan, tally)
  const lease = yield* Effect.orDie(Effect.fromOption(context.lease))
  if (plan._tag === "NotAConversation") return yield* passOver(candidate, read, plan, lease, tally)
  for (const warning of plan.conversation.warnings) yield* warn(tally, candidate.slug, warning)
  yield* extractSegments(candidate, read, plan.asked, lease, context, { options, forced, tally })
})

/**
 * Fails where a page's transcript cannot be read, unless the page's own text is a conversation that takes nothing away: the page was
 * never finished, or with this text. Other facts of a finished page may be of the transcript, and are worth more than an extract's.
 */
const checkTranscript = Effect.fnUntraced(function* (
  candidate: Candidate,
  read: ReadPage,
  plan: Plan,
  tally: Tally
) {
  const { slug, sourceId } = candidate
  const unread = Option.getOrUndefined(unreadTranscript(read))
  if (unread === undefined) return
  const reason = describeUnread(unread)
  if (plan._tag === "Planned") {
    const { model } = yield* ChatModel
    const mine = Option.contains(yield* markOf(candidate, read, model), "complete")
    if (mine || !(yield* (yield* FactStore).wasEverComplete(sourceId, slug)))
      return yield* warn(tally, slug, `${reason}; the page's own text was taken in its place`)
  }
  return yield* new TranscriptUnreadable({
    message: `${reason}. The page is left as it is; put the file there, or take raw_transcript out of its front matter`
  })
})

/**
 * Marks a page that is no conversation, so that it is not read again until it changes. What was learnt from an earlier text of it
 * stays. A finished page is set aside, which only we know of: gbrain would mark none that it does not recognise.
 */
const passOver = Effect.fnUntraced(function* (
  candidate: Candidate,
  read: ReadPage,
  { detail, reason }: NotAConversation,
  lease: Lease,
  tally: Tally
) {
  const progress = yield* Progress
  const { slug, sourceId } = candidate
  const finished = yield* (yield* FactStore).wasEverComplete(sourceId, slug)
  if (finished || reason === "headings that may be speakers") {
    const why = finished ? `no longer a conversation: ${detail}; facts of its earlier text are kept` : detail
    yield* (yield* Conversations).setAside(candidate, read.versionToken, why, Option.none())
    yield* warn(tally, slug, why)
    yield* tallyUp(tally, { setAside: 1 })
  } else {
    const mark = {
      mark: "not-applicable" as const,
      versionToken: read.versionToken,
      context: `scanned, not extractable: ${detail}`
    }
    const outcome = { answers: [], afresh: false, mark: Option.some(mark), replace: keepingFacts }
    yield* commitPage(candidate, read, lease, tally, outcome)
    yield* countUnrecognised(tally, slug, detail)
  }
  yield* progress.count({ skipped: 1 })
})
