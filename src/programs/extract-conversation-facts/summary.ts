/** The report of a run, from what was counted. */
import { Effect, Option } from "effect"
import { ChatModel } from "../../services/ChatModel.ts"
import type { RunStatus } from "../../services/Runs.ts"
import { Progress } from "../../services/Progress.ts"
import { Usage } from "../../services/Usage.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import type { BulkReport } from "../bulk.ts"
import { spendingOf } from "../runReport.ts"
import type { ExtractionOptions } from "./options.ts"
import type { ExtractionReport, Tally } from "./report.ts"
import type { ExtractionScope } from "./scope.ts"

/** How a run ended. */
export const statusOf = (ended: BulkReport<unknown>): RunStatus => {
  if (Option.isSome(ended.stopped) || ended.failed > 0) return "failed"
  if (Option.isSome(ended.budgetExhausted)) return "budget"
  return ended.heldElsewhere > 0 ? "incomplete" : "completed"
}

/** Puts the report together. `ended` is missing when it was interrupted before anything was begun. */
export const makeReport = Effect.fnUntraced(function* (options: {
  readonly scope: ExtractionScope
  readonly options: ExtractionOptions
  readonly considered: number
  readonly optedOut: number
  readonly tally: Tally
  readonly startedAt: number
  readonly status: RunStatus
  readonly ended: BulkReport<unknown> | undefined
}) {
  const { ended, tally } = options
  const usage = yield* (yield* Usage).snapshot
  const pool = yield* WorkerPool
  const model = yield* ChatModel
  const spending = yield* spendingOf(options.startedAt, ended)
  const elapsed = spending.elapsed_ms
  const begunAndUnpaid = ended?.unpaid ?? 0
  const seen = yield* (yield* Progress).snapshot
  const notBegun = Option.match(seen.total, {
    onNone: () => 0,
    onSome: (total) => total - seen.done - seen.skipped - seen.failed - seen.heldElsewhere
  })
  return {
    command: "extract-conversation-facts",
    status: options.status,
    model: model.model,
    workers: yield* pool.limit,
    sources: options.scope.sourceIds,
    types: options.scope.types,
    slug: Option.getOrNull(options.options.slug),
    pages_considered: options.considered,
    pages_processed: tally.processed,
    pages_skipped_completed: tally.skippedCompleted,
    pages_skipped_non_extractable: tally.skippedNonExtractable,
    pages_marked_non_extractable: tally.markedNonExtractable,
    pages_skipped_too_large: tally.tooLarge,
    pages_skipped_disappeared: tally.disappeared,
    pages_skipped_opted_out: options.optedOut,
    pages_skipped_set_aside: tally.setAside,
    pages_changed: tally.changed,
    pages_partial: tally.partial,
    pages_failed: ended?.failed ?? 0,
    pages_lock_skipped: ended?.heldElsewhere ?? 0,
    pages_left_for_budget: spending.budget_exhausted ? Math.max(begunAndUnpaid, notBegun) : begunAndUnpaid,
    segments_processed: tally.segments,
    segments_from_journal: tally.segmentsFromJournal,
    segments_failed: tally.segmentsFailed,
    facts_extracted: tally.factsExtracted,
    facts_inserted: tally.factsInserted,
    facts_duplicate: tally.factsDuplicate,
    facts_unfounded: tally.factsUnfounded,
    facts_invalid: tally.factsInvalid,
    facts_surplus: tally.factsSurplus,
    facts_unattached: tally.factsUnattached,
    orphan_facts_cleaned: tally.cleaned,
    ...spending,
    chat_calls: usage.chatCalls,
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    pages_per_minute: elapsed === 0 ? 0 : Math.round((tally.processed / elapsed) * 600_000) / 10,
    failures: ended?.failures ?? [],
    held: ended?.holders ?? [],
    unrecognised: tally.unrecognised,
    warnings: tally.warnings
  } satisfies ExtractionReport
})
