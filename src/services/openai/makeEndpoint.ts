/** The endpoint of one model, by the `openai` package; it learns what its server does not have. */
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

/** How a chat is asked for, where servers differ. */
interface Words {
  readonly form: AnswerForm
  readonly field: "max_completion_tokens" | "max_tokens"
}

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
  // What is asked for until the server turns out not to have it. Calls that are under way when the first of them is refused are
  // refused for the same.
  let answerForm: AnswerForm = "json_schema"
  let limitField: Words["field"] = "max_completion_tokens"
  const isKnown = Option.isSome(defaultWidth(options.model))
  let asksForWidth = true

  const request = <A>(timeout: Duration.Duration, send: (signal: AbortSignal) => Promise<A>) =>
    Effect.flatMap(Clock.Clock, (clock) =>
      // What a refusal says about time, it says of the moment when it came.
      Effect.tryPromise({
        try: send,
        catch: (cause) => failure(about, cause, clock.currentTimeMillisUnsafe())
      }).pipe(
        Effect.timeoutOrElse({
          duration: timeout,
          orElse: () => Effect.fail(timedOut(about, timeout))
        })
      )
    )

  const chat = (ask: ChatRequest): Effect.Effect<RawChatAnswer, FailedAttempt> =>
    Effect.suspend(() => {
      const sent = { form: ask.schema === undefined ? ("none" as const) : answerForm, field: limitField }
      return Effect.catchIf(
        chatIn(sent, ask),
        ({ error }) => error.reason === "Rejected" && stepDown(sent, error.message),
        () => chat(ask)
      )
    })

  const chatIn = Effect.fnUntraced(function* ({ field, form }: Words, ask: ChatRequest) {
    const { chat: timeout } = yield* CallTimeouts
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
  })

  // Whether a call that was refused may be asked again, in the words that are used from now on. It is what that call had asked for
  // that was refused, not what others have stepped down to meanwhile.
  const stepDown = (sent: Words, message: string): boolean => {
    const text = message.toLowerCase()
    if (text.includes("max_completion_tokens") && sent.field === "max_completion_tokens") {
      limitField = "max_tokens"
      return true
    }
    if (/response_format|json_schema|json_object|structured/.test(text) && sent.form !== "none") {
      if (answerForm === sent.form) answerForm = sent.form === "json_schema" ? "json_object" : "none"
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
