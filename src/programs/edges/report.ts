/** What `edges-backfill` reports. */
import { Schema } from "effect"
import { endingFields } from "../sweep/ending.ts"

const Count = Schema.Int

/** The report of `edges-backfill`. */
export const EdgesReport = Schema.Struct({
  command: Schema.Literal("edges-backfill"),
  ...endingFields,
  chunks_to_do: Count,
  chunks_walked: Count,
  /** Done before, and looked at again since what they lead to came or went. */
  chunks_woken: Count,
  /** Left for the next run, because of --max-chunks. */
  chunks_left: Count,
  /** Whose file was edited again and again meanwhile; taken by the next run. */
  chunks_edited: Count,
  edges_examined: Count,
  edges_resolved: Count,
  /** Several symbols have the name; all are told, and none is chosen. */
  edges_ambiguous: Count,
  /** Names that no symbol here has: those of libraries, mostly. */
  edges_unmatched: Count,
  /** Edges of which something else was known before. */
  edges_changed: Count
})

/** The report of `edges-backfill`. */
export type EdgesReport = typeof EdgesReport.Type
