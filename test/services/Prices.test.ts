import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import * as Money from "../../src/domain/Money.ts"
import { costOf, priceOf } from "../../src/domain/Prices.ts"
import { BrainConfig } from "../../src/services/BrainConfig.ts"
import { Prices, unpriced } from "../../src/services/Prices.ts"

const million = { inputTokens: 1_000_000, cachedTokens: 0, outputTokens: 1_000_000 }

const configured = (value: string) =>
  Prices.layer.pipe(
    Layer.provide(
      Layer.mock(BrainConfig)({
        get: (key) => Effect.succeed(key === "pricing.overrides" ? Option.some(value) : Option.none())
      })
    )
  )

describe("Prices", () => {
  it("knows models of OpenAI, Anthropic, Google and Voyage, each with the day and the page it was read from", () => {
    for (const model of [
      "openai:gpt-4.1-mini",
      "openai:text-embedding-3-small",
      "anthropic:claude-haiku-4-5",
      "google:gemini-2.0-flash",
      "voyage:voyage-4"
    ]) {
      const price = Option.getOrThrow(priceOf(model, {}))
      expect(price.source).toMatch(/^https:\/\/\S+, \d{4}-\d{2}-\d{2}$|\d{4}-\d{2}-\d{2}/)
      expect(price.input).toBeGreaterThan(0n)
    }
  })

  it("adds up to the last digit: a million tokens cost the list price", () => {
    const price = Option.getOrThrow(priceOf("openai:gpt-4.1-mini", {}))
    expect(Money.toNumber(costOf(price, million))).toBe(2)
    const one = costOf(price, { inputTokens: 1, cachedTokens: 0, outputTokens: 0 })
    expect(one * 1_000_000n).toBe(costOf(price, { ...million, outputTokens: 0 }))
  })

  it("guesses nothing: a model that is nearly a known one has no price, one that runs at home costs nothing", () => {
    expect(priceOf("openai:gpt-4.1-mini-next", {})).toEqual(Option.none())
    expect(priceOf("gemini-3-pro", {})).toEqual(Option.none())
    const home = Option.getOrThrow(priceOf("ollama:llama3", {}))
    expect(costOf(home, million)).toBe(0n)
  })

  it.effect("the brain's overrides come first, and what they do not name keeps its list price", () =>
    Effect.gen(function* () {
      const prices = yield* Prices
      const cost = (model: string) => Money.toNumber(costOf(Option.getOrThrow(prices.of(model)), million))
      expect(cost("openai:gpt-4.1-mini")).toBe(3)
      expect(cost("openai:my-own")).toBe(0.5)
      expect(cost("openai:gpt-4.1-nano")).toBe(0.5)
    }).pipe(
      Effect.provide(
        configured(
          '{"openai:gpt-4.1-mini":{"input":"1","output":"2"},"openai:my-own":{"input":"0.25","output":"0.25"}}'
        )
      )
    )
  )

  for (const wrong of ["{", "[]", '{"m":{"output":"2"}}', '{"m":{"input":"cheap"}}', '{"m":{"input":1}}']) {
    it.effect(`overrides that cannot be read are an error that names them: ${wrong}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(configured(wrong))))
        expect(error).toMatchObject({ _tag: "BadSetting", key: "pricing.overrides" })
      })
    )
  }

  it("an unpriced model's message is a command that tells the price", () => {
    const [, value = ""] = /pricing\.overrides '(.*)'/.exec(unpriced("openai:x").message) ?? []
    expect(priceOf("openai:x", JSON.parse(value))).toMatchObject({ _tag: "Some" })
  })
})
