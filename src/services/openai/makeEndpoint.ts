/** The endpoint of one model, by the `openai` package; it learns once what its server does not have. */
import OpenAI from "openai"
import { Clock, Duration, Effect, Option, Redacted } from "effect"
import { defaultWidth, refusesWidth, widthParameter } from "../../domain/EmbeddingDimensions.ts"
import { ModelError } from "../../domain/ModelError.ts"
import { type RateLimitFacts, readRateLimits } from "../../domain/RateLimitHeaders.ts"
import { CallTimeouts } from "../CallTimeouts.ts"
import { type AnswerForm, readChat, responseFormat } from "./completion.ts"
import type { Fetch } from "./connections.ts"
import type { ChatRequest, Endpoint, RawChatAnswer, TextRole } from "./Endpoint.ts"
import { type FailedAttempt, failure, timedOut } from "./failures.ts"
import { type BadAnswer, decodeVectors } from "./vectors.ts"

/** Makes it: `name` is what the server calls the model. */
export const makeEndpoint = (options: {
  readonly model: string
  readonly name: string
  readonly url: string
  readonly key: Redacted.Redacted
  readonly fetch: Fetch
  readonly isVoyage: boolean
}): Endpoint => {
  const client = new OpenAI({
    apiKey: Redacted.value(options.key),
    baseURL: options.url,
    fetch: options.fetch,
    maxRetries: 0,
    // Time is kept by the Clock; the package's own timer must never be the first.
    timeout: 24 * 60 * 60 * 1000,
    logLevel: "off"
  })
  const host = URL.parse(options.url)?.host ?? options.url
  const about = { model: options.model, endpoint: host }
  // What the server turned out not to have; learnt once, by the first call that is refused for it.
  let answerForm: AnswerForm = "json_schema"
  let limitField: "max_completion_tokens" | "max_tokens" = "max_completion_tokens"
  const isKnown = Option.isSome(defaultWidth(options.model))
  let asksForWidth = true

  const request = <A>(timeout: Duration.Duration, send: (signal: AbortSignal) => Promise<A>) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      return yield* Effect.tryPromise({ try: send, catch: (cause) => failure(about, cause, now) }).pipe(
        Effect.timeoutOrElse({
          duration: timeout,
          orElse: () => Effect.fail(timedOut(about, timeout))
        })
      )
    })

  const chat = (ask: ChatRequest): Effect.Effect<RawChatAnswer, FailedAttempt> =>
    Effect.gen(function* () {
      const { chat: timeout } = yield* CallTimeouts
      const form = ask.schema === undefined ? "none" : answerForm
      const field = limitField
      const { data, response } = yield* request(timeout, (signal) =>
        client.chat.completions
          .create(
            {
              model: options.name,
              messages: [
                { role: "system", content: ask.system },
                { role: "user", content: ask.user }
              ],
              [field]: ask.maxOutputTokens,
              ...responseFormat(form, ask)
            },
            { signal }
          )
          .withResponse()
      )
      return yield* readChat(
        about,
        data,
        readRateLimits((name) => response.headers.get(name), yield* Clock.currentTimeMillis)
      )
    }).pipe(
      Effect.catchIf(
        (failed) => failed.error.reason === "Rejected" && stepDown(failed.error.message),
        () => chat(ask)
      )
    )

  const stepDown = (message: string): boolean => {
    const text = message.toLowerCase()
    if (text.includes("max_completion_tokens") && limitField === "max_completion_tokens") {
      limitField = "max_tokens"
      return true
    }
    if (/response_format|json_schema|json_object|structured/.test(text) && answerForm !== "none") {
      answerForm = answerForm === "json_schema" ? "json_object" : "none"
      return true
    }
    return false
  }

  const badAnswer = ({ message, reason }: BadAnswer, limits: RateLimitFacts): FailedAttempt => ({
    error: new ModelError({ ...about, reason, message: `${options.model}: ${message}`, billed: "maybe" }),
    limits
  })

  // What does not fit is refused and named, rather than cut without a word.
  const inVoyagesWords = (role: TextRole) => (options.isVoyage ? { input_type: role, truncation: false } : {})

  // A model that is not known may have one width, and refuse to be asked for any.
  const askingForWidth = <A>(
    dimensions: number,
    send: (width: Readonly<Record<string, number>>) => Effect.Effect<A, FailedAttempt>
  ): Effect.Effect<A, FailedAttempt> =>
    Effect.suspend(() => {
      const width = asksForWidth ? widthParameter(options.model, dimensions) : {}
      return Effect.catchIf(
        send(width),
        ({ error }) =>
          error.reason === "Rejected" &&
          !isKnown &&
          Object.keys(width).length > 0 &&
          refusesWidth(error.message),
        () => {
          asksForWidth = false
          return send({})
        }
      )
    })

  const embed: Endpoint["embed"] = Effect.fnUntraced(function* (texts, dimensions, role) {
    const { embedding: timeout } = yield* CallTimeouts
    const { data, response } = yield* askingForWidth(dimensions, (width) =>
      request(timeout, (signal) =>
        client.embeddings
          .create(
            {
              model: options.name,
              input: [...texts],
              encoding_format: "base64",
              ...width,
              ...inVoyagesWords(role)
            },
            { signal }
          )
          .withResponse()
      )
    )
    const limits = readRateLimits((name) => response.headers.get(name), yield* Clock.currentTimeMillis)
    const decoded = decodeVectors(data, texts.length, dimensions)
    if (decoded._tag === "Failure") return yield* Effect.fail(badAnswer(decoded.failure, limits))
    return { ...decoded.success, limits }
  })

  const post: Endpoint["post"] = Effect.fnUntraced(function* (path, body, dimensions) {
    const { embedding: timeout } = yield* CallTimeouts
    const { data, response } = yield* askingForWidth(dimensions, (width) =>
      request(timeout, (signal) =>
        client.post<unknown>(path, { body: { ...body, ...width }, signal }).withResponse()
      )
    )
    const limits = readRateLimits((name) => response.headers.get(name), yield* Clock.currentTimeMillis)
    return {
      data,
      limits,
      bad: (answer) => badAnswer(answer, limits)
    }
  })

  const check: Endpoint["check"] = Effect.asVoid(
    request(Duration.seconds(10), (signal) => client.models.retrieve(options.name, { signal }))
  )

  return { host, chat, embed, post, check }
}
