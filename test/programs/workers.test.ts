/** `--workers N` means N groups at once, and leaves what one at a time leaves: of every command that sweeps. On both databases. */
import { expect, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { edgesBackfill } from "../../src/programs/edges/edgesBackfill.ts"
import { edgesLayer } from "../../src/programs/edges/layer.ts"
import { reindexLayer } from "../../src/programs/reindex/layer.ts"
import { reindexMarkdown } from "../../src/programs/reindex/reindexMarkdown.ts"
import { reindexFrontmatterLayer } from "../../src/programs/reindex-frontmatter/layer.ts"
import { reindexFrontmatter } from "../../src/programs/reindex-frontmatter/reindexFrontmatter.ts"
import { ChunkPages } from "../../src/services/ChunkPages.ts"
import { CodeEdges } from "../../src/services/CodeEdges.ts"
import { PageDates } from "../../src/services/PageDates.ts"
import { extractForSlugs } from "../../src/programs/extract/forSlugs.ts"
import { extractBrainLayer } from "../../src/programs/extract/layer.ts"
import { ExtractPages } from "../../src/services/ExtractPages.ts"
import { onBothDatabases } from "../support/brains.ts"
import { allLinks } from "../support/links.ts"

const workers = 8

/** Holds writers until so many of them have come together; with fewer at once none would ever go on. */
const makeGate = Effect.gen(function* () {
  const open = yield* Deferred.make<void>()
  let arrived = 0
  return Effect.suspend(() => {
    arrived++
    return arrived === workers ? Deferred.succeed(open, undefined) : Deferred.await(open)
  })
})

const everything = { sourceId: Option.none(), dryRun: false } as const

onBothDatabases("eight workers", (brain) => {
  it.live("of edges-backfill, inside one source", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`
        insert into pages (slug, type, page_kind, title, frontmatter)
        select 'f' || n || '-go', 'code', 'code', 'f', jsonb_build_object('file', 'f' || n || '.go') from generate_series(0, 179) n`
      yield* sql`
        insert into content_chunks (page_id, chunk_index, chunk_text, language, symbol_name_qualified)
        select id, n, 'x', 'go', slug || n from pages, generate_series(0, 9) n`
      yield* sql`
        insert into code_edges_symbol (from_chunk_id, from_symbol_qualified, to_symbol_qualified, edge_type, source_id)
        select id, symbol_name_qualified, 'f' || (id * 7) % 200 || '-go' || id % 10, 'calls', 'default' from content_chunks`
      const outcome = sql`select id, edge_metadata from code_edges_symbol order by id`
      const gate = yield* makeGate
      const gated = Layer.effect(
        CodeEdges,
        Effect.map(CodeEdges, (store) =>
          CodeEdges.of({
            ...store,
            commit: (chunks, changes) => Effect.andThen(gate, store.commit(chunks, changes))
          })
        )
      ).pipe(Layer.provideMerge(edgesLayer({ workers })))
      const run = edgesBackfill({ ...everything, maxChunks: Option.none() })
      const report = yield* Effect.provide(run, gated)
      expect(report).toMatchObject({ status: "completed", workers, chunks_walked: 1800 })
      expect(report.edges_resolved).toBeGreaterThan(1000)
      const byEight = yield* outcome
      yield* sql`update code_edges_symbol set edge_metadata = '{}'`
      yield* sql`update content_chunks set edges_backfilled_at = null`
      yield* Effect.provide(run, edgesLayer({ workers: 1 }))
      expect(yield* outcome).toEqual(byEight)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("of reindex --markdown", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`
        insert into pages (slug, type, title, compiled_truth) select 'p' || n, 'note', 'p', 'Text ' || n from generate_series(1, 1700) n`
      const outcome = sql`select page_id, chunk_index, chunk_text from content_chunks order by page_id, chunk_index`
      const gate = yield* makeGate
      const gated = Layer.effect(
        ChunkPages,
        Effect.map(ChunkPages, (store) =>
          ChunkPages.of({ ...store, commit: (some) => Effect.andThen(gate, store.commit(some)) })
        )
      ).pipe(Layer.provideMerge(reindexLayer({ workers })))
      const run = reindexMarkdown({ ...everything, type: Option.none(), limit: Option.none() })
      expect(yield* Effect.provide(run, gated)).toMatchObject({ status: "completed", pages_rechunked: 1700 })
      const byEight = yield* outcome
      expect(byEight).toHaveLength(1700)
      yield* sql`delete from content_chunks`
      yield* Effect.provide(run, reindexLayer({ workers: 1 }))
      expect(yield* outcome).toEqual(byEight)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("of reindex-frontmatter", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`
        insert into pages (slug, type, title, frontmatter)
        select 'p' || n, 'note', 'p', jsonb_build_object('date', '2024-01-' || lpad((n % 28 + 1)::text, 2, '0')) from generate_series(1, 8100) n`
      const outcome = sql`select id, effective_date::text, effective_date_source from pages order by id`
      const gate = yield* makeGate
      const gated = Layer.effect(
        PageDates,
        Effect.map(PageDates, (store) =>
          PageDates.of({ ...store, store: (some) => Effect.andThen(gate, store.store(some)) })
        )
      ).pipe(Layer.provideMerge(reindexFrontmatterLayer({ workers })))
      const run = reindexFrontmatter({ ...everything, slugPrefix: Option.none() })
      expect(yield* Effect.provide(run, gated)).toMatchObject({ status: "completed", pages_updated: 8100 })
      const byEight = yield* outcome
      yield* sql`update pages set effective_date = null, effective_date_source = null`
      yield* Effect.provide(run, reindexFrontmatterLayer({ workers: 1 }))
      expect(yield* outcome).toEqual(byEight)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("of pages that were just written", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`
        insert into pages (slug, type, title, compiled_truth)
        select 'p/' || n, 'note', 'p', '[[p/' || (n * 7) % 1700 || ']]' from generate_series(0, 1699) n`
      const gate = yield* makeGate
      const gated = Layer.effect(
        ExtractPages,
        Effect.map(ExtractPages, (store) =>
          ExtractPages.of({ ...store, commit: (commit) => Effect.andThen(gate, store.commit(commit)) })
        )
      ).pipe(Layer.provideMerge(extractBrainLayer))
      const slugs = Array.from({ length: 1700 }, (_, index) => `p/${index}`)
      const run = (count: number) => extractForSlugs({ sourceId: "default", slugs, workers: count }, "all")
      expect(yield* Effect.provide(run(workers), gated)).toMatchObject({ processed: 1700, failed: 0 })
      const byEight = yield* allLinks
      // Two pages link themselves.
      expect(byEight).toHaveLength(1698)
      yield* sql`delete from links`
      yield* Effect.provide(run(1), extractBrainLayer)
      expect(yield* allLinks).toEqual(byEight)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )
})
