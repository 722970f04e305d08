/** Whether the models can be asked, and what they cost is known. */
import { Effect, Option, Result } from "effect"
import { BrainConfig, embeddingSettings } from "../../services/BrainConfig.ts"
import { OpenAi } from "../../services/OpenAi.ts"
import { Prices, unpriced } from "../../services/Prices.ts"
import { resolveChatModel } from "../extract-conversation-facts/layer.ts"
import { fail, ok, warn } from "./Check.ts"

/** The chat model and the embedding model of the brain. */
export const models = Effect.gen(function* () {
  const chat = yield* resolveChatModel(Option.none())
  const { model: embedding } = yield* embeddingSettings(yield* BrainConfig)
  return (yield* Effect.forEach(
    [
      ["chat_model", chat],
      ["embedding_model", embedding]
    ] as const,
    ([name, model]) => checkModel(name, model)
  )).flat()
})

const checkModel = Effect.fnUntraced(function* (name: string, model: string) {
  const openai = yield* OpenAi
  const prices = yield* Prices
  const price = prices.of(model)
  const priced = Option.isSome(price)
    ? ok(`${name}_price`, `known (${price.value.source})`)
    : warn(
        `${name}_price`,
        `no price is known for ${model}`,
        unpriced(model).message.replace(/^.*: gbrain/s, "gbrain")
      )
  const endpoint = yield* Effect.result(openai.endpoint(model))
  if (Result.isFailure(endpoint))
    return [fail(name, endpoint.failure.message, "set the key in the environment"), priced]
  const reached = yield* Effect.result(endpoint.success.check)
  return [
    Result.isSuccess(reached)
      ? ok(name, `${model} at ${endpoint.success.host}`)
      : fail(name, reached.failure.error.message),
    priced
  ]
})
