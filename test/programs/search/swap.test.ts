/** Questions while a brain goes over to another embedding model. */
import { expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Money from "../../../src/domain/Money.ts"
import { migrationBrainLayer } from "../../../src/programs/migrate-embeddings/layer.ts"
import { queryLayer } from "../../../src/programs/search/layer.ts"
import { defaultSearch } from "../../../src/programs/search/options.ts"
import { query } from "../../../src/programs/search/search.ts"
import { type EmbeddingSpace, EmbeddingMigrations } from "../../../src/services/EmbeddingMigrations.ts"
import { OpenAi } from "../../../src/services/OpenAi.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { environment, standIn } from "../../support/extraction.ts"
import { migrate, newSpace, oldSpace, putChunks, putFacts, putPage } from "../../support/migrations.ts"

const narrower: EmbeddingSpace = newSpace
const otherModel: EmbeddingSpace = { ...newSpace, dimensions: oldSpace.dimensions }

const fill = Effect.gen(function* () {
  yield* putChunks(yield* putPage("winch"), ["The boat needs a new winch before June."])
  yield* putFacts(["The lease of the office runs for three years."])
})

/** `queryLayer` at a server, with something that happens between a question's answer there and its arrival here. */
const layerWith = <E, R>(url: string, meanwhile: Effect.Effect<void, E, R>) =>
  Effect.map(Effect.context<R>(), (context) => {
    const real = OpenAi.layer.pipe(
      Layer.provide(environment({ OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-test" }))
    )
    const slow = Layer.effect(
      OpenAi,
      Effect.map(OpenAi, (openAi) =>
        OpenAi.of({
          endpoint: (model) =>
            Effect.map(openAi.endpoint(model), (endpoint) => ({
              ...endpoint,
              embed: (...asked) =>
                Effect.tap(endpoint.embed(...asked), () =>
                  Effect.orDie(Effect.provideContext(meanwhile, context))
                )
            }))
        })
      )
    )
    return queryLayer({ cap: Money.parseUsd("0.01"), openAi: Layer.provide(slow, real) })
  })

const question = "winches of boats"

const winch = query({ ...defaultSearch, text: question })

onBothDatabases("a question during a swap", (brain) => {
  for (const [what, to] of [
    ["another width", narrower],
    ["another model of the same width", otherModel]
  ] as const) {
    it.live(`to ${what}, which comes while the question is embedded: it is embedded once more`, () =>
      Effect.gen(function* () {
        yield* fill
        const api = yield* standIn()
        const elsewhere = yield* standIn()
        const swap = yield* Effect.cached(migrate(elsewhere.url, { to }))
        const report = yield* winch.pipe(Effect.provide(yield* layerWith(api.url, Effect.asVoid(swap))))
        expect(report).toMatchObject({ method: "hybrid", fallback: null, embedding_model: to.model })
        expect(report.hits[0]).toMatchObject({ slug: "winch", found_by: ["words", "meaning"] })
        expect(api.log().map(({ model }) => `openai:${model}`)).toEqual([oldSpace.model, to.model])
      }).pipe(Effect.scoped, Effect.provide(brain))
    )

    it.live(`to ${what}, between two questions of one application: the second is of the new model`, () =>
      Effect.gen(function* () {
        yield* fill
        const api = yield* standIn()
        const [before, after] = yield* Effect.gen(function* () {
          const first = yield* winch
          yield* migrate(api.url, { to })
          return [first, yield* winch] as const
        }).pipe(Effect.provide(yield* layerWith(api.url, Effect.void)))
        expect(before).toMatchObject({ method: "hybrid", embedding_model: oldSpace.model })
        expect(after).toMatchObject({ method: "hybrid", embedding_model: to.model })
        expect(after.hits[0]).toMatchObject({ slug: "winch", found_by: ["words", "meaning"] })
        expect(api.log().filter(({ text }) => text === question)).toHaveLength(2)
      }).pipe(Effect.scoped, Effect.provide(brain))
    )
  }

  it.live("that never ends: after the second time words answer alone, and the report says why", () =>
    Effect.gen(function* () {
      yield* fill
      const api = yield* standIn()
      const elsewhere = yield* standIn()
      const toAndFro = Effect.gen(function* () {
        const { model } = yield* (yield* EmbeddingMigrations).configured
        yield* migrate(elsewhere.url, { to: model === oldSpace.model ? narrower : oldSpace, finish: true })
      }).pipe(Effect.provide(migrationBrainLayer))
      const report = yield* winch.pipe(Effect.provide(yield* layerWith(api.url, toAndFro)))
      expect(report).toMatchObject({ method: "keyword", embedding_model: null })
      expect(report.fallback).toContain("another embedding model")
      expect(report.hits[0]).toMatchObject({ slug: "winch", found_by: ["words"] })
      expect(api.stats().embeddingCalls).toBe(2)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )
})
