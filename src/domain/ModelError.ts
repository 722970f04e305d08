/**
 * What can go wrong with a call to a model, told apart by what helps: some errors pass by themselves, some concern one
 * piece of work, some concern the whole run.
 */
import { Schema } from "effect"

/** Why a call failed. */
export const ModelErrorReason = Schema.Literals([
  /** 429: too many requests or tokens for now. */
  "RateLimited",
  /** 429 or 402: no money or quota left with the provider. */
  "QuotaExhausted",
  /** 401 or 403: no key, a wrong one, or one that may not. */
  "Unauthorized",
  /** The provider does not know the model. */
  "UnknownModel",
  /** Nothing answers at the address. */
  "Unreachable",
  /** Nothing has answered there since the run began, however often it was tried: the address is wrong, or there is no network. */
  "NeverReached",
  /** 5xx, a connection that broke, an answer that is no answer. */
  "Unavailable",
  "TimedOut",
  /** 400 and the like: this request will not be served, however often it is sent. */
  "Rejected",
  "ContextTooLong",
  /** The model declines to answer. */
  "Refused",
  /** The provider's filter withheld the answer. */
  "ContentFiltered",
  /** The answer reached its token limit and was cut. */
  "Truncated",
  /** Embeddings of a wrong number, or with values that are no numbers. */
  "BadVectors",
  /** Embeddings of another width than was asked for: those of every further call would be, too. */
  "WrongWidth",
  /** The server answers with another model than at the beginning of the run: vectors of two models cannot be compared. */
  "ModelChanged"
])

/** Why a call failed. */
export type ModelErrorReason = typeof ModelErrorReason.Type

/** A call to a model failed. */
export class ModelError extends Schema.TaggedError<ModelError>()("ModelError", {
  reason: ModelErrorReason,
  model: Schema.String,
  /** Host of the endpoint. */
  endpoint: Schema.String,
  /** For a reader: what happened, and the way out where there is one. Never has a key in it. */
  message: Schema.String,
  /** Milliseconds after which the provider wants to be asked again. */
  retryAfterMs: Schema.optionalKey(Schema.Finite),
  /** Whether the provider may bill the call although it failed. */
  billed: Schema.Literals(["no", "maybe"])
}) {}

/** A second try may succeed: the condition passes by itself. */
export const isTransient = (error: ModelError): boolean =>
  error.reason === "RateLimited" ||
  error.reason === "Unreachable" ||
  error.reason === "Unavailable" ||
  error.reason === "TimedOut"

/** The provider has more to do than it can: fewer calls at a time are in order. */
export const isPushback = (error: ModelError): boolean =>
  error.reason === "RateLimited" || error.reason === "TimedOut"

/** Every further call will fail the same way: the run stops at once. */
export const isFatalForRun = (error: ModelError): boolean => fatal.has(error.reason)

const fatal: ReadonlySet<ModelErrorReason> = new Set([
  "NeverReached",
  "QuotaExhausted",
  // Told only when patience is over: every other call waits for the same.
  "RateLimited",
  "Unauthorized",
  "UnknownModel",
  "WrongWidth",
  "ModelChanged"
])

/** The request may have been refused for one of several inputs: the others may pass without it. */
export const mayBeOneInput = (error: ModelError): boolean => forAnInput.has(error.reason)

const forAnInput: ReadonlySet<ModelErrorReason> = new Set([
  "Rejected",
  "ContextTooLong",
  "ContentFiltered",
  "BadVectors"
])
