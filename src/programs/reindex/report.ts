/** What `reindex --markdown` reports. */
import { Schema } from "effect"
import { endingFields } from "../sweep/ending.ts"

const Count = Schema.Int

/** Why the chunks of a page are cut again. */
export const RechunkReason = Schema.Literals(["older chunker", "older rules", "no chunks", "text changed"])

/** Why the chunks of a page are cut again. */
export type RechunkReason = typeof RechunkReason.Type

/** The report of `reindex --markdown`. */
export const ReindexReport = Schema.Struct({
  command: Schema.Literal("reindex"),
  mode: Schema.Literal("markdown"),
  ...endingFields,
  type: Schema.NullOr(Schema.String),
  pages_considered: Count,
  /** Known to have the right chunks, and not read. */
  pages_up_to_date: Count,
  pages_examined: Count,
  /** Read, and found to have the right chunks. */
  pages_right: Count,
  /** Whose chunks were, or in a dry run are to be, cut again. */
  pages_rechunked: Count,
  /** Left for the next run, because of --limit. */
  pages_left: Count,
  /** Edited again and again meanwhile; taken by the next run. */
  pages_edited: Count,
  /** What became of the chunks of pages that were cut again. Those kept and moved keep their ids and embeddings. */
  chunks: Schema.Struct({ kept: Count, moved: Count, created: Count, removed: Count }),
  /** Some of the pages that were cut again. */
  changes: Schema.Array(
    Schema.Struct({ slug: Schema.String, reason: RechunkReason, created: Count, removed: Count })
  )
})

/** The report of `reindex --markdown`. */
export type ReindexReport = typeof ReindexReport.Type
