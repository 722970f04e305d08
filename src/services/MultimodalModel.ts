/**
 * The model that turns images and texts into vectors of one space: asked in Voyage's form or in that of OpenAI's kind, paid for,
 * limited and retried like every other call.
 */
import { Config, Context, Effect, Layer, Option, Result, Schema } from "effect"
import { widthProblem } from "../domain/EmbeddingDimensions.ts"
import { ModelError } from "../domain/ModelError.ts"
import { parseModelId } from "../domain/ModelId.ts"
import { BrainConfig } from "./BrainConfig.ts"
import type { BudgetError } from "./Budget.ts"
import type { EmbeddedInput } from "./embedding/splitRefused.ts"
import { makeModelCalls } from "./ModelCall.ts"
import { type Form, type MultimodalInput, openAiForm, type Used, voyageForm } from "./multimodal/forms.ts"
import { OpenAi } from "./OpenAi.ts"
import { decodeVectors } from "./openai/vectors.ts"
import type { UnpricedModel } from "./Prices.ts"
import { Usage } from "./Usage.ts"

export type { MultimodalInput, Used } from "./multimodal/forms.ts"

/** The model cannot be used for images, or makes vectors of another width than the columns have. */
export class UnfitModel extends Schema.TaggedError<UnfitModel>()("UnfitModel", {
  model: Schema.String,
  message: Schema.String
}) {}

/** Why a call failed as a whole. */
export type MultimodalError = ModelError | BudgetError | UnpricedModel

/** A multimodal embedding model. */
export class MultimodalModel extends Context.Service<
  MultimodalModel,
  {
    /** gbrain's name of the model, `provider:model`. */
    readonly model: string
    /** The most inputs of one call. */
    readonly inputsPerCall: number
    /** One call: an outcome an input, in their order; vectors are `dimensions` wide. */
    readonly embed: (
      inputs: ReadonlyArray<MultimodalInput>,
      dimensions: number
    ) => Effect.Effect<ReadonlyArray<EmbeddedInput>, MultimodalError>
    /** Fails when the model cannot be used under the present cap: checked before the first paid call. */
    readonly checkPrice: Effect.Effect<void, UnpricedModel>
  }
>()("gbrain/MultimodalModel") {
  /** `model` at its provider's endpoint. Fails when its key is missing. */
  static readonly layer = (options: { readonly model: string }) =>
    Layer.effect(
      MultimodalModel,
      Effect.gen(function* () {
        const { model } = options
        const { name } = parseModelId(model)
        const form = formOf(model)
        const endpoint = yield* (yield* OpenAi).endpoint(model)
        const calls = yield* makeModelCalls
        const usage = yield* Usage

        const attempt = Effect.fnUntraced(function* (
          inputs: ReadonlyArray<MultimodalInput>,
          dimensions: number
        ) {
          const { bad, data, limits } = yield* endpoint.post(form.path, form.body(name, inputs), dimensions)
          const decoded = decodeVectors(data, inputs.length, dimensions)
          if (decoded._tag === "Failure") return yield* Effect.fail(bad(decoded.failure))
          return { ...decoded.success, data, limits }
        })

        return MultimodalModel.of({
          model,
          inputsPerCall: form.inputs,
          embed: Effect.fn("MultimodalModel.embed")(function* (inputs, dimensions) {
            const worst = form.worst(inputs)
            const usedBy = (data: unknown): Used => form.usedBy(data, worst)
            const { answer } = yield* calls
              .make({
                model,
                host: endpoint.host,
                worst: { ...worst, outputTokens: 0 },
                attempt: attempt(inputs, dimensions),
                usageOf: ({ data }) => ({ ...usedBy(data), cachedTokens: 0, outputTokens: 0 }),
                limitsOf: ({ limits }) => limits
              })
              .pipe(Effect.mapError(tellWhich))
            const used = usedBy(answer.data)
            yield* usage.count({
              embeddingCalls: 1,
              embeddingTokens: used.inputTokens,
              imagePixels: used.imagePixels
            })
            const notFinite = new Set(answer.notFinite)
            return answer.vectors.map((vector, index): EmbeddedInput =>
              notFinite.has(index)
                ? Result.fail(`${model}: its vector holds a value that is no number`)
                : Result.succeed(vector)
            )
          }),
          checkPrice: Effect.asVoid(calls.priceFor(model))
        })
      })
    )
}

// These are mended elsewhere than with a model for chats or texts.
const tellWhich = <E>(error: E | ModelError): E | ModelError => {
  if (!(error instanceof ModelError)) return error
  const what =
    error.reason === "UnknownModel"
      ? `${error.endpoint} does not know the multimodal model ${error.model}.`
      : error.reason === "WrongWidth"
        ? `${error.message} for images.`
        : undefined
  return what === undefined
    ? error
    : new ModelError({
        reason: error.reason,
        model: error.model,
        endpoint: error.endpoint,
        billed: error.billed,
        message: `${what} Choose another with --model or: ${otherModel}`
      })
}

/** How a model is asked. */
export const formOf = (model: string): Form =>
  parseModelId(model).provider === "voyage" ? voyageForm : openAiForm

const wrongWidth = (model: string, problem: string, wanted: number): UnfitModel =>
  new UnfitModel({
    model,
    message: `${problem} The brain's columns for images are ${wanted} wide. Choose a model of that width: ${otherModel}`
  })

/** Embeds texts only, whatever it is asked. */
const textOnly = /^(text-embedding-|mistral-embed|gemini-embedding-001|nomic-embed-text|mxbai-|bge-)/

/** Fails when the model is known not to take images, or to make vectors of another width than `dimensions`. */
export const checkModel = Effect.fn("checkModel")(function* (model: string, dimensions: number) {
  const { name, provider } = parseModelId(model)
  if (textOnly.test(name) || (provider === "voyage" && !name.includes("multimodal"))) {
    return yield* new UnfitModel({
      model,
      message: `${model} takes no images. Choose a model that does: ${otherModel}`
    })
  }
  const problem = widthProblem(model, dimensions)
  if (Option.isSome(problem)) return yield* wrongWidth(model, problem.value, dimensions)
})

/** The model when nothing says which; gbrain's. */
const fallbackModel = "voyage:voyage-multimodal-3"

/** How to choose another. */
const otherModel = `gbrain config set embedding_multimodal_model ${fallbackModel}`

/**
 * The multimodal model to use: the one asked for, else `GBRAIN_EMBEDDING_MULTIMODAL_MODEL`, else the brain's
 * `embedding_multimodal_model`, else its `embedding_model` where that one takes images, else gbrain's.
 */
export const resolveMultimodalModel = Effect.fn("resolveMultimodalModel")(function* (
  asked: Option.Option<string>
) {
  const rows = yield* (yield* BrainConfig).all
  const environment = yield* Effect.orElseSucceed(
    Config.option(Config.NonEmptyString("GBRAIN_EMBEDDING_MULTIMODAL_MODEL")),
    Option.none<string>
  )
  const text = rows.get("embedding_model")
  return (
    Option.getOrUndefined(asked) ??
    Option.getOrUndefined(environment) ??
    rows.get("embedding_multimodal_model") ??
    (text?.includes("multimodal") === true ? text : fallbackModel)
  )
})
