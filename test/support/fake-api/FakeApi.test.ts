import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { type FakeApi, FakeApiProcess, start } from "./FakeApi.ts"
import { chat, chatBody, completionOf, embeddings, errorOf, factsOf, send, vectorsOf } from "./testing.ts"

const lease = "[1] Ana Ruiz (2026-03-01T09:00:00Z): I signed the lease on Friday."
const deposit = "[1] Omar (2026-03-01T09:05:00Z): I will pay the deposit."

describe("chat", () => {
  it.effect.each([
    { response_format: { type: "json_object" } },
    {
      response_format: {
        type: "json_schema",
        json_schema: { name: "facts", strict: true, schema: { type: "object" } }
      }
    },
    {}
  ])("answers with the facts of the transcript, asked with %j", (format) =>
    Effect.gen(function* () {
      const api = yield* start()
      const { content, finish, refusal, usage } = completionOf(yield* chat(api, lease, format))
      expect(factsOf(content)).toMatchObject([
        { fact: "Ana Ruiz signed the lease on Friday", kind: "event", messages: [1] }
      ])
      expect({ finish, refusal }).toEqual({ finish: "stop", refusal: null })
      const prompt = Math.ceil(("Answer in JSON.".length + lease.length) / 4)
      const completion = Math.ceil(Buffer.byteLength(content ?? "") / 4)
      expect(usage).toMatchObject({
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt + completion
      })
    })
  )

  it.effect("reads messages whose content comes in parts", () =>
    Effect.gen(function* () {
      const api = yield* start()
      const messages = [{ role: "user", content: [{ type: "text", text: lease }] }]
      const { content } = completionOf(yield* chat(api, "", { messages }))
      expect(factsOf(content)).toHaveLength(1)
    })
  )

  it.effect.each(["max_tokens", "max_completion_tokens"])("cuts an answer that is longer than %s", (field) =>
    Effect.gen(function* () {
      const api = yield* start()
      const whole = completionOf(yield* chat(api, lease))
      const needed = whole.usage?.completion_tokens ?? 0
      const fits = completionOf(yield* chat(api, lease, { [field]: needed }))
      expect(fits).toEqual(whole)
      const cut = completionOf(yield* chat(api, lease, { [field]: 10 }))
      expect(cut).toMatchObject({ finish: "length", usage: { completion_tokens: 10 } })
      expect(whole.content?.startsWith(cut.content ?? "-")).toBe(true)
      expect(cut.content).toHaveLength(40)
    })
  )

  it.effect("never cuts a character in two", () =>
    Effect.gen(function* () {
      const api = yield* start()
      const user = "[1] 東京の山田 (2026-03-01): I moved to 京都 with 🦊🦊🦊 and I met Жанна."
      const whole = completionOf(yield* chat(api, user)).content ?? ""
      for (let limit = 3; limit < 14; limit++) {
        const { content } = completionOf(yield* chat(api, user, { max_tokens: limit }))
        expect(whole.startsWith(content ?? "-")).toBe(true)
        expect(Buffer.byteLength(content ?? "")).toBeGreaterThan(limit * 4 - 4)
      }
    })
  )

  it.effect.each([
    ["no JSON", "{"],
    ["no messages", { model: "m" }],
    ["a stream", chatBody(lease, { stream: true })],
    [
      "JSON mode without the word JSON in the messages",
      { model: "m", messages: [{ role: "user", content: "x" }], response_format: { type: "json_object" } }
    ],
    [
      "a strict schema with an optional property",
      chatBody(lease, {
        response_format: {
          type: "json_schema",
          json_schema: {
            name: "facts",
            strict: true,
            schema: { type: "object", additionalProperties: false, properties: { facts: {} }, required: [] }
          }
        }
      })
    ]
  ] as const)("refuses %s with 400", ([, body]) =>
    Effect.gen(function* () {
      const api = yield* start()
      const answer = yield* send(api, "/chat/completions", body)
      expect(answer.status).toBe(400)
      expect(errorOf(answer).type).toBe("invalid_request_error")
      expect((yield* api.stats).billed.answers).toBe(0)
    })
  )

  it.effect("refuses more tokens than the context holds, counting what the answer may have", () =>
    Effect.gen(function* () {
      const api = yield* start({ contextTokens: 100 })
      expect((yield* chat(api, lease, { max_tokens: 50 })).status).toBe(200)
      const answer = yield* chat(api, lease, { max_tokens: 100 })
      expect(answer.status).toBe(400)
      expect(errorOf(answer).code).toBe("context_length_exceeded")
    })
  )
})

describe("embeddings", () => {
  it.effect("gives the same vectors as numbers and as bytes, in the width that is asked for", () =>
    Effect.gen(function* () {
      const api = yield* start()
      const texts = ["Acme hired Bob", "Bob prefers tea"]
      const plain = vectorsOf(yield* embeddings(api, texts, { dimensions: 256 }))
      const bytes = vectorsOf(yield* embeddings(api, texts, { dimensions: 256, encoding_format: "base64" }))
      expect(plain.data.map(({ index }) => index)).toEqual([0, 1])
      expect(bytes.data.map(({ embedding }) => floats(embedding))).toEqual(
        plain.data.map((one) => one.embedding)
      )
      expect(floats(bytes.data[0]?.embedding)).toHaveLength(256)
      expect(plain.usage).toMatchObject({ prompt_tokens: Math.ceil(texts.join("").length / 4) })
    })
  )

  it.effect("is 1536 wide when no width is asked for", () =>
    Effect.gen(function* () {
      const api = yield* start()
      const { data } = vectorsOf(yield* embeddings(api, "x", { encoding_format: "base64" }))
      expect(floats(data[0]?.embedding)).toHaveLength(1536)
    })
  )

  it.effect.each([
    { what: "no text", input: [] },
    { what: "an empty text", input: ["a", ""] },
    { what: "more than 2048 texts", input: Array.from({ length: 2049 }, () => "a") },
    { what: "a text beyond the context", input: ["a".repeat(8192 * 4 + 1)] }
  ])("refuses $what", ({ input }) =>
    Effect.gen(function* () {
      const api = yield* start()
      expect((yield* embeddings(api, input)).status).toBe(400)
      expect((yield* api.stats).billed.answers).toBe(0)
    })
  )
})

describe("models and keys", () => {
  it.effect("lists the models that it knows and no others", () =>
    Effect.gen(function* () {
      const api = yield* start({ models: ["gpt-4o-mini", "meta/llama"] })
      expect((yield* send(api, "/models")).text).toContain('"meta/llama"')
      expect((yield* send(api, "/models/meta/llama")).status).toBe(200)
      expect((yield* send(api, "/models/meta%2Fllama")).status).toBe(200)
      expect(errorOf(yield* send(api, "/models/gpt-9")).code).toBe("model_not_found")
      expect(errorOf(yield* chat(api, lease, { model: "gpt-9" })).code).toBe("model_not_found")
    })
  )

  it.effect("asks for the key when it has one, and never repeats the one it was given", () =>
    Effect.gen(function* () {
      const api = yield* start({ key: "sk-right" })
      const body = chatBody(lease)
      expect((yield* send(api, "/chat/completions", body)).status).toBe(401)
      const wrong = yield* send(api, "/chat/completions", body, { authorization: "Bearer sk-wrong-key" })
      expect(errorOf(wrong).code).toBe("invalid_api_key")
      expect(wrong.text).not.toContain("wrong-key")
      expect((yield* send(api, "/models", undefined, { authorization: "Bearer sk-wrong" })).status).toBe(401)
      const right = yield* send(api, "/chat/completions", body, { authorization: "Bearer sk-right" })
      expect(right.status).toBe(200)
    })
  )

  it.effect("says that it is well, and what it does not serve", () =>
    Effect.gen(function* () {
      const api = yield* start()
      const origin = { ...api, url: new URL(api.url).origin }
      expect((yield* send(origin, "/healthz")).status).toBe(200)
      expect((yield* send(origin, "/chat/completions", chatBody(lease))).status).toBe(404)
    })
  )
})

describe("the books", () => {
  it.effect("bill each answer, exactly, and count each request once", () =>
    Effect.gen(function* () {
      const api = yield* start({ prices: { "gpt-4o-mini": { input: "0.15", output: "0.60" } } })
      const { usage } = completionOf(yield* chat(api, lease))
      yield* chat(api, lease)
      yield* embeddings(api, ["one", "two", "three"])
      yield* send(api, "/chat/completions", { model: "m" })
      const stats = yield* api.stats
      const prompt = 2 * (usage?.prompt_tokens ?? 0)
      const completion = 2 * (usage?.completion_tokens ?? 0)
      expect(stats).toMatchObject({
        requests: 4,
        chatCalls: 2,
        chatAnswers: 2,
        embeddingCalls: 1,
        embeddingAnswers: 1,
        embeddingInputs: 3,
        inFlight: 0,
        mostInFlight: 1,
        statuses: { 200: 3, 400: 1 },
        unpriced: ["text-embedding-3-small"]
      })
      expect(stats.models["gpt-4o-mini"]).toMatchObject({
        answers: 2,
        promptTokens: prompt,
        completionTokens: completion
      })
      // 0.15 and 0.60 dollars a million tokens are 15 and 60 times 10^-8 dollars a token.
      expect(stats.billed.usd).toBe(`${(prompt * 15 + completion * 60) / 1e8}`)
      expect(stats.billed.promptTokens).toBe(prompt + 3)
    })
  )

  it.effect("log requests in the order they came, so that what is asked twice shows", () =>
    Effect.gen(function* () {
      const api = yield* start()
      yield* chat(api, lease)
      yield* chat(api, deposit)
      yield* chat(api, lease)
      yield* embeddings(api, ["a", "b"])
      yield* embeddings(api, "b")
      const log = yield* api.log
      expect(log.map(({ attempt, number, outcome }) => [number, attempt, outcome])).toEqual([
        [1, 1, "answered"],
        [2, 1, "answered"],
        [3, 2, "answered"],
        [4, 1, "answered"],
        [5, 1, "answered"]
      ])
      expect(log[0]?.message).toBe(log[2]?.message)
      expect(log[0]?.message).not.toBe(log[1]?.message)
      expect(log[3]?.inputs[1]).toBe(log[4]?.inputs[0])
    })
  )

  it.effect("count without logging beyond the log's limit, and begin anew when told", () =>
    Effect.gen(function* () {
      const api = yield* start({ logLimit: 1 })
      yield* chat(api, lease)
      yield* chat(api, lease)
      expect(yield* api.log).toHaveLength(1)
      expect(yield* api.stats).toMatchObject({ requests: 2, unlogged: 1 })
      yield* api.control({ resetCounters: true })
      expect(yield* api.log).toEqual([])
      expect(yield* api.stats).toMatchObject({ requests: 0, chatCalls: 0, billed: { answers: 0, usd: "0" } })
    })
  )

  it.effect("know how many calls were in flight at the same time", () =>
    Effect.gen(function* () {
      const api = yield* start({ hold: true })
      const calls = yield* Effect.forkChild(
        Effect.all([chat(api, lease), chat(api, deposit), embeddings(api, "x")], { concurrency: 3 })
      )
      expect(yield* api.reached({ inFlight: 3 })).toMatchObject({
        chatInFlight: 2,
        mostInFlight: 3,
        chatAnswers: 0
      })
      yield* api.control({ hold: false })
      expect((yield* Fiber.join(calls)).map(({ status }) => status)).toEqual([200, 200, 200])
      expect(yield* api.stats).toMatchObject({
        inFlight: 0,
        mostInFlight: 3,
        mostChatInFlight: 2,
        chatAnswers: 2
      })
    })
  )

  it.effect("bill nothing to a client that goes away before the answer", () =>
    Effect.gen(function* () {
      const api = yield* start({ hold: true })
      const call = yield* Effect.forkChild(chat(api, lease))
      yield* api.reached({ chatInFlight: 1 })
      yield* Fiber.interrupt(call)
      yield* api.reached({ aborted: 1 })
      yield* api.control({ hold: false })
      expect(yield* api.stats).toMatchObject({ inFlight: 0, aborted: 1, chatAnswers: 0 })
      expect(yield* api.log).toMatchObject([{ outcome: "aborted", billed: false, status: null }])
    })
  )

  it.effect("bill in full a client that goes away in the middle of the answer", () =>
    Effect.gen(function* () {
      const api = yield* start({ rules: [{ fault: "trickle", paceMs: 3_600_000 }] })
      yield* firstPiece(api)
      const { billed } = yield* api.reached({ aborted: 1 })
      expect(billed).toMatchObject({ answers: 1 })
      expect(billed.completionTokens).toBeGreaterThan(0)
      expect(yield* api.log).toMatchObject([{ outcome: "aborted", billed: true, status: 200 }])
    })
  )
})

describe("latency", () => {
  const latencies = (options: { readonly seed: number; readonly reverse?: boolean }) =>
    Effect.gen(function* () {
      const api = yield* start({
        seed: options.seed,
        chatLatencyMs: 1500,
        embeddingLatencyMs: 120,
        timeScale: 0.001
      })
      const asked = Array.from({ length: 20 }, (_, at) => `${lease} ${at}`)
      yield* Effect.forEach(options.reverse === true ? asked.toReversed() : asked, (user) => chat(api, user))
      yield* embeddings(api, "x")
      const log = yield* api.log
      const stats = yield* api.stats
      expect(stats.chatLatencyMs).toBeCloseTo(
        log.slice(0, 20).reduce((sum, entry) => sum + entry.latencyMs, 0),
        6
      )
      expect(stats.embeddingLatencyMs).toBe(log[20]?.latencyMs)
      return new Map(log.map(({ latencyMs, message }) => [message, latencyMs]))
    })

  it.effect("depends on the seed and the message, and not on the order", () =>
    Effect.gen(function* () {
      const first = yield* latencies({ seed: 1 })
      expect(yield* latencies({ seed: 1, reverse: true })).toEqual(first)
      expect(yield* latencies({ seed: 2 })).not.toEqual(first)
      const sorted = [...first.values()].toSorted((a, b) => a - b)
      expect(sorted[10]).toBeGreaterThan(0.75)
      expect(sorted[10]).toBeLessThan(3)
    })
  )

  it.effect("is always the median when it is fixed, times the scale", () =>
    Effect.gen(function* () {
      const api = yield* start({ chatLatencyMs: 50, latencyShape: "fixed", timeScale: 0.1 })
      yield* chat(api, lease)
      yield* chat(api, deposit)
      expect((yield* api.log).map(({ latencyMs }) => latencyMs)).toEqual([5, 5])
    })
  )
})

describe("control", () => {
  it.effect("refuses what it does not know, and shows no key", () =>
    Effect.gen(function* () {
      const api = yield* start({ key: "sk-secret" })
      const origin = { ...api, url: new URL(api.url).origin }
      const unknown = yield* send(origin, "/__control", { chatLatency: 5 })
      expect(unknown.status).toBe(400)
      expect(unknown.text).toContain("chatLatency")
      const known = yield* send(origin, "/__control", { chatLatencyMs: 5 })
      expect(known.text).toContain('"chatLatencyMs":5')
      expect(known.text).not.toContain("sk-secret")
    })
  )

  it.effect("ends with its scope, and all its connections with it", () =>
    Effect.gen(function* () {
      const api = yield* Effect.scoped(
        Effect.gen(function* () {
          const api = yield* start({ hold: true })
          yield* Effect.forkDetach(chat(api, lease))
          yield* api.reached({ chatInFlight: 1 })
          return api
        })
      )
      expect(Exit.isFailure(yield* Effect.exit(chat(api, lease)))).toBe(true)
    })
  )

  it.effect("says why it cannot start", () =>
    Effect.gen(function* () {
      const api = yield* start()
      const error = yield* Effect.flip(start({ port: Number(new URL(api.url).port) }))
      expect(error.message).toContain("EADDRINUSE")
    })
  )
})

describe("FakeApiProcess", () => {
  it.effect("is the same server in another process, for as long as the scope lives", () =>
    Effect.gen(function* () {
      const api = yield* Effect.scoped(
        Effect.gen(function* () {
          const api = yield* FakeApiProcess.start({ rules: [{ fault: "503", nth: [1] }] })
          expect((yield* chat(api, lease)).status).toBe(503)
          expect(factsOf(completionOf(yield* chat(api, lease)).content)).toHaveLength(1)
          expect(yield* api.stats).toMatchObject({ chatCalls: 2, chatAnswers: 1, chatLatencyMs: 0 })
          return api
        })
      )
      expect(Exit.isFailure(yield* Effect.exit(chat(api, lease)))).toBe(true)
    })
  )

  it.effect("prints its address first, takes flags, and ends when its parent's pipe does", () =>
    Effect.promise(async () => {
      const main = fileURLToPath(new URL("./main.ts", import.meta.url))
      const flags = ["--chat-latency", "0", "--key", "sk-1", "--requests-per-minute", "5"]
      const child = spawn(process.execPath, [main, ...flags, "--exit-with-parent"], {
        stdio: ["pipe", "pipe", "inherit"]
      })
      const exit = once(child, "exit")
      const [line] = await once(child.stdout, "data")
      const url = String(line).trim()
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/)
      const response = await fetch(`${url}/chat/completions`, {
        method: "POST",
        body: JSON.stringify(chatBody(lease)),
        headers: { authorization: "Bearer sk-1" }
      })
      expect(response.headers.get("x-ratelimit-remaining-requests")).toBe("4")
      child.stdin.end()
      expect(await exit).toEqual([0, null])
    })
  )
})

const floats = (embedding: unknown): ReadonlyArray<number> => [
  ...new Float32Array(new Uint8Array(Buffer.from(String(embedding), "base64")).buffer)
]

/** Asks, reads the first piece of the answer, and goes away. */
const firstPiece = (api: FakeApi) =>
  Effect.promise(async () => {
    const abort = new AbortController()
    const init = { method: "POST", body: JSON.stringify(chatBody(lease)), signal: abort.signal }
    const response = await fetch(`${api.url}/chat/completions`, init)
    await response.body?.getReader().read()
    abort.abort()
  })
