/**
 * Ways to find something in the open brain. Each gives a list of its own, the best first; making one list of them is
 * the business of `domain/search/Fusion`.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { EmbeddingSpace } from "../domain/EmbeddingSpace.ts"
import type { Question } from "../domain/search/Question.ts"
import { type BadSetting, BrainConfig } from "./BrainConfig.ts"
import type { VectorColumn } from "./EmbeddingWidth.ts"
import { resilient } from "./database/Resilience.ts"
import { factsByWords, type FoundFact } from "./search/factsByWords.ts"
import { heldSpace, type SpaceChanged } from "./search/heldSpace.ts"
import { type AskedVector, factsNear, hasVectors, pagesNear } from "./search/nearest.ts"
import { type NamedPage, pagesByName } from "./search/pagesByName.ts"
import { type FoundPage, pagesByWords } from "./search/pagesByWords.ts"
import type { SearchScope } from "./search/scope.ts"
import { showFacts, type ShownFact, type ShownPage, showPages } from "./search/show.ts"
import { makeVectorIndexes } from "./search/VectorIndex.ts"
import { inspectIndex, lookUpWords, type SearchTerms } from "./search/WordIndex.ts"

export { SpaceChanged } from "./search/heldSpace.ts"
export type { AskedVector } from "./search/nearest.ts"
export type { FoundFact } from "./search/factsByWords.ts"
export type { NamedPage } from "./search/pagesByName.ts"
export type { FoundPage } from "./search/pagesByWords.ts"
export type { SearchScope } from "./search/scope.ts"
export type { ShownFact, ShownPage } from "./search/show.ts"
export type { SearchTerms } from "./search/WordIndex.ts"

type Found<A> = Effect.Effect<ReadonlyArray<A>, SqlError.SqlError>

/** Fails when the vector is of another model than the brain's are by now. */
type Near<A> = Effect.Effect<ReadonlyArray<A>, SqlError.SqlError | BadSetting | SpaceChanged>

/** Finds pages and facts. Nothing that is deleted, expired, superseded or a mark of a finished page is ever found. */
export class Search extends Context.Service<
  Search,
  {
    /** A question in terms of the brain's index of words. */
    readonly terms: (question: Question) => Effect.Effect<SearchTerms, SqlError.SqlError>
    readonly pagesByWords: (terms: SearchTerms, scope: SearchScope, limit: number) => Found<FoundPage>
    readonly pagesByName: (terms: SearchTerms, scope: SearchScope, limit: number) => Found<NamedPage>
    readonly factsByWords: (terms: SearchTerms, scope: SearchScope, limit: number) => Found<FoundFact>
    /** The model that the brain is configured for, and the columns that hold vectors, at one moment. */
    readonly space: Effect.Effect<
      EmbeddingSpace & { readonly columns: ReadonlyArray<VectorColumn> },
      SqlError.SqlError | BadSetting
    >
    readonly pagesNear: (vector: AskedVector, scope: SearchScope, limit: number) => Near<FoundPage>
    readonly factsNear: (vector: AskedVector, scope: SearchScope, limit: number) => Near<FoundFact>
    readonly showPages: (
      pages: ReadonlyArray<{ readonly page_id: number; readonly chunk_id: number | null }>
    ) => Found<ShownPage>
    readonly showFacts: (ids: ReadonlyArray<string>) => Found<ShownFact>
  }
>()("gbrain/Search") {
  /** Searching the open brain. Its index of words is looked at once; vectors may become others at any moment. */
  static readonly layer = Layer.effect(
    Search,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const config = yield* BrainConfig
      const here = <A, E>(self: Effect.Effect<A, E, SqlClient.SqlClient | BrainConfig>) =>
        resilient(
          Effect.provideService(Effect.provideService(self, BrainConfig, config), SqlClient.SqlClient, sql)
        )
      const index = yield* Effect.cached(here(inspectIndex()))
      const indexes = yield* makeVectorIndexes

      return Search.of({
        terms: (question) => Effect.flatMap(index, ({ language }) => here(lookUpWords(question, language))),
        pagesByWords: (terms, scope, limit) =>
          Effect.flatMap(index, (facts) => here(pagesByWords(terms, scope, { limit, index: facts }))),
        pagesByName: (terms, scope, limit) => here(pagesByName(terms, scope, limit)),
        factsByWords: (terms, scope, limit) => here(factsByWords(terms, scope, limit)),
        space: here(
          sql.withTransaction(
            Effect.gen(function* () {
              const space = yield* heldSpace()
              const { chunks, facts } = yield* indexes
              const filled = yield* Effect.filter([chunks, facts], hasVectors)
              return {
                ...space,
                columns: filled.flatMap((access) => (access._tag === "Some" ? [access.value.column] : []))
              }
            })
          )
        ),
        pagesNear: (vector, scope, limit) => here(pagesNear(vector, scope, { limit, indexes })),
        factsNear: (vector, scope, limit) => here(factsNear(vector, scope, { limit, indexes })),
        showPages: (pages) => here(showPages(pages)),
        showFacts: (ids) => here(showFacts(ids))
      })
    })
  ).pipe(Layer.provide(BrainConfig.layer))
}
