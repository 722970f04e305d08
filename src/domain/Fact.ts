/**
 * A fact as the model states it about one segment of a conversation, in the vocabulary of gbrain's `facts` table.
 */
import { Schema } from "effect"

/** What a fact is: `facts.kind`. */
export const FactKind = Schema.Literals(["event", "preference", "commitment", "belief", "fact"])

/** How much a fact matters: `facts.notability`. */
export const Notability = Schema.Literals(["high", "medium", "low"])

/** The period that a claimed number is for: `facts.claim_period`. */
export const ClaimPeriod = Schema.Literals(["monthly", "quarterly", "annual"])

/** One fact, checked: what the model said, made to fit the table. */
export const ExtractedFact = Schema.Struct({
  fact: Schema.NonEmptyString,
  kind: FactKind,
  /** Whom or what it is about, as the model named it; none when nobody, or an anonymous speaker. */
  entity: Schema.NullOr(Schema.String),
  /** 0 to 1. */
  confidence: Schema.Finite,
  notability: Notability,
  metric: Schema.NullOr(Schema.String),
  value: Schema.NullOr(Schema.Finite),
  unit: Schema.NullOr(Schema.String),
  period: Schema.NullOr(ClaimPeriod),
  /** The numbers of the messages that state it, as they were shown to the model. Empty when it named none. */
  messages: Schema.Array(Schema.Int)
})

/** One fact, checked. */
export type ExtractedFact = typeof ExtractedFact.Type

/** The most facts kept of one segment. */
export const maxFactsPerSegment = 10

/** The most characters (UTF-16 units) of a fact's text; gbrain's limit. */
export const maxFactLength = 500

/** Two facts about the same entity whose vectors have at least this cosine say the same; gbrain's value. */
export const sameMeaning = 0.95
