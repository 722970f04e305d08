/**
 * The stand-in: an OpenAI-compatible server on the loopback interface, which answers by rules instead of a model, keeps books of
 * what it would have billed, and can be told to misbehave as real servers do.
 */
import { Effect } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { loadTokenCounter } from "../../../src/services/TokenCounter.ts"
import { type Behaviour, drawLatency, type Fault, type Rule, seeded, wellBehaved } from "./behaviour.ts"
import { standInFacts } from "./facts.ts"
import { hasParts, type MultimodalRequest, readMultimodal } from "./multimodal.ts"
import { standInVector } from "./vectors.ts"

/** What the server has seen and done. */
export interface Stats {
  requests: number
  chatCalls: number
  embeddingCalls: number
  embeddingInputs: number
  inFlight: number
  mostChatInFlight: number
  mostEmbeddingsInFlight: number
  /** Milliseconds that the chat calls took that were answered, with the making of the answer. */
  chatLatencySum: number
  /** The same of embedding calls. */
  embeddingLatencySum: number
  rateLimited: number
  abortedByClient: number
  /** Tokens of answers that were sent. */
  promptTokens: number
  completionTokens: number
  embeddingTokens: number
  /** Pixels of images whose vectors were sent. */
  imagePixels: number
}

/** One request, for tests that ask whether something was paid twice. */
export interface LogEntry {
  readonly endpoint: string
  readonly model: string
  /** The last user message, or the first text to embed. */
  readonly text: string
  /** What else was asked for, beside the texts. */
  readonly parameters: Readonly<Record<string, unknown>>
  outcome: "answered" | "fault" | "rate-limited" | "aborted"
}

/** A running stand-in. */
export interface StandIn {
  readonly url: string
  readonly stats: () => Stats
  readonly log: () => ReadonlyArray<LogEntry>
  readonly behave: (change: Partial<Behaviour>) => void
  readonly close: () => Promise<void>
}

const count = await Effect.runPromise(loadTokenCounter)

// Instructions and schemas are the same in every call: counted once.
const counted = new Map<string, number>()
const countOnce = (text: string): number => {
  const known = counted.get(text)
  if (known !== undefined) return known
  const tokens = count(text)
  counted.set(text, tokens)
  return tokens
}

const parametersOf = (asked: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(asked).filter(([key]) => !["input", "inputs", "messages", "model"].includes(key))
  )

// Voyage tells text and images apart; others count tokens.
const usageOf = (tokens: number, pixels: number | undefined) =>
  pixels === undefined
    ? { prompt_tokens: tokens, total_tokens: tokens }
    : {
        prompt_tokens: tokens,
        text_tokens: tokens,
        image_pixels: pixels,
        total_tokens: tokens + Math.ceil(pixels / 560)
      }

const none = (): Stats => ({
  requests: 0,
  chatCalls: 0,
  embeddingCalls: 0,
  embeddingInputs: 0,
  inFlight: 0,
  mostChatInFlight: 0,
  mostEmbeddingsInFlight: 0,
  chatLatencySum: 0,
  embeddingLatencySum: 0,
  rateLimited: 0,
  abortedByClient: 0,
  promptTokens: 0,
  completionTokens: 0,
  embeddingTokens: 0,
  imagePixels: 0
})

interface Bucket {
  level: number
  at: number
}

/** Starts a stand-in on a free port, or on the one asked for. */
export const startStandIn = (
  options: Partial<Behaviour> & { readonly port?: number; readonly logged?: boolean } = {}
): Promise<StandIn> => {
  const behaviour: Behaviour = { ...wellBehaved, ...options }
  const logged = options.logged ?? true
  let random = seeded(behaviour.seed)
  const stats = none()
  const log: Array<LogEntry> = []
  const seen = new Map<number, number>()
  // As providers do, each model has an allowance of its own.
  const buckets = new Map<string, Bucket>()
  let chatInFlight = 0
  let embeddingsInFlight = 0

  const take = (name: string, limit: number, amount: number) => {
    const bucket = buckets.get(name) ?? { level: NaN, at: 0 }
    buckets.set(name, bucket)
    const now = performance.now()
    bucket.level = Number.isNaN(bucket.level)
      ? limit
      : Math.min(limit, bucket.level + ((now - bucket.at) * limit) / 60_000)
    bucket.at = now
    if (bucket.level < amount)
      return { ok: false, remaining: 0, waitMs: ((amount - bucket.level) * 60_000) / limit }
    bucket.level -= amount
    return {
      ok: true,
      remaining: Math.floor(bucket.level),
      waitMs: ((limit - bucket.level) * 60_000) / limit
    }
  }

  const ruleFor = (endpoint: "chat" | "embeddings", text: string): Rule | undefined => {
    for (const [index, rule] of behaviour.rules.entries()) {
      if (rule.endpoint !== undefined && rule.endpoint !== endpoint) continue
      if (rule.contains !== undefined && !text.includes(rule.contains)) continue
      const count = (seen.get(index) ?? 0) + 1
      seen.set(index, count)
      if (rule.after !== undefined && count <= rule.after) continue
      if (rule.times !== undefined && count > (rule.after ?? 0) + rule.times) continue
      if (rule.probability !== undefined && random() >= rule.probability) continue
      return rule
    }
    return undefined
  }

  const send = (
    response: ServerResponse,
    status: number,
    body: unknown,
    headers: Readonly<Record<string, string>> = {}
  ) => {
    const text = typeof body === "string" ? body : JSON.stringify(body)
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      ...headers
    })
    response.end(text)
  }

  const error = (message: string, code: string | null, type = "invalid_request_error") => ({
    error: { message, type, code, param: null }
  })

  const limitHeaders = (
    response: ServerResponse,
    model: string,
    tokens: number
  ): Record<string, string> | undefined => {
    const headers: Record<string, string> = {}
    for (const [kind, limit, amount] of [
      ["requests", behaviour.requestsPerMinute, 1],
      ["tokens", behaviour.tokensPerMinute, tokens]
    ] as const) {
      if (limit === null) continue
      const { ok, remaining, waitMs } = take(`${model} ${kind}`, limit, amount)
      headers[`x-ratelimit-limit-${kind}`] = String(limit)
      headers[`x-ratelimit-remaining-${kind}`] = String(remaining)
      headers[`x-ratelimit-reset-${kind}`] = `${(waitMs / 1000).toFixed(3)}s`
      if (!ok) {
        stats.rateLimited++
        send(response, 429, error(`Rate limit reached for ${kind}`, "rate_limit_exceeded", kind), {
          ...headers,
          "retry-after-ms": String(Math.ceil(waitMs)),
          "retry-after": String(Math.ceil(waitMs / 1000))
        })
        return undefined
      }
    }
    return headers
  }

  const completion = (
    model: string,
    prompt: string,
    promptTokens: number,
    fault: Fault | undefined,
    maxTokens: number
  ) => {
    let content = JSON.stringify({ facts: standInFacts(prompt) })
    let finish = "stop"
    let refusal: string | null = null
    if (fault?.kind === "content") content = fault.content
    if (fault?.kind === "thousand-facts") {
      const one = {
        fact: "",
        kind: "fact",
        entity: null,
        confidence: 1,
        notability: "low",
        metric: null,
        value: null,
        unit: null,
        period: null,
        messages: [1]
      }
      content = JSON.stringify({
        facts: Array.from({ length: 1000 }, (_, index) => ({
          ...one,
          fact: `Claim number ${index} is made.`
        }))
      })
    }
    if (fault?.kind === "length" && maxTokens < fault.needs) {
      content = content.slice(0, Math.floor(content.length / 2))
      finish = "length"
    }
    if (fault?.kind === "refusal") {
      refusal = "I cannot help with that."
      content = ""
    }
    if (fault?.kind === "filter") {
      finish = "content_filter"
      content = ""
    }
    const usage = {
      prompt_tokens: promptTokens,
      completion_tokens: Math.min(maxTokens, count(content)),
      total_tokens: 0
    }
    usage.total_tokens = usage.prompt_tokens + usage.completion_tokens
    return {
      id: `chatcmpl-${stats.chatCalls}`,
      object: "chat.completion",
      created: 0,
      model,
      choices: [
        {
          index: 0,
          finish_reason: finish,
          message: { role: "assistant", content: refusal === null ? content : null, refusal }
        }
      ],
      ...(fault?.kind === "no-usage" ? {} : { usage })
    }
  }

  const embeddings = (
    model: string,
    inputs: ReadonlyArray<string>,
    tokens: number,
    dimensions: number,
    base64: boolean,
    fault: Fault | undefined,
    spoilt: string,
    pixels: number | undefined
  ) => {
    const how = fault?.kind === "vectors" ? fault.how : undefined
    const data = inputs.map((input, index) => {
      const vector = standInVector(input, how === "width" ? dimensions - 1 : dimensions)
      if (how === "nan" || (how === "nan-one" && input.includes(spoilt))) vector[0] = Number.NaN
      const embedding = base64 ? Buffer.from(vector.buffer).toString("base64") : [...vector]
      return { object: "embedding", index, embedding }
    })
    if (how === "few") data.pop()
    if (how === "shuffled") data.reverse()
    const answeredBy = fault?.kind === "model" ? fault.name : model
    return { object: "list", model: answeredBy, data, usage: usageOf(tokens, pixels) }
  }

  // OpenAI's words for what it does not take.
  const refusedInput = (inputs: ReadonlyArray<string>, tokens: number) => {
    const limits = behaviour.embeddingLimits
    if (inputs.length === 0 || inputs.some((input) => input === ""))
      return error("'$.input' is invalid.", null)
    if (inputs.length > limits.inputs)
      return error(`'$.input' is invalid: more than ${limits.inputs} inputs.`, null)
    const longest = Math.max(...inputs.map((input) => (input.length > limits.inputTokens ? count(input) : 0)))
    if (longest > limits.inputTokens) {
      return error(
        `This model's maximum context length is ${limits.inputTokens} tokens, however you requested ${longest} tokens.`,
        null
      )
    }
    return tokens > limits.tokens
      ? error(`Requested ${tokens} tokens, max ${limits.tokens} tokens per request`, "max_tokens_per_request")
      : undefined
  }

  const serve = (
    endpoint: "chat" | "embeddings",
    request: IncomingMessage,
    response: ServerResponse,
    body: string,
    parts?: MultimodalRequest
  ) => {
    const arrivedAt = performance.now()
    if (behaviour.key !== null && request.headers.authorization !== `Bearer ${behaviour.key}`) {
      return send(response, 401, error("Incorrect API key provided: sk-…", "invalid_api_key"))
    }
    const asked = JSON.parse(body)
    const model = String(asked.model)
    const inputs: ReadonlyArray<string> = endpoint === "chat" ? [] : (parts?.inputs ?? [asked.input].flat())
    const prompt =
      endpoint === "chat"
        ? asked.messages.map((message: { content: string }) => message.content).join("\n")
        : inputs.join("\n")
    const tokens =
      endpoint === "chat"
        ? asked.messages.reduce(
            (sum: number, { content, role }: { content: string; role: string }) =>
              sum + (role === "system" ? countOnce(content) : count(content)),
            asked.response_format === undefined ? 0 : countOnce(JSON.stringify(asked.response_format))
          )
        : (parts === undefined ? inputs : [parts.words]).reduce((sum, input) => sum + count(input), 0)
    const entry: LogEntry = {
      endpoint,
      model,
      text: endpoint === "chat" ? asked.messages.at(-1).content : (inputs[0] ?? ""),
      parameters: parametersOf(asked),
      outcome: "answered"
    }
    if (logged) log.push(entry)
    if (endpoint === "chat" && asked.response_format !== undefined && !behaviour.structuredOutput) {
      entry.outcome = "fault"
      return send(response, 400, error("response_format is not supported by this server", null))
    }
    const refusal =
      parts?.refusal !== undefined
        ? error(parts.refusal, null)
        : behaviour.onlyWidth !== null && ("dimensions" in asked || "output_dimension" in asked)
          ? error("This model does not support specifying dimensions.", null)
          : endpoint === "embeddings" && parts === undefined
            ? refusedInput(inputs, tokens)
            : undefined
    if (refusal !== undefined) {
      entry.outcome = "fault"
      return send(response, 400, refusal)
    }
    const headers = limitHeaders(response, model, tokens)
    if (headers === undefined) {
      entry.outcome = "rate-limited"
      return
    }
    if (endpoint === "chat") {
      stats.chatCalls++
      chatInFlight++
      stats.mostChatInFlight = Math.max(stats.mostChatInFlight, chatInFlight)
    } else {
      stats.embeddingCalls++
      stats.embeddingInputs += inputs.length
      embeddingsInFlight++
      stats.mostEmbeddingsInFlight = Math.max(stats.mostEmbeddingsInFlight, embeddingsInFlight)
    }
    const rule = ruleFor(endpoint, prompt)
    const fault = rule?.fault
    const latency = drawLatency(
      endpoint === "chat" ? behaviour.chatLatency : behaviour.embeddingLatency,
      behaviour.spread,
      random
    )
    stats.inFlight++
    let over = false
    const end = (outcome: LogEntry["outcome"]) => {
      if (over) return
      over = true
      stats.inFlight--
      if (endpoint === "chat") chatInFlight--
      else embeddingsInFlight--
      entry.outcome = outcome
      if (outcome === "aborted") stats.abortedByClient++
    }
    response.on("close", () => end("aborted"))
    const act = () => {
      if (over) return
      if (fault?.kind === "hang") return
      const answer =
        endpoint === "chat"
          ? completion(
              model,
              prompt,
              tokens,
              fault,
              Number(asked.max_completion_tokens ?? asked.max_tokens ?? 4096)
            )
          : embeddings(
              model,
              inputs,
              tokens,
              Number(
                asked.output_dimension ??
                  asked.dimensions ??
                  behaviour.onlyWidth ??
                  (parts === undefined ? 1536 : 1024)
              ),
              asked.encoding_format === "base64",
              fault,
              rule?.contains ?? "",
              parts?.pixels
            )
      switch (fault?.kind) {
        case "status":
          end(fault.status === 429 ? "rate-limited" : "fault")
          if (fault.status === 429) stats.rateLimited++
          return send(response, fault.status, fault.body ?? error(`status ${fault.status}`, null), {
            ...headers,
            ...fault.headers
          })
        case "reset":
          end("fault")
          return response.socket?.resetAndDestroy()
        case "cut": {
          end("fault")
          const text = JSON.stringify(answer)
          response.writeHead(200, { "content-type": "application/json", "content-length": text.length })
          response.write(text.slice(0, text.length / 2))
          return setImmediate(() => response.socket?.destroy())
        }
        case "html":
          end("fault")
          return send(response, 502, "<html><body>Bad gateway</body></html>", { "content-type": "text/html" })
        case "empty":
          end("fault")
          return send(response, 200, "")
        default:
          break
      }
      end("answered")
      const took = performance.now() - arrivedAt
      if (endpoint === "chat") stats.chatLatencySum += took
      else stats.embeddingLatencySum += took
      if ("choices" in answer) {
        stats.promptTokens += tokens
        stats.completionTokens += answer.usage?.completion_tokens ?? 0
      } else {
        stats.embeddingTokens += tokens
        stats.imagePixels += parts?.pixels ?? 0
      }
      return send(response, 200, answer, headers)
    }
    if (latency === 0) act()
    else setTimeout(act, latency)
  }

  const behave = (change: Partial<Behaviour>) => {
    Object.assign(behaviour, change)
    if (change.seed !== undefined) random = seeded(change.seed)
    if (change.rules !== undefined) seen.clear()
    if (change.requestsPerMinute !== undefined || change.tokensPerMinute !== undefined) buckets.clear()
  }

  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8")
      const path = (request.url ?? "").replace(/\?.*$/, "")
      if (path === "/__stats") return send(response, 200, stats)
      if (path === "/__log") return send(response, 200, log)
      if (path === "/__control") {
        behave(JSON.parse(body))
        return send(response, 200, {})
      }
      stats.requests++
      if (path === "/v1/chat/completions") return serve("chat", request, response, body)
      if (path === "/v1/multimodalembeddings" || (path === "/v1/embeddings" && hasParts(JSON.parse(body)))) {
        return void readMultimodal(JSON.parse(body)).then((parts) =>
          serve("embeddings", request, response, body, parts)
        )
      }
      if (path === "/v1/embeddings") return serve("embeddings", request, response, body)
      if (path.startsWith("/v1/models")) {
        const id = decodeURIComponent(path.slice("/v1/models/".length))
        if (behaviour.key !== null && request.headers.authorization !== `Bearer ${behaviour.key}`) {
          return send(response, 401, error("Incorrect API key provided", "invalid_api_key"))
        }
        return id.startsWith("no-such")
          ? send(response, 404, error("no such model", "model_not_found"))
          : send(response, 200, { id, object: "model" })
      }
      return send(response, 404, error(`nothing at ${path}`, null))
    })
  })
  server.keepAliveTimeout = 60_000
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(options.port ?? 0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resolve({
        url: `http://127.0.0.1:${port}/v1`,
        stats: () => ({ ...stats }),
        log: () => [...log],
        behave,
        close: () =>
          new Promise((done) => {
            server.close(() => done())
            server.closeAllConnections()
          })
      })
    })
  })
}
