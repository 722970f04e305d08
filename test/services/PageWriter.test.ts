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
