/**
 * `search` and `query`: pages and facts that answer a question, by its words, or by its words and its meaning together. Ask,
 * look in every way there is, fuse, show.
 */
import { Effect, Result } from "effect"
import * as Money from "../../domain/Money.ts"
import { Budget } from "../../services/Budget.ts"
import { widthMismatch } from "../../services/EmbeddingWidth.ts"
import { QuestionVector } from "../../services/QuestionVector.ts"
import { Search } from "../../services/Search.ts"
import { ask, type Asked, findByMeaning, findByWords, hitsOf } from "./find.ts"
import type { SearchOptions } from "./options.ts"
import type { SearchReport } from "./report.ts"

/** Finds pages and facts by words and names. Costs nothing and needs no key. */
export const search = Effect.fn("search")(function* (options: SearchOptions) {
  const asked = yield* ask(options)
  const hits = yield* hitsOf(asked, yield* findByWords(asked))
  return {
    command: "search",
    text: asked.terms.question.text,
    method: "keyword",
    fallback: null,
    notes: notesOn(asked),
    embedding_model: null,
    spent_usd: 0,
    hits
  } satisfies SearchReport
})

/**
 * Finds pages and facts by words, names and meaning. The question is embedded once, which costs a fraction of a cent; when that
 * cannot be done, words and names answer alone, and the report says why. Fails, before anything is paid, when the vectors of
 * the brain have another width than the model makes.
 */
export const query = Effect.fn("query")(function* (options: SearchOptions) {
  const asked = yield* ask(options)
  const { model } = yield* QuestionVector
  const [byWords, vector] = yield* Effect.all([findByWords(asked), embed(asked.terms.question.text)], {
    concurrency: "unbounded"
  })
  const byMeaning = Result.isSuccess(vector) ? yield* findByMeaning(asked, vector.success) : []
  const hits = yield* hitsOf(asked, [...byWords, ...byMeaning])
  const { spent } = yield* (yield* Budget).snapshot
  return {
    command: "query",
    text: asked.terms.question.text,
    method: Result.isSuccess(vector) ? "hybrid" : "keyword",
    fallback: Result.isSuccess(vector) ? null : vector.failure,
    notes: Result.isSuccess(vector) ? [] : notesOn(asked),
    embedding_model: Result.isSuccess(vector) ? model : null,
    spent_usd: Money.toNumber(spent),
    hits
  } satisfies SearchReport
})

// The vector, or why there is none.
const embed = Effect.fnUntraced(function* (text: string) {
  const vectors = yield* QuestionVector
  const columns = yield* (yield* Search).vectors
  if (columns.length === 0) {
    return Result.fail("Nothing in this brain has a vector yet. Make them with: gbrain embed --stale")
  }
  const wrong = columns.find((column) => column.dimensions !== vectors.dimensions)
  if (wrong !== undefined) return yield* widthMismatch(wrong, vectors.dimensions, vectors.model)
  return yield* Effect.result(vectors.of(text)).pipe(Effect.map(Result.mapError((error) => error.message)))
})

const notesOn = ({ terms }: Asked): ReadonlyArray<string> =>
  terms.lexemes.length === 0 && terms.pieces.length === 0 && !terms.question.strict
    ? [`The words of "${terms.question.text}" are in every text; only names of pages were compared.`]
    : []
