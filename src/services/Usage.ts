/** What a run has used so far, for progress and reports: calls, tokens, retries. Counting is a plain addition. */
import { Context, Effect, Layer } from "effect"

/** Counters of a run. */
export interface UsageCounts {
  readonly chatCalls: number
  readonly embeddingCalls: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly embeddingTokens: number
  /** Pixels of images that were embedded, as providers count them. */
  readonly imagePixels: number
  /** Attempts beyond the first of a call. */
  readonly retries: number
  /** Answers of 429. */
  readonly rateLimited: number
  /** Calls to models without a known price; allowed only without a cap. */
  readonly unpricedCalls: number
}

/** Counters that everything which calls a model adds to. */
export class Usage extends Context.Service<
  Usage,
  {
    readonly count: (more: Partial<UsageCounts>) => Effect.Effect<void>
    readonly snapshot: Effect.Effect<UsageCounts>
  }
>()("gbrain/Usage") {
  /** Counters that start at zero. */
  static readonly layer = Layer.sync(Usage, () => {
    let counts: UsageCounts = {
      chatCalls: 0,
      embeddingCalls: 0,
      inputTokens: 0,
      outputTokens: 0,
      embeddingTokens: 0,
      imagePixels: 0,
      retries: 0,
      rateLimited: 0,
      unpricedCalls: 0
    }
    return Usage.of({
      count: (more) =>
        Effect.sync(() => {
          counts = {
            chatCalls: counts.chatCalls + (more.chatCalls ?? 0),
            embeddingCalls: counts.embeddingCalls + (more.embeddingCalls ?? 0),
            inputTokens: counts.inputTokens + (more.inputTokens ?? 0),
            outputTokens: counts.outputTokens + (more.outputTokens ?? 0),
            embeddingTokens: counts.embeddingTokens + (more.embeddingTokens ?? 0),
            imagePixels: counts.imagePixels + (more.imagePixels ?? 0),
            retries: counts.retries + (more.retries ?? 0),
            rateLimited: counts.rateLimited + (more.rateLimited ?? 0),
            unpricedCalls: counts.unpricedCalls + (more.unpricedCalls ?? 0)
          }
        }),
      snapshot: Effect.sync(() => counts)
    })
  })
}
