/**
 * What a run would do and cost, without asking a model, writing a row or needing a key: the same pages are read, parsed and
 * cut as in a run.
 */
import { Effect, Option, Schema, Stream } from "effect"
import { BrainConfig, embeddingSettings } from "../../services/BrainConfig.ts"
import { Conversations } from "../../services/Conversations.ts"
import { checkFactsWidth, VectorColumns } from "../../services/EmbeddingWidth.ts"
import { Journal } from "../../services/Journal.ts"
import { Prices, unpriced } from "../../services/Prices.ts"
import { describeUnread } from "./body.ts"
import { makeEstimate } from "./estimate.ts"
import type { ExtractionOptions } from "./options.ts"
import { markOf, planPage, readPage, unreadTranscript } from "./plan.ts"
import { readJournaled } from "./segment.ts"
import { isOver } from "./segments.ts"
import { PageProblem } from "./report.ts"
import { checkSwitch, scopeOf } from "./scope.ts"

const Count = Schema.Int

/** What a dry run found out. Dollars are null when the model's price is not known. */
export const ExtractionPlan = Schema.Struct({
  command: Schema.Literal("extract-conversation-facts"),
  dry_run: Schema.Literal(true),
  model: Schema.String,
  sources: Schema.Array(Schema.String),
  /** The types that were asked for, and the page, if it was one. */
  types: Schema.Array(Schema.String),
  slug: Schema.NullOr(Schema.String),
  pages_considered: Count,
  pages_done: Count,
  pages_not_applicable: Count,
  pages_opted_out: Count,
  pages_set_aside: Count,
  /** Pages that a run would ask about. */
  pages_to_do: Count,
  pages_too_large: Count,
  /** Pages that are no conversation; a run would mark them, or set them aside where facts of an earlier text are kept. */
  pages_unrecognised: Count,
  /** Pages without a conversation whose transcript cannot be read; a run would leave them as they are, as failed. */
  pages_transcript_unreadable: Count,
  segments: Count,
  /** Segments whose answers are paid for already. */
  segments_from_journal: Count,
  messages: Count,
  /** How many pages are in which format. */
  formats: Schema.Record(Schema.String, Count),
  /** Questions that a run would ask: after `--since`, and as many as a segment limit allows. */
  questions: Count,
  input_tokens: Count,
  output_tokens: Count,
  /** If answers are as they usually are. */
  estimated_usd: Schema.NullOr(Schema.Finite),
  /** If every answer takes all the room it has. */
  at_most_usd: Schema.NullOr(Schema.Finite),
  /** How many at a time; null when that is found out on the way. */
  workers: Schema.NullOr(Count),
  /** Seconds at so many workers; null when their number is not known. */
  estimated_seconds: Schema.NullOr(Count),
  unrecognised: Schema.Array(PageProblem),
  unreadable: Schema.Array(PageProblem),
  /** Why a run under a cap would not begin, in words with the way out; empty when it would. */
  refusals: Schema.Array(Schema.String)
})

/** What a dry run found out. */
export type ExtractionPlan = typeof ExtractionPlan.Type

const namesKept = 100

/** Pages read and parsed at a time; parsing is the processor's work, loading the database's. */
const pagesAtOnce = 4

/**
 * Plans a run of the chat `model` with so many workers (none when they are found out on the way); see `ExtractionPlan`.
 */
export const planExtraction = Effect.fn("planExtraction")(function* (
  options: ExtractionOptions,
  model: string,
  workers: Option.Option<number> = Option.none()
) {
  const config = yield* BrainConfig
  const conversations = yield* Conversations
  const journal = yield* Journal
  const scope = yield* scopeOf(options, model)
  const counts = yield* conversations.count(scope)
  const repositoryPath = yield* config.get("sync.repo_path")

  let toDo = 0
  let done = 0
  let tooLarge = 0
  let segments = 0
  let fromJournal = 0
  let messages = 0
  const estimate = yield* makeEstimate(model)
  let unrecognisedCount = 0
  let unreadableCount = 0
  const formats: Record<string, number> = {}
  const unrecognised: Array<typeof PageProblem.Type> = []
  const unreadable: Array<typeof PageProblem.Type> = []

  const stream = conversations.candidates(scope, { includeDone: options.force })
  yield* (Option.isSome(options.limit) ? Stream.take(stream, options.limit.value) : stream).pipe(
    Stream.mapEffect(
      Effect.fnUntraced(function* (candidate) {
        const read = yield* readPage(candidate.id, repositoryPath)
        if (read._tag === "Disappeared") return
        if (read._tag === "TooLarge") {
          tooLarge++
          return
        }
        if (!options.force && !candidate.forced && candidate.versionUnknown) {
          const mark = yield* markOf(candidate, read, model)
          if (Option.isSome(mark)) {
            done++
            return
          }
        }
        const plan = planPage(read, model)
        const unread = unreadTranscript(read)
        if (plan._tag === "NotAConversation" && Option.isSome(unread)) {
          unreadableCount++
          if (unreadable.length < namesKept)
            unreadable.push({ item: candidate.slug, reason: describeUnread(unread.value) })
          return
        }
        if (plan._tag === "NotAConversation") {
          unrecognisedCount++
          if (unrecognised.length < namesKept)
            unrecognised.push({ item: candidate.slug, reason: plan.detail })
          return
        }
        toDo++
        messages += plan.conversation.messages.length
        for (const format of plan.conversation.formats) formats[format] = (formats[format] ?? 0) + 1
        const forced = candidate.forced ? yield* conversations.forced(candidate.id) : Option.none()
        const journaled =
          options.force && Option.isNone(forced)
            ? new Map<string, string>()
            : yield* journal.answers(
                plan.asked.map(({ question }) => question.key),
                Option.getOrUndefined(forced)?.since
              )
        const asked = plan.asked.filter(({ question }) =>
          Option.isNone(readJournaled(question, journaled.get(question.key)))
        )
        segments += plan.asked.length
        fromJournal += plan.asked.length - asked.length
        const recent = asked.filter(({ segment }) => !isOver(segment, options.since))
        const paid = Option.isSome(options.segmentLimit)
          ? recent.slice(0, options.segmentLimit.value)
          : recent
        for (const { question } of paid) estimate.add(question)
      }),
      { concurrency: pagesAtOnce, unordered: true }
    ),
    Stream.runDrain
  )

  const foretold = estimate.result(workers)
  return {
    command: "extract-conversation-facts",
    dry_run: true,
    model,
    sources: scope.sourceIds,
    types: scope.types,
    slug: Option.getOrNull(options.slug),
    pages_considered: counts.total,
    // With `--force` these are read again, and counted as what they are found to be.
    pages_done: options.force ? 0 : counts.complete + done,
    pages_not_applicable: options.force ? 0 : counts.notApplicable,
    pages_opted_out: counts.optedOut,
    pages_set_aside: options.force ? 0 : counts.setAside,
    pages_to_do: toDo,
    pages_too_large: tooLarge,
    pages_unrecognised: unrecognisedCount,
    pages_transcript_unreadable: unreadableCount,
    segments,
    segments_from_journal: fromJournal,
    messages,
    formats,
    ...foretold,
    unrecognised,
    unreadable,
    refusals: yield* refusalsOf(options, model)
  } satisfies ExtractionPlan
})

/** What a run checks before it begins, in its order: each by itself, so that all that is to be mended is named at once. */
const refusalsOf = Effect.fnUntraced(function* (options: ExtractionOptions, model: string) {
  const prices = yield* Prices
  const embedding = yield* embeddingSettings(yield* BrainConfig)
  const said = ({ message }: { readonly message: string }) => Effect.succeed([message])
  const ofSwitch = yield* checkSwitch(options).pipe(
    Effect.as<ReadonlyArray<string>>([]),
    Effect.catchTag("ExtractionDisabled", said)
  )
  const ofWidth = yield* checkFactsWidth(embedding.dimensions, embedding.model).pipe(
    Effect.as<ReadonlyArray<string>>([]),
    Effect.catchTags({ WidthMismatch: said, ImpossibleWidth: said }),
    Effect.provide(VectorColumns.layer)
  )
  const ofPrices = [model, embedding.model].flatMap((it) =>
    Option.isSome(prices.of(it)) ? [] : [unpriced(it).message]
  )
  return [...ofSwitch, ...ofWidth, ...ofPrices]
})
