/** The model that reads conversations: one question, one answer, paid for, limited and retried. */
import { Context, Effect, Layer } from "effect"
import { ModelError } from "../domain/ModelError.ts"
import type * as Money from "../domain/Money.ts"
import type { BudgetError } from "./Budget.ts"
import { boundTokens, makeModelCalls, usageOrWorst } from "./ModelCall.ts"
import type { ChatRequest, RawChatAnswer, TokenUsage } from "./openai/Endpoint.ts"
import { OpenAi } from "./OpenAi.ts"
import type { UnpricedModel } from "./Prices.ts"
import { Usage } from "./Usage.ts"

/** An answer, and what it used and cost. */
export interface ChatAnswer {
  readonly text: string
  /** The answer reached `maxOutputTokens` and is cut. */
  readonly truncated: boolean
  readonly usage: TokenUsage
  readonly cost: Money.Money
}

/** Why a question got no answer. */
export type ChatError = ModelError | BudgetError | UnpricedModel

/** A chat model. */
export class ChatModel extends Context.Service<
  ChatModel,
  {
    /** gbrain's name of the model, `provider:model`. */
    readonly model: string
    /**
     * Asks. A refusal or a filtered answer is an error, a cut answer is not. In an uninterruptible region its waits can be
     * interrupted all the same, and what was answered cannot be lost.
     */
    readonly ask: (request: ChatRequest) => Effect.Effect<ChatAnswer, ChatError>
    /** Fails when the model cannot be used under the present cap: checked before the first question. */
    readonly checkPrice: Effect.Effect<void, UnpricedModel>
  }
>()("gbrain/ChatModel") {
  /** `model` at its provider's endpoint. Fails when its key is missing. */
  static readonly layer = (options: { readonly model: string }) =>
    Layer.effect(
      ChatModel,
      Effect.gen(function* () {
        const { model } = options
        const endpoint = yield* (yield* OpenAi).endpoint(model)
        const calls = yield* makeModelCalls
        const usage = yield* Usage

        const ask = Effect.fn("ChatModel.ask")(function* (request: ChatRequest) {
          const worst = {
            inputTokens: boundTokens(
              request.system,
              request.user,
              request.schema === undefined ? "" : JSON.stringify(request.schema)
            ),
            outputTokens: request.maxOutputTokens
          }
          const usageOf = (answer: RawChatAnswer) => usageOrWorst(answer.usage, worst)
          const { answer, cost } = yield* calls.make({
            model,
            host: endpoint.host,
            worst,
            attempt: endpoint.chat(request),
            usageOf,
            limitsOf: (raw) => raw.limits
          })
          const used = usageOf(answer)
          yield* usage.count({ chatCalls: 1, inputTokens: used.inputTokens, outputTokens: used.outputTokens })
          if (answer.finish === "refused") {
            return yield* new ModelError({
              model,
              endpoint: endpoint.host,
              reason: "Refused",
              message: `${model} declines to answer.`,
              billed: "maybe"
            })
          }
          if (answer.finish === "filtered") {
            return yield* new ModelError({
              model,
              endpoint: endpoint.host,
              reason: "ContentFiltered",
              message: `A content filter at ${endpoint.host} withheld the answer.`,
              billed: "maybe"
            })
          }
          return {
            text: answer.text,
            truncated: answer.finish === "truncated",
            usage: used,
            cost
          } satisfies ChatAnswer
        }, Effect.uninterruptible)

        return ChatModel.of({ model, ask, checkPrice: Effect.asVoid(calls.priceFor(model)) })
      })
    )
}
