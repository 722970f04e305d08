/** What an endpoint can be asked, and what it answers. */
import type { Effect, Option } from "effect"
import type { RateLimitFacts } from "../../domain/RateLimitHeaders.ts"
import type { FailedAttempt } from "./failures.ts"
import type { BadAnswer, DecodedVectors } from "./vectors.ts"

/** A chat call. */
export interface ChatRequest {
  readonly system: string
  readonly user: string
  readonly maxOutputTokens: number
  /** The form of the answer, where the server can keep to one. */
  readonly schema?: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> }
}

/** What was used, as the provider counts it. */
export interface TokenUsage {
  readonly inputTokens: number
  /** Part of `inputTokens`. */
  readonly cachedTokens: number
  readonly outputTokens: number
  /** Pixels of images, where they are paid for. */
  readonly imagePixels?: number
}

/** How an answer ended. */
export type Finish = "complete" | "truncated" | "refused" | "filtered"

/** An answer, whatever it is worth: it was paid for. */
export interface RawChatAnswer {
  readonly text: string
  readonly finish: Finish
  /** None when the server does not tell, or tells what cannot be. */
  readonly usage: Option.Option<TokenUsage>
  readonly limits: RateLimitFacts
}

/** Vectors in the order of the texts. */
export interface RawEmbeddings extends DecodedVectors {
  readonly limits: RateLimitFacts
}

/** An answer as it came. */
export interface RawAnswer {
  readonly data: unknown
  readonly limits: RateLimitFacts
  /** The failure to tell when the data are not what was asked for. */
  readonly bad: (answer: BadAnswer) => FailedAttempt
}

/** What the texts are to each other: some models embed what is looked for otherwise than what is found. */
export type TextRole = "document" | "query"

/** The endpoint of one model. */
export interface Endpoint {
  readonly host: string
  readonly chat: (request: ChatRequest) => Effect.Effect<RawChatAnswer, FailedAttempt>
  readonly embed: (
    texts: ReadonlyArray<string>,
    dimensions: number,
    role: TextRole
  ) => Effect.Effect<RawEmbeddings, FailedAttempt>
  /**
   * An answer of another form than those above, as it came: `body` is posted to `path` below the endpoint's address. For forms
   * that the package does not know; `bad` makes the error for an answer that is not what was asked for. The model is asked for
   * vectors of `dimensions` where it can be.
   */
  readonly post: (
    path: string,
    body: Readonly<Record<string, unknown>>,
    dimensions: number
  ) => Effect.Effect<RawAnswer, FailedAttempt>
  /** Whether the endpoint answers and knows the model; costs nothing. */
  readonly check: Effect.Effect<void, FailedAttempt>
}
