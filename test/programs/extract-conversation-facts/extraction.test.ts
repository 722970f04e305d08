import { expect } from "@effect/vitest"
import { Duration, Effect, Fiber, Option } from "effect"
import { SqlClient } from "effect/sql"
import { CallTimeouts } from "../../../src/services/CallTimeouts.ts"
import { EmbeddingBatchLimits } from "../../../src/services/EmbeddingModel.ts"
import { RetryPolicy } from "../../../src/services/Retry.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { conversation, extract, factsOf, marksOf, putPages, standIn } from "../../support/extraction.ts"
import { testsOn } from "../../support/testsOn.ts"

onBothDatabases("extract-conversation-facts", (brain) => {
  const test = testsOn(brain)

  test("writes facts and the mark exactly as gbrain does", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      yield* putPages([
        { slug: "people/ana-ruiz", type: "person", title: "Ana Ruiz", body: "A person." },
        { slug: "chats/one", body: conversation("lease"), effectiveDate: "2025-02-03T00:00:00Z" }
      ])
      const report = yield* extract(api.url)
      expect(report).toMatchObject({
        status: "completed",
        pages_processed: 1,
        facts_inserted: 4,
        segments_processed: 1
      })
      const rows = yield* sql`
        select source, source_session, source_id, visibility, row_num, entity_slug, kind, confidence::float8 as confidence,
          embedding is not null as embedded, valid_from from facts
        where source_markdown_slug = 'chats/one' order by row_num`
      expect(rows[0]).toEqual({
        source: "cli:extract-conversation-facts",
        source_session: "cli:extract-conversation-facts:chats/one",
        source_id: "default",
        visibility: "private",
        row_num: 0,
        entity_slug: "people/ana-ruiz",
        kind: "event",
        confidence: expect.closeTo(0.9, 5),
        embedded: true,
        valid_from: new Date("2025-02-03T08:00:00Z")
      })
      const [hash] = yield* sql<{ h: string }>`select content_hash as h from pages where slug = 'chats/one'`
      expect(yield* marksOf("chats/one")).toEqual([
        {
          source: "cli:extract-conversation-facts:terminal:v2",
          source_session: `cli:extract-conversation-facts:terminal:v2:chats/one:page-${hash?.h}-2025-02-03`,
          fact: "EXTRACTION_COMPLETE",
          row_num: 4,
          context: null
        }
      ])
      expect(yield* sql`select 1 from gbrain_cycle_locks`).toEqual([])
    }))

  test("facts are as visible as the brain's default says, marks are private", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      const values = [" World", "everybody"]
      for (const [index, value] of values.entries()) {
        yield* sql`insert into config (key, value) values ('facts.default_visibility', ${value})
          on conflict (key) do update set value = excluded.value`
        yield* putPages([{ slug: `chats/${index}`, body: conversation(`c${index}`, 2) }])
        yield* extract(api.url)
      }
      expect(
        yield* sql`select distinct source_markdown_slug as page, kind = 'event' as fact, visibility from facts order by 1, 2`
      ).toEqual([
        { page: "chats/0", fact: false, visibility: "private" },
        { page: "chats/0", fact: true, visibility: "world" },
        { page: "chats/1", fact: false, visibility: "private" },
        { page: "chats/1", fact: true, visibility: "private" }
      ])
    }))

  test("a second run asks nothing, writes nothing and costs nothing", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      yield* putPages([{ slug: "chats/one", body: conversation("lease") }])
      yield* extract(api.url)
      const before = api.stats().requests
      const report = yield* extract(api.url)
      expect(report).toMatchObject({
        status: "completed",
        pages_processed: 0,
        pages_skipped_completed: 1,
        spent_usd: 0
      })
      expect(api.stats().requests).toBe(before)
    }))

  test("an appended page pays only for what is new, and keeps every fact once", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 4, 2) }])
      yield* extract(api.url)
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 4, 3) }])
      const before = api.stats().embeddingInputs
      const report = yield* extract(api.url)
      expect(api.stats().embeddingInputs - before).toBe(4)
      expect(report).toMatchObject({
        chat_calls: 1,
        segments_from_journal: 2,
        segments_processed: 3,
        facts_inserted: 12
      })
      const facts = (yield* factsOf("chats/one")).map((row) => row.fact)
      expect(new Set(facts).size).toBe(12)
    }))

  test("a page deleted while it is worked on leaves no facts", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn({ chatLatency: 150 })
      yield* putPages([{ slug: "chats/one", body: conversation("old", 2) }])
      const remove = Effect.gen(function* () {
        while (api.stats().chatCalls === 0) yield* Effect.sleep(5)
        yield* sql`update pages set deleted_at = now() where slug = 'chats/one'`
      })
      const [report] = yield* Effect.all([extract(api.url), remove], { concurrency: 2 })
      expect(report).toMatchObject({ pages_processed: 0, pages_skipped_disappeared: 1 })
      expect(yield* factsOf("chats/one")).toEqual([])
    }))

  test("poison: a segment that is refused is given up after three runs, and its neighbours are kept", () =>
    Effect.gen(function* () {
      const api = yield* standIn({
        rules: [{ endpoint: "chat", contains: "number 1-0", fault: { kind: "refusal" } }]
      })
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 2, 3) }])
      const runs = []
      for (let run = 0; run < 5; run++) runs.push(yield* extract(api.url))
      expect(runs.map((run) => run.chat_calls)).toEqual([3, 1, 1, 0, 0])
      expect(runs[0]).toMatchObject({ status: "failed", pages_failed: 1 })
      expect(runs[4]).toMatchObject({ status: "completed", pages_skipped_set_aside: 1 })
      expect(yield* factsOf("chats/one")).toHaveLength(4)
      expect(yield* marksOf("chats/one")).toEqual([])
    }))

  test("an answer that is no JSON is asked for once more in stricter words; a cut one with twice the room", () =>
    Effect.gen(function* () {
      const api = yield* standIn({
        rules: [
          {
            endpoint: "chat",
            contains: "the alpha contract",
            times: 1,
            fault: { kind: "content", content: "I cannot say." }
          },
          { endpoint: "chat", contains: "the beta contract", fault: { kind: "length", needs: 6000 } }
        ]
      })
      yield* putPages([
        { slug: "chats/a", body: conversation("alpha", 2) },
        { slug: "chats/b", body: conversation("beta", 2) }
      ])
      expect(yield* extract(api.url)).toMatchObject({ status: "completed", chat_calls: 4, facts_inserted: 4 })
    }))

  test("wrong types, a thousand facts and fenced JSON are understood as far as they make sense", () =>
    Effect.gen(function* () {
      const odd = JSON.stringify({
        facts: [
          {
            fact: "Ana moved",
            kind: "rumour",
            entity: 7,
            confidence: "high",
            notability: null,
            value: "x",
            messages: "no"
          },
          { nothing: true }
        ]
      })
      const api = yield* standIn({
        rules: [
          {
            contains: "the alpha contract",
            endpoint: "chat",
            fault: { kind: "content", content: `Here:\n\`\`\`json\n${odd}\n\`\`\`` }
          },
          { contains: "the beta contract", endpoint: "chat", fault: { kind: "thousand-facts" } }
        ]
      })
      yield* putPages([
        { slug: "chats/a", body: conversation("alpha", 2) },
        { slug: "chats/b", body: conversation("beta", 2) }
      ])
      expect(yield* extract(api.url)).toMatchObject({ status: "completed" })
      expect(yield* factsOf("chats/a")).toMatchObject([{ fact: "Ana moved" }])
      expect((yield* factsOf("chats/b")).length).toBeLessThanOrEqual(10)
    }))

  const forty = putPages(
    Array.from({ length: 40 }, (_, index) => ({ slug: `chats/${index}`, body: conversation(`c${index}`, 2) }))
  )

  for (const [what, fault, reason] of [
    ["are of another width", { kind: "vectors", how: "width" }, "dimensions"],
    [
      "are all refused",
      { kind: "status", status: 400, body: { error: { message: "no such parameter" } } },
      "no such parameter"
    ]
  ] as const) {
    test(`embeddings that ${what} stop the run before much is asked, and what was paid for is kept`, () =>
      Effect.gen(function* () {
        const api = yield* standIn({ rules: [{ endpoint: "embeddings", fault }] })
        yield* forty
        const report = yield* extract(api.url, { workers: 2 })
        expect(report).toMatchObject({ status: "failed", facts_inserted: 0 })
        expect(report.stopped).toContain(reason)
        expect(report.chat_calls).toBeLessThan(16)
        api.behave({ rules: [] })
        const next = yield* extract(api.url)
        expect(next).toMatchObject({ status: "completed", pages_processed: 40 })
        expect(next.chat_calls).toBe(40 - report.chat_calls)
      }))
  }

  test("a model that refuses every question stops the run, and no page is given up for it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const body = { error: { message: "temperature is not supported" } }
      const api = yield* standIn({
        rules: [{ endpoint: "chat", fault: { kind: "status", status: 400, body } }]
      })
      yield* forty
      for (let run = 0; run < 4; run++) {
        const asked = api.stats().chatCalls
        const report = yield* extract(api.url, { workers: 2 })
        expect(report).toMatchObject({ status: "failed", pages_processed: 0 })
        expect(report.stopped).toContain("temperature is not supported")
        expect(api.stats().chatCalls - asked).toBeLessThan(16)
      }
      expect(yield* sql`select slug, attempts, reason from gbrain_effect.segment_failures`).toEqual([])
      expect(yield* sql`select 1 from gbrain_effect.pages_set_aside`).toEqual([])
      api.behave({ rules: [] })
      expect(yield* extract(api.url)).toMatchObject({ status: "completed", pages_processed: 40 })
    }))

  test("poison for one model is asked of another, which the first one's giving up does not keep from the page", () =>
    Effect.gen(function* () {
      const api = yield* standIn({
        rules: [{ endpoint: "chat", contains: "number 1-0", fault: { kind: "refusal" } }]
      })
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 2, 2) }])
      for (let run = 0; run < 3; run++) yield* extract(api.url)
      expect(yield* extract(api.url)).toMatchObject({ pages_skipped_set_aside: 1, chat_calls: 0 })
      api.behave({ rules: [] })
      expect(yield* extract(api.url, { model: "openai:gpt-4.1" })).toMatchObject({
        pages_skipped_set_aside: 0,
        pages_processed: 1,
        facts_inserted: 4
      })
      expect(yield* marksOf("chats/one")).toHaveLength(1)
    }))

  test("an interrupted run reports what failed until then", () =>
    Effect.gen(function* () {
      const api = yield* standIn({
        chatLatency: 20,
        rules: [
          { endpoint: "chat", contains: "the poison contract", fault: { kind: "refusal" } },
          { endpoint: "chat", contains: "the slow contract", fault: { kind: "hang" } }
        ]
      })
      const sql = yield* SqlClient.SqlClient
      yield* putPages([
        { slug: "chats/slow", body: conversation("slow", 2) },
        { slug: "chats/poison", body: conversation("poison", 2) },
        { slug: "chats/held", body: conversation("held", 2) }
      ])
      yield* sql`insert into gbrain_cycle_locks (id, holder_pid, holder_host, ttl_expires_at, last_refreshed_at)
        values ('extract-conversation-facts:default:chats/held', 1, 'elsewhere', now() + interval '1 hour', now())`
      const fiber = yield* Effect.forkChild(extract(api.url, { workers: 2 }))
      const failed = Effect.map(sql`select 1 from gbrain_effect.segment_failures`, (rows) => rows.length > 0)
      while (!(yield* failed) || api.stats().chatCalls < 2) yield* Effect.sleep(5)
      // The failure is on record before the page is done with.
      while ((yield* sql`select 1 from gbrain_cycle_locks`).length > 2) yield* Effect.sleep(5)
      yield* Fiber.interrupt(fiber)
      const [run] = yield* sql<{ report: unknown }>`select report from gbrain_effect.runs`
      expect(run?.report).toMatchObject({
        status: "interrupted",
        pages_failed: 1,
        failures: [{ item: "chats/poison" }],
        pages_lock_skipped: 1,
        held: [{ item: "chats/held" }]
      })
    }))

  test("makes the index that replacing facts needs while it works, and anew where a making was cut short", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn({ rules: [{ endpoint: "chat", fault: { kind: "hang" } }] })
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 2) }])
      const whole = sql<{ readonly whole: boolean }>`
        select indisvalid as whole from pg_index where indexrelid = to_regclass('gbrain_effect_facts_superseded_by')`
      expect(yield* whole).toEqual([])
      const makeOne = Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(extract(api.url))
        while ((yield* whole)[0]?.whole !== true) yield* Effect.sleep(5)
        yield* Fiber.interrupt(fiber)
      })
      yield* makeOne
      // As a process leaves it that dies in the middle.
      yield* sql`update pg_index set indisvalid = false
        where indexrelid = 'gbrain_effect_facts_superseded_by'::regclass`
      yield* makeOne
    }))

  for (const how of ["few", "nan"] as const) {
    test(`embeddings that go wrong (${how}) keep the page unfinished, say so, and are mended by the next run`, () =>
      Effect.gen(function* () {
        const api = yield* standIn({ rules: [{ endpoint: "embeddings", fault: { kind: "vectors", how } }] })
        yield* putPages([{ slug: "chats/one", body: conversation("lease", 2) }])
        const report = yield* extract(api.url)
        expect(report).toMatchObject({ status: "failed", pages_failed: 1, facts_inserted: 0 })
        expect(yield* factsOf("chats/one")).toEqual([])
        api.behave({ rules: [{ endpoint: "embeddings", fault: { kind: "vectors", how: "shuffled" } }] })
        expect(yield* extract(api.url)).toMatchObject({
          status: "completed",
          chat_calls: 0,
          facts_inserted: 2
        })
        expect((yield* factsOf("chats/one")).some((row) => row.bare)).toBe(false)
      }))
  }

  test("vectors of a page with many facts are kept request by request", () =>
    Effect.gen(function* () {
      const bad = { kind: "vectors", how: "nan" } as const
      const api = yield* standIn({ rules: [{ endpoint: "embeddings", after: 1, fault: bad }] })
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 5) }])
      const run = extract(api.url).pipe(
        Effect.provideService(EmbeddingBatchLimits, { inputs: 2, bytes: 500_000 })
      )
      expect(yield* run).toMatchObject({ status: "failed", facts_inserted: 0 })
      api.behave({ rules: [] })
      const before = api.stats().embeddingInputs
      expect(yield* run).toMatchObject({ status: "completed", chat_calls: 0, facts_inserted: 5 })
      expect(api.stats().embeddingInputs - before).toBe(3)
    }))

  test("a server that hangs is given up on and asked again; the call that was aborted is charged in full", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ rules: [{ endpoint: "chat", times: 1, fault: { kind: "hang" } }] })
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 2) }])
      const report = yield* extract(api.url).pipe(
        Effect.provideService(CallTimeouts, { chat: Duration.millis(200), embedding: Duration.seconds(60) })
      )
      expect(report).toMatchObject({ status: "completed", retries: 1, facts_inserted: 2 })
      // Four thousand tokens that may have been answered, at the price of a token put out.
      expect(report.spent_usd).toBeGreaterThan(4000 * 0.0000016)
      expect(api.stats().abortedByClient).toBe(1)
    }))

  test("401 stops the run at once with one message, and asks no more", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ key: "another" })
      yield* putPages(
        Array.from({ length: 40 }, (_, index) => ({
          slug: `chats/${index}`,
          body: conversation(`c${index}`, 2)
        }))
      )
      const report = yield* extract(api.url, { workers: 5 })
      expect(report).toMatchObject({ status: "failed", spent_usd: 0, pages_processed: 0 })
      expect(report.stopped).toContain("refuses the key")
      expect(JSON.stringify(report)).not.toContain("sk-test")
      expect(api.stats().requests).toBeLessThanOrEqual(20)
    }))

  test("where nothing answers the run stops with one message, not page by page", () =>
    Effect.gen(function* () {
      yield* putPages(
        Array.from({ length: 40 }, (_, index) => ({
          slug: `chats/${index}`,
          body: conversation(`c${index}`, 2)
        }))
      )
      const report = yield* extract("http://127.0.0.1:2/v1", { workers: 5 }).pipe(
        Effect.provideService(RetryPolicy, { ...(yield* RetryPolicy), firstDelay: Duration.millis(5) })
      )
      expect(report).toMatchObject({ status: "failed", spent_usd: 0, pages_processed: 0 })
      expect(report.stopped).toContain("Nothing answers at 127.0.0.1:2")
      expect(report.failures.length).toBeLessThanOrEqual(5)
    }))

  test("facts are attached to the one page that a name means: by slug, title or alias, never by guess", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      yield* putPages([
        { slug: "people/ana", type: "person", title: "Ana Ruiz", body: "x" },
        { slug: "people/omar-one", type: "person", title: "Omar Haddad", body: "y" },
        { slug: "people/omar-two", type: "person", title: "Omar Haddad", body: "z" },
        { slug: "chats/one", body: conversation("lease", 2) }
      ])
      yield* sql`insert into page_aliases (source_id, alias_norm, slug) values ('default', 'noor', 'people/ana')`
      yield* extract(api.url)
      expect((yield* factsOf("chats/one")).map((row) => row.entity_slug)).toEqual(["people/ana", null])
    }))

  test("the kill switch stops a run, and can be overridden", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 2) }])
      yield* sql`insert into config (key, value) values ('facts.extraction_enabled', 'Off')`
      expect(yield* Effect.flip(extract(api.url))).toMatchObject({ _tag: "ExtractionDisabled" })
      expect(yield* extract(api.url, { overrideDisabled: true })).toMatchObject({ pages_processed: 1 })
    }))

  test("--limit counts pages that need work, --source-id must exist, opted-out pages are left alone", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      yield* putPages([
        ...Array.from({ length: 6 }, (_, index) => ({
          slug: `chats/${index}`,
          body: conversation(`c${index}`, 2)
        })),
        { slug: "chats/private", body: conversation("private", 2), frontmatter: { fact_extraction: false } }
      ])
      expect(yield* extract(api.url, { limit: Option.some(2) })).toMatchObject({ pages_processed: 2 })
      expect(yield* extract(api.url, { limit: Option.some(3) })).toMatchObject({
        pages_processed: 3,
        pages_skipped_completed: 2
      })
      expect(yield* extract(api.url)).toMatchObject({ pages_processed: 1, pages_skipped_opted_out: 1 })
      expect(yield* Effect.flip(extract(api.url, { sourceId: Option.some("nope") }))).toMatchObject({
        _tag: "UnknownSource"
      })
    }))

  test("a page of 25 MiB and a byte is skipped with a word, not read", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      yield* putPages([{ slug: "chats/big", body: "x" }])
      yield* sql`update pages set compiled_truth = repeat('x', 26214401) where slug = 'chats/big'`
      const report = yield* extract(api.url)
      expect(report).toMatchObject({ pages_skipped_too_large: 1, status: "completed" })
      expect(report.warnings[0]?.reason).toContain("26214401 bytes")
    }))
})
