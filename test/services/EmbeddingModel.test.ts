import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { packAll } from "../../src/domain/EmbeddingBatches.ts"
import { EmbeddingBatchLimits, EmbeddingModel } from "../../src/services/EmbeddingModel.ts"
import type { Endpoint } from "../../src/services/openai/Endpoint.ts"
import { failedAttempt, modelLayer, noLimits } from "../support/models.ts"

/** A server that refuses batches with a bad text in them, and answers each other text with its length. */
const server =
  (batches: Array<ReadonlyArray<string>>): Endpoint["embed"] =>
  (texts) => {
    batches.push(texts)
    return texts.some((text) => text.includes("bad"))
      ? Effect.fail(failedAttempt("Rejected"))
      : Effect.succeed({
          vectors: texts.map((text) => Float32Array.of(text.length)),
          notFinite: [],
          answeredBy: Option.none(),
          inputTokens: Option.some(texts.length),
          limits: noLimits
        })
  }

const modelOver = (embed: Endpoint["embed"], limits = { inputs: 4, bytes: 1000 }) =>
  EmbeddingModel.layer({ model: "openai:text-embedding-3-small", dimensions: 1 }).pipe(
    Layer.provideMerge(modelLayer({ embed }, "1")),
    Layer.provide(Layer.succeed(EmbeddingBatchLimits, limits))
  )

const embed = (texts: ReadonlyArray<string>) =>
  Effect.map(
    Effect.flatMap(EmbeddingModel, (model) => model.embed(texts)),
    (vectors) => vectors.map((vector) => vector[0])
  )

describe("EmbeddingModel", () => {
  it.effect("gives vectors in the order of the texts, some at a time", () => {
    const batches: Array<ReadonlyArray<string>> = []
    return Effect.gen(function* () {
      const texts = Array.from({ length: 10 }, (_, index) => "x".repeat(index + 1))
      expect(yield* embed(texts)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      expect(batches.map((batch) => batch.length)).toEqual([4, 4, 2])
    }).pipe(Effect.provide(modelOver(server(batches))))
  })

  it.effect("halves a batch that is refused until the one bad text is alone, and names it", () => {
    const batches: Array<ReadonlyArray<string>> = []
    return Effect.gen(function* () {
      const error = yield* Effect.flip(embed(["one", "two", "bad", "four"]))
      expect(error).toMatchObject({ _tag: "TextRefused", index: 2 })
      expect(batches).toContainEqual(["one", "two"])
      expect(batches).toContainEqual(["bad"])
    }).pipe(Effect.provide(modelOver(server(batches))))
  })

  it.effect("a batch that was only too large is embedded in halves", () => {
    const most = 2
    return Effect.gen(function* () {
      expect(yield* embed(["a", "bb", "ccc"])).toEqual([1, 2, 3])
    }).pipe(
      Effect.provide(
        modelOver((texts, ...rest) =>
          texts.length > most ? Effect.fail(failedAttempt("ContextTooLong")) : server([])(texts, ...rest)
        )
      )
    )
  })

  it("batches keep to both limits; a text beyond the bytes is alone", () => {
    const limits = { inputs: 2, bytes: 4, tokens: 100 }
    expect(
      packAll(["aa", "bb", "cccccc", "d"], limits, (text) => ({ tokens: 1, bytes: text.length }))
    ).toEqual([["aa", "bb"], ["cccccc"], ["d"]])
  })
})
