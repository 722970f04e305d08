/** Plain requests for the tests of the server: what a client sees, without a client's help. */
import { Effect, Schema } from "effect"
import type { FakeApi } from "./FakeApi.ts"

/** An answer as it came. */
export interface Answer {
  readonly status: number
  readonly header: (name: string) => string | null
  readonly text: string
}

/** Sends a request; fails when the connection does. */
export const send = (api: FakeApi, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  Effect.tryPromise({
    try: async (signal): Promise<Answer> => {
      const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }
      const response = await fetch(`${api.url}${path}`, { ...init, headers, signal })
      const text = await response.text()
      return { status: response.status, header: (name) => response.headers.get(name), text }
    },
    catch: (cause) => cause
  })

/** The body of a chat call. */
export const chatBody = (user: string, more: Record<string, unknown> = {}) => ({
  model: "gpt-4o-mini",
  messages: [
    { role: "system", content: "Answer in JSON." },
    { role: "user", content: user }
  ],
  ...more
})

/** A chat call. */
export const chat = (api: FakeApi, user: string, more: Record<string, unknown> = {}) =>
  send(api, "/chat/completions", chatBody(user, more))

/** A call for embeddings. */
export const embeddings = (
  api: FakeApi,
  input: string | ReadonlyArray<string>,
  more: Record<string, unknown> = {}
) => send(api, "/embeddings", { model: "text-embedding-3-small", input, ...more })

const Completion = Schema.Struct({
  choices: Schema.NonEmptyArray(
    Schema.Struct({
      finish_reason: Schema.String,
      message: Schema.Struct({ content: Schema.NullOr(Schema.String), refusal: Schema.NullOr(Schema.String) })
    })
  ),
  usage: Schema.optionalKey(
    Schema.Struct({ prompt_tokens: Schema.Int, completion_tokens: Schema.Int, total_tokens: Schema.Int })
  )
})

const Vectors = Schema.Struct({
  data: Schema.Array(Schema.Struct({ index: Schema.Int, embedding: Schema.Unknown })),
  usage: Schema.optionalKey(Schema.Struct({ prompt_tokens: Schema.Int, total_tokens: Schema.Int }))
})

const Failure = Schema.Struct({
  error: Schema.Struct({
    message: Schema.String,
    type: Schema.String,
    code: Schema.NullOr(Schema.String),
    param: Schema.NullOr(Schema.String)
  })
})

/** What was said in a chat answer. */
export const completionOf = (answer: Answer) => {
  const { choices, usage } = Schema.decodeUnknownSync(Schema.fromJsonString(Completion))(answer.text)
  const { finish_reason: finish, message } = choices[0]
  return { finish, ...message, usage }
}

/** The facts of an answer's content, which must be JSON. */
export const factsOf = (content: string | null): ReadonlyArray<Record<string, unknown>> =>
  Schema.decodeUnknownSync(
    Schema.fromJsonString(
      Schema.Struct({ facts: Schema.Array(Schema.Record(Schema.String, Schema.Unknown)) })
    )
  )(content).facts

/** The vectors of an answer, as they came. */
export const vectorsOf = (answer: Answer) =>
  Schema.decodeUnknownSync(Schema.fromJsonString(Vectors))(answer.text)

/** The error of an answer. */
export const errorOf = (answer: Answer) =>
  Schema.decodeUnknownSync(Schema.fromJsonString(Failure))(answer.text).error
