/**
 * Whether searching finds what answers: forty questions to the example brain, with the real rules of ranking. The stand-in's
 * vectors know words and parts of words, not what they mean; a real model does better on the same questions.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { fileURLToPath } from "node:url"
import * as Money from "../../../src/domain/Money.ts"
import { ask, findByMeaning, findByWords, hitsOf } from "../../../src/programs/search/find.ts"
import { queryLayer } from "../../../src/programs/search/layer.ts"
import { defaultSearch } from "../../../src/programs/search/options.ts"
import type { Hit } from "../../../src/programs/search/report.ts"
import { query } from "../../../src/programs/search/search.ts"
import { defaultImportOptions, importDirectory } from "../../../src/programs/import/importDirectory.ts"
import { importLayer } from "../../../src/programs/import/layer.ts"
import { QuestionVector } from "../../../src/services/QuestionVector.ts"
import { Search } from "../../../src/services/Search.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { embedChunks } from "../../support/embed.ts"
import { environment, extract, standIn } from "../../support/extraction.ts"
import { type QualityQuestion, qualityQuestions } from "./questions.ts"

const example = fileURLToPath(new URL("../../../examples/brain", import.meta.url))

const answers = ({ fact, pages }: QualityQuestion, hit: Hit): boolean =>
  hit.slug !== null &&
  pages.includes(hit.slug) &&
  (hit.kind === "page" || (fact !== undefined && hit.fact.includes(fact)))

/** The place of the first hit that answers, from 1; 0 when none of them does. */
const placeOf = (question: QualityQuestion, hits: ReadonlyArray<Hit>): number =>
  hits.findIndex((hit) => answers(question, hit)) + 1

/** How many questions are answered in the first five, and how early. */
const measure = (places: ReadonlyArray<number>) => ({
  inFive: places.filter((place) => place >= 1 && place <= 5).length,
  first: places.filter((place) => place === 1).length,
  reciprocal: places.reduce((sum, place) => sum + (place === 0 ? 0 : 1 / place), 0) / places.length
})

const learnt = Effect.fnUntraced(function* (url: string) {
  yield* importDirectory({ ...defaultImportOptions, directory: example }).pipe(
    Effect.provide(importLayer({ workers: 4 }))
  )
  yield* extract(url, { workers: 10 })
  yield* embedChunks(url)
})

const searching = (url: string) =>
  queryLayer({ cap: Money.parseUsd("0.01") }).pipe(
    Layer.provide(environment({ OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-test" }))
  )

onBothDatabases(
  "the quality of search",
  (brain) => {
    describe("forty questions to the example", () => {
      it.effect("query answers nine in ten in the first five hits, more than words or vectors alone", () =>
        Effect.gen(function* () {
          const server = yield* standIn()
          yield* learnt(server.url)
          const found = yield* Effect.gen(function* () {
            const vectors = yield* QuestionVector
            const { dimensions, model } = yield* (yield* Search).space
            const vectorOf = (text: string) =>
              Effect.map(vectors.of(text, { model, dimensions }), (vector) => ({ model, dimensions, vector }))
            return yield* Effect.forEach(qualityQuestions, (question) =>
              Effect.gen(function* () {
                const asked = yield* ask({ ...defaultSearch, text: question.text })
                const words = yield* findByWords(asked)
                const meaning = yield* findByMeaning(asked, yield* vectorOf(question.text))
                const whole = yield* query({ ...defaultSearch, text: question.text })
                return {
                  keyword: placeOf(question, yield* hitsOf(asked, words)),
                  vector: placeOf(question, yield* hitsOf(asked, meaning)),
                  hybrid: placeOf(question, whole.hits)
                }
              })
            )
          }).pipe(Effect.provide(searching(server.url)))
          const of = (way: "keyword" | "vector" | "hybrid") => measure(found.map((places) => places[way]))
          const [keyword, vector, hybrid] = [of("keyword"), of("vector"), of("hybrid")]
          const missed = qualityQuestions.flatMap(({ text }, index) => {
            const places = found[index]
            return places === undefined || (places.hybrid >= 1 && places.hybrid <= 5)
              ? []
              : [`${text} ${JSON.stringify(places)}`]
          })
          yield* Effect.sync(() =>
            process.stderr.write(
              `${JSON.stringify({ questions: qualityQuestions.length, keyword, vector, hybrid, missed }, null, 1)}\n`
            )
          )
          expect(qualityQuestions.length).toBe(40)
          expect(hybrid.inFive).toBeGreaterThanOrEqual(36)
          expect(hybrid.inFive).toBeGreaterThan(keyword.inFive)
          expect(hybrid.inFive).toBeGreaterThan(vector.inFive)
          expect(hybrid.reciprocal).toBeGreaterThan(keyword.reciprocal)
          expect(hybrid.reciprocal).toBeGreaterThan(vector.reciprocal)
        }).pipe(Effect.scoped, Effect.provide(brain))
      )
    })
  },
  1536
)
