/** The report of a run, from what was counted. */
import { Clock, Effect, Option } from "effect"
import { SqlError } from "effect/sql"
import * as Money from "../../domain/Money.ts"
import { Budget } from "../../services/Budget.ts"
import { reasonOf } from "../../services/Database.ts"
import { MultimodalModel } from "../../services/MultimodalModel.ts"
import type { RunStatus } from "../../services/Runs.ts"
import { Usage } from "../../services/Usage.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import type { BulkReport } from "../bulk.ts"
import { statusOf } from "../extract-conversation-facts/summary.ts"
import type { Registered } from "./register.ts"
import type { MultimodalReport, MultimodalTally } from "./report.ts"

/** How a run ended. */
export const multimodalStatus = (ended: BulkReport<unknown>, tally: MultimodalTally): RunStatus =>
  tally.failed > 0 ? "failed" : statusOf(ended)

/** Puts the report together. `ended` is missing when the run was interrupted, or never began. */
export const makeMultimodalReport = Effect.fnUntraced(function* (options: {
  readonly status: RunStatus
  readonly width: number
  readonly sourceIds: ReadonlyArray<string>
  readonly registered: Registered | undefined
  readonly tally: MultimodalTally
  readonly startedAt: number
  readonly ended: BulkReport<unknown> | undefined
  readonly held: string | null
}) {
  const { ended, registered, tally } = options
  const budget = yield* (yield* Budget).snapshot
  const usage = yield* (yield* Usage).snapshot
  const exhausted = Option.getOrUndefined(ended?.budgetExhausted ?? Option.none())
  const stopped = Option.getOrNull(ended?.stopped ?? Option.none())
  const embedded = tally.images + tally.pdfPages + tally.texts
  return {
    command: "reindex --multimodal",
    status: options.status,
    model: (yield* MultimodalModel).model,
    dimensions: options.width,
    workers: yield* (yield* WorkerPool).limit,
    sources: options.sourceIds,
    files: registered?.files ?? 0,
    files_unchanged: registered?.unchanged ?? 0,
    files_new: registered?.created ?? 0,
    files_changed: registered?.updated ?? 0,
    files_skipped: registered?.leftOut.length ?? 0,
    pages_removed: registered?.removed ?? 0,
    pending_before: tally.pendingBefore,
    pending_after: Math.max(0, tally.pendingBefore - embedded),
    reembedded: embedded,
    images: tally.images,
    pdf_pages: tally.pdfPages,
    texts: tally.texts,
    from_journal: tally.fromJournal,
    changed: tally.changed,
    failed: tally.failed + (ended?.failed ?? 0),
    spent_usd: Money.toNumber(budget.spent),
    cap_usd: Option.match(budget.cap, { onNone: () => null, onSome: Money.toNumber }),
    budget_exhausted: budget.exhausted,
    budget_period: exhausted?.period ?? null,
    budget_message: exhausted?.message ?? null,
    calls: usage.embeddingCalls,
    tokens: usage.embeddingTokens,
    pixels: usage.imagePixels,
    unpriced_calls: usage.unpricedCalls,
    retries: usage.retries,
    rate_limited: usage.rateLimited,
    elapsed_ms: (yield* Clock.currentTimeMillis) - options.startedAt,
    failures: [...tally.failures, ...(ended?.failures ?? [])],
    skipped: (registered?.leftOut ?? [])
      .slice(0, namesKept)
      .map(({ path, reason }) => ({ item: path, reason })),
    held: options.held,
    stopped: stopped === null ? null : wordsFor(stopped)
  } satisfies MultimodalReport
})

const namesKept = 1000

const wordsFor = (error: unknown): string =>
  SqlError.isSqlError(error)
    ? `the database failed: ${reasonOf(error)}`
    : error instanceof Error
      ? error.message
      : String(error)
