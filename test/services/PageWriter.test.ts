import { expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { type ImportedPage, PageWriter } from "../../src/services/PageWriter.ts"
import { onBothDatabases } from "../support/brains.ts"

const origin = { sourceId: "default", directory: "/notes" }

const page = (slug: string, text: string, tags: ReadonlyArray<string> = []): ImportedPage => ({
  slug,
  type: "note",
  title: slug,
  compiledTruth: text,
  timeline: "",
  frontmatter: { about: "佐藤" },
  contentHash: `hash of ${text}`,
  effectiveDate: null,
  effectiveDateSource: null,
  path: `${slug}.md`,
  tags,
  chunks: text.split("\n").map((line) => ({ text: line, source: "compiled_truth" }))
})

onBothDatabases("PageWriter", (brain) => {
  it.live(
    "writes pages with tags and chunks, keeps what did not change and the tags of before, renames and removes",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const writer = yield* PageWriter
        expect(yield* writer.write(origin, [])).toMatchObject({ chunks: 0 })
        expect(
          yield* writer.write(origin, [page("a", "one\ntwo\nthree", ["x", "y"]), page("b", "four")])
        ).toMatchObject({ chunks: 4, kept: 0 })
        yield* sql`update content_chunks set embedded_at = now()`
        expect(yield* writer.write(origin, [page("a", "one\nchanged", ["y"])])).toMatchObject({
          chunks: 2,
          kept: 1
        })
        expect(
          yield* sql`select chunk_text, embedded_at is not null as kept from content_chunks chunk
          join pages on pages.id = chunk.page_id where slug = 'a' order by chunk_index`
        ).toEqual([
          { chunk_text: "one", kept: true },
          { chunk_text: "changed", kept: false }
        ])
        expect(
          yield* sql`select tag from tags join pages on pages.id = page_id where slug = 'a' order by tag`
        ).toEqual([{ tag: "x" }, { tag: "y" }])
        expect(yield* sql`select compiled_truth from page_versions`).toEqual([
          { compiled_truth: "one\ntwo\nthree" }
        ])
        const known = yield* writer.fromDirectory(origin)
        expect(known.map((it) => it.slug).sort()).toEqual(["a", "b"])
        expect(yield* writer.fromDirectory({ ...origin, directory: "/elsewhere" })).toEqual([])
        const [a, b] = [...known].sort((one, other) => one.slug.localeCompare(other.slug)).map((it) => it.id)
        yield* writer.rename([{ id: a ?? 0, slug: "c", path: "c.md" }])
        yield* writer.remove([b ?? 0])
        expect(
          [...(yield* writer.standing("default", ["a", "b", "c"]))].map(([slug, page]) => [
            slug,
            page.contentHash
          ])
        ).toEqual([["c", "hash of one\nchanged"]])
        // A file that comes back brings its page back, and the chunks that are as they were.
        yield* writer.write(origin, [page("b", "four")])
        expect(
          yield* sql`select deleted_at is null as live, embedded_at is not null as kept from pages
          join content_chunks chunk on chunk.page_id = pages.id where slug = 'b'`
        ).toEqual([{ live: true, kept: true }])
      }).pipe(Effect.provide(PageWriter.layer.pipe(Layer.provideMerge(brain))))
  )

  it.live(
    "a renamed page takes its facts with it, and no others are read for it, however many there are",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const writer = yield* PageWriter
        const source = "cli:extract-conversation-facts"
        yield* writer.write(origin, [page("chats/old", "one"), page("people/old", "two")])
        const ids = new Map((yield* writer.fromDirectory(origin)).map((it) => [it.slug, it.id]))
        // Others with a number, without one, and with a dimension: all that gbrain writes.
        yield* sql`
        insert into facts (source_id, source, source_session, source_markdown_slug, row_num, fact, entity_slug, expired_at,
          dimension, value_hash)
        select 'default', ${source}, ${`${source}:chats/`} || other, 'chats/' || other, case other % 3 when 0 then 0 end, 'other',
          'people/' || other, case other % 5 when 0 then now() end, case other % 3 when 1 then 'role' end,
          case other % 3 when 1 then 'hash' end
        from generate_series(1, 3000) as other`
        yield* sql`
        insert into facts (source_id, source, source_session, source_markdown_slug, row_num, fact, entity_slug, dimension,
          claim_metric, expired_at)
        select 'default', row.source, session, page, number, row.fact, entity, dimension, metric, expired::timestamptz
        from (values
          (${source}, ${`${source}:chats/old`}, 'chats/old', 0, 'numbered', null, null, null, null),
          (${source}, ${`${source}:chats/old`}, 'chats/old', null, 'without a number', null, null, null, null),
          ('mcp', null, 'chats/old', null, 'of a dimension', 'people/other', 'role', null, null),
          (${source}, ${`${source}:chats/new`}, 'chats/new', 0, 'in the way', null, null, null, null),
          ('mcp', null, null, null, 'about', 'people/old', null, null, null),
          ('mcp', null, null, null, 'was the role', 'people/old', 'role', null, '2020-01-01'),
          ('mcp', null, null, null, 'was the number', 'people/old', null, 'arr', '2020-01-01')
        ) as row(source, session, page, number, fact, entity, dimension, metric, expired)`
        // Counted by the database within the transaction; what the connection read shortly before may be in it.
        const read = sql<{ readonly n: number }>`
        select (seq_tup_read + idx_tup_fetch)::int as n from pg_stat_xact_user_tables where relname = 'facts'`.pipe(
          Effect.map(([row]) => row?.n ?? 0)
        )
        const rename = (from: string, to: string) =>
          Effect.gen(function* () {
            const before = yield* read
            yield* writer.rename([{ id: ids.get(from) ?? 0, slug: to, path: `${to}.md` }])
            return (yield* read) - before
          }).pipe(sql.withTransaction)
        expect(yield* rename("people/old", "people/new")).toBeLessThan(100)
        // What is in the way goes first: whom it was better than is looked for among all.
        yield* rename("chats/old", "chats/new")
        expect(yield* rename("chats/old", "chats/newer")).toBeLessThan(100)
        expect(
          yield* sql`select fact, source_session as session, source_markdown_slug as page, entity_slug as entity from facts
          where fact <> 'other' order by id`
        ).toEqual([
          { fact: "numbered", session: `${source}:chats/newer`, page: "chats/newer", entity: null },
          { fact: "without a number", session: `${source}:chats/newer`, page: "chats/newer", entity: null },
          { fact: "of a dimension", session: null, page: "chats/newer", entity: "people/other" },
          { fact: "about", session: null, page: null, entity: "people/new" },
          { fact: "was the role", session: null, page: null, entity: "people/new" },
          { fact: "was the number", session: null, page: null, entity: "people/new" }
        ])
        expect(
          yield* sql`select count(*)::int as n from facts where fact = 'other' and source_markdown_slug = 'chats/' || substr(entity_slug, 8)`
        ).toEqual([{ n: 3000 }])
      }).pipe(Effect.provide(PageWriter.layer.pipe(Layer.provideMerge(brain))))
  )

  it.live("the planner hears of pages while they are written, not when the server gets round to it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const writer = yield* PageWriter
      const known = sql<{ readonly rows: number }>`
        select reltuples::float8 as rows from pg_class where oid = 'pages'::regclass`
      yield* sql`alter table pages set (autovacuum_enabled = false)`
      yield* sql`truncate pages cascade`
      yield* sql`analyze pages`
      const write = (from: number, count: number) =>
        writer.write(
          origin,
          Array.from({ length: count }, (_, place) => page(`p/${from + place}`, "one"))
        )
      yield* write(0, 499)
      expect((yield* known)[0]?.rows).toBeLessThan(499)
      yield* write(499, 1)
      expect((yield* known)[0]?.rows).toBe(500)
      yield* write(500, 499)
      expect((yield* known)[0]?.rows).toBe(500)
      yield* write(999, 1)
      expect((yield* known)[0]?.rows).toBe(1000)
    }).pipe(Effect.provide(PageWriter.layer.pipe(Layer.provideMerge(brain))))
  )
})
