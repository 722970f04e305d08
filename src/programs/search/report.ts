/** What a search reports. */
import { Schema } from "effect"

/** How something was found. */
export const Way = Schema.Literals([
  /** By words of the text. */
  "words",
  /** By what the page is called. */
  "name",
  /** By nearness in meaning. */
  "meaning"
])

const common = {
  rank: Schema.Int,
  /** To compare hits of one answer by; the best of all is not 1. */
  score: Schema.Finite,
  found_by: Schema.Array(Way),
  source: Schema.String,
  /** `YYYY-MM-DD`. */
  date: Schema.String,
  /** Words of the excerpt that were looked for. */
  matched: Schema.Array(Schema.String)
}

/** A page, by the chunk that answers best. */
export const PageHit = Schema.Struct({
  kind: Schema.Literal("page"),
  ...common,
  slug: Schema.String,
  title: Schema.String,
  type: Schema.String,
  /** The chunk's place on the page, from 0; none for a page without text. */
  chunk_index: Schema.NullOr(Schema.Int),
  excerpt: Schema.String
})

/** A fact, with the page it was said on. */
export const FactHit = Schema.Struct({
  kind: Schema.Literal("fact"),
  ...common,
  id: Schema.String,
  fact: Schema.String,
  fact_kind: Schema.String,
  entity: Schema.NullOr(Schema.String),
  confidence: Schema.Finite,
  slug: Schema.NullOr(Schema.String),
  title: Schema.NullOr(Schema.String),
  type: Schema.NullOr(Schema.String)
})

/** What was found. */
export const Hit = Schema.Union([PageHit, FactHit])

/** What was found. */
export type Hit = typeof Hit.Type

/** The answer to a question. */
export const SearchReport = Schema.Struct({
  command: Schema.Literals(["search", "query"]),
  text: Schema.String,
  /** `keyword` also when vectors were wanted and not to be had. */
  method: Schema.Literals(["keyword", "hybrid"]),
  /** Why a `query` was answered by words alone. */
  fallback: Schema.NullOr(Schema.String),
  /** What more there is to know about the answer. */
  notes: Schema.Array(Schema.String),
  /** The model that the question was embedded with. */
  embedding_model: Schema.NullOr(Schema.String),
  spent_usd: Schema.Finite,
  hits: Schema.Array(Hit)
})

/** The answer to a question. */
export type SearchReport = typeof SearchReport.Type
