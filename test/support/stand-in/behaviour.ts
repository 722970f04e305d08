/**
 * What the stand-in can be told to do wrong. A plan is a list of rules; the first that fits a request decides. Rules fit by
 * the endpoint, by a text in the request, by the number of the request, or by chance from a seed.
 */

/** What goes wrong. */
export type Fault =
  | {
      readonly kind: "status"
      readonly status: number
      readonly body?: unknown
      readonly headers?: Readonly<Record<string, string>>
    }
  | { readonly kind: "hang" }
  | { readonly kind: "reset" }
  /** The answer breaks off in the middle. */
  | { readonly kind: "cut" }
  | { readonly kind: "html" }
  | { readonly kind: "empty" }
  /** The content of the answer, in place of the facts. */
  | { readonly kind: "content"; readonly content: string }
  /** The answer is cut by its own token limit until it may have this many tokens. */
  | { readonly kind: "length"; readonly needs: number }
  | { readonly kind: "refusal" }
  | { readonly kind: "filter" }
  | { readonly kind: "no-usage" }
  | { readonly kind: "thousand-facts" }
  /** `nan-one`: only in the vector of the text that the rule is for. */
  | { readonly kind: "vectors"; readonly how: "width" | "few" | "nan" | "nan-one" | "shuffled" }
  /** The answer names another model than was asked for. */
  | { readonly kind: "model"; readonly name: string }

/** When it does. */
export interface Rule {
  readonly fault: Fault
  readonly endpoint?: "chat" | "embeddings"
  /** A text that the request must contain. */
  readonly contains?: string
  /** Only for the first so many requests that fit. */
  readonly times?: number
  /** Only after so many requests that fit. */
  readonly after?: number
  /** 0 to 1. */
  readonly probability?: number
}

/** How the stand-in behaves; all of it can be changed while it runs. */
export interface Behaviour {
  /** Median milliseconds of a chat answer. */
  chatLatency: number
  embeddingLatency: number
  /** 0: always the median. Otherwise the sigma of a log-normal distribution. */
  spread: number
  /** Requests a minute allowed; null is no limit. */
  requestsPerMinute: number | null
  tokensPerMinute: number | null
  rules: ReadonlyArray<Rule>
  /** The bearer token that is asked for; null asks for none. */
  key: string | null
  /** Server without structured output: refuses response_format. */
  structuredOutput: boolean
  /** What an embedding request may hold, and each of its texts. */
  embeddingLimits: { readonly inputs: number; readonly tokens: number; readonly inputTokens: number }
  /** A model whose vectors have one width, and which refuses to be asked for any; null is asked for what it makes. */
  onlyWidth: number | null
  seed: number
}

/** A server that does everything right, at once. */
export const wellBehaved: Behaviour = {
  chatLatency: 0,
  embeddingLatency: 0,
  spread: 0,
  requestsPerMinute: null,
  tokensPerMinute: null,
  rules: [],
  key: null,
  structuredOutput: true,
  embeddingLimits: { inputs: 2048, tokens: 300_000, inputTokens: 8192 },
  onlyWidth: null,
  seed: 1
}

/** Numbers from a seed, the same every time (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296
  }
}

/** A latency drawn around its median. */
export const drawLatency = (median: number, spread: number, random: () => number): number => {
  if (median === 0 || spread === 0) return median
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return median * Math.exp(spread * normal)
}
