/** What a run of `reindex --multimodal` reports: gbrain's counters, what was found in the folders, and what the run used. */
import { Schema } from "effect"
import { BudgetPeriod } from "../../services/Budget.ts"

/** Something that went wrong with one file or chunk, named. */
export const Problem = Schema.Struct({ item: Schema.String, reason: Schema.String })

const Count = Schema.Int

/** The report of a run. Durations in milliseconds, money in dollars. */
export const MultimodalReport = Schema.Struct({
  command: Schema.Literal("reindex --multimodal"),
  status: Schema.Literals(["completed", "incomplete", "budget", "failed", "interrupted"]),
  model: Schema.String,
  dimensions: Count,
  workers: Count,
  sources: Schema.Array(Schema.String),
  /** Image files and PDFs in the folders of the sources. */
  files: Count,
  files_unchanged: Count,
  files_new: Count,
  files_changed: Count,
  /** Files left out, with the reason in `skipped`. */
  files_skipped: Count,
  /** Pages of files that are gone. */
  pages_removed: Count,
  /** Chunks without a vector of what they are, when the files had been looked at. */
  pending_before: Count,
  pending_after: Count,
  /** Chunks that got their vector: images, pages of PDFs and texts. */
  reembedded: Count,
  images: Count,
  pdf_pages: Count,
  texts: Count,
  /** Vectors that had been paid for before. */
  from_journal: Count,
  /** Chunks that changed meanwhile; the next run takes them. */
  changed: Count,
  failed: Count,
  spent_usd: Schema.Finite,
  cap_usd: Schema.NullOr(Schema.Finite),
  budget_exhausted: Schema.Boolean,
  budget_period: Schema.NullOr(BudgetPeriod),
  budget_message: Schema.NullOr(Schema.String),
  calls: Count,
  tokens: Count,
  pixels: Count,
  unpriced_calls: Count,
  retries: Count,
  rate_limited: Count,
  elapsed_ms: Count,
  failures: Schema.Array(Problem),
  skipped: Schema.Array(Problem),
  /** Who else is at it, when it was not this run's turn. */
  held: Schema.NullOr(Schema.String),
  /** Why the run stopped early, in words. */
  stopped: Schema.NullOr(Schema.String)
})

/** The report of a run. */
export type MultimodalReport = typeof MultimodalReport.Type

/** What is counted on the way. */
export interface MultimodalTally {
  pendingBefore: number
  images: number
  pdfPages: number
  texts: number
  fromJournal: number
  changed: number
  failed: number
  readonly failures: Array<typeof Problem.Type>
}

/** A tally at zero. */
export const makeMultimodalTally = (): MultimodalTally => ({
  pendingBefore: 0,
  images: 0,
  pdfPages: 0,
  texts: 0,
  fromJournal: 0,
  changed: 0,
  failed: 0,
  failures: []
})

/** Failures kept by name: a report is read by a person. */
const namesKept = 1000

/** Notes a failure. */
export const noteFailure = (tally: MultimodalTally, item: string, reason: string): void => {
  tally.failed++
  if (tally.failures.length < namesKept) tally.failures.push({ item, reason })
}
