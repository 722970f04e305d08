import { describe, expect, it } from "@effect/vitest"
import { Array as Arr, Effect, Exit, Fiber, Layer, Result } from "effect"
import { SqlError } from "effect/sql"
import { TestClock } from "effect/testing"
import { embeddingLimits } from "../../src/domain/EmbeddingLimits.ts"
import { ModelError } from "../../src/domain/ModelError.ts"
import { BudgetExhausted } from "../../src/services/Budget.ts"
import { type EmbeddingCallError, EmbeddingModel } from "../../src/services/EmbeddingModel.ts"
import { FactVectors } from "../../src/services/FactVectors.ts"
import { Journal } from "../../src/services/Journal.ts"

/**
 * A model that answers in a second, takes three texts a request unless told and refuses the text "bad"; what was asked of it and what was
 * journaled, request by request.
 */
const world = (
  fails: (texts: ReadonlyArray<string>) => EmbeddingCallError | undefined = () => undefined,
  journal: Effect.Effect<void, SqlError.SqlError> = Effect.void,
  atOnce = 3
) => {
  const asked: Array<string> = []
  const journaled: Array<string> = []
  const model = Layer.mock(EmbeddingModel)({
    model: "openai:text-embedding-3-small",
    dimensions: 1,
    limits: embeddingLimits("openai:text-embedding-3-small"),
    guessTokens: (text) => text.length,
    requests: (items) => Arr.chunksOf(items, atOnce),
    embedOnce: (texts) =>
      Effect.gen(function* () {
        asked.push(texts.join(" "))
        yield* Effect.sleep("1 second")
        const error = texts.includes("bad") ? modelError("Rejected") : fails(texts)
        if (error !== undefined) return yield* Effect.fail(error)
        return texts.map((text) => Result.succeed(Float32Array.of(text.length)))
      })
  })
  const journals = Layer.mock(Journal)({
    recordVectors: (entries) =>
      Effect.andThen(
        journal,
        Effect.sync(() => void journaled.push(entries.map(({ key }) => key).join(" ")))
      )
  })
  return { asked, journaled, layer: FactVectors.layer.pipe(Layer.provide(Layer.mergeAll(model, journals))) }
}

const make = (page: number, texts: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const vectors = yield* FactVectors
    const made = yield* vectors.make(texts.map((text) => ({ key: `${page}-${text}`, text })))
    return texts.map((text) => made.get(`${page}-${text}`))
  })

/** What pages get that ask for the vectors of these texts all at once. */
const makeAll = (pages: ReadonlyArray<ReadonlyArray<string>>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(
      Effect.forEach(pages, (texts, page) => Effect.exit(make(page, texts)), { concurrency: "unbounded" })
    )
    yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(fiber)
  })

const of = (length: number) => Result.succeed(Float32Array.of(length))

const modelError = (reason: ModelError["reason"]) =>
  new ModelError({ reason, model: "m", endpoint: "api", message: reason, billed: "no" })

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
          Exit.succeed([Result.fail("Rejected"), of(2)]),
          Exit.succeed([of(3)])
        ])
        expect(asked).toEqual(["a", "bad bb ccc", "bad bb", "bad", "bb", "ccc"])
        expect(journaled).toEqual(["0-a", "1-bb", "2-ccc"])
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect(
    "a model that is not there is everybody's failure at once, and is not asked again for each page",
    () => {
      const error = modelError("Unauthorized")
      const { asked, journaled, layer } = world((texts) => (texts[0] === "a" ? undefined : error))
      return Effect.gen(function* () {
        const exits = yield* makeAll([["a"], ["b"], ["c"], ["d"]])
        expect(exits.slice(1)).toEqual(["b", "c", "d"].map(() => Exit.fail(error)))
        expect(asked).toEqual(["a", "b c d"])
        expect(journaled).toEqual(["0-a"])
      }).pipe(Effect.provide(layer))
    }
  )

  for (const [what, error] of [
    ["a request that takes a slow server too long", modelError("TimedOut")],
    ["a server that breaks over a text", modelError("Unavailable")],
    [
      "money that does not reach for several pages",
      new BudgetExhausted({ period: "run", spentUsd: "0", capUsd: "0", neededUsd: "1", message: "too dear" })
    ]
  ] as const) {
    it.effect(`${what} leaves each page to itself`, () => {
      const { asked, layer } = world((texts) => (texts.includes("c") ? error : undefined))
      return Effect.gen(function* () {
        const exits = yield* makeAll([["a"], ["b"], ["c", "dd"]])
        expect(exits).toEqual([Exit.succeed([of(1)]), Exit.succeed([of(1)]), Exit.fail(error)])
        expect(asked.toSorted()).toEqual(["a", "b", "b c dd", "c dd"])
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("a page of which the model refuses everything fails by itself", () => {
    const { layer } = world(undefined, undefined, 20)
    return Effect.gen(function* () {
      const bad = Array.from({ length: 8 }, () => "bad")
      const exits = yield* makeAll([["a"], bad, ["c"], ["dd"]])
      expect(exits).toEqual([
        Exit.succeed([of(1)]),
        Exit.fail(modelError("Rejected")),
        Exit.succeed([of(1)]),
        Exit.succeed([of(2)])
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("what a part of a request brought is not paid for again when another part fails", () => {
    const error = modelError("TimedOut")
    const { asked, journaled, layer } = world((texts) => (texts.includes("c") ? error : undefined))
    return Effect.gen(function* () {
      const exits = yield* makeAll([["a"], ["b"], ["bad"], ["c"]])
      expect(exits).toEqual([
        Exit.succeed([of(1)]),
        Exit.succeed([of(1)]),
        Exit.succeed([Result.fail("Rejected")]),
        Exit.fail(error)
      ])
      expect(asked).toEqual(["a", "b bad c", "b bad", "b", "bad", "c", "bad", "c"])
      expect(journaled).toEqual(["0-a", "1-b"])
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "what one request brought is journaled before the next, and not paid for again when that fails",
    () => {
      const error = modelError("TimedOut")
      const { asked, journaled, layer } = world((texts) => (texts.includes("e") ? error : undefined))
      return Effect.gen(function* () {
        const exits = yield* makeAll([["a"], ["b", "c"], ["dd", "e"], ["f"]])
        expect(exits).toEqual([
          Exit.succeed([of(1)]),
          Exit.succeed([of(1), of(1)]),
          Exit.fail(error),
          Exit.succeed([of(1)])
        ])
        expect(asked).toEqual(["a", "b c dd", "e f", "e", "f"])
        expect(journaled).toEqual(["0-a", "1-b 1-c 2-dd", "3-f"])
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("vectors that cannot be journaled are not made again for each page", () => {
    const full = new SqlError.SqlError({
      reason: new SqlError.UnknownError({ cause: new Error("the disk is full"), message: "the disk is full" })
    })
    const { asked, layer } = world(() => undefined, Effect.fail(full))
    return Effect.gen(function* () {
      const exits = yield* makeAll([["a"], ["b"], ["c"]])
      expect(exits).toEqual(["a", "b", "c"].map(() => Exit.fail(full)))
      expect(asked).toEqual(["a", "b c"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a page that is interrupted takes nothing from those that wait with it", () => {
    const { asked, journaled, layer } = world()
    return Effect.gen(function* () {
      const pages = yield* Effect.forEach(["a", "b", "c", "d"], (text, page) =>
        Effect.forkChild(make(page, [text]))
      )
      yield* TestClock.adjust("1500 millis")
      // The first of those whose request is under way, and one behind it.
      yield* Fiber.interruptAll(pages.slice(1, 3))
      yield* TestClock.adjust("1 minute")
      for (const page of [pages[0], pages[3]])
        if (page !== undefined) expect(yield* Fiber.join(page)).toEqual([of(1)])
      expect(asked).toEqual(["a", "b c d"])
      expect(journaled).toEqual(["0-a", "1-b 2-c 3-d"])
    }).pipe(Effect.provide(layer))
  })
})
