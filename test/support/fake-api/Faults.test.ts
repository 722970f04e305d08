import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Exit, Fiber } from "effect"
import { start } from "./FakeApi.ts"
import { readJson } from "./Requests.ts"
import type { Fault } from "./Settings.ts"
import { chat, completionOf, embeddings, errorOf, factsOf, send, vectorsOf } from "./testing.ts"

const lease = "[1] Ana Ruiz (2026-03-01T09:00:00Z): I signed the lease for 300 dollars."
const deposit = "[1] Omar (2026-03-01T09:05:00Z): I will pay the deposit."
const jsonMode = { response_format: { type: "json_object" } }
const withSchema = {
  response_format: { type: "json_schema", json_schema: { name: "facts", schema: { type: "object" } } }
}

const always = (fault: Fault) => start({ rules: [{ fault }] })

describe("a plan", () => {
  const statuses = (...rules: NonNullable<NonNullable<Parameters<typeof start>[0]>["rules"]>) =>
    Effect.gen(function* () {
      const api = yield* start({ rules })
      const answers = yield* Effect.forEach([lease, deposit, lease, deposit], (user) => chat(api, user))
      return answers.map(({ status }) => status)
    })

  it.effect("strikes the calls that it numbers", () =>
    Effect.map(statuses({ fault: "500", nth: [2, 3] }), (it) => expect(it).toEqual([200, 500, 500, 200]))
  )

  it.effect("strikes messages with a text in them", () =>
    Effect.map(statuses({ fault: "500", contains: "Omar" }), (it) => expect(it).toEqual([200, 500, 200, 500]))
  )

  it.effect("strikes the first attempts at each message", () =>
    Effect.map(statuses({ fault: "500", firstAttempts: 1 }), (it) => expect(it).toEqual([500, 500, 200, 200]))
  )

  it.effect("strikes so many times", () =>
    Effect.map(statuses({ fault: "500", times: 3 }), (it) => expect(it).toEqual([500, 500, 500, 200]))
  )

  it.effect("asks that all conditions hold, and takes the first rule whose do", () =>
    Effect.map(
      statuses({ fault: "500", contains: "Omar", nth: [1, 2] }, { fault: "503", nth: [2, 3] }),
      (it) => expect(it).toEqual([200, 500, 503, 200])
    )
  )

  it.effect("concerns one endpoint when it names one, and else those that cost", () =>
    Effect.gen(function* () {
      const api = yield* start({ rules: [{ fault: "500", endpoint: "embeddings" }] })
      expect((yield* chat(api, lease)).status).toBe(200)
      expect((yield* embeddings(api, "x")).status).toBe(500)
      yield* api.control({ rules: [{ fault: "500" }] })
      expect((yield* chat(api, lease)).status).toBe(500)
      expect((yield* send(api, "/models/gpt-4o-mini")).status).toBe(200)
      yield* api.control({ rules: [{ fault: "403", endpoint: "models" }] })
      expect((yield* send(api, "/models/gpt-4o-mini")).status).toBe(403)
    })
  )

  it.effect("draws by chance from the seed, whatever the order, and anew for each attempt", () =>
    Effect.gen(function* () {
      const asked = Array.from({ length: 100 }, (_, at) => `${lease} ${at}`)
      const struck = (seed: number, users: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          const api = yield* start({ seed, rules: [{ fault: "500", probability: 0.5 }] })
          const answers = yield* Effect.forEach(
            users,
            (user) => Effect.map(chat(api, user), ({ status }) => [user, status] as const),
            { concurrency: 10 }
          )
          return Object.fromEntries(answers)
        })
      const first = yield* struck(1, asked)
      const count = Object.values(first).filter((status) => status === 500).length
      expect(count).toBeGreaterThan(30)
      expect(count).toBeLessThan(70)
      expect(yield* struck(1, asked.toReversed())).toEqual(first)
      expect(yield* struck(2, asked)).not.toEqual(first)
      const again = yield* start({ seed: 1, rules: [{ fault: "500", probability: 0.5 }] })
      const tries = yield* Effect.forEach(Array.from({ length: 20 }), () => chat(again, lease))
      expect(new Set(tries.map(({ status }) => status))).toEqual(new Set([200, 500]))
    })
  )
})

describe("errors", () => {
  it.effect.each([
    ["401", 401, "invalid_api_key"],
    ["403", 403, "permission_denied"],
    ["404-model-not-found", 404, "model_not_found"],
    ["400", 400, null],
    ["400-context-length", 400, "context_length_exceeded"],
    ["429", 429, "rate_limit_exceeded"],
    ["429-insufficient-quota", 429, "insufficient_quota"]
  ] as const)("%s comes in OpenAI's form and costs nothing", ([fault, status, code]) =>
    Effect.gen(function* () {
      const api = yield* always(fault)
      const answers = [yield* chat(api, lease), yield* embeddings(api, "x")]
      expect(answers.map((answer) => [answer.status, errorOf(answer).code])).toEqual([
        [status, code],
        [status, code]
      ])
      expect(yield* api.stats).toMatchObject({
        billed: { answers: 0, usd: "0" },
        rateLimited: status === 429 ? 2 : 0,
        faults: { [fault]: 2 }
      })
      expect((yield* api.log)[0]).toMatchObject({ outcome: "rejected", status, fault, billed: false })
    })
  )

  it.effect.each([
    ["500", 500],
    ["502", 502],
    ["503", 503]
  ] as const)("%s is a page of HTML and costs nothing", ([fault, status]) =>
    Effect.gen(function* () {
      const api = yield* always(fault)
      const answer = yield* chat(api, lease)
      expect(answer.status).toBe(status)
      expect(answer.header("content-type")).toBe("text/html")
      expect(answer.text).toContain("<html>")
      expect((yield* api.stats).billed.answers).toBe(0)
    })
  )

  it.effect("429 tells when to come back in one way, or not at all", () =>
    Effect.gen(function* () {
      const api = yield* start()
      const headers = (fault: Fault) =>
        Effect.gen(function* () {
          yield* api.control({ rules: [{ fault, retryAfterMs: 2500 }] })
          const answer = yield* chat(api, lease)
          return [answer.header("retry-after"), answer.header("retry-after-ms")]
        })
      expect(yield* headers("429")).toEqual([null, null])
      expect(yield* headers("429-retry-after-seconds")).toEqual(["3", null])
      expect(yield* headers("429-retry-after-ms")).toEqual([null, "2500"])
      const [date] = yield* headers("429-retry-after-date")
      expect(date).toMatch(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
    })
  )

  it.effect("a date to come back at lies after the time that is asked for", () =>
    Effect.gen(function* () {
      const api = yield* start({ rules: [{ fault: "429-retry-after-date", retryAfterMs: 3_600_000 }] })
      const answer = yield* chat(api, lease)
      const now = DateTime.makeUnsafe(answer.header("date") ?? "").epochMilliseconds
      const then = DateTime.makeUnsafe(answer.header("retry-after") ?? "").epochMilliseconds
      expect(then - now).toBeGreaterThanOrEqual(3_600_000)
      expect(then - now).toBeLessThanOrEqual(3_602_000)
    })
  )

  it.effect("servers without structured output refuse what they do not have, and serve the rest", () =>
    Effect.gen(function* () {
      const api = yield* always("400-response-format")
      const statuses = Effect.gen(function* () {
        const answers = [
          yield* chat(api, lease),
          yield* chat(api, lease, jsonMode),
          yield* chat(api, lease, withSchema),
          yield* chat(api, lease, { max_completion_tokens: 500 }),
          yield* embeddings(api, "x")
        ]
        return answers.map(({ status }) => status)
      })
      expect(yield* statuses).toEqual([200, 400, 400, 200, 200])
      yield* api.control({ rules: [{ fault: "400-json-schema" }] })
      expect(yield* statuses).toEqual([200, 200, 400, 200, 200])
      yield* api.control({ rules: [{ fault: "400-max-completion-tokens" }] })
      expect(yield* statuses).toEqual([200, 200, 200, 400, 200])
    })
  )

  it.effect("one text can make a whole batch fail", () =>
    Effect.gen(function* () {
      const api = yield* start({ rules: [{ fault: "400", endpoint: "embeddings", contains: "POISON" }] })
      expect((yield* embeddings(api, ["a", "b POISON", "c"])).text).not.toContain("POISON")
      expect((yield* embeddings(api, ["a", "b POISON", "c"])).status).toBe(400)
      expect((yield* embeddings(api, ["a", "c"])).status).toBe(200)
    })
  )
})

describe("a limit that is kept", () => {
  it.effect("tells what is left, refuses what is over it, and counts each model apart", () =>
    Effect.gen(function* () {
      const api = yield* start({ rateLimit: { style: "sliding", requests: 2, windowMs: 3_600_000 } })
      const answers = yield* Effect.forEach([1, 2, 3], () => chat(api, lease))
      expect(answers.map(({ header, status }) => [status, header("x-ratelimit-remaining-requests")])).toEqual(
        [
          [200, "1"],
          [200, "0"],
          [429, "0"]
        ]
      )
      const refused = answers[2]
      expect(Number(refused?.header("retry-after"))).toBeGreaterThan(3590)
      expect(Number(refused?.header("retry-after-ms"))).toBeGreaterThan(3_590_000)
      expect((yield* embeddings(api, "x")).header("x-ratelimit-remaining-requests")).toBe("1")
      expect(yield* api.stats).toMatchObject({ rateLimited: 1, chatAnswers: 2 })
      yield* api.control({ rateLimit: null })
      expect((yield* chat(api, lease)).header("x-ratelimit-limit-requests")).toBeNull()
    })
  )

  it.effect("counts the prompt and the most that the answer may have", () =>
    Effect.gen(function* () {
      const api = yield* start({ rateLimit: { style: "bucket", tokens: 1000, windowMs: 3.6e9 } })
      const answer = yield* chat(api, lease, { max_tokens: 600 })
      const prompt = completionOf(answer).usage?.prompt_tokens ?? 0
      expect(answer.header("x-ratelimit-remaining-tokens")).toBe(String(400 - prompt))
      expect(errorOf(yield* chat(api, lease, { max_tokens: 600 })).type).toBe("tokens")
      const tooLarge = yield* chat(api, lease, { max_tokens: 2000 })
      expect([tooLarge.status, tooLarge.header("retry-after")]).toEqual([429, null])
    })
  )
})

describe("answers that get lost", () => {
  it.effect("hang: nothing comes and nothing is billed, however long one waits", () =>
    Effect.gen(function* () {
      const api = yield* always("hang")
      const call = yield* Effect.forkChild(chat(api, lease))
      expect((yield* api.reached({ chatInFlight: 1 })).chatAnswers).toBe(0)
      yield* Fiber.interrupt(call)
      expect((yield* api.reached({ aborted: 1 })).billed.answers).toBe(0)
    })
  )

  it.effect("trickle: the whole answer comes, piece by piece", () =>
    Effect.gen(function* () {
      const api = yield* start({ rules: [{ fault: "trickle", paceMs: 0 }] })
      expect(factsOf(completionOf(yield* chat(api, lease)).content)).toHaveLength(1)
    })
  )

  it.effect("reset: the connection breaks, and the answer is billed", () =>
    Effect.gen(function* () {
      const api = yield* always("reset")
      expect(Exit.isFailure(yield* Effect.exit(chat(api, lease)))).toBe(true)
      expect(yield* api.stats).toMatchObject({ chatAnswers: 1, aborted: 0, inFlight: 0 })
      expect(yield* api.log).toMatchObject([{ outcome: "broken", billed: true }])
    })
  )

  it.effect.each(["half-json", "empty-body", "not-json"] as const)(
    "%s: the answer cannot be read, and is billed",
    (fault) =>
      Effect.gen(function* () {
        const api = yield* always(fault)
        const answer = yield* chat(api, lease)
        expect(answer.status).toBe(200)
        expect(readJson(answer.text)._tag).toBe("Failure")
        expect((yield* api.stats).billed.answers).toBe(1)
      })
  )
})

describe("models that misbehave", () => {
  const say = (fault: Fault) =>
    Effect.gen(function* () {
      const api = yield* always(fault)
      const answer = completionOf(yield* chat(api, lease))
      expect((yield* api.stats).chatAnswers).toBe(1)
      return answer
    })

  it.effect("cut: the answer stops in the middle of its JSON", () =>
    Effect.gen(function* () {
      const { content, finish } = yield* say("cut")
      expect(finish).toBe("length")
      expect(readJson(content ?? "")._tag).toBe("Failure")
    })
  )

  it.effect("refusal and content-filter: there is no content", () =>
    Effect.gen(function* () {
      expect(yield* say("refusal")).toMatchObject({
        content: null,
        refusal: expect.any(String),
        finish: "stop"
      })
      expect(yield* say("content-filter")).toMatchObject({
        content: null,
        refusal: null,
        finish: "content_filter"
      })
      expect(yield* say("empty-content")).toMatchObject({ content: "", finish: "stop" })
    })
  )

  it.effect("wrong-types and facts-object: JSON of another form", () =>
    Effect.gen(function* () {
      expect(factsOf((yield* say("wrong-types")).content)).toMatchObject([
        { confidence: "high", entity: 42, value: "300", messages: ["1"] }
      ])
      expect(readJson((yield* say("facts-object")).content ?? "")).toMatchObject({
        success: { facts: { "fact 1": { kind: "event" } } }
      })
    })
  )

  it.effect("1000-facts and long-facts: more than anybody asked for", () =>
    Effect.gen(function* () {
      const many = factsOf((yield* say("1000-facts")).content).map(({ fact }) => fact)
      expect(new Set(many).size).toBe(1000)
      expect(factsOf((yield* say("long-facts")).content).map(({ fact }) => String(fact).length)).toEqual([
        10_000
      ])
    })
  )

  it.effect("fenced, chatter, reasoning: JSON with words around it", () =>
    Effect.gen(function* () {
      const fenced = (yield* say("fenced")).content ?? ""
      expect(fenced.startsWith("```json\n{")).toBe(true)
      expect(fenced.endsWith("}\n```")).toBe(true)
      for (const fault of ["chatter", "reasoning"] as const) {
        const content = (yield* say(fault)).content ?? ""
        expect(readJson(content)._tag).toBe("Failure")
        const json = content.split("\n").find((line) => line.startsWith('{"facts"')) ?? ""
        expect(factsOf(json)).toHaveLength(1)
      }
      expect((yield* say("prose")).content).not.toContain("{")
    })
  )

  it.effect("no-usage: nobody tells what it cost, and it is billed all the same", () =>
    Effect.gen(function* () {
      const api = yield* always("no-usage")
      expect(completionOf(yield* chat(api, lease)).usage).toBeUndefined()
      expect(vectorsOf(yield* embeddings(api, "x")).usage).toBeUndefined()
      expect((yield* api.stats).billed).toMatchObject({ answers: 2 })
    })
  )
})

describe("embeddings that are broken", () => {
  const texts = ["one", "two", "three"]
  const get = (fault: Fault, encoding: "float" | "base64" = "float") =>
    Effect.gen(function* () {
      const api = yield* always(fault)
      const answer = yield* embeddings(api, texts, { dimensions: 8, encoding_format: encoding })
      return vectorsOf(answer).data
    })

  it.effect("other-width and too-few-vectors", () =>
    Effect.gen(function* () {
      expect(
        (yield* get("other-width")).map(({ embedding }) => Array.isArray(embedding) && embedding.length)
      ).toEqual([9, 9, 9])
      expect((yield* get("too-few-vectors")).map(({ index }) => index)).toEqual([0, 1])
    })
  )

  it.effect("nan: as bytes a NaN, as JSON null", () =>
    Effect.gen(function* () {
      const [bytes] = yield* get("nan", "base64")
      expect(Buffer.from(String(bytes?.embedding), "base64").readFloatLE(0)).toBeNaN()
      const [plain] = yield* get("nan")
      expect(Array.isArray(plain?.embedding) && plain.embedding[0]).toBeNull()
    })
  )

  it.effect("shuffled: another order, each vector under its own index", () =>
    Effect.gen(function* () {
      const api = yield* start()
      const right = vectorsOf(yield* embeddings(api, texts, { dimensions: 8 })).data
      const shuffled = yield* get("shuffled")
      expect(shuffled).not.toEqual(right)
      expect(shuffled.toSorted((a, b) => a.index - b.index)).toEqual(right)
    })
  )
})
