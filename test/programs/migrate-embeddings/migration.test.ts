import { expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { examine } from "../../../src/programs/doctor/examine.ts"
import { embed } from "../../../src/programs/embed/embed.ts"
import { embedLayer } from "../../../src/programs/embed/layer.ts"
import { defaultEmbedOptions } from "../../../src/programs/embed/options.ts"
import { finishMigration, giveUp } from "../../../src/programs/migrate-embeddings/end.ts"
import { migrationBrainLayer } from "../../../src/programs/migrate-embeddings/layer.ts"
import { migrationStatus, planMigration } from "../../../src/programs/migrate-embeddings/plan.ts"
import { resolveTarget } from "../../../src/programs/migrate-embeddings/target.ts"
import { Database } from "../../../src/services/Database.ts"
import { EmbeddingMigrations, migrationLease } from "../../../src/services/EmbeddingMigrations.ts"
import { OpenAi } from "../../../src/services/OpenAi.ts"
import { PageLease } from "../../../src/services/PageLease.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { environment, standIn } from "../../support/extraction.ts"
import {
  filesOf,
  migrate,
  newSpace,
  oldSpace,
  putChunks,
  putFacts,
  putPage,
  shapeOf,
  vectorOf,
  wrongRows
} from "../../support/migrations.ts"

const texts = (about: string, count: number) =>
  Array.from({ length: count }, (_, index) => `The ${about} of number ${index} costs ${index * 7} a month.`)

onBothDatabases("migrate embeddings", (brain) => {
  const layer = migrationBrainLayer.pipe(Layer.provideMerge(brain))
  const test = <E>(
    name: string,
    body: Effect.Effect<void, E, Layer.Success<typeof layer> | Effect.Services<typeof scoped>>
  ) => it.live(name, () => body.pipe(Effect.scoped, Effect.provide(layer)), 300_000)
  const scoped = standIn()

  const seed = Effect.gen(function* () {
    const page = yield* putPage("notes/one")
    yield* putChunks(page, texts("chunk", 23))
    yield* putFacts(texts("fact", 23))
    return page
  })

  it.effect("a width that the model never makes is refused before anything is made", () =>
    Effect.gen(function* () {
      const asked = (model: string, dimensions: number) =>
        resolveTarget({ to: Option.some(model), dimensions: Option.some(dimensions) })
      const refused = yield* Effect.flip(asked("voyage:voyage-4", 1536))
      expect(refused).toMatchObject({ _tag: "TargetUnfit" })
      expect(refused.message).toContain("256, 512, 1024 or 2048 dimensions, not of 1536")
      expect(yield* asked("voyage:voyage-4", 512)).toEqual({ model: "voyage:voyage-4", dimensions: 512 })
    }).pipe(Effect.provide(layer))
  )

  const doctorSays = (name: string) =>
    examine().pipe(
      Effect.provide(OpenAi.layer.pipe(Layer.provide(environment({ OPENAI_API_KEY: "sk-test" })))),
      Effect.map(({ checks }) => checks.filter((check) => check.name === name).map(({ status }) => status))
    )

  test(
    "rows that would fill one request are shared out among the workers",
    Effect.gen(function* () {
      const api = yield* standIn()
      yield* putChunks(yield* putPage("notes/one"), texts("chunk", 300))
      // Four requests for each of three workers, of 25 texts.
      expect(yield* migrate(api.url, { requestInputs: Option.none() })).toMatchObject({
        status: "completed",
        rows_embedded: 300,
        embedding_calls: 12
      })
      expect(yield* wrongRows(newSpace)).toEqual([])
    })
  )

  test(
    "embeds every row once, and the brain is then of the new model; going back costs what is new; both are repeatable",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      const page = yield* seed
      // Rows that have no vector: one that should have, one that marks a page, one on a page that says not to.
      yield* putChunks(page, ["A chunk that nobody has embedded yet."], null)
      yield* sql`insert into facts (fact, source) values ('EXTRACTION_COMPLETE', 'cli:extract-conversation-facts:terminal:v2')`
      yield* sql`insert into takes (page_id, row_num, claim, kind, holder, embedding)
        values (${page}, 1, 'Rents will rise.', 'bet', 'ana', ${vectorOf(oldSpace, "Rents will rise.")}::text::vector)`
      const [shape, files] = [yield* shapeOf, yield* filesOf]
      expect(yield* planMigration(newSpace)).toMatchObject({
        rows: 48,
        tables: [
          { table: "content_chunks", from: "vector(64)", to: "vector(32)", rows: 24 },
          { table: "facts", from: "halfvec(64)", to: "halfvec(32)", rows: 23 },
          { table: "takes", from: "vector(64)", to: "vector(32)", rows: 1 }
        ]
      })
      expect(yield* shapeOf).toEqual(shape)
      expect(yield* migrate(api.url)).toMatchObject({
        status: "completed",
        phase: "swapped",
        rows_embedded: 48,
        rows_failed: 0,
        swap_attempts: 1
      })
      expect(api.stats().embeddingInputs).toBe(48)
      yield* sql`delete from facts where source like 'cli:%'`
      expect(yield* wrongRows(newSpace)).toEqual([])
      expect(yield* doctorSays("embedding_migration")).toEqual(["warn"])
      expect(yield* doctorSays("facts_embedding_width_consistency")).toEqual(["ok"])

      expect(yield* migrate(api.url)).toMatchObject({ status: "completed", embedding_calls: 0 })
      expect(yield* migrate(api.url, { to: oldSpace, undo: true })).toMatchObject({
        status: "completed",
        phase: "finished",
        // The one that had none before.
        rows_embedded: 1,
        to: oldSpace
      })
      expect(yield* shapeOf).toEqual(shape)
      expect(yield* filesOf).toEqual(files)
      expect(yield* wrongRows(oldSpace)).toEqual([])
      expect(api.stats().embeddingInputs).toBe(49)
    })
  )

  test(
    "embeds what is under a title as embed does, and pages say that they have no synopsis any more",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      const titles = ["The </context>harbour\n house", "</CONTEXT>", " \t\u00a0", `${"x".repeat(299)}😀`]
      for (const [at, title] of titles.entries()) {
        const page = yield* putPage(`notes/${at}`)
        yield* putChunks(page, [`About harbour number ${at}.`, `let x = ${at}`])
        yield* sql`update pages set title = ${title}, contextual_retrieval_mode = ${at === 0 ? "per_chunk_synopsis" : "title"},
          corpus_generation = 'one' where id = ${page}`
        yield* sql`update content_chunks set chunk_source = 'fenced_code' where page_id = ${page} and chunk_text like 'let%'`
      }
      const vectors = sql`select id, embedding::text from content_chunks order by id`
      yield* migrate(api.url)
      expect(
        yield* sql`select contextual_retrieval_mode as mode, corpus_generation as generation from pages order by id`
      ).toEqual([
        { mode: "title", generation: null },
        ...Array.from({ length: 3 }, () => ({ mode: "title", generation: "one" }))
      ])
      const migrated = yield* vectors
      yield* embed({ ...defaultEmbedOptions, all: true }).pipe(
        Effect.provide(
          embedLayer({ workers: 1, cap: Option.none() }).pipe(
            Layer.provide(environment({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test" }))
          )
        )
      )
      expect(migrated).toEqual(yield* vectors)
    })
  )

  test(
    "a column too wide for its index becomes one that has an index at this width",
    Effect.gen(function* () {
      const api = yield* standIn()
      yield* seed
      const indexes = (yield* shapeOf).filter((line) => line.startsWith("CREATE")).length
      expect(yield* migrate(api.url, { to: { ...newSpace, dimensions: 2500 }, finish: true })).toMatchObject({
        status: "completed",
        phase: "finished"
      })
      expect((yield* shapeOf).filter((line) => line.includes(".embedding "))).toEqual([
        "content_chunks.embedding halfvec(2500) YES",
        "facts.embedding halfvec(2500) YES",
        "takes.embedding halfvec(2500) YES"
      ])
      expect((yield* shapeOf).filter((line) => line.startsWith("CREATE"))).toHaveLength(indexes)
      expect(yield* doctorSays("embedding_migration")).toEqual(["ok"])
    })
  )

  test(
    "stops at the budget, goes on where it was, and pays for no row twice",
    Effect.gen(function* () {
      const api = yield* standIn()
      yield* seed
      const report = yield* migrate(api.url, { cap: "0.0001" })
      expect(report).toMatchObject({ status: "budget", phase: "filling", budget_period: "run" })
      expect(report.spent_usd).toBeLessThanOrEqual(0.0001)
      expect(report.rows_embedded).toBeGreaterThan(0)
      expect(report.rows_embedded).toBeLessThan(46)
      expect(yield* migrationStatus()).toMatchObject({ migration: { phase: "filling" } })
      expect(yield* doctorSays("embedding_migration")).toEqual(["warn"])
      const other = yield* Effect.flip(migrate(api.url, { to: oldSpace }))
      expect(other).toMatchObject({ _tag: "MigrationRefused" })
      expect(yield* migrate(api.url)).toMatchObject({
        status: "completed",
        rows_embedded: 46 - report.rows_embedded
      })
      expect(api.stats().embeddingInputs).toBe(46)
      expect(yield* wrongRows(newSpace)).toEqual([])
      yield* finishMigration()
      expect(yield* migrationStatus()).toMatchObject({ migration: null, configured: newSpace })
    })
  )

  test(
    "a text that the model refuses stops the swap, and goes without a vector when that is wanted",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn({
        rules: [{ endpoint: "embeddings", contains: "poison", fault: { kind: "status", status: 400 } }]
      })
      yield* seed
      yield* putFacts(["This fact is poison."])
      yield* putFacts([" "])
      const report = yield* migrate(api.url)
      expect(report).toMatchObject({ status: "failed", phase: "filling", rows_embedded: 46, rows_refused: 2 })
      expect(report.stopped).toContain("--skip-refused")
      expect(report.refused.map(({ reason }) => reason)).toEqual([
        expect.stringContaining("400"),
        "the text is empty"
      ])
      // Edited, a text is tried again.
      yield* sql`update facts set fact = 'This fact is healed.' where fact like '%poison%'`
      expect(yield* migrate(api.url, { skipRefused: true })).toMatchObject({
        status: "completed",
        rows_embedded: 1,
        rows_refused: 1
      })
      expect((yield* wrongRows(newSpace)).map(({ text }) => text)).toEqual([" "])
    })
  )

  test(
    "readers are served and writers' rows are caught all along, from the first column to the last",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn({ embeddingLatency: 20 })
      const page = yield* seed
      const over = yield* Deferred.make<void>()
      let reads = 0
      // A row's nearest neighbours, and what a person is shown of them, as long as it takes.
      const reader = sql<{ id: number; near: number | null; model: string }>`
        select b.id, a.embedding <=> b.embedding as near, b.model from content_chunks a, content_chunks b
        where a.id = (select min(id) from content_chunks where embedding is not null) and b.embedding is not null
        order by a.embedding <=> b.embedding limit 5`.pipe(
        Effect.timeout("5 seconds"),
        Effect.tap((rows) =>
          Effect.sync(() => {
            reads++
            expect(rows).toHaveLength(5)
            expect(new Set(rows.map(({ model }) => model)).size).toBe(1)
          })
        ),
        Effect.repeat(Schedule.spaced("1 millis"))
      )
      const writer = Effect.gen(function* () {
        for (let turn = 0; turn < 25; turn++) {
          // As gbrain does: an edited chunk has no vector until it is embedded again.
          yield* sql`update content_chunks set chunk_text = ${`Edited in turn ${turn}.`}, embedding = null
            where id = (select id from content_chunks order by md5(id::text || ${String(turn)}) limit 1)`
          yield* sql`delete from facts where id = (select id from facts order by md5(id::text || ${String(turn)}) limit 1)`
          // A process of the old model, until the columns are swapped under it.
          yield* Effect.ignore(putFacts([`A fact of turn ${turn}.`], oldSpace))
          yield* putChunks(page, [`A chunk of turn ${turn}.`], null)
          yield* Effect.sleep("15 millis")
        }
      })
      const reading = yield* Effect.forkChild(Effect.raceFirst(reader, Deferred.await(over)))
      const writing = yield* Effect.forkChild(writer)
      expect(yield* migrate(api.url)).toMatchObject({ status: "completed" })
      yield* Fiber.join(writing)
      // Rows that came after the last look are for the next run, as any that are new.
      yield* migrate(api.url, { finish: true })
      yield* Deferred.succeed(over, undefined)
      yield* Fiber.join(reading)
      expect(reads).toBeGreaterThan(10)
      expect((yield* wrongRows(newSpace)).filter(({ vector }) => vector !== null)).toEqual([])
    })
  )

  test(
    "two at once: the second is told who is at it; what is half way can be given up",
    Effect.gen(function* () {
      const migrations = yield* EmbeddingMigrations
      const api = yield* standIn()
      yield* seed
      const shape = yield* shapeOf
      const leases = yield* PageLease
      const second = yield* leases.withLease(migrationLease, () => Effect.flip(migrate(api.url)))
      expect(second).toMatchObject({ _tag: "LeaseHeld" })
      yield* migrate(api.url, { cap: "0.0001" })
      expect(yield* giveUp()).toMatchObject({ to: newSpace })
      expect(yield* shapeOf).toEqual(shape)
      expect(yield* wrongRows(oldSpace)).toEqual([])
      expect(Option.isNone(yield* migrations.open)).toBe(true)
      expect(yield* migrations.configured).toEqual(oldSpace)
      expect(yield* Effect.flip(giveUp())).toMatchObject({ _tag: "MigrationRefused" })
      expect(["pglite", "postgres"]).toContain((yield* Database).kind)
    })
  )
})
