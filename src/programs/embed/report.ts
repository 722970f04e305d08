/** What a run of `embed` reports. */
import { Schema } from "effect"
import { spendingFields } from "../runReport.ts"

const Count = Schema.Int

/** Something that went wrong with one chunk or source, named. */
const Problem = Schema.Struct({ item: Schema.String, reason: Schema.String })

/** The report of a run. */
export const EmbedReport = Schema.Struct({
  command: Schema.Literal("embed"),
  status: Schema.Literals(["completed", "incomplete", "budget", "failed", "interrupted"]),
  model: Schema.String,
  dimensions: Count,
  workers: Count,
  sources: Schema.Array(Schema.String),
  /** Chunks of the asked pages that have a text. */
  chunks_considered: Count,
  /** Those without a vector, or with one of another text or model, when the run began. */
  chunks_to_do: Count,
  chunks_embedded: Count,
  /** Embedded with vectors that had been paid for by an earlier run. */
  chunks_from_journal: Count,
  /** Embedded by their beginning, because the model takes no more; named among the warnings. */
  chunks_cut: Count,
  /** Edited or deleted meanwhile, and left alone. */
  chunks_changed: Count,
  chunks_failed: Count,
  /** Without any text. */
  chunks_empty: Count,
  sources_lock_skipped: Count,
  /**
   * What became of the index on the vectors: none is there; it stayed in place; it was set aside and built again; or it is yet to be
   * built, by the next run.
   */
  index: Schema.Literals(["none", "kept", "built", "to-build"]),
  ...spendingFields,
  /** Of the time, what went into building the index again, when all chunks had their vectors. */
  index_ms: Count,
  /** While chunks were embedded. */
  chunks_per_second: Schema.Finite,
  failures: Schema.Array(Problem),
  held: Schema.Array(Problem),
  warnings: Schema.Array(Problem)
})

/** The report of a run. */
export type EmbedReport = typeof EmbedReport.Type

/** What is counted while chunks are embedded. */
export interface EmbedTally {
  embedded: number
  fromJournal: number
  cut: number
  changed: number
  failed: number
  readonly failures: Array<typeof Problem.Type>
  readonly warnings: Array<typeof Problem.Type>
}

/** A tally at zero. */
export const makeEmbedTally = (): EmbedTally => ({
  embedded: 0,
  fromJournal: 0,
  cut: 0,
  changed: 0,
  failed: 0,
  failures: [],
  warnings: []
})

/** How many are kept by name: a report is read by a person. */
const namesKept = 200

/** Names a problem, unless very many are named already. */
export const name = (list: Array<typeof Problem.Type>, item: string, reason: string): void => {
  if (list.length < namesKept) list.push({ item, reason })
}
