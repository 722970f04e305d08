/**
 * The model that turns texts into vectors: in batches as large as providers take, paid for, limited and retried like every
 * other call. A batch that is refused for one bad text is halved until that text is found and named.
 */
import { Context, Effect, Layer, Option, Result, Schema } from "effect"
import { guessTokens, packAll } from "../domain/EmbeddingBatches.ts"
import { type EmbeddingLimits, embeddingLimits } from "../domain/EmbeddingLimits.ts"
import { ModelError } from "../domain/ModelError.ts"
import type { BudgetError } from "./Budget.ts"
import { type EmbeddedInput, splitRefused } from "./embedding/splitRefused.ts"
import { boundTokens, makeModelCalls } from "./ModelCall.ts"
import { OpenAi } from "./OpenAi.ts"
import type { TextRole } from "./openai/Endpoint.ts"
import type { UnpricedModel } from "./Prices.ts"
import { Usage } from "./Usage.ts"

/** A text that the provider refuses to embed, alone as well as in company. */
export class TextRefused extends Schema.TaggedError<TextRefused>()("TextRefused", {
  /** Which of the texts, counted from 0. */
  index: Schema.Int,
  message: Schema.String
}) {}

/** Why a request for vectors failed as a whole. */
export type EmbeddingCallError = ModelError | BudgetError | UnpricedModel

/** Why texts got no vectors. */
export type EmbeddingError = EmbeddingCallError | TextRefused

/** How far a request is filled when its texts must all get their vectors before anything goes on. */
export const EmbeddingBatchLimits = Context.Reference("gbrain/EmbeddingBatchLimits", {
  defaultValue: () => ({ inputs: 512, bytes: 500_000 })
})

/** An embedding model. */
export class EmbeddingModel extends Context.Service<
  EmbeddingModel,
  {
    /** gbrain's name of the model, `provider:model`. */
    readonly model: string
    /** The width of its vectors. */
    readonly dimensions: number
    /** What its provider takes in one request. */
    readonly limits: EmbeddingLimits
    /** About how many tokens a text is: a guess that learns from what answers tell. */
    readonly guessTokens: (text: string) => number
    /** The vectors of the texts, in their order. */
    readonly embed: (
      texts: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<Float32Array>, EmbeddingError>
    /** How items with these texts are shared out among requests, in their order. */
    readonly requests: <Item>(
      items: ReadonlyArray<Item>,
      textOf: (item: Item) => string
    ) => ReadonlyArray<ReadonlyArray<Item>>
    /**
     * One request, answered or refused as a whole. In an uninterruptible region its waits can be interrupted all the same, and what
     * was answered cannot be lost.
     */
    readonly embedOnce: (
      texts: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<EmbeddedInput>, EmbeddingCallError>
    /** The same, halved when it is refused: an outcome a text, in their order. A bad text among them costs the others nothing. */
    readonly embedEach: (
      texts: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<EmbeddedInput>, EmbeddingCallError>
    /** Fails when the model cannot be used under the present cap: checked before the first paid call. */
    readonly checkPrice: Effect.Effect<void, UnpricedModel>
  }
>()("gbrain/EmbeddingModel") {
  /** `model` at its provider's endpoint, for vectors of `dimensions`. Fails when its key is missing. */
  static readonly layer = (options: {
    readonly model: string
    readonly dimensions: number
    /** `document` unless told: what is to be found. */
    readonly role?: TextRole
  }) =>
    Layer.effect(
      EmbeddingModel,
      Effect.gen(function* () {
        const { dimensions, model, role = "document" } = options
        const endpoint = yield* (yield* OpenAi).endpoint(model)
        const calls = yield* makeModelCalls
        const usage = yield* Usage
        const preferred = yield* EmbeddingBatchLimits
        const limits = embeddingLimits(model)
        const density = makeDensity()
        const checkSame = sameModel({ model, endpoint: endpoint.host })

        const send = Effect.fnUntraced(function* (texts: ReadonlyArray<string>) {
          const worst = { inputTokens: boundTokens(...texts), outputTokens: 0 }
          const { answer } = yield* calls.make({
            model,
            host: endpoint.host,
            worst,
            attempt: endpoint.embed(texts, dimensions, role),
            usageOf: (raw) => ({
              inputTokens: Option.getOrElse(raw.inputTokens, () => worst.inputTokens),
              cachedTokens: 0,
              outputTokens: 0
            }),
            limitsOf: (raw) => raw.limits
          })
          yield* usage.count({
            embeddingCalls: 1,
            embeddingTokens: Option.getOrElse(answer.inputTokens, () => worst.inputTokens)
          })
          yield* checkSame(answer.answeredBy)
          if (Option.isSome(answer.inputTokens)) density.learn(texts, answer.inputTokens.value)
          const notFinite = new Set(answer.notFinite)
          return answer.vectors.map((vector, index): EmbeddedInput =>
            notFinite.has(index)
              ? Result.fail(`${model}: its vector holds a value that is no number`)
              : Result.succeed(vector)
          )
        }, Effect.uninterruptible)

        const embedEach = (texts: ReadonlyArray<string>) => splitRefused(texts, send)

        const requests = <Item>(items: ReadonlyArray<Item>, textOf: (item: Item) => string) => {
          const room = {
            inputs: Math.min(preferred.inputs, limits.inputs),
            tokens: limits.tokens,
            bytes: preferred.bytes
          }
          return packAll(items, room, (item) => {
            const text = textOf(item)
            return { tokens: density.guess(text), bytes: Buffer.byteLength(text, "utf8") }
          })
        }

        return EmbeddingModel.of({
          model,
          dimensions,
          limits,
          guessTokens: density.guess,
          embedOnce: send,
          embedEach,
          requests,
          embed: Effect.fn("EmbeddingModel.embed")(function* (texts) {
            const outcomes = (yield* Effect.forEach(
              requests(texts, (text) => text),
              embedEach
            )).flat()
            const refused = outcomes.findIndex(Result.isFailure)
            if (refused >= 0) {
              const why = Option.getOrElse(
                Option.flatMap(Option.fromUndefinedOr(outcomes[refused]), Result.getFailure),
                () => ""
              )
              return yield* new TextRefused({ index: refused, message: `${model} refuses the text: ${why}` })
            }
            return outcomes.flatMap((outcome) => (Result.isSuccess(outcome) ? [outcome.success] : []))
          }),
          checkPrice: Effect.asVoid(calls.priceFor(model))
        })
      })
    )
}

/** The weight of the newest answer in what is known of a text's density. */
const weight = 0.3

/** How many tokens a text has, compared with what its length would make one guess; found out from answers. */
const makeDensity = () => {
  let factor = 1
  const plain = (text: string) => guessTokens(text.length, Buffer.byteLength(text, "utf8"))
  return {
    guess: (text: string) => Math.ceil(plain(text) * factor),
    learn: (texts: ReadonlyArray<string>, tokens: number) => {
      const guessed = texts.reduce((sum, text) => sum + plain(text), 0)
      if (guessed < 1) return
      // A little more than was seen: the next text may be denser, and a request beyond the limit is a wasted one.
      const seen = Math.min(4, Math.max(0.25, (tokens / guessed) * 1.05))
      factor += weight * (seen - factor)
    }
  }
}

// A server answers by whatever name it likes, but by the same one as long as the model is the same.
const sameModel = (about: { readonly model: string; readonly endpoint: string }) => {
  let first = Option.none<string>()
  return (answeredBy: Option.Option<string>) => {
    if (Option.isNone(first)) first = answeredBy
    const other = Option.filter(answeredBy, (name) => Option.exists(first, (known) => known !== name))
    return Option.match(other, {
      onNone: () => Effect.void,
      onSome: (name) =>
        Effect.fail(
          new ModelError({
            ...about,
            reason: "ModelChanged",
            message:
              `${about.endpoint} answered ${about.model} with the model ${Option.getOrElse(first, () => "")} until now, and with ${name} since. ` +
              `Vectors of two models cannot be compared; see what the server runs, then run again.`,
            billed: "maybe"
          })
        )
    })
  }
}
