/**
 * `extract-conversation-facts`: every conversation page of a brain is read by a model once, and what it says about people,
 * companies and projects becomes rows of `facts`. Enumerate, lease, parse, ask, embed, commit, report.
 */
import { Clock, Effect, Option } from "effect"
import { leaseId } from "../../domain/ConversationPages.ts"
import { BrainConfig } from "../../services/BrainConfig.ts"
import { Budget } from "../../services/Budget.ts"
import { ChatModel } from "../../services/ChatModel.ts"
import { type Candidate, Conversations } from "../../services/Conversations.ts"
import { EmbeddingModel } from "../../services/EmbeddingModel.ts"
import { checkFactsWidth } from "../../services/EmbeddingWidth.ts"
import { FactStore } from "../../services/FactStore.ts"
import { Journal } from "../../services/Journal.ts"
import { Progress } from "../../services/Progress.ts"
import { Runs, type RunStatus } from "../../services/Runs.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import { bulk, type BulkReport } from "../bulk.ts"
import { candidates } from "./candidates.ts"
import { isFatal } from "./fatal.ts"
import type { ExtractionOptions } from "./options.ts"
import { extractPage } from "./page.ts"
import { keepBooks } from "./receipt.ts"
import { reported } from "../runReport.ts"
import { type ExtractionReport, makeTally, tallyUp } from "./report.ts"
import { checkSwitch, scopeOf } from "./scope.ts"
import { makeReport, statusOf } from "./summary.ts"

/**
 * Runs the extraction. Costs at most what `Budget` allows; can be stopped at any moment, and run again: what was paid for is
 * kept. `onInterrupt` gets the report of a run that is interrupted.
 */
export const extractConversationFacts = Effect.fn("extractConversationFacts")(function* (
  options: ExtractionOptions,
  onInterrupt: (report: ExtractionReport) => Effect.Effect<void> = () => Effect.void
) {
  const config = yield* BrainConfig
  const conversations = yield* Conversations
  const pool = yield* WorkerPool
  const progress = yield* Progress
  const runs = yield* Runs
  const model = yield* ChatModel
  const embedding = yield* EmbeddingModel

  yield* checkSwitch(options)
  const scope = yield* scopeOf(options, model.model)
  // Whatever would fail for want of a price or a column of the right width fails before anything is paid.
  yield* checkFactsWidth(embedding.dimensions, embedding.model)
  yield* model.checkPrice
  yield* embedding.checkPrice

  const startedAt = yield* Clock.currentTimeMillis
  const counts = yield* conversations.count(scope)
  const { answers } = yield* (yield* Journal).usual(model.model)
  const tally = makeTally({ chatWorks: answers > 0 })
  if (!options.force) {
    tally.skippedCompleted = counts.complete
    tally.skippedNonExtractable = counts.notApplicable
    tally.setAside = counts.setAside
  }
  const toDo = options.force ? counts.total - counts.optedOut : counts.toDo
  yield* progress.begin({
    command: "extract-conversation-facts",
    unit: "pages",
    total: Option.some(
      Option.match(options.limit, { onNone: () => toDo, onSome: (limit) => Math.min(limit, toDo) })
    )
  })
  const repositoryPath = yield* config.get("sync.repo_path")
  const run = yield* runs.begin({ command: "extract-conversation-facts", workers: yield* pool.limit })

  const report = (status: RunStatus, ended: BulkReport<unknown> | undefined) =>
    makeReport({
      scope,
      options,
      considered: counts.total,
      optedOut: counts.optedOut,
      tally,
      startedAt,
      status,
      ended
    })

  const finish = Effect.fnUntraced(function* (made: ExtractionReport) {
    const budget = yield* Budget
    const { spent } = yield* budget.snapshot
    yield* runs.finish(run, { status: made.status, spent, report: { ...made } })
    yield* keepBooks(scope, run, spent, made)
    return made
  })

  let untilThen: BulkReport<unknown> | undefined
  const work = bulk({
    items: candidates(conversations, scope, options, repositoryPath, tally),
    label: (candidate: Candidate) =>
      scope.sourceIds.length > 1 ? `${candidate.sourceId}:${candidate.slug}` : candidate.slug,
    leaseId: (candidate) => leaseId(candidate.sourceId, candidate.slug),
    isFatal,
    onInterrupt: (report) =>
      Effect.sync(() => {
        untilThen = report
      }),
    work: (candidate, context) =>
      extractPage(candidate, context, { options, repositoryPath, tally }).pipe(
        // An edit in the middle: what is new on the page is taken at once, what is old costs nothing the second time.
        Effect.tapErrorTag("PageChanged", () => tallyUp(tally, { changed: 1 })),
        Effect.retry({ times: 2, while: (error) => error._tag === "PageChanged" })
      )
  })
  const { makeIndex } = yield* FactStore
  const besideWork = toDo === 0 ? work : Effect.scoped(Effect.andThen(Effect.forkScoped(makeIndex), work))
  return yield* reported(besideWork, {
    report: (ended) =>
      typeof ended === "string" ? report(ended, untilThen) : report(statusOf(ended), ended),
    finish,
    onInterrupt
  })
})
