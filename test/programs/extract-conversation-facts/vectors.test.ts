import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Option, Result } from "effect"
import { TestClock } from "effect/testing"
import { embeddingLimits } from "../../../src/domain/EmbeddingLimits.ts"
import { ModelError } from "../../../src/domain/ModelError.ts"
import { FactVectors } from "../../../src/programs/extract-conversation-facts/vectors.ts"
import { BudgetExhausted } from "../../../src/services/Budget.ts"
import { type EmbeddingCallError, EmbeddingModel } from "../../../src/services/EmbeddingModel.ts"
import { Journal } from "../../../src/services/Journal.ts"

/** A model that answers in a second and refuses the text "bad"; what was asked of it and what was journaled, request by request. */
const world = (fails: (texts: ReadonlyArray<string>) => EmbeddingCallError | undefined = () => undefined) => {
  const asked: Array<string> = []
  const journaled: Array<string> = []
  const model = Layer.mock(EmbeddingModel)({
    model: "openai:text-embedding-3-small",
    dimensions: 1,
    limits: embeddingLimits("openai:text-embedding-3-small"),
    guessTokens: (text) => text.length,
    embedAll: (texts) =>
      Effect.gen(function* () {
        asked.push(texts.join(" "))
        yield* Effect.sleep("1 second")
        const error = fails(texts)
        if (error !== undefined) return yield* Effect.fail(error)
        return texts.map((text) =>
          text === "bad" ? Result.fail("refused") : Result.succeed(Float32Array.of(text.length))
        )
      })
  })
  const journal = Layer.mock(Journal)({
    recordVectors: (entries) =>
      Effect.sync(() => void journaled.push(entries.map(({ key }) => key).join(" ")))
  })
  return { asked, journaled, layer: FactVectors.layer.pipe(Layer.provide(Layer.mergeAll(model, journal))) }
}

/** What pages get that ask for the vectors of these texts all at once. */
const makeAll = (pages: ReadonlyArray<ReadonlyArray<string>>) =>
  Effect.gen(function* () {
    const vectors = yield* FactVectors
    const fiber = yield* Effect.forkChild(
      Effect.forEach(
        pages,
        (texts, page) =>
          Effect.exit(vectors.make(texts.map((text) => ({ key: `${page}-${text}`, text })))).pipe(
            Effect.map(Exit.map((made) => texts.map((text) => made.get(`${page}-${text}`))))
          ),
        { concurrency: "unbounded" }
      )
    )
    yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(fiber)
  })

const of = (length: number) => Result.succeed(Float32Array.of(length))

describe("the vectors of facts", () => {
  it.effect(
    "pages that are done while a request is under way share the next one, and journal together",
    () => {
      const { asked, journaled, layer } = world()
      return Effect.gen(function* () {
        expect(yield* makeAll([["a"], ["bb", "a"], ["ccc"]])).toEqual([
          Exit.succeed([of(1)]),
          Exit.succeed([of(2), of(1)]),
          Exit.succeed([of(3)])
        ])
        expect(asked).toEqual(["a", "bb a ccc"])
        expect(journaled).toEqual(["0-a", "1-bb 1-a 2-ccc"])
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect(
    "a text that is refused is told as such, and the others' vectors are journaled and not made again",
    () => {
      const { asked, journaled, layer } = world()
      return Effect.gen(function* () {
        expect(yield* makeAll([["a"], ["bad", "bb"], ["ccc"]])).toEqual([
          Exit.succeed([of(1)]),
          Exit.succeed([Result.fail("refused"), of(2)]),
          Exit.succeed([of(3)])
        ])
        expect(asked).toEqual(["a", "bad bb ccc"])
        expect(journaled).toEqual(["0-a", "1-bb 2-ccc"])
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect(
    "a model that is not there is everybody's failure at once, and is not asked again for each page",
    () => {
      const error = new ModelError({
        reason: "Unauthorized",
        model: "m",
        endpoint: "api",
        message: "no",
        billed: "no"
      })
      const { asked, journaled, layer } = world((texts) => (texts[0] === "a" ? undefined : error))
      return Effect.gen(function* () {
        const exits = yield* makeAll([["a"], ["b"], ["c"], ["d"]])
        expect(exits.slice(1)).toEqual(["b", "c", "d"].map(() => Exit.fail(error)))
        expect(asked).toEqual(["a", "b c d"])
        expect(journaled).toEqual(["0-a"])
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("money that does not reach for several pages may reach for one of them", () => {
    const error = new BudgetExhausted({
      period: "run",
      spentUsd: "0",
      capUsd: "0",
      neededUsd: "1",
      message: "too dear"
    })
    const { asked, layer } = world((texts) => (texts.length > 1 ? error : undefined))
    return Effect.gen(function* () {
      const exits = yield* makeAll([["a"], ["b"], ["c", "dd"]])
      expect(exits).toEqual([Exit.succeed([of(1)]), Exit.succeed([of(1)]), Exit.fail(error)])
      expect(asked.toSorted()).toEqual(["a", "b", "b c dd", "c dd"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a page that is interrupted while others wait with it leaves them their vectors", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const vectors = yield* FactVectors
      const make = (text: string) => Effect.forkChild(vectors.make([{ key: text, text }]))
      const [first, second, third] = [yield* make("a"), yield* make("b"), yield* make("c")]
      yield* TestClock.adjust("1500 millis")
      yield* Fiber.join(first)
      yield* Fiber.interrupt(second)
      yield* TestClock.adjust("1 minute")
      expect(Option.fromUndefinedOr((yield* Fiber.join(third)).get("c"))).toEqual(Option.some(of(1)))
    }).pipe(Effect.provide(layer))
  })
})
