/** What an extraction came to for a page, and why it may not be written. */
import { type Option, Schema } from "effect"
import type { Mark } from "../../domain/ConversationPages.ts"
import type { FactKind, Notability } from "../../domain/Fact.ts"
import type { Lease, LeaseLost } from "../PageLease.ts"

/** The page was edited, deleted or retyped while it was worked on: its outcome was not written. */
export class PageChanged extends Schema.TaggedError<PageChanged>()("PageChanged", {
  slug: Schema.String,
  message: Schema.String
}) {}

/** The brain was taken to another embedding model while a page was worked on: its vectors are not of that model. */
export class EmbeddingModelChanged extends Schema.TaggedError<EmbeddingModelChanged>()(
  "EmbeddingModelChanged",
  {
    from: Schema.String,
    to: Schema.String,
    message: Schema.String
  }
) {}

/** A row of `facts`, ready to be written. */
export interface FactRow {
  readonly fact: string
  readonly kind: typeof FactKind.Type
  readonly entitySlug: string | null
  readonly confidence: number
  readonly notability: typeof Notability.Type
  readonly context: string
  /** Epoch milliseconds; none when the conversation does not say, which stores the time of writing. */
  readonly validFrom: number | null
  readonly metric: string | null
  readonly value: number | null
  readonly unit: string | null
  readonly period: string | null
  /** Where the fact's vector is journaled; it is copied from there, and dropped there, in the commit. */
  readonly vectorKey: string
}

/** A mark to be set with the facts. */
export interface PageMark {
  readonly mark: Mark
  readonly versionToken: string
  /** Why, for a page that is not applicable. */
  readonly context: string | null
}

/** What a page's extraction came to. */
export interface PageOutcome {
  readonly lease: Lease
  readonly page: { readonly id: number; readonly sourceId: string; readonly slug: string }
  /** `PageFingerprint` of the page as it was read. */
  readonly fingerprint: string
  /** Whether the page's text has a `## Facts` fence, whose rows number themselves from 1. */
  readonly hasFactsFence: boolean
  readonly facts: ReadonlyArray<FactRow>
  /** Where vectors of the page are journaled that no fact needs, those of sentences that say a fact again: dropped in the commit too. */
  readonly spareVectors?: ReadonlyArray<string>
  /** The model and width that the facts' vectors are of. */
  readonly embedding: { readonly model: string; readonly dimensions: number }
  readonly mark: Option.Option<PageMark>
  /**
   * Which earlier facts of this command go: all of them, or those whose time is at or after an instant (epoch milliseconds).
   * Earlier marks go when a new one comes.
   */
  readonly replace: "all" | { readonly since: number }
}

/** What a commit did. */
export interface CommitReport {
  readonly inserted: number
  /** Earlier rows that went, marks included. */
  readonly cleaned: number
}

/** Why a page's outcome is not written. */
export type CommitError = LeaseLost | PageChanged | EmbeddingModelChanged

/** A text that changes with everything about a page that an extraction depends on; computed by the database. */
export const fingerprintColumns = `md5(concat_ws(chr(31), slug, type, title, coalesce(content_hash,
  md5(compiled_truth || chr(31) || timeline || chr(31) || frontmatter::text)),
  coalesce(effective_date::text, 'none'), coalesce(deleted_at::text, 'live')))`
