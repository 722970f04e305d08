/**
 * Ways to find something in the open brain. Each gives a list of its own, the best first; making one list of them is
 * the business of `domain/search/Fusion`.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { Question } from "../domain/search/Question.ts"
import type { VectorColumn } from "./EmbeddingWidth.ts"
import { resilient } from "./database/Resilience.ts"
import { factsByWords, type FoundFact } from "./search/factsByWords.ts"
import { factsNear, hasVectors, pagesNear } from "./search/nearest.ts"
import { type NamedPage, pagesByName } from "./search/pagesByName.ts"
import { type FoundPage, pagesByWords } from "./search/pagesByWords.ts"
import type { SearchScope } from "./search/scope.ts"
import { showFacts, type ShownFact, type ShownPage, showPages } from "./search/show.ts"
import { inspectVectors } from "./search/VectorIndex.ts"
import { inspectIndex, lookUpWords, type SearchTerms } from "./search/WordIndex.ts"

export type { FoundFact } from "./search/factsByWords.ts"
export type { NamedPage } from "./search/pagesByName.ts"
export type { FoundPage } from "./search/pagesByWords.ts"
export type { SearchScope } from "./search/scope.ts"
export type { ShownFact, ShownPage } from "./search/show.ts"
export type { SearchTerms } from "./search/WordIndex.ts"

type Found<A> = Effect.Effect<ReadonlyArray<A>, SqlError.SqlError>

/** Finds pages and facts. Nothing that is deleted, expired, superseded or a mark of a finished page is ever found. */
export class Search extends Context.Service<
  Search,
  {
    /** A question in terms of the brain's index of words. */
    readonly terms: (question: Question) => Effect.Effect<SearchTerms, SqlError.SqlError>
    readonly pagesByWords: (terms: SearchTerms, scope: SearchScope, limit: number) => Found<FoundPage>
    readonly pagesByName: (terms: SearchTerms, scope: SearchScope, limit: number) => Found<NamedPage>
    readonly factsByWords: (terms: SearchTerms, scope: SearchScope, limit: number) => Found<FoundFact>
    /** The vector columns that hold vectors. */
    readonly vectors: Effect.Effect<ReadonlyArray<VectorColumn>, SqlError.SqlError>
    readonly pagesNear: (vector: Float32Array, scope: SearchScope, limit: number) => Found<FoundPage>
    readonly factsNear: (vector: Float32Array, scope: SearchScope, limit: number) => Found<FoundFact>
    readonly showPages: (
      pages: ReadonlyArray<{ readonly page_id: number; readonly chunk_id: number | null }>
    ) => Found<ShownPage>
    readonly showFacts: (ids: ReadonlyArray<string>) => Found<ShownFact>
  }
>()("gbrain/Search") {
  /** Searching the open brain. Its indexes are looked at once. */
  static readonly layer = Layer.effect(
    Search,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const here = <A, E>(self: Effect.Effect<A, E, SqlClient.SqlClient>) =>
        resilient(Effect.provideService(self, SqlClient.SqlClient, sql))
      const index = yield* Effect.cached(here(inspectIndex()))
      const vectors = yield* Effect.cached(here(inspectVectors()))

      return Search.of({
        terms: (question) => Effect.flatMap(index, ({ language }) => here(lookUpWords(question, language))),
        pagesByWords: (terms, scope, limit) =>
          Effect.flatMap(index, (facts) => here(pagesByWords(terms, scope, { limit, index: facts }))),
        pagesByName: (terms, scope, limit) => here(pagesByName(terms, scope, limit)),
        factsByWords: (terms, scope, limit) => here(factsByWords(terms, scope, limit)),
        vectors: Effect.gen(function* () {
          const { chunks, facts } = yield* vectors
          const filled = yield* Effect.filter([chunks, facts], (access) => here(hasVectors(access)))
          return filled.flatMap((access) => (access._tag === "Some" ? [access.value.column] : []))
        }),
        pagesNear: (vector, scope, limit) =>
          Effect.flatMap(vectors, (known) => here(pagesNear(vector, scope, { limit, vectors: known }))),
        factsNear: (vector, scope, limit) =>
          Effect.flatMap(vectors, (known) => here(factsNear(vector, scope, { limit, vectors: known }))),
        showPages: (pages) => here(showPages(pages)),
        showFacts: (ids) => here(showFacts(ids))
      })
    })
  )
}
