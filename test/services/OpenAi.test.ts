import { createServer, type Server } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import { Context, Duration, Effect, Fiber, Layer, Option } from "effect"
import type { ModelErrorReason } from "../../src/domain/ModelError.ts"
import { CallTimeouts, callTimeoutsFromEnvironment } from "../../src/services/CallTimeouts.ts"
import { OpenAi } from "../../src/services/OpenAi.ts"
import { RetryPolicy } from "../../src/services/Retry.ts"
import { environment, standIn } from "../support/extraction.ts"
import type { Fault } from "../support/stand-in/behaviour.ts"

const secret = "sk-very-secret"

const endpointAt = (env: Readonly<Record<string, string>>, model = "openai:gpt-4.1-mini") =>
  Layer.build(OpenAi.layer.pipe(Layer.provide(environment(env)))).pipe(
    // The connections live as long as the test's scope.
    Effect.flatMap((context) => Context.get(context, OpenAi).endpoint(model))
  )

const at = (url: string, model?: string) =>
  endpointAt({ OPENAI_BASE_URL: url, OPENAI_API_KEY: secret }, model)

const question = {
  system: "Answer.",
  user: "BEGIN\n[1] Ana (2025-02-03): I signed the lease.\nEND",
  maxOutputTokens: 500,
  schema: { name: "facts", schema: { type: "object" } }
}

describe("OpenAi", () => {
  it.effect("keys and addresses come from the environment; without a key the variable is named", () =>
    Effect.gen(function* () {
      for (const [model, variable] of [
        ["openai:gpt-4.1-mini", "OPENAI_API_KEY"],
        ["anthropic:claude-haiku-4-5", "ANTHROPIC_API_KEY"],
        ["google:gemini-2.0-flash", "GEMINI_API_KEY"],
        ["voyage:voyage-4", "VOYAGE_API_KEY"]
      ] as const) {
        const error = yield* Effect.flip(endpointAt({ [variable]: " " }, model))
        expect(error).toMatchObject({ _tag: "MissingKey", message: expect.stringContaining(variable) })
        expect((yield* endpointAt({ [variable]: "key" }, model)).host).toMatch(/\./)
      }
      // A server of one's own asks for no key; its address does not lead other providers' models to it.
      const own = { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" }
      expect((yield* endpointAt(own)).host).toBe("127.0.0.1:9")
      expect((yield* endpointAt({ ...own, VOYAGE_API_KEY: "k" }, "voyage:voyage-4")).host).toBe(
        "api.voyageai.com"
      )
      expect((yield* endpointAt({}, "ollama:llama3")).host).toBe("localhost:11434")
      for (const address of ["127.0.0.1:9/v1", "localhost:9/v1", "notaurl", "ftp://x.org"])
        expect(yield* Effect.flip(at(address))).toMatchObject({
          message: expect.stringContaining(`OPENAI_BASE_URL is "${address}", which is no address`)
        })
    })
  )

  it.live("reads an answer, what it used, and the limits that its headers tell", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ requestsPerMinute: 600 })
      const endpoint = yield* at(api.url)
      const answer = yield* endpoint.chat(question)
      expect(JSON.parse(answer.text)).toMatchObject({ facts: [{ entity: "Ana" }] })
      expect(answer).toMatchObject({
        finish: "complete",
        usage: Option.some({
          cachedTokens: 0,
          inputTokens: expect.any(Number),
          outputTokens: expect.any(Number)
        }),
        limits: { requests: { limit: 600, remaining: 599 } }
      })
      const { inputTokens, vectors } = yield* endpoint.embed(["one", "two"], 8, "document")
      expect(vectors.map((vector) => vector.length)).toEqual([8, 8])
      expect(Option.isSome(inputTokens)).toBe(true)
      yield* endpoint.check
      expect(yield* Effect.flip((yield* at(api.url, "openai:no-such-model")).check)).toMatchObject({
        error: { reason: "UnknownModel" }
      })
    }).pipe(Effect.scoped)
  )

  it.live("a server that has moved is followed to where it is, with the question", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const moved = yield* Effect.acquireRelease(
        Effect.callback<Server>((resume) => {
          const server = createServer((request, response) => {
            response.writeHead(308, { location: new URL(request.url ?? "", api.url).href }).end()
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close().closeAllConnections())
      )
      const address = moved.address()
      const port = typeof address === "object" ? address?.port : undefined
      const endpoint = yield* at(`http://127.0.0.1:${port}/v1`)
      expect(JSON.parse((yield* endpoint.chat(question)).text)).toMatchObject({ facts: [{ entity: "Ana" }] })
    }).pipe(Effect.scoped)
  )

  it.live("a provider is asked for vectors in its own words, as base64 and not cut without a word", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const asked = Effect.fnUntraced(function* (model: string, width: number) {
        const at = { OPENAI_BASE_URL: api.url, VOYAGE_BASE_URL: api.url, OPENROUTER_BASE_URL: api.url }
        const endpoint = yield* endpointAt(at, model)
        yield* endpoint.embed(["one"], width, "query")
        return api.log().at(-1)?.parameters
      })
      const base64 = { encoding_format: "base64" }
      expect(yield* asked("openai:text-embedding-3-small", 512)).toEqual({ ...base64, dimensions: 512 })
      expect(yield* asked("openai:text-embedding-ada-002", 1536)).toEqual(base64)
      expect(yield* asked("openrouter:openai/text-embedding-3-large", 256)).toEqual({
        ...base64,
        dimensions: 256
      })
      expect(yield* asked("voyage:voyage-4", 512)).toEqual({
        ...base64,
        output_dimension: 512,
        truncation: false,
        input_type: "query"
      })
      const law = yield* endpointAt({ VOYAGE_BASE_URL: api.url }, "voyage:voyage-law-2")
      api.behave({ onlyWidth: 1024 })
      yield* law.embed(["one"], 1024, "document")
      expect(api.log().at(-1)?.parameters).toEqual({ ...base64, truncation: false, input_type: "document" })
    }).pipe(Effect.scoped)
  )

  it.live("a model of one width that nobody knows is asked without a width, and asked for it once only", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ onlyWidth: 8 })
      const endpoint = yield* at(api.url, "openai:unheard-of")
      yield* endpoint.embed(["one"], 8, "document")
      const asked = api.stats().requests
      yield* endpoint.embed(["two"], 8, "document")
      expect(api.stats().requests).toBe(asked + 1)
      expect(yield* Effect.flip(endpoint.embed(["three"], 16, "document"))).toMatchObject({
        error: { reason: "WrongWidth" }
      })
    }).pipe(Effect.scoped)
  )

  const finishes = [
    ["refusal", "refused"],
    ["filter", "filtered"]
  ] as const
  it.live("tells how an answer ended", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const endpoint = yield* at(api.url)
      for (const [kind, finish] of finishes) {
        api.behave({ rules: [{ fault: { kind } }] })
        expect((yield* endpoint.chat(question)).finish).toBe(finish)
      }
      api.behave({ rules: [{ fault: { kind: "length", needs: 1000 } }] })
      expect((yield* endpoint.chat(question)).finish).toBe("truncated")
      api.behave({ rules: [{ fault: { kind: "no-usage" } }] })
      expect((yield* endpoint.chat(question)).usage).toEqual(Option.none())
    }).pipe(Effect.scoped)
  )

  const status = (code: number, body?: unknown): Fault => ({ kind: "status", status: code, body })
  const said = (message: string, code?: string) => ({ error: { message, code } })
  const failures: ReadonlyArray<readonly [Fault, ModelErrorReason, billed: "no" | "maybe"]> = [
    [status(401, said(`Incorrect API key provided: ${secret}`)), "Unauthorized", "no"],
    [status(403), "Unauthorized", "no"],
    [status(402), "QuotaExhausted", "no"],
    [status(429, said("You exceeded your current quota", "insufficient_quota")), "QuotaExhausted", "no"],
    [status(429), "RateLimited", "no"],
    [status(404, said("The model does not exist", "model_not_found")), "UnknownModel", "no"],
    [
      status(400, said("maximum context length is 8192 tokens", "context_length_exceeded")),
      "ContextTooLong",
      "no"
    ],
    [status(400, said("content management policy")), "ContentFiltered", "no"],
    [status(400, said("no")), "Rejected", "no"],
    [status(408), "TimedOut", "no"],
    [status(500), "Unavailable", "no"],
    [status(503), "Unavailable", "no"],
    [{ kind: "html" }, "Unavailable", "no"],
    [{ kind: "reset" }, "Unavailable", "maybe"],
    [{ kind: "cut" }, "Unavailable", "maybe"],
    [{ kind: "empty" }, "Unavailable", "maybe"]
  ]
  it.live("tells failures apart by what helps, whether they may be billed, and never with the key", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const endpoint = yield* at(api.url)
      for (const [fault, reason, billed] of failures) {
        api.behave({ rules: [{ fault }] })
        const { error } = yield* Effect.flip(endpoint.chat(question))
        expect({ fault, reason: error.reason, billed: error.billed }).toEqual({ fault, reason, billed })
        expect(JSON.stringify(error)).not.toContain(secret)
      }
      // Not to be mended with another model.
      expect(yield* Effect.flip((yield* at(api.url.replace("/v1", ""))).chat(question))).toMatchObject({
        error: { reason: "UnknownModel", message: expect.stringContaining("most end in /v1") }
      })
      const gone = yield* Effect.scoped(standIn())
      const nobody = yield* at(gone.url)
      expect(yield* Effect.flip(nobody.chat(question))).toMatchObject({
        error: { reason: "Unreachable", billed: "no", message: expect.stringContaining("OPENAI_BASE_URL") }
      })
    }).pipe(Effect.scoped)
  )

  it.live("a server without structured output is asked without it, and asked for it once only", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ structuredOutput: false })
      const endpoint = yield* at(api.url)
      yield* endpoint.chat(question)
      const asked = api.stats().requests
      yield* endpoint.chat(question)
      expect(api.stats().requests).toBe(asked + 1)
    }).pipe(Effect.scoped)
  )

  it.live("gives up a server that hangs, and closes the request when the fiber is interrupted", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ rules: [{ fault: { kind: "hang" } }] })
      const endpoint = yield* at(api.url)
      const limits = { chat: Duration.millis(100), embedding: Duration.seconds(60) }
      expect(
        yield* Effect.flip(endpoint.chat(question).pipe(Effect.provideService(CallTimeouts, limits)))
      ).toMatchObject({ error: { reason: "TimedOut", billed: "maybe" } })
      const fiber = yield* Effect.forkChild(endpoint.chat(question))
      while (api.stats().chatCalls < 2) yield* Effect.sleep(5)
      yield* Fiber.interrupt(fiber)
      while (api.stats().inFlight > 0) yield* Effect.sleep(5)
      expect(api.stats().abortedByClient).toBe(2)
    }).pipe(Effect.scoped)
  )

  it.effect("how long a call may take can be said in gbrain's variables", () =>
    Effect.gen(function* () {
      const read = (env: Readonly<Record<string, string>>) =>
        Effect.flatMap(CallTimeouts, Effect.succeed).pipe(
          Effect.provide(callTimeoutsFromEnvironment.pipe(Layer.provide(environment(env))))
        )
      expect(yield* read({ GBRAIN_AI_CHAT_TIMEOUT_MS: "1500" })).toEqual({
        chat: Duration.millis(1500),
        embedding: Duration.seconds(60)
      })
      expect(yield* Effect.flip(read({ GBRAIN_AI_EMBED_TIMEOUT_MS: "1.5" }))).toMatchObject({
        _tag: "BadSetting"
      })
    })
  )

  it.effect("patience grows with how long a call may take, and does not shrink", () =>
    Effect.gen(function* () {
      const giveUpAfter = (milliseconds: string) =>
        Effect.map(RetryPolicy, (policy) => Duration.toMillis(policy.giveUpAfter)).pipe(
          Effect.provide(
            callTimeoutsFromEnvironment.pipe(
              Layer.provide(environment({ GBRAIN_AI_CHAT_TIMEOUT_MS: milliseconds }))
            )
          )
        )
      const usual = Duration.toMillis((yield* RetryPolicy).giveUpAfter)
      expect(yield* giveUpAfter("1000")).toBe(usual)
      expect(yield* giveUpAfter("3600000")).toBe(3 * 3_600_000)
    })
  )
})
