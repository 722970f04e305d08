/** What an import reports. */
import { Schema } from "effect"

const Count = Schema.Int

const Problem = Schema.Struct({ item: Schema.String, reason: Schema.String })

/** The report of an import. */
export const ImportReport = Schema.Struct({
  command: Schema.Literal("import"),
  status: Schema.Literals(["completed", "failed", "interrupted"]),
  dry_run: Schema.Boolean,
  strategy: Schema.Literals(["markdown", "code", "all"]),
  workers: Count,
  directory: Schema.String,
  source: Schema.String,
  files: Count,
  code_files: Count,
  unchanged: Count,
  created: Count,
  updated: Count,
  renamed: Count,
  deleted: Count,
  /** Files that could not be written, or whose links could not: the database refused them. */
  failed: Count,
  /** Pages edited again and again while their links were read; taken by the next import, or by `extract`. */
  edited: Count,
  chunks: Count,
  /** Chunks of code that were there before, and kept what is attached to them. */
  chunks_kept: Count,
  /** What code calls, imports, extends and so on. */
  code_edges: Count,
  /** Links and timeline entries that the changed pages brought. */
  links: Count,
  timeline_entries: Count,
  /** Files and folders that `.gitignore` leaves out. */
  ignored: Count,
  /** Files left out, with the reason. */
  skipped: Schema.Array(Schema.Struct({ path: Schema.String, reason: Schema.String })),
  failures: Schema.Array(Problem),
  elapsed_ms: Count,
  files_per_second: Schema.Finite,
  /** Why the run stopped early, in words. */
  stopped: Schema.NullOr(Schema.String)
})

/** The report of an import. */
export type ImportReport = typeof ImportReport.Type

/** What is counted while files are worked on. */
export interface ImportTally {
  unchanged: number
  created: number
  updated: number
  renamed: number
  deleted: number
  failed: number
  edited: number
  chunks: number
  chunksKept: number
  edges: number
  links: number
  timelineEntries: number
  readonly skipped: Array<{ readonly path: string; readonly reason: string }>
  readonly failures: Array<typeof Problem.Type>
}

/** A tally at zero. */
export const makeImportTally = (): ImportTally => ({
  unchanged: 0,
  created: 0,
  updated: 0,
  renamed: 0,
  deleted: 0,
  failed: 0,
  edited: 0,
  chunks: 0,
  chunksKept: 0,
  edges: 0,
  links: 0,
  timelineEntries: 0,
  skipped: [],
  failures: []
})
