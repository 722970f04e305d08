/** What a run of the extraction reports: gbrain's counters, and what the run used. */
import { Effect, Schema } from "effect"
import type { VersionMark } from "../../services/Conversations.ts"
import { spendingFields } from "../runReport.ts"
import type { Trial } from "./trial.ts"

/** Something that went wrong with one page, named. */
export const PageProblem = Schema.Struct({ item: Schema.String, reason: Schema.String })

const Count = Schema.Int

/** The report of a run. Durations in milliseconds, money in dollars. */
export const ExtractionReport = Schema.Struct({
  command: Schema.Literal("extract-conversation-facts"),
  status: Schema.Literals(["completed", "incomplete", "budget", "failed", "interrupted"]),
  model: Schema.String,
  workers: Count,
  sources: Schema.Array(Schema.String),
  /** The types that were asked for, and the page, if it was one. */
  types: Schema.Array(Schema.String),
  slug: Schema.NullOr(Schema.String),
  /** Pages of the asked types in the asked sources. */
  pages_considered: Count,
  /** Pages whose outcome was written by this run. */
  pages_processed: Count,
  pages_skipped_completed: Count,
  pages_skipped_non_extractable: Count,
  pages_marked_non_extractable: Count,
  pages_skipped_too_large: Count,
  pages_skipped_disappeared: Count,
  /** `fact_extraction: false` or `dream_generated: true` in the front matter. */
  pages_skipped_opted_out: Count,
  /** Declined for their present content, or given up after several failures. */
  pages_skipped_set_aside: Count,
  /** Changed while they were worked on; taken again by the next run. */
  pages_changed: Count,
  /** Begun, and to be finished by a later run: `--segment-limit`, `--since`, or segments that failed. */
  pages_partial: Count,
  pages_failed: Count,
  pages_lock_skipped: Count,
  pages_left_for_budget: Count,
  segments_processed: Count,
  /** Segments whose answer had been paid for before. */
  segments_from_journal: Count,
  segments_failed: Count,
  facts_extracted: Count,
  facts_inserted: Count,
  facts_duplicate: Count,
  /** Facts that cite messages which do not exist. */
  facts_unfounded: Count,
  /** Entries of answers that were no facts: without a text or a kind. */
  facts_invalid: Count,
  /** Facts beyond the most that a segment may have, left out. */
  facts_surplus: Count,
  /** Facts about somebody who has no page in the brain. */
  facts_unattached: Count,
  /** Earlier rows of this command that were replaced, marks included. */
  orphan_facts_cleaned: Count,
  ...spendingFields,
  chat_calls: Count,
  input_tokens: Count,
  output_tokens: Count,
  pages_per_minute: Schema.Finite,
  failures: Schema.Array(PageProblem),
  held: Schema.Array(PageProblem),
  /** Pages that this run marked not applicable, and why; the first thousand of them. */
  unrecognised: Schema.Array(PageProblem),
  warnings: Schema.Array(PageProblem)
})

/** The report of a run. */
export type ExtractionReport = typeof ExtractionReport.Type

/** What pages count while they are worked on. */
export interface Tally {
  processed: number
  skippedCompleted: number
  skippedNonExtractable: number
  markedNonExtractable: number
  tooLarge: number
  disappeared: number
  setAside: number
  changed: number
  partial: number
  segments: number
  segmentsFromJournal: number
  segmentsFailed: number
  factsExtracted: number
  factsInserted: number
  factsDuplicate: number
  factsUnfounded: number
  factsInvalid: number
  factsSurplus: number
  factsUnattached: number
  cleaned: number
  readonly unrecognised: Array<typeof PageProblem.Type>
  readonly warnings: Array<typeof PageProblem.Type>
  /** Keys of questions that were rejected while the model has not answered any. */
  readonly rejected: Array<string>
  readonly trials: { readonly questions: Trial; readonly embeddings: Trial }
}

/** A tally at zero; of the chat model it may be known that it serves what we ask. */
export const makeTally = ({ chatWorks }: { readonly chatWorks: boolean }): Tally => ({
  processed: 0,
  skippedCompleted: 0,
  skippedNonExtractable: 0,
  markedNonExtractable: 0,
  tooLarge: 0,
  disappeared: 0,
  setAside: 0,
  changed: 0,
  partial: 0,
  segments: 0,
  segmentsFromJournal: 0,
  segmentsFailed: 0,
  factsExtracted: 0,
  factsInserted: 0,
  factsDuplicate: 0,
  factsUnfounded: 0,
  factsInvalid: 0,
  factsSurplus: 0,
  factsUnattached: 0,
  cleaned: 0,
  unrecognised: [],
  warnings: [],
  rejected: [],
  trials: {
    questions: { what: "questions", works: chatWorks, refused: 0, counted: new WeakSet() },
    embeddings: { what: "embeddings", works: false, refused: 0, counted: new WeakSet() }
  }
})

/** The counts of a tally that can be added to. */
export type TallyCount = Exclude<keyof Tally, "unrecognised" | "warnings" | "rejected" | "trials">

/** Adds to a tally. */
export const tallyUp = (tally: Tally, more: Partial<Record<TallyCount, number>>) =>
  Effect.sync(() => {
    for (const key of tallyCounts) tally[key] += more[key] ?? 0
  })

/** What a page counts as whose text is marked already. */
export const skippedAs = (mark: VersionMark): Partial<Record<TallyCount, number>> => {
  switch (mark) {
    case "complete":
      return { skippedCompleted: 1 }
    case "not-applicable":
      return { skippedNonExtractable: 1 }
    case "set-aside":
      return { setAside: 1 }
  }
}

const tallyCounts: ReadonlyArray<TallyCount> = [
  "processed",
  "skippedCompleted",
  "skippedNonExtractable",
  "markedNonExtractable",
  "tooLarge",
  "disappeared",
  "setAside",
  "changed",
  "partial",
  "segments",
  "segmentsFromJournal",
  "segmentsFailed",
  "factsExtracted",
  "factsInserted",
  "factsDuplicate",
  "factsUnfounded",
  "factsInvalid",
  "factsSurplus",
  "factsUnattached",
  "cleaned"
]

/** Warnings kept by name; a run over a large brain may have one for every page. */
const warningsKept = 200

/** Pages without a conversation kept by name: as many as failures. */
const unrecognisedKept = 1000

/** Counts a page that was marked not applicable, and keeps its name. */
export const countUnrecognised = (tally: Tally, item: string, reason: string) =>
  Effect.sync(() => {
    tally.markedNonExtractable++
    if (tally.unrecognised.length < unrecognisedKept) tally.unrecognised.push({ item, reason })
  })

/** Notes something a person should know about a page. */
export const warn = (tally: Tally, item: string, reason: string) =>
  Effect.sync(() => {
    if (tally.warnings.length < warningsKept) tally.warnings.push({ item, reason })
  })
