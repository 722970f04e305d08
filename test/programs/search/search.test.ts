import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../../src/domain/Money.ts"
import { queryLayer } from "../../../src/programs/search/layer.ts"
import { defaultSearch, type SearchOptions } from "../../../src/programs/search/options.ts"
import type { Hit, SearchReport } from "../../../src/programs/search/report.ts"
import { query, search } from "../../../src/programs/search/search.ts"
import { BrainConfig } from "../../../src/services/BrainConfig.ts"
import { ledgerStanding } from "../../../src/services/Ledger.ts"
import { QuestionPatience } from "../../../src/services/QuestionVector.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { embedChunks } from "../../support/embed.ts"
import { environment, putPages, standIn, type TestPage } from "../../support/extraction.ts"

/** Pages with their text as one chunk each. */
const put = Effect.fnUntraced(function* (pages: ReadonlyArray<TestPage>) {
  const sql = yield* SqlClient.SqlClient
  yield* putPages(pages)
  yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text)
    select id, 0, compiled_truth from pages where compiled_truth <> '' on conflict do nothing`
})

interface Saying {
  readonly fact: string
  readonly page?: string
  readonly entity?: string
  readonly source?: string
  readonly visibility?: string
  readonly change?: string
}

const say = Effect.fnUntraced(function* (sayings: ReadonlyArray<Saying>) {
  const sql = yield* SqlClient.SqlClient
  for (const [row, saying] of sayings.entries()) {
    yield* sql`insert into facts (source, source_markdown_slug, row_num, fact, entity_slug, visibility, valid_from)
      values (${saying.source ?? "cli:extract-conversation-facts"}, ${saying.page ?? "talk"}, ${row}, ${saying.fact},
        ${saying.entity ?? null}, ${saying.visibility ?? "private"}, '2025-02-03')`
    if (saying.change !== undefined)
      yield* sql`update facts set ${sql.literal(saying.change)} where row_num = ${row}`
  }
})

const layer = (url: string, key = "sk-test") =>
  queryLayer({ cap: Money.parseUsd("0.01") }).pipe(
    Layer.provide(environment({ OPENAI_BASE_URL: url, ...(key === "" ? {} : { OPENAI_API_KEY: key }) }))
  )

const nobody = "http://127.0.0.1:2/v1"

const find = (text: string, options: Partial<SearchOptions> = {}) =>
  search({ ...defaultSearch, ...options, text }).pipe(Effect.provide(layer(nobody)))

const askAt = (url: string, text: string, options: Partial<SearchOptions> = {}, key?: string) =>
  query({ ...defaultSearch, ...options, text }).pipe(
    Effect.provide(layer(url, key)),
    Effect.provideService(QuestionPatience, {
      attempts: 2,
      firstDelay: Duration.millis(1),
      giveUpAfter: Duration.seconds(2)
    })
  )

const names = (report: SearchReport) =>
  report.hits.map((hit: Hit) => (hit.kind === "page" ? hit.slug : hit.fact))

onBothDatabases("search", (brain) => {
  describe("by words and names", () => {
    it.effect("finds pages and facts, each with its place, its date and the words", () =>
      Effect.gen(function* () {
        yield* put([
          {
            slug: "talk",
            title: "A talk",
            body: "Ana signed the seed round in Porto.",
            effectiveDate: "2025-02-03"
          },
          { slug: "other", type: "note", body: "Nothing of the kind." }
        ])
        yield* say([{ fact: "Ana closed the seed round.", entity: "people/ana" }, { fact: "Ana sails." }])
        const report = yield* find("seed rounds")
        expect(report).toMatchObject({ command: "search", method: "keyword", fallback: null, spent_usd: 0 })
        expect(report.hits).toEqual([
          expect.objectContaining({
            rank: 1,
            kind: "fact",
            fact: "Ana closed the seed round.",
            entity: "people/ana",
            slug: "talk",
            title: "A talk",
            type: "conversation",
            date: "2025-02-03",
            found_by: ["words"],
            matched: ["seed", "round"]
          }),
          expect.objectContaining({
            rank: 2,
            kind: "page",
            slug: "talk",
            title: "A talk",
            date: "2025-02-03",
            source: "default",
            chunk_index: 0,
            excerpt: "Ana signed the seed round in Porto.",
            matched: ["seed", "round"],
            found_by: ["words"]
          })
        ])
      }).pipe(Effect.provide(brain))
    )

    it.effect("a rare word counts more than common ones, and words in any form", () =>
      Effect.gen(function* () {
        yield* put([
          ...Array.from({ length: 8 }, (_, index) => ({
            slug: `day/${index}`,
            body: "The boat went out and the boat came home, all boats."
          })),
          { slug: "winch", body: "The boat needs a winch." }
        ])
        expect(names(yield* find("boats with winches"))[0]).toBe("winch")
      }).pipe(Effect.provide(brain))
    )

    it.effect(
      "finds a page by what it is called, by title, slug or alias, in any script and without accents",
      () =>
        Effect.gen(function* () {
          yield* put([
            { slug: "people/tomas", title: "Tomás Lindqvist", body: "Designs hydrophones." },
            {
              slug: "people/hana",
              title: "Hana Sato",
              body: "Writes models.",
              frontmatter: { aliases: ["佐藤 花"] }
            },
            { slug: "people/leila", title: "ليلى فارسي", body: "Came from a maker of hearing aids." },
            { slug: "people/empty", title: "Nobody Yet", body: "" }
          ])
          const first = (text: string) => Effect.map(find(text), (report) => names(report)[0])
          expect(yield* first("Tomas Lindqvist")).toBe("people/tomas")
          expect(yield* first("tomás")).toBe("people/tomas")
          expect(yield* first("佐藤 花")).toBe("people/hana")
          expect(yield* first("ليلى فارسي")).toBe("people/leila")
          expect(yield* first("people/hana")).toBe("people/hana")
          expect(yield* first("Who is Hana Sato?")).toBe("people/hana")
          expect(yield* first("nobody yet")).toBe("people/empty")
        }).pipe(Effect.provide(brain))
    )

    it.effect(
      "finds text in other languages, parts of words, and what the index of words has no entry for",
      () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* put([
            { slug: "chinese", body: "我认为这是北海最好的录音。" },
            { slug: "arabic", body: "ذهبت ليلى إلى الميناء" },
            { slug: "polish", body: "Spotkanie w mieście Łódź." },
            { slug: "latin", body: "The hydrophones are at sea." },
            { slug: "old", body: "The kittiwake came back." },
            { slug: "filler", body: "Something else." }
          ])
          yield* say([{ fact: "王伟搬到了青岛。" }])
          yield* sql`update content_chunks set search_vector = null
          where page_id = (select id from pages where slug = 'old')`
          for (const [text, expected] of [
            ["北海的录音", "chinese"],
            ["录音", "chinese"],
            ["الميناء", "arabic"],
            ["lodz", "polish"],
            ["hydroph", "latin"],
            ["kittiwakes", "old"],
            ['"kittiwake came"', "old"],
            ["青岛", "王伟搬到了青岛。"]
          ] as const)
            expect({ text, found: names(yield* find(text)) }).toEqual({ text, found: [expected] })
        }).pipe(Effect.provide(brain))
    )

    it.effect(
      "finds what is written on a page of a PDF, and no picture by its name or a PDF by what it is called",
      () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* put([{ slug: "note", body: "The plan of the whale." }])
          yield* sql`insert into pages (slug, type, page_kind, title) values ('plan.pdf', 'pdf', 'image', 'scan 1'),
          ('whale.png', 'image', 'image', 'scan 2')`
          yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text, chunk_source, modality)
          select pages.id, row.place, row.text, 'image_asset', 'image' from (values
            ('plan.pdf', 0, ${"plan.pdf, page 1 of 3\nThe budget for Bergen and the hydrophones."}),
            ('plan.pdf', 1, ${"plan.pdf, page 2 of 3\nA kittiwake near Łódź."}),
            ('plan.pdf', 2, 'plan.pdf, page 3 of 3'),
            ('whale.png', 0, 'whale.png')) as row(slug, place, text) join pages using (slug)`
          const found = (text: string) =>
            Effect.map(find(text), ({ hits }) =>
              hits.flatMap((hit) => (hit.kind === "page" ? [`${hit.slug} ${hit.chunk_index}`] : []))
            )
          for (const text of ["kittiwakes", "lodz", '"kittiwake near"'])
            expect({ text, found: yield* found(text) }).toEqual({ text, found: ["plan.pdf 1"] })
          expect(yield* found("budget")).toEqual(["plan.pdf 0"])
          expect(yield* found("hydroph")).toEqual(["plan.pdf 0"])
          expect(yield* found("whale")).toEqual(["note 0"])
          expect(yield* found('"whale"')).toEqual(["note 0"])
          expect(yield* found("plan page")).toEqual(["note 0"])
          expect(yield* found('"page 2 of 3"')).toEqual([])
          yield* sql`update content_chunks set search_vector = null where modality = 'image'`
          expect(yield* found("kittiwakes")).toEqual(["plan.pdf 1"])
          expect(yield* found("plan page")).toEqual(["note 0"])
        }).pipe(Effect.provide(brain))
    )

    it.effect("words in quotes are found in their order only, and a minus leaves out", () =>
      Effect.gen(function* () {
        yield* put([
          { slug: "one", body: "The listening post has a battery." },
          { slug: "two", body: "The post was listening." },
          { slug: "three", body: "A listening post of steel." }
        ])
        expect(names(yield* find('"listening post"')).sort()).toEqual(["one", "three"])
        expect(names(yield* find('"listening post" -battery'))).toEqual(["three"])
        expect(names(yield* find("listening -battery")).sort()).toEqual(["three", "two"])
      }).pipe(Effect.provide(brain))
    )

    it.effect("what is gone, marked, superseded or set aside is never shown", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* put([
          { slug: "here", body: "A whale." },
          { slug: "gone", body: "A whale that is gone." },
          {
            slug: "rubbish",
            body: "A whale of rubbish.",
            frontmatter: { quarantine: { reason: "junk_pattern" } }
          }
        ])
        yield* sql`update pages set deleted_at = now() where slug = 'gone'`
        yield* say([
          { fact: "A whale lives.", page: "here" },
          { fact: "A whale expired.", change: "expired_at = now()" },
          { fact: "A whale was superseded.", change: "superseded_by = (select min(id) from facts)" },
          { fact: "A whale was here until yesterday.", change: "valid_until = now() - interval '1 day'" },
          {
            fact: "A whale will stay till tomorrow.",
            change: "valid_until = now() + interval '1 day'",
            page: "here"
          },
          { fact: "A whale on a deleted page.", page: "gone" },
          { fact: "EXTRACTION_COMPLETE", source: "cli:extract-conversation-facts:terminal:v2" }
        ])
        expect(names(yield* find("whale")).sort()).toEqual([
          "A whale lives.",
          "A whale will stay till tomorrow.",
          "here"
        ])
        expect(names(yield* find("EXTRACTION_COMPLETE"))).toEqual([])
      }).pipe(Effect.provide(brain))
    )

    it.effect("keeps to a source, to types of pages, to what may be seen, and to the limit", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`insert into sources (id, name, archived) values ('work', 'work', false), ('attic', 'attic', true)`
        yield* put([
          { slug: "a", body: "A whale.", type: "meeting", frontmatter: { visibility: "private" } },
          { slug: "b", body: "A whale.", type: "note" },
          { slug: "c", body: "A whale.", sourceId: "work", type: "note" },
          { slug: "d", body: "A whale.", sourceId: "attic", type: "note" }
        ])
        yield* say([
          { fact: "A whale in a meeting.", page: "a" },
          { fact: "A whale for the world.", page: "b", visibility: "world" }
        ])
        const everything = ["A whale for the world.", "A whale in a meeting.", "a", "b", "c"]
        expect(names(yield* find("whale")).sort()).toEqual(everything)
        expect(names(yield* find("whale", { sourceId: Option.some("work") }))).toEqual(["c"])
        expect(names(yield* find("whale", { sourceId: Option.some("attic") }))).toEqual(["d"])
        expect(names(yield* find("whale", { types: ["meeting"] })).sort()).toEqual([
          "A whale in a meeting.",
          "a"
        ])
        expect(names(yield* find("whale", { visibility: "world" })).sort()).toEqual([
          "A whale for the world.",
          "b",
          "c"
        ])
        expect((yield* find("whale", { limit: 2 })).hits.map((hit) => hit.rank)).toEqual([1, 2])
        expect((yield* Effect.flip(find("whale", { sourceId: Option.some("nowhere") }))).message).toContain(
          'There is no source "nowhere"'
        )
      }).pipe(Effect.provide(brain))
    )

    it.effect(
      "says so when there is nothing but words that are everywhere, and takes any text for text",
      () =>
        Effect.gen(function* () {
          yield* put([{ slug: "a", body: "Robert'); drop table pages; -- said so." }])
          const empty = yield* find("who is the")
          expect(empty.hits).toEqual([])
          expect(empty.notes[0]).toContain('The words of "who is the" are in every text')
          for (const text of [
            "Robert'); DROP TABLE pages; --",
            "a & ! | ( :* <->",
            '"""',
            "robert\\",
            "%_%",
            "x'y\\'z"
          ])
            yield* Effect.catchTag(find(text), "BadQuestion", () => Effect.void)
          expect(names(yield* find("Robert'); DROP TABLE pages; --"))).toEqual(["a"])
          expect((yield* Effect.flip(find("  "))).message).toContain("Say what to look for")
          expect((yield* Effect.flip(find("x".repeat(100_000)))).message).toContain("Ask with fewer words")
        }).pipe(Effect.provide(brain))
    )
  })

  describe("by meaning besides", () => {
    const pages: ReadonlyArray<TestPage> = [
      { slug: "winch", body: "The boat needs a new winch before June." },
      { slug: "lease", body: "The lease of the office runs for three years." },
      { slug: "ferry", body: "The early ferry leaves at seven.", type: "note" }
    ]

    it.live("asks the model once, says by which it was found, and what it cost", () =>
      Effect.gen(function* () {
        const server = yield* standIn()
        yield* put(pages)
        yield* embedChunks(server.url)
        const before = server.stats().embeddingCalls
        const report = yield* askAt(server.url, "winches of boats")
        expect(report).toMatchObject({ command: "query", method: "hybrid", fallback: null, notes: [] })
        expect(report.embedding_model).toBe("openai:text-embedding-3-small")
        expect(report.spent_usd).toBeGreaterThan(0)
        expect(report.spent_usd).toBeLessThan(0.0001)
        expect(report.hits[0]).toMatchObject({ slug: "winch", found_by: ["words", "meaning"] })
        expect(names(report)).toHaveLength(3)
        expect(server.stats().embeddingCalls - before).toBe(1)
        expect(names(yield* askAt(server.url, "of the", { types: ["note"] }))).toEqual(["ferry"])
      }).pipe(Effect.scoped, Effect.provide(brain))
    )

    it.live("answers by words, and says why, without a key, an endpoint, money or vectors", () =>
      Effect.gen(function* () {
        const server = yield* standIn()
        yield* put(pages)
        const fallsBack = Effect.fnUntraced(function* (url: string, says: string, key?: string) {
          const report = yield* askAt(url, "winch", {}, key)
          expect(report.fallback).toContain(says)
          expect(report).toMatchObject({ method: "keyword", embedding_model: null })
          expect(names(report)).toEqual(["winch"])
        })
        yield* fallsBack(server.url, "gbrain embed")
        expect(server.stats().embeddingCalls).toBe(0)
        yield* embedChunks(server.url)
        yield* fallsBack(nobody, "Nothing answers at 127.0.0.1:2")
        server.behave({ rules: [{ endpoint: "embeddings", fault: { kind: "status", status: 503 } }] })
        yield* fallsBack(server.url, "503")
        server.behave({ rules: [], key: "sk-right" })
        yield* fallsBack(server.url, "refuses the key")
        server.behave({ key: null })
        const noMoney = yield* query({ ...defaultSearch, text: "winch" }).pipe(
          Effect.provide(
            queryLayer({ cap: Money.parseUsd("0.0000000001") }).pipe(
              Layer.provide(environment({ OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-test" }))
            )
          )
        )
        expect(noMoney).toMatchObject({
          method: "keyword",
          spent_usd: 0,
          fallback: expect.stringContaining("budget")
        })
        const noKey = yield* query({ ...defaultSearch, text: "winch" }).pipe(
          Effect.provide(queryLayer({ cap: Option.none() }).pipe(Layer.provide(environment({}))))
        )
        expect(noKey).toMatchObject({
          method: "keyword",
          fallback: expect.stringContaining("OPENAI_API_KEY")
        })
      }).pipe(Effect.scoped, Effect.provide(brain))
    )

    it.live("what questions cost is in the brain's books, and its caps hold for them", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const server = yield* standIn()
        yield* put(pages)
        yield* embedChunks(server.url)
        const today = Effect.map(Effect.provide(ledgerStanding, BrainConfig.layer), (standing) =>
          Money.toNumber(standing.today)
        )
        const before = yield* today
        const report = yield* askAt(server.url, "winches of boats")
        expect(yield* today).toBeCloseTo(before + report.spent_usd, 12)
        const asked = server.stats().embeddingCalls
        yield* sql`insert into config (key, value) values ('budget.daily_usd', '0.0000000001')`
        expect(yield* askAt(server.url, "winches of boats")).toMatchObject({
          method: "keyword",
          spent_usd: 0,
          fallback: expect.stringContaining("budget")
        })
        expect(server.stats().embeddingCalls).toBe(asked)
      }).pipe(Effect.scoped, Effect.provide(brain))
    )

    it.live("stops, unpaid, where the vectors are of another width than the model's, as doctor says it", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const server = yield* standIn()
        yield* put(pages)
        yield* embedChunks(server.url)
        const before = server.stats().requests
        yield* sql`update config set value = '128' where key = 'embedding_dimensions'`
        const error = yield* Effect.flip(askAt(server.url, "winch"))
        expect(error).toMatchObject({
          _tag: "WidthMismatch",
          column: "content_chunks.embedding",
          actual: 64,
          configured: 128
        })
        expect(server.stats().requests).toBe(before)
      }).pipe(Effect.scoped, Effect.provide(brain))
    )
  })
})
