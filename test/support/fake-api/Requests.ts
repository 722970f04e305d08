/** What clients send, checked as OpenAI checks it. */
import { Option, Predicate, Result, Schema } from "effect"
import { type ApiError, badRequest } from "./ApiErrors.ts"

const Part = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })

const ChatBody = Schema.Struct({
  model: Schema.NonEmptyString,
  messages: Schema.NonEmptyArray(
    Schema.Struct({ role: Schema.String, content: Schema.Union([Schema.String, Schema.Array(Part)]) })
  ),
  max_tokens: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  max_completion_tokens: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  stream: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
  response_format: Schema.optionalKey(
    Schema.Union([
      Schema.Struct({ type: Schema.Literals(["text", "json_object"]) }),
      Schema.Struct({
        type: Schema.Literal("json_schema"),
        json_schema: Schema.Struct({
          name: Schema.String.check(Schema.isPattern(/^[\w-]{1,64}$/)),
          strict: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
          schema: Schema.Record(Schema.String, Schema.Unknown)
        })
      })
    ])
  )
})

const EmbeddingsBody = Schema.Struct({
  model: Schema.NonEmptyString,
  input: Schema.Union([Schema.String, Schema.Array(Schema.String)]),
  encoding_format: Schema.optionalKey(Schema.Literals(["float", "base64"])),
  dimensions: Schema.optionalKey(Schema.Int)
})

const decodeChat = Schema.decodeUnknownResult(ChatBody)
const decodeEmbeddings = Schema.decodeUnknownResult(EmbeddingsBody)

/** A chat call. */
export interface ChatCall {
  readonly model: string
  /** The last message of the user; what the answer is drawn from. */
  readonly user: string
  readonly promptTokens: number
  /** None when the client sets no limit. */
  readonly maxTokens: number | undefined
  readonly limitField: "max_tokens" | "max_completion_tokens" | undefined
  readonly format: "json_schema" | "json_object" | "text"
}

/** A call for embeddings. */
export interface EmbeddingsCall {
  readonly model: string
  readonly inputs: ReadonlyArray<string>
  readonly promptTokens: number
  readonly encoding: "float" | "base64"
  readonly dimensions: number | undefined
}

/** Tokens as this server counts them: a token is four bytes, a started one counts. */
export const tokensOf = (...texts: ReadonlyArray<string>): number =>
  Math.ceil(texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0) / 4)

/** Reads the body of a chat call, or says what is wrong with it. */
export const readChatCall = (body: unknown): Result.Result<ChatCall, ApiError> => {
  const decoded = Result.mapError(decodeChat(body), (issue) => badRequest(issue.message))
  return Result.flatMap(decoded, (chat) => {
    if (chat.stream === true) return Result.fail(badRequest("This server does not stream.", "stream"))
    const texts = chat.messages.map(({ content }) =>
      typeof content === "string" ? content : content.map((part) => part.text).join("\n")
    )
    const format = chat.response_format?.type ?? "text"
    const wrong =
      chat.response_format?.type === "json_schema" && chat.response_format.json_schema.strict === true
        ? strictFault(chat.response_format.json_schema.schema, "schema")
        : undefined
    if (wrong !== undefined) {
      return Result.fail(
        badRequest(`Invalid schema for response_format: ${wrong}`, "response_format", "invalid_json_schema")
      )
    }
    // OpenAI's own condition: without the word, models in JSON mode may write spaces for ever.
    if (format === "json_object" && !texts.some((text) => /json/i.test(text))) {
      const message =
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
      return Result.fail(badRequest(message, "messages"))
    }
    const maxTokens = chat.max_completion_tokens ?? chat.max_tokens ?? undefined
    if (maxTokens !== undefined && maxTokens < 1) {
      return Result.fail(badRequest("The token limit must be at least 1.", "max_completion_tokens"))
    }
    const user = chat.messages.findLastIndex(({ role }) => role === "user")
    return Result.succeed({
      model: chat.model,
      user: texts[user] ?? "",
      promptTokens: tokensOf(...texts),
      maxTokens,
      limitField: limitField(chat),
      format
    })
  })
}

const limitField = (chat: typeof ChatBody.Type): ChatCall["limitField"] => {
  if (chat.max_completion_tokens != null) return "max_completion_tokens"
  return chat.max_tokens == null ? undefined : "max_tokens"
}

/** Reads the body of a call for embeddings, or says what is wrong with it. */
export const readEmbeddingsCall = (body: unknown): Result.Result<EmbeddingsCall, ApiError> => {
  const decoded = Result.mapError(decodeEmbeddings(body), (issue) => badRequest(issue.message))
  return Result.flatMap(decoded, (call) => {
    const inputs = typeof call.input === "string" ? [call.input] : call.input
    if (inputs.length === 0 || inputs.includes("")) {
      return Result.fail(badRequest("'input' cannot be an empty array or hold an empty string.", "input"))
    }
    if (inputs.length > 2048) {
      return Result.fail(badRequest("'input' holds more than 2048 texts.", "input"))
    }
    if (call.dimensions !== undefined && (call.dimensions < 1 || call.dimensions > 8192)) {
      return Result.fail(badRequest("'dimensions' must be from 1 to 8192.", "dimensions"))
    }
    return Result.succeed({
      model: call.model,
      inputs,
      promptTokens: tokensOf(...inputs),
      encoding: call.encoding_format ?? "float",
      dimensions: call.dimensions
    })
  })
}

const parseJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

/** The body as JSON, or the error that OpenAI answers to anything else. */
export const readJson = (text: string): Result.Result<unknown, ApiError> =>
  Option.match(parseJson(text), {
    onNone: () => Result.fail(badRequest("We could not parse the JSON body of your request.")),
    onSome: Result.succeed
  })

// Strict schemas name every property as required and allow no others, at every level.
const strictFault = (schema: unknown, path: string): string | undefined => {
  if (!Predicate.isObject(schema)) return undefined
  const { items, properties } = schema
  if (Predicate.isObject(properties)) {
    const required: unknown = schema["required"]
    const missing = Object.keys(properties).filter(
      (name) => !Array.isArray(required) || !required.includes(name)
    )
    if (missing.length > 0) return `${path}: 'required' must name ${missing.join(", ")}`
    if (schema["additionalProperties"] !== false) return `${path}: 'additionalProperties' must be false`
    for (const [name, inner] of Object.entries(properties)) {
      const fault = strictFault(inner, `${path}.${name}`)
      if (fault !== undefined) return fault
    }
  }
  return strictFault(items, `${path}[]`)
}
