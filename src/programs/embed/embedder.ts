/** What makes vectors of a kind of input: of texts here, of images elsewhere. `embedBatches` works with any. */
import { Effect, Option, Result } from "effect"
import type { BatchLimits, InputSize } from "../../domain/EmbeddingBatches.ts"
import { type EmbeddingCallError, EmbeddingModel } from "../../services/EmbeddingModel.ts"
import { cutText } from "../../services/embedding/cutText.ts"
import type { EmbeddedInput } from "../../services/embedding/splitRefused.ts"
import { sha256Hex } from "../../services/Sha256.ts"

/** An input that is ready to be sent. */
export interface PreparedInput<Input> {
  readonly input: Input
  /** Tells what is asked from everything else that could be: the model, the width and the input. */
  readonly key: string
  readonly size: InputSize
  /** Whether a part of it was left out, because the model takes no more. */
  readonly cut: boolean
}

/** Makes vectors of inputs. */
export interface Embedder<Input> {
  /** How far a request is filled. */
  readonly limits: BatchLimits
  /** Makes an input ready, or says why it cannot be sent at all. */
  readonly prepare: (input: Input) => Effect.Effect<Result.Result<PreparedInput<Input>, string>>
  /** One request, with an outcome an input. */
  readonly embed: (
    inputs: ReadonlyArray<Input>
  ) => Effect.Effect<ReadonlyArray<EmbeddedInput>, EmbeddingCallError>
}

/** How far requests are filled, where less than the provider takes is wanted. */
export interface BatchWishes {
  readonly inputs: Option.Option<number>
  readonly bytes: Option.Option<number>
}

/**
 * The embedder of texts, with the model in context. A text longer than the model takes is cut and said to be; an empty one,
 * which providers refuse, is not sent.
 */
export const textEmbedder = Effect.fn("textEmbedder")(function* (
  wishes: BatchWishes = { inputs: Option.none(), bytes: Option.none() }
) {
  const model = yield* EmbeddingModel
  const { inputTokens, inputs, tokens } = model.limits
  const prefix = `vector:${model.model}:${model.dimensions}\n`
  return {
    limits: {
      inputs: Math.min(
        inputs,
        Option.getOrElse(wishes.inputs, () => inputs)
      ),
      tokens,
      bytes: Option.getOrElse(wishes.bytes, () => Infinity)
    },
    prepare: (text) =>
      text.trim() === ""
        ? Effect.succeed(Result.fail("the text is empty"))
        : Effect.map(cutText(text, { model: model.model, tokens: inputTokens }), (it) =>
            Result.succeed({
              input: it.text,
              key: sha256Hex(prefix + it.text),
              size: { tokens: model.guessTokens(it.text), bytes: Buffer.byteLength(it.text, "utf8") },
              cut: it.cut
            })
          ),
    embed: model.embedEach
  } satisfies Embedder<string>
})
