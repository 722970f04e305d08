/**
 * The life of one request under /v1: let in, looked up in the plan, counted against the limit, kept waiting for its latency,
 * answered, billed, sent.
 */
import { createHash } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { Result, Schema } from "effect"
import {
  type ApiError,
  contextTooLong,
  overLimit,
  plannedError,
  unknownModel,
  unknownPath,
  wrongKey
} from "./ApiErrors.ts"
import { logNormal } from "./Chance.ts"
import { type Completion, complete } from "./Chat.ts"
import { embed } from "./Embeddings.ts"
import type { Ledger, LogEntry, OpenEntry } from "./Ledger.ts"
import { makePlan } from "./Plan.ts"
import { type Limiter, makeLimiter } from "./RateLimit.ts"
import { readChatCall, readEmbeddingsCall, readJson, tokensOf } from "./Requests.ts"
import {
  ChatFault,
  EmbeddingFault,
  type EndpointName,
  ErrorFault,
  type Fault,
  type Settings,
  TransportFault
} from "./Settings.ts"
import { sendAnswer, sendWhole } from "./Wire.ts"

/** What serving needs. */
export interface Context {
  readonly settings: () => Settings
  readonly ledger: Ledger
  /** Milliseconds since the server started. */
  readonly now: () => number
  /** Epoch milliseconds. */
  readonly date: () => number
  /** Runs `then` at once, or when nothing is held any more. */
  readonly whenReleased: (then: () => void) => void
}

/** A call that was understood. */
interface Call {
  readonly endpoint: EndpointName
  readonly model: string
  readonly texts: ReadonlyArray<string>
  /** Tokens counted against the limit. */
  readonly tokens: number
  readonly admits: (fault: Fault) => boolean
  /** What is wrong with the call itself, once it is let in. */
  readonly objection: (settings: Settings) => ApiError | undefined
  readonly answer: (settings: Settings, fault: Fault | undefined, serial: number) => Completion
}

const isError = Schema.is(ErrorFault)
const isTransport = Schema.is(TransportFault)
const isChat = Schema.is(ChatFault)
const isEmbedding = Schema.is(EmbeddingFault)
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

/** Serves requests under /v1. `body` is what was sent with it. */
export const makeServe = (context: Context) => {
  const { ledger } = context
  const plan = makePlan()
  const limiters = makeLimiters()

  const reject = (response: ServerResponse, entry: OpenEntry, error: ApiError) => {
    ledger.status(entry, error.status)
    sendWhole(response, error.status, error.headers, error.body)
  }

  const answer = (
    response: ServerResponse,
    entry: OpenEntry,
    call: Call,
    headers: Readonly<Record<string, string>>,
    rule: Settings["rules"][number] | undefined
  ) => {
    const completion = call.answer(context.settings(), rule?.fault, entry.number)
    ledger.status(entry, 200)
    if (call.endpoint !== "models") {
      ledger.bill(entry, call.model, completion.promptTokens, completion.completionTokens)
    }
    sendAnswer(response, headers, completion.body, rule)
  }

  return (request: IncomingMessage, response: ServerResponse, path: string, body: string): void => {
    const settings = context.settings()
    const entry = ledger.arrive(path, context.now())
    response.on("close", () => ledger.end(entry, outcomeOf(entry, response)))
    const given = request.headers.authorization?.replace(/^Bearer /, "")
    if (settings.key !== null && given !== settings.key) return reject(response, entry, wrongKey(given))
    if (request.method === "GET" && path === "/v1/models") {
      entry.endpoint = "models"
      ledger.status(entry, 200)
      return sendAnswer(response, {}, listOf(settings), undefined)
    }
    const read = readCall(request.method ?? "", path, body)
    if (Result.isFailure(read)) return reject(response, entry, read.failure)
    const call = read.success
    const hashes = call.endpoint === "embeddings" ? call.texts.map(sha256) : []
    const message = sha256(call.texts.join("\n"))
    ledger.begin(entry, call.endpoint, hashes.length)
    const { attempt, rule } = plan.next({ ...call, hash: message }, settings.rules, settings.seed)
    Object.assign(entry, { model: call.model, message, inputs: hashes, attempt, fault: rule?.fault ?? null })

    if (rule !== undefined && isError(rule.fault)) {
      return reject(response, entry, plannedError(rule.fault, rule, call.model, context.date()))
    }
    if (settings.models !== null && !settings.models.includes(call.model)) {
      return reject(response, entry, unknownModel(call.model))
    }
    const objection = call.objection(settings)
    if (objection !== undefined) return reject(response, entry, objection)
    const verdict =
      call.endpoint === "models"
        ? undefined
        : limiters(settings, call.model)?.take(context.now(), call.tokens)
    if (verdict?.refusedFor !== undefined) {
      const { headers, refusedFor, retryAfterMs, tooLarge } = verdict
      return reject(response, entry, overLimit(refusedFor, tooLarge, retryAfterMs, headers))
    }
    if (rule?.fault === "hang") return
    const headers = verdict?.headers ?? {}
    entry.latencyMs = latencyOf(settings, call.endpoint, `${settings.seed}/latency/${message}/${attempt}`)
    const send = () =>
      context.whenReleased(() => {
        if (!response.destroyed) answer(response, entry, call, headers, rule)
      })
    if (entry.latencyMs === 0) return send()
    const timer = setTimeout(send, entry.latencyMs)
    response.on("close", () => clearTimeout(timer))
  }
}

const outcomeOf = (entry: LogEntry, response: ServerResponse): LogEntry["outcome"] => {
  if (response.writableFinished) return entry.status === 200 ? "answered" : "rejected"
  return entry.fault === "reset" && entry.status !== null ? "broken" : "aborted"
}

const readCall = (method: string, path: string, body: string): Result.Result<Call, ApiError> => {
  const model = path.startsWith("/v1/models/") ? path.slice("/v1/models/".length) : ""
  if (method === "GET" && model !== "") return Result.succeed(modelCall(model))
  if (method === "POST" && path === "/v1/chat/completions") return Result.flatMap(readJson(body), chatCall)
  if (method === "POST" && path === "/v1/embeddings") return Result.flatMap(readJson(body), embeddingsCall)
  return Result.fail(unknownPath(method, path))
}

const chatCall = (body: unknown): Result.Result<Call, ApiError> =>
  Result.map(readChatCall(body), (chat) => ({
    endpoint: "chat" as const,
    model: chat.model,
    texts: [chat.user],
    tokens: chat.promptTokens + (chat.maxTokens ?? 0),
    admits: (fault: Fault) => {
      if (fault === "400-response-format") return chat.format !== "text"
      if (fault === "400-json-schema") return chat.format === "json_schema"
      if (fault === "400-max-completion-tokens") return chat.limitField === "max_completion_tokens"
      return isError(fault) || isTransport(fault) || isChat(fault)
    },
    objection: ({ contextTokens }: Settings) => {
      const tokens = chat.promptTokens + (chat.maxTokens ?? 0)
      return tokens > contextTokens ? contextTooLong(contextTokens, tokens) : undefined
    },
    answer: (_: Settings, fault: Fault | undefined, serial: number) => complete(chat, fault, serial)
  }))

const structuredOutput: ReadonlySet<Fault> = new Set<Fault>([
  "400-response-format",
  "400-json-schema",
  "400-max-completion-tokens"
])

const embeddingsCall = (body: unknown): Result.Result<Call, ApiError> =>
  Result.map(readEmbeddingsCall(body), (call) => ({
    endpoint: "embeddings" as const,
    model: call.model,
    texts: call.inputs,
    tokens: call.promptTokens,
    admits: (fault: Fault) =>
      !structuredOutput.has(fault) && (isError(fault) || isTransport(fault) || isEmbedding(fault)),
    objection: ({ embeddingInputTokens }: Settings) => {
      const longest = Math.max(...call.inputs.map((input) => tokensOf(input)))
      return longest > embeddingInputTokens ? contextTooLong(embeddingInputTokens, longest) : undefined
    },
    answer: (settings: Settings, fault: Fault | undefined) => embed(call, fault, settings.dimensions)
  }))

const modelCall = (model: string): Call => ({
  endpoint: "models",
  model,
  texts: [model],
  tokens: 0,
  admits: (fault) => !structuredOutput.has(fault) && (isError(fault) || isTransport(fault)),
  objection: () => undefined,
  answer: () => ({ body: JSON.stringify(describe(model)), promptTokens: 0, completionTokens: 0 })
})

const describe = (id: string) => ({ id, object: "model", created: 0, owned_by: "fake-api" })

const listOf = (settings: Settings): string =>
  JSON.stringify({
    object: "list",
    data: (settings.models ?? Object.keys(settings.prices)).map(describe)
  })

const latencyOf = (settings: Settings, endpoint: EndpointName, draw: string): number => {
  const median =
    (endpoint === "chat"
      ? settings.chatLatencyMs
      : endpoint === "embeddings"
        ? settings.embeddingLatencyMs
        : 0) * settings.timeScale
  return median === 0 || settings.latencyShape === "fixed" ? median : logNormal(median, draw)
}

/** One limiter for each model, all new when the limit in the settings is another. */
const makeLimiters = () => {
  let limit: Settings["rateLimit"] = null
  const limiters = new Map<string, Limiter>()
  return (settings: Settings, model: string): Limiter | undefined => {
    if (settings.rateLimit !== limit) limiters.clear()
    limit = settings.rateLimit
    if (limit === null) return undefined
    const limiter = limiters.get(model) ?? makeLimiter(limit)
    limiters.set(model, limiter)
    return limiter
  }
}
