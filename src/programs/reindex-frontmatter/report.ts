/** What `reindex-frontmatter` reports. */
import { Schema } from "effect"
import { endingFields } from "../sweep/ending.ts"

const Count = Schema.Int

const Sample = Schema.Struct({
  slug: Schema.String,
  from: Schema.NullOr(Schema.String),
  to: Schema.String,
  source: Schema.String
})

/** The report of `reindex-frontmatter`. */
export const FrontmatterReport = Schema.Struct({
  command: Schema.Literal("reindex-frontmatter"),
  ...endingFields,
  slug_prefix: Schema.NullOr(Schema.String),
  pages_considered: Count,
  pages_examined: Count,
  /** Written, or in a dry run to be written: only what differs is. */
  pages_updated: Count,
  /** Of those, pages that state no date. */
  pages_without_date: Count,
  /** Edited again and again meanwhile; taken by the next run. */
  pages_edited: Count,
  /** Some of the changes. */
  changes: Schema.Array(Sample)
})

/** The report of `reindex-frontmatter`. */
export type FrontmatterReport = typeof FrontmatterReport.Type
