/**
 * The questions of a page: which are asked now, what is done when one gets no answer, and how much of the page may be
 * written when not all are answered.
 */
import { Effect, Option, Result } from "effect"
import type { Segment } from "../../domain/conversation/Segment.ts"
import type { FactAnswer } from "../../domain/FactAnswer.ts"
import { ChatModel } from "../../services/ChatModel.ts"
import { type Candidate, Conversations, type Forced } from "../../services/Conversations.ts"
import { FactStore, type PageMark } from "../../services/FactStore.ts"
import { Journal } from "../../services/Journal.ts"
import type { Lease } from "../../services/PageLease.ts"
import { Progress } from "../../services/Progress.ts"
import { SegmentFailures } from "../../services/SegmentFailures.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import type { ItemContext } from "../bulk.ts"
import { commitPage } from "./commit.ts"
import { isFatal } from "./fatal.ts"
import type { ExtractionOptions } from "./options.ts"
import type { AskedSegment, ReadPage } from "./plan.ts"
import { type Tally, tallyUp, warn } from "./report.ts"
import { askSegment, type Question, readJournaled, SegmentFailed } from "./segment.ts"
import { isHopeless, refused, works } from "./trial.ts"

interface Answered extends AskedSegment {
  readonly answer: FactAnswer
}

/** Whether a segment ended before `--since`. A conversation without dates is older than nothing. */
export const isOver = ({ end }: Segment, since: Option.Option<number>): boolean =>
  end.dateKnown && Option.exists(since, (instant) => end.time <= instant)

/** Asks about the segments of a page and commits what is known then. */
export const extractSegments = Effect.fnUntraced(function* (
  candidate: Candidate,
  read: ReadPage,
  asked: ReadonlyArray<AskedSegment>,
  lease: Lease,
  context: ItemContext,
  run: {
    readonly options: ExtractionOptions
    readonly forced: Option.Option<Forced>
    readonly tally: Tally
  }
) {
  const { forced, options, tally } = run
  const journal = yield* Journal
  const failures = yield* SegmentFailures
  const progress = yield* Progress
  const facts = yield* FactStore
  const pool = yield* WorkerPool
  const keys = asked.map(({ question }) => question.key)
  const journaled = yield* journal.answers(keys, Option.getOrUndefined(forced)?.since)
  if (Option.exists(forced, ({ fresh }) => fresh)) yield* failures.forget(keys)
  const failed = yield* failures.find(keys)

  let room = Option.getOrElse(options.segmentLimit, () => Infinity)
  const work = asked.map((it) => {
    const known = readJournaled(it.question, journaled.get(it.question.key))
    if (Option.isSome(known)) return { ...it, do: "known" as const, answer: known.value }
    if (failed.get(it.question.key)?.givenUp === true) return { ...it, do: "given up" as const }
    if (isOver(it.segment, options.since) || room <= 0) return { ...it, do: "later" as const }
    room--
    return { ...it, do: "ask" as const }
  })

  const ask = (it: AskedSegment) =>
    context.piece(askSegment(it.question)).pipe(
      Effect.tap(() => works(tally.trials.questions)),
      Effect.tap(() => Effect.andThen(tallyUp(tally, { segments: 1 }), progress.count({ segments: 1 }))),
      Effect.map((answer) => Option.some({ ...it, answer })),
      Effect.catchTag("SegmentFailed", ({ key, message, rejected }) =>
        Effect.gen(function* () {
          const { slug, sourceId } = candidate
          const { questions } = tally.trials
          // When all that a model does is reject, that is not held against the texts; what stops the run is not to stop this.
          yield* rejected
            ? Effect.tapError(refused(questions, message), () => failures.forget(tally.rejected.splice(0)))
            : works(questions)
          const record = yield* failures.record({ key, sourceId, slug, reason: message })
          if (isHopeless(questions)) yield* failures.forget([key])
          else if (rejected) tally.rejected.push(key)
          const end = record.givenUp ? `; given up after ${record.attempts} runs (--force tries again)` : ""
          yield* warn(tally, slug, `segment ${it.segment.index + 1}: ${message}${end}`)
          yield* tallyUp(tally, { segmentsFailed: 1 })
          return Option.none<Answered>()
        }).pipe(Effect.uninterruptible)
      )
    )

  // A page's segments are asked about at the same time, as far as workers are free. What stops one does not stop its
  // neighbours, whose answers are on the way and paid for; only what stops the whole run does.
  const results = yield* Effect.forEach(
    work.filter((it) => it.do === "ask"),
    (it) =>
      Effect.result(ask(it)).pipe(
        Effect.tap((result) =>
          Result.isFailure(result) && isFatal(result.failure) ? Effect.fail(result.failure) : Effect.void
        )
      ),
    { concurrency: pool.workers }
  )
  const stopped = results.find(Result.isFailure)
  if (stopped !== undefined) return yield* Effect.fail(stopped.failure)

  const known = work.flatMap((it): ReadonlyArray<Answered> => (it.do === "known" ? [it] : []))
  yield* tallyUp(tally, { segments: known.length, segmentsFromJournal: known.length })
  const asking = results.flatMap((result) => (Result.isSuccess(result) ? Option.toArray(result.success) : []))
  const answers = [...known, ...asking].sort((a, b) => a.segment.index - b.segment.index)
  const complete = answers.length === asked.length
  const replace = complete
    ? ("all" as const)
    : yield* partialReplacement(candidate, options, asked, answers, facts)
  const mark: PageMark = { mark: "complete", versionToken: read.versionToken, context: null }
  const sum = (of: (answer: FactAnswer) => number) => answers.reduce((all, it) => all + of(it.answer), 0)
  yield* tallyUp(tally, {
    factsExtracted: sum(({ facts }) => facts.length),
    factsUnfounded: sum(({ unfounded }) => unfounded),
    factsInvalid: sum(({ invalid }) => invalid),
    factsSurplus: sum(({ surplus }) => surplus)
  })
  if (replace !== undefined) {
    const within =
      replace === "all"
        ? answers
        : answers.filter(
            ({ segment }) => !isOver(segment, options.since) || latestOf(segment) >= replace.since
          )
    yield* commitPage(candidate, read, lease, tally, {
      answers: within.map((it) => ({ segment: it.segment, facts: it.answer.facts })),
      afresh: Option.isSome(forced),
      mark: complete ? Option.some(mark) : Option.none(),
      replace
    })
  }
  if (complete) yield* failures.forget([...failed.keys()])
  yield* finishPage(candidate, read, work, complete, tally)
})

/**
 * What an incomplete page may replace. Facts of an earlier, complete extraction are worth more than a part of a newer one: they stay
 * until the page is complete or, with `--since`, until all that was said since is answered. What is older stays in every case.
 */
const partialReplacement = Effect.fnUntraced(function* (
  { slug, sourceId }: Candidate,
  { since }: ExtractionOptions,
  asked: ReadonlyArray<AskedSegment>,
  answers: ReadonlyArray<Answered>,
  facts: FactStore["Service"]
) {
  const recent = asked.flatMap(({ segment }) => (isOver(segment, since) ? [] : [segment]))
  const answered = new Set(answers.map(({ segment }) => segment.index))
  const all = Option.isSome(since) && recent.every(({ index }) => answered.has(index))
  if (!all && (yield* facts.wasEverComplete(sourceId, slug))) return undefined
  if (Option.isNone(since)) return "all" as const
  if (recent.length === 0 || !recent.every(({ start }) => start.dateKnown)) return undefined
  // A text need not be in the order of its times. What was said before and is not asked about keeps its facts.
  const kept = asked.flatMap(({ segment }) =>
    isOver(segment, since) && !answered.has(segment.index) ? [latestOf(segment) + 1] : []
  )
  return { since: Math.max(Math.min(...recent.map(earliestOf)), ...kept) }
})

const earliestOf = ({ messages }: Segment): number =>
  messages.reduce((least, { time }) => Math.min(least, time), Infinity)

const latestOf = ({ messages }: Segment): number =>
  messages.reduce((most, { time }) => Math.max(most, time), -Infinity)

const finishPage = Effect.fnUntraced(function* (
  candidate: Candidate,
  read: ReadPage,
  work: ReadonlyArray<{ readonly do: "known" | "given up" | "later" | "ask"; readonly question: Question }>,
  complete: boolean,
  tally: Tally
) {
  const conversations = yield* Conversations
  const failures = yield* SegmentFailures
  const progress = yield* Progress
  const { model } = yield* ChatModel
  if (complete) {
    yield* tallyUp(tally, { processed: 1 })
    return yield* progress.count({ done: 1 })
  }
  const failed = yield* failures.find(work.map((it) => it.question.key))
  if (work.some((it) => it.do === "later")) {
    yield* tallyUp(tally, { partial: 1 })
    return yield* progress.count({ done: 1 })
  }
  // None is on record when the model turned out to reject everything: that is no matter of this page.
  const open = [...failed.values()].filter((failure) => !failure.givenUp)
  const [failure] = failed.values()
  if (failure !== undefined && open.length === 0) {
    yield* conversations.setAside(
      candidate,
      read.versionToken,
      `given up: ${failure.reason}`,
      Option.some(model)
    )
    yield* tallyUp(tally, { partial: 1, setAside: 1 })
    return yield* progress.count({ skipped: 1 })
  }
  yield* tallyUp(tally, { partial: 1 })
  return yield* new SegmentFailed({
    key: open[0]?.key ?? "",
    rejected: false,
    message: `${open.length} of ${work.length} segments got no usable answer (${open[0]?.reason ?? "the model rejects everything"}); the next run asks again`
  })
})
