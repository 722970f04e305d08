/** Which chat model is asked. */
import { expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import {
  brainLayer,
  defaultChatModel,
  resolveChatModel
} from "../../../src/programs/extract-conversation-facts/layer.ts"
import { BrainConfig } from "../../../src/services/BrainConfig.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { environment } from "../../support/extraction.ts"

onBothDatabases("the chat model", (brain) => {
  it.live(
    "is the one asked for, else the brain's, the most particular first, else the environment's, else one there is a key for",
    () =>
      Effect.gen(function* () {
        const model = (env: Readonly<Record<string, string>>, asked?: string) =>
          resolveChatModel(Option.fromUndefinedOr(asked)).pipe(
            Effect.provide(brainLayer),
            Effect.provide(environment(env))
          )
        const variable = { GBRAIN_MODEL: "openai:from-environment", ANTHROPIC_API_KEY: "sk-ant" }
        expect(yield* model({})).toBe(defaultChatModel)
        expect(yield* model({ ANTHROPIC_API_KEY: "sk-ant" })).toBe("anthropic:claude-haiku-4-5")
        expect(yield* model({ ANTHROPIC_API_KEY: "sk-ant", OPENAI_API_KEY: "sk" })).toBe(defaultChatModel)
        expect(yield* model({ ANTHROPIC_API_KEY: "sk-ant", OPENAI_BASE_URL: "http://here" })).toBe(
          defaultChatModel
        )
        expect(yield* model(variable)).toBe("openai:from-environment")
        for (const key of ["models.default", "models.tier.reasoning", "facts.extraction_model"]) {
          yield* Effect.flatMap(BrainConfig, (config) => config.set(key, `openai:${key}`)).pipe(
            Effect.provide(BrainConfig.layer)
          )
          expect(yield* model(variable)).toBe(`openai:${key}`)
        }
        expect(yield* model(variable, "openai:asked-for")).toBe("openai:asked-for")
      }).pipe(Effect.scoped, Effect.provide(brain))
  )
})
