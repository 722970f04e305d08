/** What `reindex --markdown` promises, on both databases. */
import { expect } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { chunkerVersion, chunkPage } from "../../src/domain/Chunks.ts"
import { reindexLayer } from "../../src/programs/reindex/layer.ts"
import { type ReindexOptions, reindexMarkdown } from "../../src/programs/reindex/reindexMarkdown.ts"
import { ChunkPages } from "../../src/services/ChunkPages.ts"
import { PageWriter } from "../../src/services/PageWriter.ts"
import { onBothDatabases } from "../support/brains.ts"
import { testsOn } from "../support/testsOn.ts"

const all: ReindexOptions = {
  sourceId: Option.none(),
  type: Option.none(),
  limit: Option.none(),
  dryRun: false
}

const run = (options: Partial<ReindexOptions> & { readonly workers?: number } = {}) =>
  reindexMarkdown({ ...all, ...options }).pipe(
    Effect.provide(reindexLayer({ workers: options.workers ?? 2 }))
  )

const words = (from: number, count = 250) =>
  Array.from({ length: count }, (_, index) => `w${from + index}`).join(" ")

/** Paragraphs, of which each is about a chunk. */
const text = (...from: ReadonlyArray<number>) => from.map((it) => words(it)).join("\n\n")

/** Imports a page as `import` does. */
const put = Effect.fnUntraced(function* (slug: string, compiledTruth: string, type = "concept") {
  const writer = yield* PageWriter
  yield* writer.write({ sourceId: "default", directory: "/notes" }, [
    {
      slug,
      type,
      title: slug,
      compiledTruth,
      timeline: "",
      frontmatter: {},
      contentHash: compiledTruth.slice(0, 20),
      effectiveDate: null,
      effectiveDateSource: null,
      path: `${slug}.md`,
      tags: [],
      chunks: chunkPage({ compiledTruth, timeline: "" })
    }
  ])
})

const embedAll = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update content_chunks set embedded_at = now(), embedding = (select ('[' || string_agg((id + i)::text, ',') || ']')::vector
      from generate_series(1, 64) i)`
})

const chunksOf = Effect.fnUntraced(function* (slug: string) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ id: number; index: number; first: string; vector: string | null }>`
    select chunk.id, chunk_index as index, split_part(chunk_text, ' ', 1) as first, embedding::text as vector
    from content_chunks chunk join pages on pages.id = page_id where slug = ${slug} order by chunk_index`
})

const rewrite = Effect.fnUntraced(function* (slug: string, compiledTruth: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`update pages set compiled_truth = ${compiledTruth}, updated_at = now() where slug = ${slug}`
})

/** Everything of the pages that the command has no business with. */
const theRest = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql`
    select id, slug, title, compiled_truth, content_hash, updated_at, links_extracted_at, effective_date, generation from pages order by id`
})

onBothDatabases("reindex --markdown", (brain) => {
  const withWriter = PageWriter.layer.pipe(Layer.provideMerge(brain))
  const test = testsOn(withWriter)

  test("what was imported just now is up to date, and is not even read", () =>
    Effect.gen(function* () {
      yield* put("a", text(0, 300))
      yield* put("empty", "")
      expect(yield* run()).toMatchObject({
        status: "completed",
        pages_considered: 2,
        pages_up_to_date: 2,
        pages_examined: 0
      })
    }))

  test("a paragraph is put before the others: what was there moves, with its ids and embeddings", () =>
    Effect.gen(function* () {
      yield* put("a", text(0, 300, 600))
      yield* embedAll
      const before = yield* chunksOf("a")
      expect(before.map((chunk) => chunk.first)).toEqual(["w0", "w200", "w500"])
      yield* rewrite("a", text(5000, 0, 300, 600))
      const rest = yield* theRest

      const planned = yield* run({ dryRun: true })
      expect(planned).toMatchObject({
        pages_rechunked: 1,
        changes: [{ slug: "a", reason: "text changed", created: 2, removed: 1 }]
      })
      expect(yield* chunksOf("a")).toEqual(before)

      expect(yield* run({ workers: 4 })).toMatchObject({
        status: "completed",
        pages_examined: 1,
        pages_rechunked: 1,
        chunks: { kept: 0, moved: 2, created: 2, removed: 1 }
      })
      const now = yield* chunksOf("a")
      expect(now.map((chunk) => [chunk.index, chunk.first])).toEqual([
        [0, "w5000"],
        [1, "w5200"],
        [2, "w200"],
        [3, "w500"]
      ])
      expect(now.slice(2).map(({ id, vector }) => ({ id, vector }))).toEqual(
        before.slice(1).map(({ id, vector }) => ({ id, vector }))
      )
      expect(now.slice(0, 2).map((chunk) => chunk.vector)).toEqual([null, null])
      expect(yield* theRest).toEqual(rest)
      expect(yield* run()).toMatchObject({ pages_examined: 0, pages_up_to_date: 1 })
    }))

  test("pages of an older chunker are cut again; what comes out the same keeps its rows", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* put("same", text(0, 300))
      yield* put("other", text(0, 300))
      yield* embedAll
      const same = yield* chunksOf("same")
      yield* sql`update pages set chunker_version = 1`
      yield* sql`update content_chunks set chunk_text = 'cut elsewhere' where chunk_index = 1 and page_id = (select id from pages where slug = 'other')`
      expect(yield* run()).toMatchObject({ pages_examined: 2, pages_rechunked: 1, pages_right: 1 })
      expect(yield* chunksOf("same")).toEqual(same)
      expect(yield* sql`select distinct chunker_version::int as v from pages`).toEqual([
        { v: chunkerVersion }
      ])
    }))

  test("pages that gbrain cut at other borders are left as they are, and are read only once", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* put("theirs", text(0, 300))
      yield* sql`delete from gbrain_effect.pages_chunked`
      yield* sql`delete from content_chunks`
      const cut = [`${words(0)}\n\n${words(300, 100)}`, `${words(350, 50)} ${words(400, 150)}`]
      for (const [index, chunk] of cut.entries()) {
        yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text) select id, ${index}, ${chunk} from pages`
      }
      yield* embedAll
      const before = yield* chunksOf("theirs")
      expect(yield* run()).toMatchObject({ pages_examined: 1, pages_right: 1, pages_rechunked: 0 })
      expect(yield* chunksOf("theirs")).toEqual(before)
      expect(yield* run()).toMatchObject({ pages_examined: 0 })
      // Newer ones of gbrain's are none of our business either.
      yield* sql`update pages set chunker_version = 9`
      yield* sql`delete from gbrain_effect.pages_chunked`
      expect(yield* run()).toMatchObject({ pages_right: 1 })
      expect(yield* sql`select chunker_version::int as v from pages`).toEqual([{ v: 9 }])
    }))

  test("missing chunks come back, those there are too many of go", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* put("a", text(0, 300, 600))
      yield* put("none", text(0))
      yield* put("hidden", text(0))
      const before = yield* chunksOf("a")
      yield* sql`delete from content_chunks where chunk_index = 1 or page_id = (select id from pages where slug = 'none')`
      yield* sql`update pages set frontmatter = '{"quarantine": {"reason": "junk_pattern"}}' where slug = 'hidden'`
      expect(yield* run()).toMatchObject({ pages_rechunked: 3, chunks: { created: 2, removed: 1 } })
      expect((yield* chunksOf("a")).map((chunk) => chunk.first)).toEqual(before.map((chunk) => chunk.first))
      expect(yield* chunksOf("none")).toHaveLength(1)
      expect(yield* chunksOf("hidden")).toEqual([])
      expect(yield* run()).toMatchObject({ pages_examined: 0 })
    }))

  test("only one type, only so many, and never deleted pages or code", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      for (const slug of ["a", "b", "c", "d"]) yield* put(slug, text(0), slug === "a" ? "person" : "concept")
      yield* sql`update content_chunks set chunk_text = 'old'`
      yield* sql`delete from gbrain_effect.pages_chunked`
      yield* sql`update pages set deleted_at = now() where slug = 'b'`
      yield* sql`update pages set page_kind = 'code' where slug = 'c'`
      expect(yield* run({ type: Option.some("person") })).toMatchObject({
        pages_considered: 1,
        pages_rechunked: 1
      })
      yield* put("e", text(0))
      yield* sql`update content_chunks set chunk_text = 'old'`
      yield* sql`delete from gbrain_effect.pages_chunked`
      expect(yield* run({ limit: Option.some(1) })).toMatchObject({
        status: "completed",
        pages_examined: 1,
        pages_left: 2
      })
      expect(yield* run({ limit: Option.some(5) })).toMatchObject({ pages_examined: 2, pages_left: 0 })
      expect(yield* Effect.map(chunksOf("b"), (chunks) => chunks[0]?.first)).toBe("old")
      expect(yield* Effect.map(chunksOf("c"), (chunks) => chunks[0]?.first)).toBe("old")
    }))

  test("a page that is edited meanwhile is taken again", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* put("a", text(0))
      yield* sql`update pages set compiled_truth = 'first edit'`
      let edits = 0
      const edited = Layer.effect(
        ChunkPages,
        Effect.map(ChunkPages, (store) =>
          ChunkPages.of({
            ...store,
            commit: (outcomes) =>
              Effect.andThen(
                Effect.when(
                  sql`update pages set compiled_truth = 'second edit', updated_at = clock_timestamp()`,
                  Effect.sync(() => edits++ < 1)
                ),
                store.commit(outcomes)
              )
          })
        )
      ).pipe(Layer.provideMerge(reindexLayer({ workers: 1 })))
      const report = yield* reindexMarkdown(all).pipe(Effect.provide(edited))
      expect(report).toMatchObject({ pages_examined: 1, pages_rechunked: 1, pages_edited: 0 })
      expect((yield* chunksOf("a")).map((chunk) => chunk.first)).toEqual(["second"])
    }))
})
