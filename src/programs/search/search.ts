/**
 * `search` and `query`: pages and facts that answer a question, by its words, or by its words and its meaning together. Ask,
 * look in every way there is, fuse, show.
 */
import { Effect, Option, Result } from "effect"
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
  const [byWords, meaning] = yield* Effect.all([findByWords(asked), meaningOf(asked)], {
    concurrency: "unbounded"
  })
  const found = Option.getOrUndefined(Result.getSuccess(meaning))
  const hits = yield* hitsOf(asked, [...byWords, ...(found?.lists ?? [])])
  const { spent } = yield* (yield* Budget).snapshot
  return {
    command: "query",
    text: asked.terms.question.text,
    method: found === undefined ? "keyword" : "hybrid",
    fallback: Option.getOrNull(Result.getFailure(meaning)),
    notes: found === undefined ? notesOn(asked) : [],
    embedding_model: found?.model ?? null,
    spent_usd: Money.toNumber(spent),
    hits
  } satisfies SearchReport
})

/** A brain may go over to another model while a question is embedded: then it is embedded once more, by that one. */
const timesEmbeddedAgain = 1

// What is near in meaning, or why that could not be found out.
const meaningOf = (asked: Asked) =>
  near(asked).pipe(
    Effect.retry({ times: timesEmbeddedAgain, while: (error) => error._tag === "SpaceChanged" }),
    Effect.catchTag("SpaceChanged", ({ message }) => Effect.succeed(Result.fail(message)))
  )

const near = Effect.fnUntraced(function* (asked: Asked) {
  const vectors = yield* QuestionVector
  const { columns, dimensions, model } = yield* (yield* Search).space
  if (columns.length === 0) {
    return Result.fail("Nothing in this brain has a vector yet. Make them with: gbrain embed --stale")
  }
  const wrong = columns.find((column) => column.dimensions !== dimensions)
  if (wrong !== undefined) return yield* widthMismatch(wrong, dimensions, model)
  const vector = yield* Effect.result(vectors.of(asked.terms.question.text, { model, dimensions }))
  if (Result.isFailure(vector)) return Result.fail(vector.failure.message)
  return Result.succeed({
    model,
    lists: yield* findByMeaning(asked, { model, dimensions, vector: vector.success })
  })
})

const notesOn = ({ terms }: Asked): ReadonlyArray<string> =>
  terms.lexemes.length === 0 && terms.pieces.length === 0 && !terms.question.strict
    ? [`The words of "${terms.question.text}" are in every text; only names of pages were compared.`]
    : []
