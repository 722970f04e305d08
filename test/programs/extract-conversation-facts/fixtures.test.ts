/** The behaviour fixtures of the notes on the original, (a) to (o). Those that are defects of it are in `defects.test.ts`. */
import { mkdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { examine } from "../../../src/programs/doctor/examine.ts"
import { brainLayer } from "../../../src/programs/extract-conversation-facts/layer.ts"
import { OpenAi } from "../../../src/services/OpenAi.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { conversation, extract, factsOf, marksOf, putPages, standIn } from "../../support/extraction.ts"
import { testsOn } from "../../support/testsOn.ts"

const at = (index: number, gapMinutes = 1) => {
  const minutes = 8 * 60 + index * gapMinutes
  return `2025-02-03 ${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`
}

const said = (texts: ReadonlyArray<string>, gapMinutes = 1) =>
  texts
    .map(
      (text, index) =>
        `**${index % 2 === 0 ? "Ana Ruiz" : "Omar Haddad"}** (${at(index, gapMinutes)}): ${text}`
    )
    .join("\n")

onBothDatabases("behaviour fixtures", (brain) => {
  const test = testsOn(brain)
  /** All that the model was shown. */
  const shown = (api: Effect.Success<ReturnType<typeof standIn>>) =>
    api
      .log()
      .flatMap((entry) => (entry.endpoint === "chat" ? [entry.text] : []))
      .join("\n")

  test("(a) 31 messages, (b) a reply after 61 minutes, (c) 30 messages of 400 characters: all reach the model", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const words = (index: number) => `number ${index} `.padEnd(400, "and so on ")
      yield* putPages([
        {
          slug: "chats/a",
          body: said(Array.from({ length: 31 }, (_, index) => `I sold item ${index} today.`))
        },
        { slug: "chats/b", body: said(["I moved to Porto.", "I sold the boat."], 61) },
        { slug: "chats/c", body: said(Array.from({ length: 30 }, (_, index) => words(index))) }
      ])
      const report = yield* extract(api.url)
      expect(report).toMatchObject({ pages_processed: 3, pages_marked_non_extractable: 0 })
      const all = shown(api)
      for (let index = 0; index < 31; index++) expect(all).toContain(`I sold item ${index} today.`)
      expect(all).toContain("I moved to Porto.")
      expect(all).toContain("I sold the boat.")
      for (let index = 0; index < 30; index++) expect(all).toContain(words(index).trim())
    }))

  test("(d) a page with a Facts fence of three rows and three segments", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      const fence = `## Facts\n\n<!--- gbrain:facts:begin -->\n| # | claim |\n|---|---|\n| 1 | one |\n<!--- gbrain:facts:end -->\n`
      yield* putPages([{ slug: "chats/fence", body: `${conversation("lease", 2, 3)}\n\n${fence}` }])
      yield* sql`insert into facts (source_id, fact, source, source_markdown_slug, row_num)
        select 'default', 'fence ' || n, 'fence', 'chats/fence', n from generate_series(1, 3) n`
      expect(yield* extract(api.url)).toMatchObject({ segments_processed: 3, facts_inserted: 6 })
      expect(yield* marksOf("chats/fence")).toHaveLength(1)
      expect(yield* sql`select 1 from facts where source = 'fence'`).toHaveLength(3)
      expect(yield* extract(api.url)).toMatchObject({ pages_skipped_completed: 1, chat_calls: 0 })
    }))

  test("(h) a transcript file that is edited is read again, its page unchanged", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      const folder = join(tmpdir(), `gbrain-sidecar-${Math.floor(performance.now() * 1000)}`)
      yield* Effect.acquireRelease(
        Effect.promise(() => mkdir(folder)),
        () => Effect.promise(() => rm(folder, { recursive: true }))
      )
      const write = (text: string) => Effect.promise(() => writeFile(join(folder, "call.txt"), text))
      yield* write(conversation("old", 2))
      yield* sql`update sources set local_path = ${folder} where id = 'default'`
      yield* putPages([
        {
          slug: "meetings/call",
          type: "meeting",
          body: "A summary.",
          frontmatter: { raw_transcript: "call.txt" }
        }
      ])
      expect(yield* extract(api.url)).toMatchObject({ pages_processed: 1, facts_inserted: 2 })
      expect((yield* marksOf("meetings/call"))[0]?.source_session).toMatch(/:sidecar-[0-9a-f]{64}$/)
      expect(yield* extract(api.url)).toMatchObject({ pages_processed: 0, pages_skipped_completed: 1 })
      yield* write(conversation("new", 2))
      expect(yield* extract(api.url)).toMatchObject({ pages_processed: 1, facts_inserted: 2 })
      expect((yield* factsOf("meetings/call")).every((row) => row.fact.includes("the new contract"))).toBe(
        true
      )
      // A file that is not on this machine is said, and takes nothing from what was learnt from it.
      yield* Effect.promise(() => rm(join(folder, "call.txt")))
      const without = yield* extract(api.url)
      expect(without).toMatchObject({ pages_failed: 1, pages_marked_non_extractable: 0 })
      expect(without.failures).toEqual([
        { item: "meetings/call", reason: expect.stringContaining("call.txt") }
      ])
      expect(yield* factsOf("meetings/call")).toHaveLength(2)
      // A path that leads out of the brain's folder is not followed.
      yield* putPages([
        {
          slug: "meetings/out",
          type: "meeting",
          body: "A summary.",
          frontmatter: { raw_transcript: "../../etc/passwd" }
        }
      ])
      expect(yield* extract(api.url)).toMatchObject({ pages_failed: 2, pages_marked_non_extractable: 0 })
    }))

  test("(i) a page whose date alone changed is read again, for nothing where its messages carry dates", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const sql = yield* SqlClient.SqlClient
      yield* putPages([
        { slug: "chats/one", body: conversation("lease", 2), effectiveDate: "2025-02-03T00:00:00Z" }
      ])
      yield* extract(api.url)
      yield* sql`update pages set effective_date = '2025-02-04T00:00:00Z'`
      expect(yield* extract(api.url)).toMatchObject({
        pages_processed: 1,
        chat_calls: 0,
        segments_from_journal: 1,
        embedding_calls: 0,
        spent_usd: 0
      })
      expect((yield* factsOf("chats/one")).some((row) => row.bare)).toBe(false)
      expect((yield* marksOf("chats/one"))[0]?.source_session).toMatch(/-2025-02-04$/)
    }))

  test("(j) a mark of the old kind does not count, and goes", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const sql = yield* SqlClient.SqlClient
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 2) }])
      yield* sql`insert into facts (source_id, fact, source, source_session, source_markdown_slug, row_num)
        values ('default', 'EXTRACTION_COMPLETE', 'cli:extract-conversation-facts:terminal',
          'cli:extract-conversation-facts:terminal:chats/one', 'chats/one', 0)`
      expect(yield* extract(api.url)).toMatchObject({ pages_processed: 1, orphan_facts_cleaned: 1 })
      expect((yield* marksOf("chats/one")).map((mark) => mark.source)).toEqual([
        "cli:extract-conversation-facts:terminal:v2"
      ])
    }))

  test("(k) two runs of one source at once: every page once, nothing paid twice", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ chatLatency: 20 })
      yield* putPages(
        Array.from({ length: 12 }, (_, index) => ({
          slug: `chats/${index}`,
          body: conversation(`c${index}`, 2)
        }))
      )
      const reports = yield* Effect.all([extract(api.url), extract(api.url)], { concurrency: 2 })
      expect(reports.reduce((sum, report) => sum + report.facts_inserted, 0)).toBe(24)
      expect(reports.reduce((sum, report) => sum + report.chat_calls, 0)).toBe(12)
    }))

  test("(l) a storm of 429 under a cap costs nothing and uses up no tries", () =>
    Effect.gen(function* () {
      const api = yield* standIn({
        rules: [
          {
            endpoint: "chat",
            times: 30,
            fault: { kind: "status", status: 429, headers: { "retry-after-ms": "5" } }
          }
        ]
      })
      yield* putPages(
        Array.from({ length: 6 }, (_, index) => ({
          slug: `chats/${index}`,
          body: conversation(`c${index}`, 2)
        }))
      )
      const report = yield* extract(api.url, { cap: "0.20", workers: 3 })
      expect(report).toMatchObject({ status: "completed", pages_processed: 6, rate_limited: 30 })
      expect(report.spent_usd).toBeLessThan(0.02)
    }))

  test("(n) a column of another width is found before anything is paid, by doctor in the same words; vector(N) too", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 2) }])
      const widths = Effect.map(
        examine().pipe(Effect.provide(OpenAi.layer), Effect.provide(brainLayer)),
        ({ checks }) => checks.filter((check) => check.name === "facts_embedding_width_consistency")
      )
      for (const type of ["halfvec", "vector"] as const) {
        yield* sql.unsafe("drop index if exists idx_facts_embedding_hnsw")
        yield* sql.unsafe(`alter table facts alter column embedding type ${type}(96)`)
        const error = yield* Effect.flip(extract(api.url))
        expect(error).toMatchObject({ _tag: "WidthMismatch", actual: 96, configured: 64 })
        expect(api.stats().requests).toBe(0)
        const statements = error._tag === "WidthMismatch" ? error.statements : []
        expect(statements.join("\n")).toContain(`type ${type}(64)`)
        expect((yield* widths).find((check) => check.status === "fail")).toMatchObject({
          message: expect.stringContaining(`facts.embedding is ${type}(96)`),
          fix: expect.stringContaining(statements.join("\n"))
        })
        for (const statement of statements) yield* sql.unsafe(statement)
        expect((yield* widths).map((check) => check.status)).toEqual(["ok"])
      }
      yield* sql`drop index if exists idx_facts_embedding_hnsw`
      yield* sql`alter table facts alter column embedding type vector`
      expect(yield* widths).toMatchObject([
        { status: "warn", message: expect.stringContaining("facts.embedding is of the type vector") }
      ])
      yield* sql`alter table facts alter column embedding type vector(64)`
      // The column is vector(64) now: what is written is cast to what is there.
      expect(yield* extract(api.url)).toMatchObject({ status: "completed", facts_inserted: 2 })
      expect((yield* factsOf("chats/one")).some((row) => row.bare)).toBe(false)
    }))

  test("(o) a transcript file beyond 25 MiB is left with a word, not read, and not marked", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      const folder = join(tmpdir(), `gbrain-large-${Math.floor(performance.now() * 1000)}`)
      yield* Effect.acquireRelease(
        Effect.promise(() => mkdir(folder)),
        () => Effect.promise(() => rm(folder, { recursive: true }))
      )
      yield* Effect.promise(() => writeFile(join(folder, "call.txt"), Buffer.alloc(26_214_401, "x")))
      yield* sql`update sources set local_path = ${folder} where id = 'default'`
      yield* putPages([
        {
          slug: "meetings/call",
          type: "meeting",
          body: "A summary.",
          frontmatter: { raw_transcript: "call.txt" }
        }
      ])
      const report = yield* extract(api.url)
      expect(report).toMatchObject({ pages_skipped_too_large: 1, status: "completed", chat_calls: 0 })
      expect(report.warnings[0]?.reason).toContain("26214401 bytes")
      expect(yield* marksOf("meetings/call")).toEqual([])
    }))
})
