/**
 * The model that turns texts into vectors: in batches as large as providers take, paid for, limited and retried like every
 * other call. A batch that is refused for one bad text is halved until that text is found and named.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import type { ModelError } from "../domain/ModelError.ts"
import type { BudgetError } from "./Budget.ts"
import { boundTokens, makeModelCalls } from "./ModelCall.ts"
import { OpenAi } from "./OpenAi.ts"
import type { UnpricedModel } from "./Prices.ts"
import { Usage } from "./Usage.ts"

/** A text that the provider refuses to embed, alone as well as in company. */
export class TextRefused extends Schema.TaggedError<TextRefused>()("TextRefused", {
  /** Which of the texts, counted from 0. */
  index: Schema.Int,
  message: Schema.String
}) {}

/** Why texts got no vectors. */
export type EmbeddingError = ModelError | BudgetError | UnpricedModel | TextRefused

/** What providers take in one request. */
export const EmbeddingBatchLimits = Context.Reference("gbrain/EmbeddingBatchLimits", {
  defaultValue: () => ({ texts: 512, bytes: 500_000 })
})

/** An embedding model. */
export class EmbeddingModel extends Context.Service<
  EmbeddingModel,
  {
    /** gbrain's name of the model, `provider:model`. */
    readonly model: string
    /** The width of its vectors. */
    readonly dimensions: number
    /** The vectors of the texts, in their order. */
    readonly embed: (
      texts: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<Float32Array>, EmbeddingError>
    /** Fails when the model cannot be used under the present cap: checked before the first paid call. */
    readonly checkPrice: Effect.Effect<void, UnpricedModel>
  }
>()("gbrain/EmbeddingModel") {
  /** `model` at its provider's endpoint, for vectors of `dimensions`. Fails when its key is missing. */
  static readonly layer = (options: { readonly model: string; readonly dimensions: number }) =>
    Layer.effect(
      EmbeddingModel,
      Effect.gen(function* () {
        const { dimensions, model } = options
        const endpoint = yield* (yield* OpenAi).endpoint(model)
        const calls = yield* makeModelCalls
        const usage = yield* Usage
        const limits = yield* EmbeddingBatchLimits

        const embedBatch = (
          texts: ReadonlyArray<string>,
          offset: number
        ): Effect.Effect<ReadonlyArray<Float32Array>, EmbeddingError> => {
          const worst = { inputTokens: boundTokens(...texts), outputTokens: 0 }
          return calls
            .make({
              model,
              host: endpoint.host,
              worst,
              attempt: endpoint.embed(texts, dimensions),
              usageOf: (raw) => ({
                inputTokens: Option.getOrElse(raw.inputTokens, () => worst.inputTokens),
                cachedTokens: 0,
                outputTokens: 0
              }),
              limitsOf: (raw) => raw.limits
            })
            .pipe(
              Effect.tap(({ answer }) =>
                usage.count({
                  embeddingCalls: 1,
                  embeddingTokens: Option.getOrElse(answer.inputTokens, () => worst.inputTokens)
                })
              ),
              Effect.map(({ answer }) => answer.vectors),
              Effect.catchTag("ModelError", (error) =>
                error.reason === "Rejected" || error.reason === "ContextTooLong"
                  ? halve(texts, offset, error)
                  : Effect.fail(error)
              )
            )
        }

        const halve = (texts: ReadonlyArray<string>, offset: number, error: ModelError) => {
          if (texts.length === 1) {
            return Effect.fail(
              new TextRefused({ index: offset, message: `${model} refuses the text: ${error.message}` })
            )
          }
          const middle = Math.ceil(texts.length / 2)
          return Effect.zipWith(
            embedBatch(texts.slice(0, middle), offset),
            embedBatch(texts.slice(middle), offset + middle),
            (first, second) => [...first, ...second]
          )
        }

        return EmbeddingModel.of({
          model,
          dimensions,
          embed: Effect.fn("EmbeddingModel.embed")(function* (texts) {
            const batches = packBatches(texts, limits)
            const vectors = yield* Effect.forEach(batches, ({ offset, texts: batch }) =>
              embedBatch(batch, offset)
            )
            return vectors.flat()
          }),
          checkPrice: Effect.asVoid(calls.priceFor(model))
        })
      })
    )
}

/** Cuts texts into batches within the limits, in order; a text beyond the limit of bytes is a batch of its own. */
export const packBatches = (
  texts: ReadonlyArray<string>,
  limits: { readonly texts: number; readonly bytes: number }
): ReadonlyArray<{ readonly offset: number; readonly texts: ReadonlyArray<string> }> => {
  const batches: Array<{ readonly offset: number; readonly texts: Array<string> }> = []
  let bytes = 0
  for (const [index, text] of texts.entries()) {
    const size = Buffer.byteLength(text, "utf8")
    const current = batches[batches.length - 1]
    if (current === undefined || current.texts.length >= limits.texts || bytes + size > limits.bytes) {
      batches.push({ offset: index, texts: [text] })
      bytes = size
    } else {
      current.texts.push(text)
      bytes += size
    }
  }
  return batches
}
