/** What `reindex-code` reports. */
import { Schema } from "effect"

const Count = Schema.Int

/** The report of `reindex-code`. */
export const ReindexCodeReport = Schema.Struct({
  command: Schema.Literal("reindex-code"),
  status: Schema.Literals(["completed", "incomplete", "failed", "interrupted"]),
  dry_run: Schema.Boolean,
  workers: Count,
  sources: Schema.Array(Schema.String),
  chunker_version: Count,
  pages_considered: Count,
  pages_up_to_date: Count,
  /** Cut again; in a dry run, those that would be. */
  pages_reindexed: Count,
  /** Edited while they were cut; taken by the next run. */
  pages_edited: Count,
  pages_failed: Count,
  /** Out of date still, since the limit was reached. */
  pages_left: Count,
  chunks: Count,
  /** Chunks that kept their rows and embeddings. */
  chunks_kept: Count,
  chunks_added: Count,
  chunks_removed: Count,
  code_edges: Count,
  elapsed_ms: Count,
  pages_per_second: Schema.Finite,
  failures: Schema.Array(Schema.Struct({ item: Schema.String, reason: Schema.String })),
  /** Why the run stopped early, in words. */
  stopped: Schema.NullOr(Schema.String)
})

/** The report of `reindex-code`. */
export type ReindexCodeReport = typeof ReindexCodeReport.Type

/** What is counted while pages are worked on. */
export interface ReindexCodeTally {
  /** Pages that were begun: the limit is about these. */
  taken: number
  upToDate: number
  reindexed: number
  edited: number
  failed: number
  left: number
  chunks: number
  kept: number
  added: number
  removed: number
  edges: number
  readonly failures: Array<{ readonly item: string; readonly reason: string }>
}

/** A tally at zero. */
export const makeReindexCodeTally = (): ReindexCodeTally => ({
  taken: 0,
  upToDate: 0,
  reindexed: 0,
  edited: 0,
  failed: 0,
  left: 0,
  chunks: 0,
  kept: 0,
  added: 0,
  removed: 0,
  edges: 0,
  failures: []
})
