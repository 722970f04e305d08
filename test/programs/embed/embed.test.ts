/** `embed` on both databases, against the stand-in server. */
import { expect } from "@effect/vitest"
import { Duration, Effect, Fiber, Option, Stream } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../../src/domain/Money.ts"
import { embed } from "../../../src/programs/embed/embed.ts"
import { chunksWithoutVectors } from "../../../src/programs/embed/backlog.ts"
import { embedBrainLayer, embedLayer } from "../../../src/programs/embed/layer.ts"
import { defaultEmbedOptions, type EmbedOptions } from "../../../src/programs/embed/options.ts"
import { planEmbedding } from "../../../src/programs/embed/plan.ts"
import { ChunkEmbeddings } from "../../../src/services/ChunkEmbeddings.ts"
import { examine } from "../../../src/programs/doctor/examine.ts"
import { brainLayer } from "../../../src/programs/extract-conversation-facts/layer.ts"
import { CallTimeouts } from "../../../src/services/CallTimeouts.ts"
import { OpenAi } from "../../../src/services/OpenAi.ts"
import { RetryPolicy } from "../../../src/services/Retry.ts"
import { Layer } from "effect"
import { onBothDatabases } from "../../support/brains.ts"
import { environment, standIn } from "../../support/extraction.ts"
import { testsOn } from "../../support/testsOn.ts"

const model = "openai:text-embedding-3-small"

/** Runs `embed` against a server. */
const run = (
  url: string,
  options: Partial<EmbedOptions> & { readonly workers?: number; readonly cap?: string } = {}
) => {
  const { cap = "5", workers = 4, ...rest } = options
  return embed({ ...defaultEmbedOptions, ...rest }).pipe(
    Effect.provide(
      embedLayer({ workers, cap: Money.parseUsd(cap) }).pipe(
        Layer.provide(environment({ OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-test" }))
      )
    )
  )
}

/** Pages with so many chunks each. */
const fill = Effect.fnUntraced(function* (pages: number, chunks = 3) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`insert into pages (slug, type, title, compiled_truth)
    select 'notes/' || page, 'note', 'Note ' || page, 'text' from generate_series(1, ${pages}::int) page`
  yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text)
    select id, chunk, 'About harbour number ' || id || ', part ' || chunk || '.' from pages,
      generate_series(0, ${chunks}::int - 1) chunk order by id, chunk`
})

const state = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{
    readonly slug: string
    readonly index: number
    readonly bare: boolean
    readonly model: string
    readonly fits: boolean | null
    readonly signature: string | null
  }>`
    select slug, chunk_index as index, embedding is null as bare, model, embedded_text_hash = md5(chunk_text) as fits,
      embedding_signature as signature
    from content_chunks join pages on pages.id = page_id order by content_chunks.id`
})

const journaled = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{
    readonly n: number
  }>`select count(*)::int as n from gbrain_effect.journal_vectors`
  return row?.n
})

onBothDatabases("embed", (brain) => {
  const test = testsOn(brain)

  test("embeds what has no vector, packed across pages, signs the pages, and finds nothing to do afterwards", () =>
    Effect.gen(function* () {
      yield* fill(40)
      const api = yield* standIn()
      const report = yield* run(api.url)
      expect(report).toMatchObject({
        status: "completed",
        chunks_to_do: 120,
        chunks_embedded: 120,
        chunks_failed: 0
      })
      expect(api.stats()).toMatchObject({ embeddingInputs: 120, embeddingCalls: 8 })
      for (const row of yield* state) {
        expect(row).toMatchObject({ bare: false, model, fits: true, signature: `${model}:64` })
      }
      expect(yield* journaled).toBe(0)
      expect(yield* run(api.url)).toMatchObject({ status: "completed", chunks_to_do: 0, embedding_calls: 0 })
    }))

  test("takes again what was edited or made by another model, by gbrain's marks, and nothing else", () =>
    Effect.gen(function* () {
      yield* fill(6, 1)
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      yield* run(api.url)
      const edit = (page: number, change: string) =>
        sql`update content_chunks set ${sql.literal(change)} where page_id = ${page}`
      yield* edit(1, "chunk_text = 'Another text.'")
      yield* edit(2, "model = 'voyage:voyage-4'")
      // gbrain's older name for the same model.
      yield* edit(3, "model = 'text-embedding-3-small'")
      // Rows from before there were hashes: their page tells.
      yield* edit(4, "embedded_text_hash = null, model = 'openai:text-embedding-3-large'")
      yield* edit(5, "embedded_text_hash = null")
      yield* sql`update pages set embedding_signature = 'voyage:voyage-4:64' where id = 5`
      yield* edit(6, "embedded_text_hash = null, model = 'openai:text-embedding-3-large'")
      yield* sql`update pages set embedding_signature = null where id = 6`
      const plan = yield* planEmbedding(defaultEmbedOptions, Option.some(4)).pipe(
        Effect.provide(embedBrainLayer)
      )
      expect(plan).toMatchObject({
        chunks_to_do: 3,
        chunks_missing: 0,
        chunks_other_text: 1,
        chunks_other_model: 2
      })
      expect(yield* run(api.url)).toMatchObject({ status: "completed", chunks_embedded: 3 })
      expect((yield* state).filter((row) => row.fits === true).map((row) => row.slug)).toEqual([
        "notes/1",
        "notes/2",
        "notes/3",
        "notes/5"
      ])
      expect(yield* run(api.url, { all: true })).toMatchObject({ chunks_embedded: 6 })
      expect((yield* state).every((row) => row.fits === true && row.signature === `${model}:64`)).toBe(true)
    }))

  test("named pages only, and at most so many chunks; what does not exist is an error", () =>
    Effect.gen(function* () {
      yield* fill(5, 4)
      const api = yield* standIn()
      expect(yield* run(api.url, { slugs: Option.some(["notes/2", "notes/3"]) })).toMatchObject({
        chunks_considered: 8,
        chunks_embedded: 8
      })
      expect(yield* run(api.url, { limit: Option.some(5) })).toMatchObject({
        chunks_to_do: 12,
        chunks_embedded: 5
      })
      const error = yield* Effect.flip(run(api.url, { slugs: Option.some(["notes/2", "no/such"]) }))
      expect(error).toMatchObject({ message: 'There is no page "no/such" in default.' })
    }))

  test("deleted pages and those marked embed_skip are left alone; an empty chunk is not sent", () =>
    Effect.gen(function* () {
      yield* fill(4, 1)
      const sql = yield* SqlClient.SqlClient
      yield* sql`update pages set deleted_at = now() where id = 1`
      yield* sql`update pages set frontmatter = '{"embed_skip": {"reason": "oversized"}}' where id = 2`
      yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text) values (3, 1, ''), (3, 2, ${" \n\t"})`
      const api = yield* standIn()
      expect(yield* run(api.url)).toMatchObject({ status: "completed", chunks_embedded: 2, chunks_empty: 2 })
      expect(api.stats().embeddingInputs).toBe(2)
      expect((yield* state).filter((row) => row.signature !== null).map((row) => row.slug)).toContain(
        "notes/3"
      )
    }))

  test("a picture's name is nobody's text: it is not embedded, its page is signed, and nobody misses its vector", () =>
    Effect.gen(function* () {
      yield* fill(2, 1)
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text, chunk_source, modality)
        values (1, 1, 'plan.pdf, page 2', 'image_asset', 'image')`
      const api = yield* standIn()
      const plan = yield* planEmbedding(defaultEmbedOptions).pipe(Effect.provide(embedBrainLayer))
      expect(plan).toMatchObject({ chunks_considered: 2, chunks_to_do: 2 })
      expect(yield* run(api.url)).toMatchObject({
        status: "completed",
        chunks_considered: 2,
        chunks_embedded: 2
      })
      expect(api.stats().embeddingInputs).toBe(2)
      expect((yield* state).map(({ bare, signature }) => [bare, signature])).toEqual([
        [false, `${model}:64`],
        [false, `${model}:64`],
        [true, `${model}:64`]
      ])
      // By an earlier version it was embedded, from other text and by another model at that.
      yield* sql`update content_chunks set embedding = (select embedding from content_chunks where id = 1), model = 'another',
        embedded_text_hash = 'another' where modality = 'image'`
      expect(yield* run(api.url)).toMatchObject({ status: "completed", chunks_to_do: 0, embedding_calls: 0 })
      expect(yield* run(api.url, { all: true })).toMatchObject({ chunks_embedded: 2 })
      yield* sql`update content_chunks set embedding = null where modality = 'image'`
      expect(yield* chunksWithoutVectors).toEqual({ chunks: 2, bare: 0 })
    }))

  test("a page made for contextual retrieval is embedded under its title, code as it is", () =>
    Effect.gen(function* () {
      yield* fill(1, 1)
      const sql = yield* SqlClient.SqlClient
      yield* sql`update pages set contextual_retrieval_mode = 'per_chunk_synopsis', title = ${"The </context>harbour\n house"}`
      yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text, chunk_source) values (1, 1, 'let x = 1', 'fenced_code')`
      const api = yield* standIn()
      yield* run(api.url, { batchSize: Option.some(1), workers: 1 })
      expect(api.log().map((entry) => entry.text)).toEqual([
        "<context>The harbour house\n</context>\nAbout harbour number 1, part 0.",
        "let x = 1"
      ])
      const [page] = yield* sql<{
        readonly mode: string
      }>`select contextual_retrieval_mode as mode from pages`
      expect(page?.mode).toBe("title")
    }))

  test("a chunk of 300,000 tokens is embedded by its beginning, and the report says so", () =>
    Effect.gen(function* () {
      yield* fill(2, 1)
      const sql = yield* SqlClient.SqlClient
      yield* sql`update content_chunks set chunk_text = repeat('harbour house number 7, and ', 50000) where page_id = 2`
      const api = yield* standIn()
      const report = yield* run(api.url)
      expect(report).toMatchObject({ status: "completed", chunks_embedded: 2, chunks_cut: 1 })
      expect(report.warnings).toMatchObject([{ item: "notes/2 chunk 0" }])
      expect(report.warnings[0]?.reason).toContain("8191 tokens")
      expect(api.stats().embeddingTokens).toBeGreaterThan(8_000)
      expect(api.log().every((entry) => entry.outcome === "answered")).toBe(true)
    }))

  test("a chunk that the provider refuses is found and named; the rest of its request is embedded", () =>
    Effect.gen(function* () {
      yield* fill(40, 1)
      const api = yield* standIn({
        rules: [
          {
            endpoint: "embeddings",
            contains: "number 17,",
            fault: { kind: "status", status: 400, body: { error: { message: "not this text" } } }
          }
        ]
      })
      const report = yield* run(api.url, { workers: 1 })
      expect(report).toMatchObject({ status: "failed", chunks_embedded: 39, chunks_failed: 1, stopped: null })
      expect(report.failures).toMatchObject([{ item: "notes/17 chunk 0" }])
      expect(report.failures[0]?.reason).toContain("not this text")
    }))

  test("a request beyond the provider's limit of tokens is halved", () =>
    Effect.gen(function* () {
      yield* fill(60, 1)
      const api = yield* standIn({ embeddingLimits: { inputs: 2048, tokens: 200, inputTokens: 8192 } })
      expect(yield* run(api.url, { workers: 1, batchSize: Option.some(60) })).toMatchObject({
        status: "completed",
        chunks_embedded: 60
      })
    }))

  test("fewer vectors than texts, for one request: asked again in halves, and nothing is missing or exchanged", () =>
    Effect.gen(function* () {
      yield* fill(20, 1)
      const api = yield* standIn({
        rules: [
          { endpoint: "embeddings", times: 1, fault: { kind: "vectors", how: "few" } },
          { endpoint: "embeddings", fault: { kind: "vectors", how: "shuffled" } }
        ]
      })
      expect(yield* run(api.url, { workers: 1 })).toMatchObject({ status: "completed", chunks_embedded: 20 })
      const sql = yield* SqlClient.SqlClient
      const exact = yield* standIn()
      const before = yield* sql`select id, embedding::text from content_chunks order by id`
      yield* run(exact.url, { all: true })
      expect(yield* sql`select id, embedding::text from content_chunks order by id`).toEqual(before)
    }))

  test("fewer vectors than texts every time, or of another width: the run stops before it costs much", () =>
    Effect.gen(function* () {
      yield* fill(400, 1)
      const api = yield* standIn({
        rules: [{ endpoint: "embeddings", fault: { kind: "vectors", how: "few" } }]
      })
      const few = yield* run(api.url, { workers: 1 })
      expect(few).toMatchObject({ status: "failed", chunks_embedded: 0 })
      expect(few.stopped).toMatch(/\d+ vectors came for \d+ texts/)
      expect(api.stats().embeddingInputs).toBeLessThan(400)
      api.behave({ rules: [{ endpoint: "embeddings", fault: { kind: "vectors", how: "width" } }] })
      const width = yield* run(api.url, { workers: 1 })
      expect(width).toMatchObject({ status: "failed", chunks_embedded: 0, embedding_calls: 0 })
      expect(width.stopped).toContain("63 dimensions where 64 are configured")
    }))

  test("a value that is no number: that chunk is named, and goes into no column", () =>
    Effect.gen(function* () {
      yield* fill(4, 1)
      const api = yield* standIn({
        rules: [{ endpoint: "embeddings", contains: "number 2,", fault: { kind: "vectors", how: "nan" } }]
      })
      const report = yield* run(api.url, { workers: 1, batchSize: Option.some(2) })
      expect(report).toMatchObject({ status: "failed", chunks_failed: 2, chunks_embedded: 2 })
      expect(report.failures[0]?.reason).toContain("no number")
      expect((yield* state).filter((row) => row.bare)).toHaveLength(2)
    }))

  test("one vector of a request with a value that is no number costs the others nothing, and no second call", () =>
    Effect.gen(function* () {
      yield* fill(2, 1)
      const api = yield* standIn({
        rules: [{ endpoint: "embeddings", contains: "number 2,", fault: { kind: "vectors", how: "nan-one" } }]
      })
      const report = yield* run(api.url, { workers: 1 })
      expect(report).toMatchObject({
        status: "failed",
        chunks_failed: 1,
        chunks_embedded: 1,
        embedding_calls: 1
      })
      expect(report.failures).toMatchObject([{ item: "notes/2 chunk 0" }])
      expect((yield* state).map(({ bare }) => bare)).toEqual([false, true])
      // It came to its end: the next one over everything begins anew.
      expect(yield* run(api.url, { all: true })).toMatchObject({ chunks_embedded: 1, chunks_failed: 1 })
      expect(yield* run(api.url, { all: true })).toMatchObject({ chunks_embedded: 1, chunks_failed: 1 })
    }))

  test("a server that answers with another model in the middle ends the run, and what it made is not written", () =>
    Effect.gen(function* () {
      yield* fill(60, 1)
      const api = yield* standIn({
        rules: [{ endpoint: "embeddings", after: 2, fault: { kind: "model", name: "another-model" } }]
      })
      const report = yield* run(api.url, { workers: 1, batchSize: Option.some(10) })
      expect(report).toMatchObject({ status: "failed", chunks_embedded: 20 })
      expect(report.stopped).toContain("another-model")
      expect((yield* state).filter((row) => !row.bare)).toHaveLength(20)
    }))

  test("a model that is exchanged in the brain's settings in the middle ends the run, and nothing of the old is written", () =>
    Effect.gen(function* () {
      yield* fill(60, 1)
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn({ embeddingLatency: 200 })
      const fiber = yield* Effect.forkChild(run(api.url, { workers: 1, batchSize: Option.some(10) }))
      yield* Effect.sleep(100).pipe(Effect.repeat({ until: () => api.stats().embeddingCalls >= 2 }))
      yield* sql`update config set value = 'voyage:voyage-4' where key = 'embedding_model'`
      const report = yield* Fiber.join(fiber)
      expect(report.status).toBe("failed")
      expect(report.stopped).toContain("became voyage:voyage-4")
      expect(report.chunks_embedded).toBeLessThan(30)
      expect((yield* state).filter((row) => !row.bare)).toHaveLength(report.chunks_embedded)
    }))

  test("a chunk edited during the call does not get the vector of its earlier text", () =>
    Effect.gen(function* () {
      yield* fill(3, 1)
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn({ embeddingLatency: 300 })
      const fiber = yield* Effect.forkChild(run(api.url))
      yield* Effect.sleep(20).pipe(Effect.repeat({ until: () => api.stats().embeddingCalls >= 1 }))
      yield* sql`update content_chunks set chunk_text = 'Edited.' where page_id = 2`
      expect(yield* Fiber.join(fiber)).toMatchObject({ chunks_embedded: 2, chunks_changed: 1 })
      expect((yield* state).map((row) => row.bare)).toEqual([false, true, false])
      expect(yield* run(api.url)).toMatchObject({ chunks_embedded: 1 })
    }))

  test("another width than the column's stops before the first call, with the words that extraction uses", () =>
    Effect.gen(function* () {
      yield* fill(2, 1)
      const sql = yield* SqlClient.SqlClient
      yield* sql`update config set value = '128' where key = 'embedding_dimensions'`
      const api = yield* standIn()
      const error = yield* Effect.flip(run(api.url))
      expect(error).toMatchObject({ _tag: "WidthMismatch" })
      expect(error).toHaveProperty(
        "message",
        expect.stringContaining(
          "content_chunks.embedding is vector(64), the configured embedding model makes 128"
        )
      )
      expect(api.stats().requests).toBe(0)
    }))

  test("a width that the model never makes is told before the first call, by doctor too", () =>
    Effect.gen(function* () {
      yield* fill(2, 1)
      const sql = yield* SqlClient.SqlClient
      yield* sql`update config set value = 'voyage:voyage-4' where key = 'embedding_model'`
      const api = yield* standIn()
      const ran = embed(defaultEmbedOptions).pipe(
        Effect.provide(
          embedLayer({ workers: 1, cap: Money.parseUsd("1") }).pipe(
            Layer.provide(environment({ VOYAGE_BASE_URL: api.url }))
          )
        )
      )
      expect(yield* Effect.flip(ran)).toMatchObject({ _tag: "ImpossibleWidth" })
      expect(api.stats().requests).toBe(0)
      const { checks } = yield* examine().pipe(
        Effect.provide(
          Layer.merge(brainLayer, OpenAi.layer).pipe(Layer.provide(environment({ VOYAGE_API_KEY: "k" })))
        )
      )
      expect(checks.find(({ name }) => name === "embedding_width_possible")).toMatchObject({
        status: "fail",
        fix: "gbrain config set embedding_dimensions 1024"
      })
    }))

  test("vectors go into a column of halves, too", () =>
    Effect.gen(function* () {
      yield* fill(3, 1)
      const sql = yield* SqlClient.SqlClient
      yield* sql`drop index if exists idx_chunks_embedding`
      yield* sql`alter table content_chunks alter column embedding type halfvec(64)`
      const api = yield* standIn()
      expect(yield* run(api.url)).toMatchObject({ status: "completed", chunks_embedded: 3 })
    }))

  test("without pgvector it says so, before it asks", () =>
    Effect.gen(function* () {
      yield* fill(2, 1)
      const sql = yield* SqlClient.SqlClient
      yield* sql`drop extension vector cascade`
      const api = yield* standIn()
      const error = yield* Effect.flip(run(api.url))
      expect(error).toMatchObject({ _tag: "NoVectorColumn" })
      expect(error).toHaveProperty("message", expect.stringContaining("pgvector is missing"))
      expect(api.stats().requests).toBe(0)
    }))

  for (const [what, rule, said] of [
    ["401", { key: "another" }, "refuses the key (401)"],
    [
      "a used-up quota",
      {
        rules: [
          {
            fault: {
              kind: "status" as const,
              status: 429,
              body: { error: { message: "You exceeded your current quota", code: "insufficient_quota" } }
            }
          }
        ]
      },
      "quota"
    ]
  ] as const) {
    test(`${what} stops the run at once with one message`, () =>
      Effect.gen(function* () {
        yield* fill(200, 1)
        const api = yield* standIn(rule)
        const report = yield* run(api.url, { workers: 4, batchSize: Option.some(10) })
        expect(report).toMatchObject({ status: "failed", chunks_embedded: 0, spent_usd: 0 })
        expect(report.stopped).toContain(said)
        expect(api.stats().requests).toBeLessThanOrEqual(4)
      }))
  }

  test("429s are waited out, and cost no chunk", () =>
    Effect.gen(function* () {
      yield* fill(60, 1)
      const api = yield* standIn({
        rules: [
          {
            times: 3,
            fault: {
              kind: "status",
              status: 429,
              headers: { "retry-after-ms": "50" },
              body: { error: { message: "slow down" } }
            }
          }
        ]
      })
      const report = yield* run(api.url, { batchSize: Option.some(10) })
      expect(report).toMatchObject({ status: "completed", chunks_embedded: 60, rate_limited: 3 })
    }))

  test("a request that hangs is given up and made again; one that always hangs costs its own chunks only", () =>
    Effect.gen(function* () {
      yield* fill(30, 1)
      const api = yield* standIn({
        rules: [{ endpoint: "embeddings", contains: "number 7,", fault: { kind: "hang" } }]
      })
      const report = yield* run(api.url, { batchSize: Option.some(10) }).pipe(
        Effect.provideService(CallTimeouts, { chat: Duration.seconds(60), embedding: Duration.millis(200) }),
        Effect.provideService(RetryPolicy, {
          firstDelay: Duration.millis(10),
          maxDelay: Duration.millis(50),
          maxAttempts: 2,
          giveUpAfter: Duration.minutes(5),
          giveUpRateLimitedAfter: Duration.minutes(5)
        })
      )
      expect(report).toMatchObject({
        status: "failed",
        chunks_embedded: 20,
        chunks_failed: 10,
        stopped: null
      })
      expect(report.failures[0]?.reason).toContain("did not answer within")
    }))

  test("a budget that is used up ends the run plainly, never overshot, and the next run does the rest", () =>
    Effect.gen(function* () {
      yield* fill(400, 1)
      const api = yield* standIn()
      // Some thirteen tokens a chunk, at two cents a million.
      const report = yield* run(api.url, { cap: "0.00003", batchSize: Option.some(20) })
      expect(report).toMatchObject({ status: "budget", budget_period: "run" })
      expect(report.spent_usd).toBeLessThanOrEqual(0.00003)
      expect(report.spent_usd).toBeGreaterThan(0.00001)
      expect((yield* state).filter((row) => !row.bare)).toHaveLength(report.chunks_embedded)
      const rest = yield* run(api.url)
      expect(rest.chunks_embedded + report.chunks_embedded).toBe(400)
      expect(api.stats().embeddingInputs).toBe(400)
    }))

  test("a run over everything that ended in the middle is gone on with; one that was completed begins anew", () =>
    Effect.gen(function* () {
      yield* fill(400, 1)
      const api = yield* standIn()
      yield* run(api.url)
      const cut = yield* run(api.url, { all: true, cap: "0.00003", batchSize: Option.some(20) })
      expect(cut.status).toBe("budget")
      const paid = cut.chunks_embedded
      expect(paid).toBeGreaterThan(0)
      const plan = yield* planEmbedding({ ...defaultEmbedOptions, all: true }).pipe(
        Effect.provide(embedBrainLayer)
      )
      expect(plan.chunks_to_do).toBe(400 - paid)
      // Asked for something else, nothing is taken to be done.
      const two = { all: true, slugs: Option.some(["notes/1", "notes/2"]) }
      expect(yield* run(api.url, two)).toMatchObject({ chunks_embedded: 2 })
      const rest = yield* run(api.url, { all: true })
      expect(rest.status).toBe("completed")
      expect(rest.chunks_embedded).toBeLessThanOrEqual(400 - paid)
      expect(rest.chunks_embedded).toBeGreaterThanOrEqual(400 - paid - 2)
      expect(yield* run(api.url, { all: true })).toMatchObject({ chunks_embedded: 400 })
    }))

  test("two runs at once do not embed a chunk twice: one has the source, the other leaves it", () =>
    Effect.gen(function* () {
      yield* fill(100, 1)
      const api = yield* standIn({ embeddingLatency: 50 })
      const reports = yield* Effect.all(
        [run(api.url, { batchSize: Option.some(10) }), run(api.url, { batchSize: Option.some(10) })],
        { concurrency: 2 }
      )
      expect(api.stats().embeddingInputs).toBe(100)
      expect(reports.map((report) => report.status).toSorted()).toEqual(["completed", "incomplete"])
      expect(reports.reduce((sum, report) => sum + report.chunks_embedded, 0)).toBe(100)
    }))

  test("sources are embedded side by side, and a source that somebody else has is left alone", () =>
    Effect.gen(function* () {
      yield* fill(20, 1)
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into sources (id, name) values ('second', 'second')`
      yield* sql`update pages set source_id = 'second' where id > 10`
      yield* sql`insert into gbrain_cycle_locks (id, holder_pid, holder_host, acquired_at, ttl_expires_at)
        values ('gbrain-embed-backfill:second', 1, 'elsewhere', now(), now() + interval '1 hour')`
      const api = yield* standIn()
      const report = yield* run(api.url)
      expect(report).toMatchObject({ status: "incomplete", chunks_embedded: 10, sources_lock_skipped: 1 })
      expect(report.held[0]?.reason).toContain("process 1 on elsewhere")
    }))

  test("vectors that were paid for and not written are taken from the journal", () =>
    Effect.gen(function* () {
      yield* fill(10, 1)
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      yield* run(api.url)
      yield* sql`insert into gbrain_effect.journal_vectors (key, vector)
        select encode(sha256(convert_to('vector:' || ${model}::text || ':64' || chr(10) || chunk_text, 'utf8')), 'hex'), embedding
        from content_chunks`
      yield* sql`update content_chunks set embedding = null`
      expect(yield* run(api.url)).toMatchObject({
        chunks_embedded: 10,
        chunks_from_journal: 10,
        embedding_calls: 0
      })
      expect(yield* journaled).toBe(0)
    }))

  test("chunks come page by page from the database, all of them once", () =>
    Effect.gen(function* () {
      yield* fill(700, 3)
      const chunks = yield* ChunkEmbeddings
      const scope = {
        sourceIds: ["default"],
        slugs: Option.none(),
        all: Option.none(),
        model,
        dimensions: 64
      }
      const ids = yield* chunks.stale(scope, yield* chunks.count(scope)).pipe(
        Stream.map((chunk) => chunk.id),
        Stream.runCollect
      )
      expect(new Set(ids).size).toBe(2_100)
      expect(ids).toHaveLength(2_100)
    }).pipe(Effect.provide(embedBrainLayer)))
})
