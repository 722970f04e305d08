/** The form of a chat answer: how it is asked for, and how it is read. */
import { Effect, Option, Schema } from "effect"
import { ModelError } from "../../domain/ModelError.ts"
import type { RateLimitFacts } from "../../domain/RateLimitHeaders.ts"
import type { ChatRequest, RawChatAnswer } from "./Endpoint.ts"
import type { FailedAttempt } from "./failures.ts"
import { UsedCount } from "./usage.ts"

/** What a server can keep the form of an answer to. */
export type AnswerForm = "json_schema" | "json_object" | "none"

/** The part of a request's body that asks for the form of the answer. */
export const responseFormat = (form: AnswerForm, ask: ChatRequest) => {
  if (ask.schema === undefined || form === "none") return {}
  if (form === "json_object") return { response_format: { type: "json_object" } as const }
  return {
    response_format: {
      type: "json_schema",
      json_schema: { name: ask.schema.name, strict: true, schema: { ...ask.schema.schema } }
    } as const
  }
}

const Completion = Schema.Struct({
  choices: Schema.NonEmptyArray(
    Schema.Struct({
      finish_reason: Schema.optionalKey(Schema.NullOr(Schema.String)),
      message: Schema.Struct({
        content: Schema.optionalKey(Schema.NullOr(Schema.String)),
        refusal: Schema.optionalKey(Schema.NullOr(Schema.String))
      })
    })
  ),
  // Read apart: an answer is no worse for what is said about its price.
  usage: Schema.optionalKey(Schema.Unknown)
})

const CompletionUsage = Schema.Struct({
  prompt_tokens: UsedCount,
  completion_tokens: UsedCount,
  prompt_tokens_details: Schema.optionalKey(
    Schema.NullOr(Schema.Struct({ cached_tokens: Schema.optionalKey(Schema.NullOr(UsedCount)) }))
  )
})

const decodeCompletion = Schema.decodeUnknownOption(Completion)

const decodeUsage = Schema.decodeUnknownOption(CompletionUsage)

/**
 * Reads an answer; one that is no chat completion is a failure that may have been billed. Usage that cannot be is as good as none
 * told.
 */
export const readChat = (
  about: { readonly model: string; readonly endpoint: string },
  data: unknown,
  limits: RateLimitFacts
): Effect.Effect<RawChatAnswer, FailedAttempt> => {
  const decoded = decodeCompletion(data)
  if (Option.isNone(decoded)) {
    const message = `${about.endpoint} answered something that is no chat completion.`
    return Effect.fail({
      error: new ModelError({ ...about, reason: "Unavailable", message, billed: "maybe" }),
      limits
    })
  }
  const { choices, usage } = decoded.value
  const { finish_reason: reason, message } = choices[0]
  const refused = message.refusal != null && message.refusal !== ""
  return Effect.succeed({
    text: message.content ?? "",
    finish: refused
      ? "refused"
      : reason === "length"
        ? "truncated"
        : reason === "content_filter"
          ? "filtered"
          : "complete",
    usage: Option.map(decodeUsage(usage), (it) => ({
      inputTokens: it.prompt_tokens,
      cachedTokens: Math.min(it.prompt_tokens, it.prompt_tokens_details?.cached_tokens ?? 0),
      outputTokens: it.completion_tokens
    })),
    limits
  })
}
