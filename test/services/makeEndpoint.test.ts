import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import type { Fetch } from "../../src/services/openai/connections.ts"
import { makeEndpoint } from "../../src/services/openai/makeEndpoint.ts"

const question = {
  system: "Answer.",
  user: "Who?",
  maxOutputTokens: 500,
  schema: { name: "facts", schema: { type: "object" } }
}

/** What a server does not have, and what it says when it is asked for it. */
interface Lack {
  readonly when: (body: string) => boolean
  readonly says: string
}

const reply = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } })

const completion = (usage: unknown) =>
  reply(200, { choices: [{ finish_reason: "stop", message: { content: "{}" } }], usage })

const endpointOver = (fetch: Fetch) =>
  makeEndpoint({
    model: "openai:unheard-of",
    name: "unheard-of",
    url: "http://127.0.0.1:9/v1",
    key: Redacted.make("key"),
    fetch,
    isVoyage: false
  })

const bodyOf = (init: RequestInit | undefined) => (typeof init?.body === "string" ? init.body : "")

/**
 * A server that answers only when nobody is left who has yet to ask, so that all calls of a round are under way together. `asked`
 * has the bodies of the requests that it answered.
 */
const crowded = (size: number, lacks: ReadonlyArray<Lack>) => {
  const asked: Array<string> = []
  const refusals: Array<string> = []
  let waiting: Array<() => void> = []
  const fetch: Fetch = async (_, init) => {
    await new Promise<void>((resume) => {
      waiting.push(resume)
      if (waiting.length < size) return
      const all = waiting
      waiting = []
      for (const one of all) one()
    })
    const body = bodyOf(init)
    const lack = lacks.find(({ when }) => when(body))
    ;(lack === undefined ? asked : refusals).push(body)
    return lack === undefined
      ? completion({ prompt_tokens: 1, completion_tokens: 1 })
      : reply(400, { error: { message: lack.says, type: "invalid_request_error" } })
  }
  return { asked, refusals, fetch }
}

const noLimitField: Lack = {
  when: (body) => body.includes("max_completion_tokens"),
  says: "Unsupported parameter: max_completion_tokens"
}
const noSchema: Lack = {
  when: (body) => body.includes("json_schema"),
  says: "response_format json_schema is not supported, use json_object"
}
const noForm: Lack = {
  when: (body) => body.includes("response_format"),
  says: "response_format is not supported"
}

describe("makeEndpoint", () => {
  for (const { form, lacks, refused, what } of [
    { what: "max_completion_tokens", lacks: [noLimitField], refused: 10, form: "json_schema" },
    { what: "anything but json_object", lacks: [noSchema], refused: 10, form: "json_object" },
    { what: "any form of answers", lacks: [noForm], refused: 20, form: undefined },
    { what: "max_completion_tokens and forms", lacks: [noLimitField, noForm], refused: 30, form: undefined }
  ]) {
    it.live(`ten calls at once at a server without ${what} are all answered, in the best words it has`, () =>
      Effect.gen(function* () {
        const { asked, fetch, refusals } = crowded(10, lacks)
        const endpoint = endpointOver(fetch)
        const answers = yield* Effect.all(
          Array.from({ length: 10 }, () => endpoint.chat(question)),
          { concurrency: "unbounded" }
        )
        expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 10 }, () => "{}"))
        expect(refusals).toHaveLength(refused)
        for (const body of asked) {
          if (form === undefined) expect(body).not.toContain("response_format")
          else expect(JSON.parse(body)).toMatchObject({ response_format: { type: form } })
        }
      })
    )
  }

  it.live("a request that is refused for something else is refused", () =>
    Effect.gen(function* () {
      const { fetch, refusals } = crowded(1, [{ when: () => true, says: "no" }])
      expect(yield* Effect.flip(endpointOver(fetch).chat(question))).toMatchObject({
        error: { reason: "Rejected" }
      })
      expect(refusals).toHaveLength(1)
    })
  )

  it.effect("a date until which to wait is measured from the moment when it is told", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      let answer: (response: Response) => void = () => {}
      const endpoint = endpointOver(
        () =>
          new Promise((resolve) => {
            answer = resolve
            Deferred.doneUnsafe(asked, Effect.void)
          })
      )
      const fiber = yield* Effect.forkChild(Effect.flip(endpoint.chat(question)))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("1 minute")
      answer(reply(429, {}, { "retry-after": new Date(90_000).toUTCString() }))
      expect(yield* Fiber.join(fiber)).toMatchObject({ error: { retryAfterMs: 30_000 } })
    })
  )

  const impossible = [
    { prompt_tokens: 1000, completion_tokens: -100_000 },
    { prompt_tokens: -1, completion_tokens: 1 },
    { prompt_tokens: 1000.5, completion_tokens: 100 },
    { prompt_tokens: "1000", completion_tokens: 100 },
    { prompt_tokens: 1e300, completion_tokens: 100 },
    { prompt_tokens: 1000, completion_tokens: 100, prompt_tokens_details: { cached_tokens: -5 } },
    "much",
    null,
    undefined
  ]
  it.live("what a server cannot have used is as good as not told, and the answer as good as any", () =>
    Effect.gen(function* () {
      for (const usage of impossible) {
        const chat = endpointOver(() => Promise.resolve(completion(usage)))
        expect(yield* chat.chat(question)).toMatchObject({ text: "{}", usage: Option.none() })
        const data = [{ index: 0, embedding: [0.5, 0.25] }]
        const embedding = endpointOver(() => Promise.resolve(reply(200, { data, usage })))
        const { inputTokens, vectors } = yield* embedding.embed(["one"], 2, "document")
        expect(vectors).toEqual([Float32Array.of(0.5, 0.25)])
        const told = Option.getOrElse(inputTokens, () => 0)
        expect(told >= 0 && Number.isSafeInteger(told)).toBe(true)
      }
    })
  )
})
