/**
 * One attempt at one call to an OpenAI-compatible endpoint, with the `openai` package: typed errors, the limits that the
 * headers tell, and what was used. Interrupting the fiber closes the request. Retries, limits and money are not its
 * business; see `ChatModel` and `EmbeddingModel`.
 */
import type Undici from "@effect/platform-node/Undici"
import OpenAI from "openai"
import { Clock, Config, Context, Duration, Effect, Layer, Option, Redacted, Schema } from "effect"
import { defaultWidth, refusesWidth, widthParameter } from "../domain/EmbeddingDimensions.ts"
import { ModelError } from "../domain/ModelError.ts"
import { parseModelId, type Provider, providers } from "../domain/ModelId.ts"
import { type RateLimitFacts, readRateLimits } from "../domain/RateLimitHeaders.ts"
import { BadSetting } from "./BrainConfig.ts"
import { type FailedAttempt, failure, timedOut } from "./openai/failures.ts"
import { type BadAnswer, type DecodedVectors, decodeVectors } from "./openai/vectors.ts"

/** How long an attempt may take. */
export const CallTimeouts = Context.Reference("gbrain/CallTimeouts", {
  defaultValue: () => ({ chat: Duration.seconds(300), embedding: Duration.seconds(60) })
})

/**
 * How long an attempt may take, by gbrain's variables, in milliseconds: `GBRAIN_AI_CHAT_TIMEOUT_MS`, `GBRAIN_AI_EMBED_TIMEOUT_MS`.
 */
export const callTimeoutsFromEnvironment = Layer.effect(
  CallTimeouts,
  Effect.gen(function* () {
    const { chat, embedding } = yield* CallTimeouts
    const read = Effect.fnUntraced(function* (variable: string, otherwise: Duration.Duration) {
      const text = Option.getOrElse(yield* Config.option(Config.String(variable)), () => "").trim()
      if (text === "") return otherwise
      if (/^[1-9]\d{0,8}$/.test(text)) return Duration.millis(Number(text))
      return yield* new BadSetting({
        key: variable,
        message: `${variable} is "${text}", which is no number of milliseconds, such as 300000.`
      })
    })
    return {
      chat: yield* read("GBRAIN_AI_CHAT_TIMEOUT_MS", chat),
      embedding: yield* read("GBRAIN_AI_EMBED_TIMEOUT_MS", embedding)
    }
  })
)

/** A chat call. */
export interface ChatRequest {
  readonly system: string
  readonly user: string
  readonly maxOutputTokens: number
  /** The form of the answer, where the server can keep to one. */
  readonly schema?: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> }
}

/** What was used, as the provider counts it. */
export interface TokenUsage {
  readonly inputTokens: number
  /** Part of `inputTokens`. */
  readonly cachedTokens: number
  readonly outputTokens: number
  /** Pixels of images, where they are paid for. */
  readonly imagePixels?: number
}

/** How an answer ended. */
export type Finish = "complete" | "truncated" | "refused" | "filtered"

/** An answer, whatever it is worth: it was paid for. */
export interface RawChatAnswer {
  readonly text: string
  readonly finish: Finish
  /** None when the server does not tell. */
  readonly usage: Option.Option<TokenUsage>
  readonly limits: RateLimitFacts
}

/** Vectors in the order of the texts. */
export interface RawEmbeddings extends DecodedVectors {
  readonly limits: RateLimitFacts
}

/** An answer as it came. */
export interface RawAnswer {
  readonly data: unknown
  readonly limits: RateLimitFacts
  /** The failure to tell when the data are not what was asked for. */
  readonly bad: (answer: BadAnswer) => FailedAttempt
}

/** What the texts are to each other: some models embed what is looked for otherwise than what is found. */
export type TextRole = "document" | "query"

/** The endpoint of one model. */
export interface Endpoint {
  readonly host: string
  readonly chat: (request: ChatRequest) => Effect.Effect<RawChatAnswer, FailedAttempt>
  readonly embed: (
    texts: ReadonlyArray<string>,
    dimensions: number,
    role: TextRole
  ) => Effect.Effect<RawEmbeddings, FailedAttempt>
  /**
   * An answer of another form than those above, as it came: `body` is posted to `path` below the endpoint's address. For forms
   * that the package does not know; `bad` makes the error for an answer that is not what was asked for. The model is asked for
   * vectors of `dimensions` where it can be.
   */
  readonly post: (
    path: string,
    body: Readonly<Record<string, unknown>>,
    dimensions: number
  ) => Effect.Effect<RawAnswer, FailedAttempt>
  /** Whether the endpoint answers and knows the model; costs nothing. */
  readonly check: Effect.Effect<void, FailedAttempt>
}

/** No key is set for a model's provider. */
export class MissingKey extends Schema.TaggedError<MissingKey>()("MissingKey", {
  model: Schema.String,
  message: Schema.String
}) {}

/** Endpoints by model. */
export class OpenAi extends Context.Service<
  OpenAi,
  {
    /** The endpoint for a model (`provider:model`); keys and addresses come from the environment. */
    readonly endpoint: (model: string) => Effect.Effect<Endpoint, MissingKey>
  }
>()("gbrain/OpenAi") {
  /**
   * Endpoints as the environment says: each provider's own variables for the key and, where it can be elsewhere, the address.
   */
  static readonly layer = Layer.effect(
    OpenAi,
    Effect.gen(function* () {
      // Connections of our own, closed with the scope; how long an answer may take is the Clock's to say, not theirs.
      const undici = yield* loadUndici
      const dispatcher = yield* Effect.acquireRelease(
        Effect.sync(() => new undici.Agent({ headersTimeout: 0, bodyTimeout: 0 })),
        (agent) => Effect.promise(() => agent.destroy())
      )
      const urls = new Map<string, string>()
      for (const { urlVariable } of Object.values(providers)) {
        if (urlVariable === undefined) continue
        const url = yield* Config.option(Config.String(urlVariable))
        if (Option.isSome(url) && url.value.trim() !== "") urls.set(urlVariable, url.value.trim())
      }
      const variables = new Set(Object.values(providers).flatMap((provider) => provider.keyVariables))
      const keys = new Map<string, Redacted.Redacted>()
      for (const variable of variables) {
        const key = yield* Config.option(Config.Redacted(variable))
        if (Option.isSome(key) && Redacted.value(key.value).trim() !== "") keys.set(variable, key.value)
      }
      return OpenAi.of({
        endpoint: Effect.fnUntraced(function* (model) {
          const { name, provider } = parseModelId(model)
          const known: Provider = providers[provider] ?? { baseUrl: "", keyVariables: [] }
          const elsewhere = urls.get(known.urlVariable ?? "")
          const key = known.keyVariables.flatMap((variable) => keys.get(variable) ?? [])[0]
          // A server of one's own often asks for no key at all.
          const keyless = known.keyless === true || elsewhere !== undefined
          if (key === undefined && !keyless) {
            return yield* new MissingKey({
              model,
              message:
                `No key for ${model}: set ${known.keyVariables.join(" or ")}` +
                (provider === "openai"
                  ? ", or OPENAI_BASE_URL for a compatible server that needs none."
                  : ".")
            })
          }
          return makeEndpoint({
            model,
            name,
            url: elsewhere ?? known.baseUrl,
            key: key ?? Redacted.make("none"),
            fetch: fetchWith(undici.fetch, dispatcher),
            isVoyage: provider === "voyage"
          })
        })
      })
    })
  )
}

const makeEndpoint = (options: {
  readonly model: string
  readonly name: string
  readonly url: string
  readonly key: Redacted.Redacted
  readonly fetch: ReturnType<typeof fetchWith>
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
  let answerForm: "json_schema" | "json_object" | "none" = "json_schema"
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

// Loaded when a model is asked, not by every command.
const loadUndici = Effect.promise(() => import("@effect/platform-node/Undici"))

// A dispatcher goes with the fetch of its own library. The `openai` package asks by address, and sends text.
const fetchWith =
  (send: typeof Undici.fetch, dispatcher: Undici.Dispatcher) =>
  (input: string | URL | Request, { body, headers, method, signal }: RequestInit = {}): Promise<Response> =>
    send(input instanceof Request ? input.url : input, {
      dispatcher,
      method: method ?? "GET",
      headers: Object.fromEntries(new Headers(headers)),
      body: typeof body === "string" ? body : null,
      signal: signal ?? null
    })

const responseFormat = (form: "json_schema" | "json_object" | "none", ask: ChatRequest) => {
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
  usage: Schema.optionalKey(
    Schema.NullOr(
      Schema.Struct({
        prompt_tokens: Schema.Finite,
        completion_tokens: Schema.Finite,
        prompt_tokens_details: Schema.optionalKey(
          Schema.NullOr(Schema.Struct({ cached_tokens: Schema.optionalKey(Schema.NullOr(Schema.Finite)) }))
        )
      })
    )
  )
})

const decodeCompletion = Schema.decodeUnknownOption(Completion)

const readChat = (
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
    usage: Option.map(Option.fromNullishOr(usage), (it) => ({
      inputTokens: it.prompt_tokens,
      cachedTokens: Math.min(it.prompt_tokens, it.prompt_tokens_details?.cached_tokens ?? 0),
      outputTokens: it.completion_tokens
    })),
    limits
  })
}
