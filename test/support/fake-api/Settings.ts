/**
 * How the stand-in API behaves: latencies, limits, prices, and a plan of what goes wrong. Everything can be changed while it
 * runs. Whatever involves chance depends only on the seed and on what is asked, never on the order of arrival, so that a run
 * with many workers can be repeated exactly.
 */
import { Schema, Struct } from "effect"

/** Faults that answer with an error status. Nothing is billed. */
export const ErrorFault = Schema.Literals([
  /** A rate limit that tells nothing about when to come back; the others tell it in one way each. */
  "429",
  "429-retry-after-seconds",
  "429-retry-after-ms",
  "429-retry-after-date",
  "429-insufficient-quota",
  "401",
  "403",
  "404-model-not-found",
  /** A bad request, without a word about what is bad. */
  "400",
  "400-context-length",
  /** A server without structured output: concerns only requests with a `response_format` of JSON. */
  "400-response-format",
  /** A server with JSON mode but without schemas: concerns only requests with a `json_schema`. */
  "400-json-schema",
  /** A server that knows only `max_tokens`: concerns only requests with `max_completion_tokens`. */
  "400-max-completion-tokens",
  /** The next three come as pages of HTML. */
  "500",
  "502",
  "503"
])

/** Faults of an answer's way to the client. All but `hang` are billed: the model has done its work. */
export const TransportFault = Schema.Literals([
  /** No answer, ever. */
  "hang",
  /** The whole answer, in twenty pieces, one each `paceMs`. */
  "trickle",
  /** The connection breaks when half of the body is sent. */
  "reset",
  /** A complete HTTP answer whose JSON stops in the middle. */
  "half-json",
  "empty-body",
  "not-json"
])

/** Faults of what a chat model says. All are billed. */
export const ChatFault = Schema.Literals([
  /** `finish_reason` length in the middle of the JSON. */
  "cut",
  "refusal",
  "content-filter",
  /** `confidence` "high", `entity` a number, other numbers as text. */
  "wrong-types",
  /** `facts` an object in place of a list. */
  "facts-object",
  "1000-facts",
  /** Facts of 10,000 characters. */
  "long-facts",
  /** JSON inside a markdown fence, after chatter, after reasoning with braces of its own. */
  "fenced",
  "chatter",
  "reasoning",
  /** No JSON at all. */
  "prose",
  "empty-content",
  "no-usage"
])

/** Faults of embeddings. All are billed. */
export const EmbeddingFault = Schema.Literals([
  "other-width",
  "too-few-vectors",
  /** As bytes a real NaN; in plain JSON, which has none, `null`. */
  "nan",
  /** In another order, with the right `index` each. */
  "shuffled",
  "no-usage"
])

/** Everything that can go wrong. */
export const Fault = Schema.Union([ErrorFault, TransportFault, ChatFault, EmbeddingFault])

/** Everything that can go wrong. */
export type Fault = typeof Fault.Type

/** What is called. */
export const EndpointName = Schema.Literals(["chat", "embeddings", "models"])

/** What is called. */
export type EndpointName = typeof EndpointName.Type

/** When something goes wrong. All conditions that are given must hold; with none, it always does. */
export const Rule = Schema.Struct({
  fault: Fault,
  /** Without it: chat and embeddings. */
  endpoint: Schema.optionalKey(EndpointName),
  /** 0 to 1; drawn anew for each attempt at the same message. */
  probability: Schema.optionalKey(Schema.Finite),
  /** Which calls of an endpoint, counted from 1. */
  nth: Schema.optionalKey(Schema.Array(Schema.Int)),
  /** A text in the user message, in one of the texts to embed, or in the model's id. */
  contains: Schema.optionalKey(Schema.String),
  /** Only the first so many attempts at each distinct message. */
  firstAttempts: Schema.optionalKey(Schema.Int),
  /** Only so many times in all. */
  times: Schema.optionalKey(Schema.Int),
  /** What a 429 asks for, in milliseconds; 1000 when not given. */
  retryAfterMs: Schema.optionalKey(Schema.Finite),
  /** Milliseconds between two pieces of a trickle; 50 when not given. */
  paceMs: Schema.optionalKey(Schema.Finite)
})

/** When something goes wrong. */
export type Rule = typeof Rule.Type

/** A limit that the server keeps for each model and tells in `x-ratelimit-*` headers. */
export const RateLimit = Schema.Struct({
  /** Requests and tokens in a window. */
  requests: Schema.optionalKey(Schema.Int),
  /** A chat call counts its prompt and the output that it asks for at most. */
  tokens: Schema.optionalKey(Schema.Int),
  /** A bucket fills steadily; a sliding window remembers when each call was. */
  style: Schema.Literals(["bucket", "sliding"]),
  /** A minute when not given. */
  windowMs: Schema.optionalKey(Schema.Finite)
})

/** A limit that the server keeps. */
export type RateLimit = typeof RateLimit.Type

/** Dollars per million tokens, as decimal text. */
const Price = Schema.Struct({ input: Schema.String, output: Schema.String })

const defaultPrices: Readonly<Record<string, typeof Price.Type>> = {
  "gpt-4o-mini": { input: "0.15", output: "0.60" },
  "gpt-4.1-mini": { input: "0.40", output: "1.60" },
  "gpt-4.1-nano": { input: "0.10", output: "0.40" },
  "gpt-5-mini": { input: "0.25", output: "2" },
  "text-embedding-3-small": { input: "0.02", output: "0" },
  "text-embedding-3-large": { input: "0.13", output: "0" }
}

const fields = {
  seed: Schema.Int,
  /** Median milliseconds until an answer; 0 answers at once. */
  chatLatencyMs: Schema.Finite,
  embeddingLatencyMs: Schema.Finite,
  latencyShape: Schema.Literals(["log-normal", "fixed"]),
  /** Latencies are multiplied with it. */
  timeScale: Schema.Finite,
  /** The key that is asked for; `null` when every request is served. */
  key: Schema.NullOr(Schema.String),
  /** The models that are known; `null` when every name is. */
  models: Schema.NullOr(Schema.Array(Schema.String)),
  prices: Schema.Record(Schema.String, Price),
  rateLimit: Schema.NullOr(RateLimit),
  /** Tokens that a chat model reads and writes in one call. */
  contextTokens: Schema.Int,
  /** Tokens that one text to embed may have. */
  embeddingInputTokens: Schema.Int,
  /** The width of vectors when a request names none. */
  dimensions: Schema.Int,
  /** The first rule that holds decides. */
  rules: Schema.Array(Rule),
  /** While it is true, calls are taken in but wait with their answer: a test sees them in flight without a sleep. */
  hold: Schema.Boolean,
  /** Requests beyond this number are counted but not logged. */
  logLimit: Schema.Int
}

/** How the server behaves. */
export const Settings = Schema.Struct(fields)

/** How the server behaves. */
export type Settings = typeof Settings.Type

const optionalFields = Struct.map(fields, Schema.optionalKey)

/** What to start with: any of the settings. */
export const Options = Schema.Struct(optionalFields)

/** What to start with: any of the settings. */
export type Options = typeof Options.Type

/** A change of behaviour: the settings that are given replace those in force; `resetCounters` forgets calls and log. */
export const Control = Schema.Struct({ ...optionalFields, resetCounters: Schema.optionalKey(Schema.Boolean) })

/** A change of behaviour. */
export type Control = typeof Control.Type

/** A server that answers at once, knows every model, has no limits and makes no mistakes. */
export const defaultSettings: Settings = {
  seed: 1,
  chatLatencyMs: 0,
  embeddingLatencyMs: 0,
  latencyShape: "log-normal",
  timeScale: 1,
  key: null,
  models: null,
  prices: defaultPrices,
  rateLimit: null,
  contextTokens: 128_000,
  embeddingInputTokens: 8192,
  dimensions: 1536,
  rules: [],
  hold: false,
  logLimit: 200_000
}
