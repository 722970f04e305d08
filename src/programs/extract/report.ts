/** What a run of the extraction reports. */
import { Schema } from "effect"
import type { GroupOutcome } from "./group.ts"
import type { ExtractKind } from "./options.ts"

const Count = Schema.Int

const Problem = Schema.Struct({ item: Schema.String, reason: Schema.String })

const Changes = Schema.Struct({ found: Count, created: Count, updated: Count, removed: Count })

/** The report of `extract`. */
export const ExtractReport = Schema.Struct({
  command: Schema.Literal("extract"),
  kind: Schema.Literals(["links", "timeline", "all"]),
  status: Schema.Literals(["completed", "incomplete", "failed", "interrupted"]),
  /** Whether the texts were those of files or of the brain. */
  from: Schema.Literals(["db", "fs"]),
  dry_run: Schema.Boolean,
  workers: Count,
  sources: Schema.Array(Schema.String),
  pages_considered: Count,
  pages_up_to_date: Count,
  pages_processed: Count,
  /** Edited again and again while they were read; taken by the next run. */
  pages_edited: Count,
  /** Removed since they were listed. */
  pages_gone: Count,
  pages_failed: Count,
  /** Out of date still, since the time was up. */
  pages_left: Count,
  /** Files that are no pages of the brain. */
  files_without_page: Count,
  /** Files that are no pages, such as links and those whose slug another file has. */
  files_skipped: Schema.Array(Schema.Struct({ path: Schema.String, reason: Schema.String })),
  links: Changes,
  timeline: Changes,
  /** References that lead to no page. */
  references_unresolved: Count,
  /** Names in the front matter that nobody has, the most frequent first. */
  names_unresolved: Schema.Array(Schema.Struct({ name: Schema.String, times: Count })),
  /** The first links of a dry run, as `from type to`. */
  would_link: Schema.Array(Schema.Struct({ from: Schema.String, to: Schema.String, type: Schema.String })),
  elapsed_ms: Count,
  pages_per_second: Schema.Finite,
  failures: Schema.Array(Problem),
  /** Why the run stopped early, in words. */
  stopped: Schema.NullOr(Schema.String)
})

/** The report of `extract`. */
export type ExtractReport = typeof ExtractReport.Type

/** What groups count while they are worked on. */
export interface ExtractTally {
  processed: number
  edited: number
  gone: number
  failed: number
  filesWithoutPage: number
  links: typeof Changes.Type
  timeline: typeof Changes.Type
  unresolved: number
  readonly names: Map<string, number>
  readonly failures: Array<typeof Problem.Type>
  readonly made: Array<GroupOutcome["made"][number]>
  /** What the progress was told. */
  told: { readonly done: number; readonly failed: number; readonly skipped: number }
}

const none = { found: 0, created: 0, updated: 0, removed: 0 }

/** A tally at zero. */
export const makeTally = (): ExtractTally => ({
  processed: 0,
  edited: 0,
  gone: 0,
  failed: 0,
  filesWithoutPage: 0,
  links: none,
  timeline: none,
  unresolved: 0,
  names: new Map(),
  failures: [],
  made: [],
  told: { done: 0, failed: 0, skipped: 0 }
})

/** Names, failures and links kept for a person to read; a run over a large brain may have a million. */
const namesKept = 10_000
const failuresKept = 1000
const madeKept = 50

/** Adds what came of a group. */
export const addOutcome = (tally: ExtractTally, outcome: GroupOutcome): void => {
  tally.processed += outcome.pages
  tally.links = plus(tally.links, outcome.links)
  tally.timeline = plus(tally.timeline, outcome.entries)
  tally.unresolved += outcome.unresolved
  for (const name of outcome.unresolvedNames) {
    const times = tally.names.get(name)
    if (times !== undefined || tally.names.size < namesKept) tally.names.set(name, (times ?? 0) + 1)
  }
  tally.made.push(...outcome.made.slice(0, madeKept - tally.made.length))
}

/** Adds a page that failed. */
export const addFailure = (tally: ExtractTally, item: string, reason: string): void => {
  tally.failed++
  if (tally.failures.length < failuresKept) tally.failures.push({ item, reason })
}

const plus = (a: typeof Changes.Type, b: typeof Changes.Type): typeof Changes.Type => ({
  found: a.found + b.found,
  created: a.created + b.created,
  updated: a.updated + b.updated,
  removed: a.removed + b.removed
})

/** The names that were missed most. */
export const missedMost = (tally: ExtractTally): ExtractReport["names_unresolved"] =>
  [...tally.names]
    .map(([name, times]) => ({ name, times }))
    .sort((a, b) => b.times - a.times || (a.name < b.name ? -1 : 1))
    .slice(0, 20)

/** What the options ask for, in words. */
export const kindWords: Readonly<Record<ExtractKind, string>> = {
  links: "links",
  timeline: "timeline entries",
  all: "links and timeline entries"
}
