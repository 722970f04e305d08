/** The outcome of a page, from its answers to its commit. */
import { Effect, type Option } from "effect"
import type { Candidate } from "../../services/Conversations.ts"
import { EmbeddingModel } from "../../services/EmbeddingModel.ts"
import { FactStore, type PageMark } from "../../services/FactStore.ts"
import type { Lease } from "../../services/PageLease.ts"
import { makeRows, type SegmentFacts } from "./facts.ts"
import type { ReadPage } from "./plan.ts"
import { type Tally, tallyUp } from "./report.ts"

/** For `replace`: no earlier fact goes, since none is of so late a time. */
export const keepingFacts = { since: Date.UTC(9999, 11, 31) } as const

/** Makes the rows of a page and commits them with its mark. */
export const commitPage = Effect.fnUntraced(function* (
  candidate: Candidate,
  read: ReadPage,
  lease: Lease,
  tally: Tally,
  outcome: {
    readonly answers: ReadonlyArray<SegmentFacts>
    /** Whether vectors are made anew that facts of the page have. */
    readonly afresh: boolean
    readonly mark: Option.Option<PageMark>
    readonly replace: "all" | { readonly since: number }
  }
) {
  const store = yield* FactStore
  const { dimensions, model } = yield* EmbeddingModel
  const made = yield* makeRows(candidate, outcome.answers, outcome.afresh, tally.trials.embeddings)
  const report = yield* store.commit({
    lease,
    page: { id: candidate.id, sourceId: candidate.sourceId, slug: candidate.slug },
    fingerprint: read.page.fingerprint,
    hasFactsFence: read.body.hasFactsFence,
    facts: made.rows,
    spareVectors: made.spareVectors,
    embedding: { model, dimensions },
    mark: outcome.mark,
    replace: outcome.replace
  })
  yield* tallyUp(tally, {
    factsInserted: report.inserted,
    cleaned: report.cleaned,
    factsDuplicate: made.duplicates,
    factsUnattached: made.unattached
  })
})
