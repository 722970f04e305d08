/** A model's server in the world: slow, moody, and it bills what it has begun. */
import { Effect, Option } from "effect"
import { ModelError } from "../../src/domain/ModelError.ts"
import { costOf, priceOf } from "../../src/domain/Prices.ts"
import { answerKey } from "../../src/programs/extract-conversation-facts/prompt.ts"
import type { Endpoint, RawChatAnswer } from "../../src/services/openai/Endpoint.ts"
import { OpenAi } from "../../src/services/OpenAi.ts"
import type { FailedAttempt } from "../../src/services/openai/failures.ts"
import { chanceFrom } from "./Chance.ts"
import { awake, check, type SimulatedProcess, violated, type World } from "./World.ts"

/** The chat model that is asked. */
export const chatModel = "openai:gpt-4.1-mini"

/** The model that makes vectors. */
export const embeddingModel = "openai:text-embedding-3-small"

/** The facts in a text: one for every contract that is signed. */
export const factsIn = (text: string): ReadonlyArray<string> =>
  Array.from(
    text.matchAll(/the (\S+) contract number (\S+)/g),
    ([, page, number]) => `Contract ${page} ${number} was signed.`
  )

// What stands before the numbered lines is for understanding only.
const numberedLines = (rendered: string) =>
  rendered
    .split("\n")
    .filter((line) => /^\[\d+\]/.test(line))
    .join("\n")

const noLimits = { requests: undefined, tokens: undefined, retryAfterMs: undefined }

/** The servers of a world, as one process reaches them. */
export const serversOf = (world: World, process: SimulatedProcess) => {
  const failed = (
    reason: ModelError["reason"],
    billed: "no" | "maybe",
    retryAfterMs?: number
  ): FailedAttempt => ({
    error: new ModelError({
      model: chatModel,
      endpoint: "api",
      reason,
      message: `the server says ${reason}`,
      billed,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs })
    }),
    limits: noLimits
  })

  const bill = (model: string, inputTokens: number, outputTokens: number) => {
    const price = Option.getOrThrow(priceOf(model, {}))
    const cost = costOf(price, { inputTokens, outputTokens, cachedTokens: 0 })
    process.billed += world.mutation === "dear server" ? cost * 3n : cost
    check(world)
  }

  const work = Effect.gen(function* () {
    yield* Effect.sleep(world.chance.between(50, 2_000))
    yield* awake(process)
  })

  const { chance } = world
  const inFlight = <A, E>(self: Effect.Effect<A, E>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        process.chatInFlight++
        check(world)
      }),
      () => self,
      () =>
        Effect.sync(() => {
          process.chatInFlight--
        })
    )

  const chat: Endpoint["chat"] = (request) =>
    Effect.gen(function* () {
      yield* awake(process)
      world.seen.calls++
      const rendered = /^BEGIN \w+\n([^]*)\nEND \w+$/.exec(request.user)?.[1] ?? ""
      const key = answerKey(chatModel, rendered)
      const lease = [...world.leases].find(([id]) => rendered.includes(`${id.split("/").pop()}-`))?.[1]
      const recorded = world.recorded.get(key)
      // What a process that had lost its lease was told meanwhile, nobody could know.
      if (
        recorded !== undefined &&
        lease?.pid === process.pid &&
        (recorded.pid === process.pid || recorded.at < lease.takenAt)
      ) {
        violated(world, "asked again what is known")
      }
      const facts = factsIn(numberedLines(rendered))
      const text = JSON.stringify({ facts: facts.map((fact, index) => factOf(fact, index + 1)) })
      const usage = {
        inputTokens: Math.ceil((request.system.length + request.user.length) / 4),
        // Dear answers, so that caps are felt.
        outputTokens: chance.between(1_000, request.maxOutputTokens),
        cachedTokens: 0
      }
      const answer = (content: string, finish: RawChatAnswer["finish"]) =>
        ({ text: content, finish, usage: Option.some(usage), limits: noLimits }) satisfies RawChatAnswer
      const trouble = chance.happens(world.weather.callFails)
        ? chance.pick(["429", "429", "503", "reset", "hang", "garbage", "refusal"])
        : "none"
      if (trouble === "429") {
        yield* Effect.sleep(20)
        return yield* Effect.fail(failed("RateLimited", "no", chance.between(0, 5_000)))
      }
      if (trouble === "503") return yield* Effect.fail(failed("Unavailable", "no"))
      bill(chatModel, usage.inputTokens, usage.outputTokens)
      yield* work
      if (trouble === "hang") {
        yield* Effect.sleep("5 minutes")
        return yield* Effect.fail(failed("TimedOut", "maybe"))
      }
      if (trouble === "reset") return yield* Effect.fail(failed("Unavailable", "maybe"))
      if (trouble === "garbage") return answer("It is said that", "complete")
      if (trouble === "refusal") return answer("", "refused")
      return answer(text, "complete")
    }).pipe(inFlight)

  const embed: Endpoint["embed"] = (texts, width) =>
    Effect.gen(function* () {
      yield* awake(process)
      if (chance.happens(world.weather.callFails / 2)) return yield* Effect.fail(failed("Unavailable", "no"))
      const tokens = Math.ceil(texts.join("").length / 4)
      bill(embeddingModel, tokens, 0)
      yield* work
      return {
        vectors: texts.map((text) => vectorOf(text, width)),
        notFinite: [],
        answeredBy: Option.none(),
        inputTokens: Option.some(tokens),
        limits: noLimits
      }
    })

  return OpenAi.of({
    endpoint: () =>
      Effect.succeed({
        host: "api",
        chat,
        embed,
        post: () => Effect.die(new Error("nobody here posts anything else")),
        check: Effect.void
      })
  })
}

const factOf = (fact: string, message: number) => ({
  fact,
  kind: "event",
  entity: null,
  confidence: 0.9,
  notability: "low",
  metric: null,
  value: null,
  unit: null,
  period: null,
  messages: [message]
})

const vectorOf = (text: string, width: number): Float32Array => {
  const chance = chanceFrom(
    Array.from(text).reduce((hash, char) => (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0, 7)
  )
  return Float32Array.from({ length: width }, () => chance.next() - 0.5)
}
