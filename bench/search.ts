/**
 * How well and how fast a brain is searched: of the ten nearest pages, how many the index finds (recall, against an exact
 * scan), and how long a question takes by words, by meaning and by both, with filters and without, at several values of
 * `hnsw.ef_search`. The brain is made up, in clusters; see `search-corpus.ts`. Everything is measured in one run.
 *
 *   npm run bench:search                         100,000 chunks on Postgres, 10,000 on the embedded brain
 *   npm run bench:search -- --database pglite --chunks 2000 --questions 20
 */
import { NodeServices } from "@effect/platform-node"
import { Effect, Layer, Option, Result } from "effect"
import { SqlClient } from "effect/sql"
import { parseArgs } from "node:util"
import { readQuestion } from "../src/domain/search/Question.ts"
import { Brain, Database, HostProcess, initBrain } from "../src/index.ts"
import { findByMeaning, findByWords, hitsOf } from "../src/programs/search/find.ts"
import { defaultEmbedding } from "../src/services/Brain.ts"
import { Search, type SearchScope } from "../src/services/Search.ts"
import { VectorSearchPolicy } from "../src/services/search/VectorIndex.ts"
import { type BenchQuestion, fill, width } from "./search-corpus.ts"
import { freshDatabaseLayer } from "./support/brain.ts"
import { onDatabases } from "./support/runs.ts"

const { values } = parseArgs({
  options: {
    database: { type: "string", default: "both" },
    chunks: { type: "string" },
    questions: { type: "string", default: "60" },
    "ef-search": { type: "string", default: "40,100,200,400" }
  }
})

const questions = Number(values.questions)
const efSearches = values["ef-search"].split(",").map(Number)
const say = (text: string) => Effect.sync(() => process.stderr.write(`${text}\n`))
const print = (...cells: ReadonlyArray<string | number>) =>
  Effect.sync(() => process.stdout.write(`${cells.map((cell) => String(cell).padStart(13)).join("")}\n`))

/** The three places to search in. */
const scopes: ReadonlyArray<{ readonly name: string; readonly scope: SearchScope }> = [
  { name: "all", scope: { sourceIds: ["default", "small"], types: [], visibility: "all" } },
  { name: "type, 10%", scope: { sourceIds: ["default", "small"], types: ["meeting"], visibility: "all" } },
  { name: "source, 2%", scope: { sourceIds: ["small"], types: [], visibility: "all" } }
]

const percentile = (times: ReadonlyArray<number>, share: number): string => {
  const sorted = times.toSorted((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1)
}

/** Runs `work` for each question, one after another, and answers milliseconds. */
const timed = Effect.fnUntraced(function* <A, E, R>(
  asked: ReadonlyArray<BenchQuestion>,
  work: (question: BenchQuestion) => Effect.Effect<A, E, R>
) {
  const times: Array<number> = []
  const results: Array<A> = []
  for (const question of asked) {
    const before = performance.now()
    results.push(yield* work(question))
    times.push(performance.now() - before)
  }
  return { times, results }
})

/** The pages that an exact scan finds: the same statement, with the index out of the way. */
const exact = Effect.fnUntraced(function* (question: BenchQuestion, scope: SearchScope) {
  const sql = yield* SqlClient.SqlClient
  const search = yield* Search
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`select set_config('enable_indexscan', 'off', true)`
      return yield* search.pagesNear(asVector(question), scope, wanted)
    })
  )
})

/** Pages that each way of looking gives, as in a search of twenty hits. */
const wanted = 50

/** The brain's own model has made it. */
const asVector = ({ vector }: BenchQuestion) => ({ ...defaultEmbedding, dimensions: width, vector })

const asQuestion = (text: string) => Effect.fromResult(Result.mapError(readQuestion(text), (it) => it))

const measure = Effect.fnUntraced(function* (name: string, asked: ReadonlyArray<BenchQuestion>) {
  const search = yield* Search
  const byWords = Effect.fnUntraced(function* (question: BenchQuestion, scope: SearchScope) {
    const terms = yield* search.terms(yield* asQuestion(question.text))
    return yield* findByWords({ terms, scope, limit: 20 })
  })
  const byBoth = Effect.fnUntraced(function* (question: BenchQuestion, scope: SearchScope) {
    const terms = yield* search.terms(yield* asQuestion(question.text))
    const context = { terms, scope, limit: 20 }
    const [words, meaning] = yield* Effect.all(
      [findByWords(context), findByMeaning(context, asVector(question))],
      { concurrency: "unbounded" }
    )
    return yield* hitsOf(context, [...words, ...meaning])
  })
  const warm = asked.slice(0, 5)
  for (const { name: place, scope } of scopes) {
    yield* timed(warm, (question) => byBoth(question, scope))
    const truth = yield* timed(asked, (question) => exact(question, scope))
    yield* print(
      name,
      place,
      "exact scan",
      "1.000",
      percentile(truth.times, 0.5),
      percentile(truth.times, 0.95)
    )
    for (const efSearch of name === "postgres" ? efSearches : []) {
      const found = yield* timed(asked, (question) =>
        search.pagesNear(asVector(question), scope, wanted)
      ).pipe(Effect.provideService(VectorSearchPolicy, { efSearch }))
      const recall =
        found.results
          .map((pages, index) => {
            const first = (truth.results[index] ?? []).slice(0, 10).map((page) => page.page_id)
            const ids = new Set(pages.slice(0, 10).map((page) => page.page_id))
            return first.filter((id) => ids.has(id)).length / Math.max(1, first.length)
          })
          .reduce((sum, share) => sum + share, 0) / asked.length
      yield* print(
        name,
        place,
        `ef ${efSearch}`,
        recall.toFixed(3),
        percentile(found.times, 0.5),
        percentile(found.times, 0.95)
      )
    }
    const words = yield* timed(asked, (question) => byWords(question, scope))
    yield* print(name, place, "keyword", "", percentile(words.times, 0.5), percentile(words.times, 0.95))
    const both = yield* timed(asked, (question) => byBoth(question, scope))
    yield* print(name, place, "hybrid", "", percentile(both.times, 0.5), percentile(both.times, 0.95))
  }
})

const run = Effect.fnUntraced(function* (name: string, chunks: number) {
  const sql = yield* SqlClient.SqlClient
  const startedAt = performance.now()
  const asked = yield* fill(chunks, questions)
  const filled = performance.now()
  yield* say(`${name}: ${chunks} chunks written in ${((filled - startedAt) / 1000).toFixed(0)} s`)
  if (name === "postgres") {
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`set local maintenance_work_mem = '1500MB'`
        yield* sql`create index idx_chunks_embedding on content_chunks using hnsw (embedding vector_cosine_ops)`
        yield* sql`create index idx_facts_embedding_hnsw on facts using hnsw (embedding halfvec_cosine_ops)
          where embedding is not null and expired_at is null`
      })
    )
    yield* say(`${name}: indexes built in ${((performance.now() - filled) / 1000).toFixed(0)} s`)
  }
  for (const table of ["pages", "content_chunks", "facts"]) yield* sql`analyze ${sql(table)}`
  yield* measure(name, asked)
})

const newBrain = Layer.effectDiscard(
  initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.some(width) })
)

const onto = <E, R>(database: Layer.Layer<Layer.Success<typeof Database.layerMemory>, E, R>) =>
  Search.layer.pipe(
    Layer.provideMerge(Brain.layer),
    Layer.provideMerge(newBrain),
    Layer.provideMerge(database),
    Layer.provideMerge(HostProcess.layer),
    Layer.provideMerge(NodeServices.layer)
  )

const sizes: Readonly<Record<string, number>> = { pglite: 10_000, postgres: 100_000 }

await Effect.runPromise(print("database", "where", "how", "recall@10", "p50 ms", "p95 ms"))
await onDatabases(values.database, ({ name, url }) =>
  Effect.runPromise(
    run(name, Number(values.chunks ?? sizes[name])).pipe(
      Effect.provide(onto(url === "" ? Database.layerMemory : freshDatabaseLayer(url, 8))),
      Effect.scoped
    )
  )
)
process.exit(0)
