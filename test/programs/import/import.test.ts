/** What an import of code, and of markdown beside it, promises; and what `reindex-code` does. On both databases. */
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import {
  defaultImportOptions,
  importDirectory,
  type ImportOptions
} from "../../../src/programs/import/importDirectory.ts"
import { importLayer } from "../../../src/programs/import/layer.ts"
import { reindexCodeLayer } from "../../../src/programs/reindex-code/layer.ts"
import {
  defaultReindexCodeOptions,
  reindexCode,
  type ReindexCodeOptions
} from "../../../src/programs/reindex-code/reindexCode.ts"
import { reindexLayer } from "../../../src/programs/reindex/layer.ts"
import { reindexMarkdown } from "../../../src/programs/reindex/reindexMarkdown.ts"
import { CodePages } from "../../../src/services/CodePages.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { testsOn } from "../../support/testsOn.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "gbrain-import-"))),
  (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
)

const put = (directory: string, files: Readonly<Record<string, string | Uint8Array>>) =>
  Effect.promise(async () => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), text)
    }
  })

const importCode = (directory: string, options: Partial<ImportOptions> = {}) =>
  importDirectory({ ...defaultImportOptions, strategy: "code", ...options, directory }).pipe(
    Effect.provide(importLayer({ workers: 1 }))
  )

const reindex = (options: Partial<ReindexCodeOptions> = {}) =>
  reindexCode({ ...defaultReindexCodeOptions, ...options }).pipe(
    Effect.provide(reindexCodeLayer({ workers: 1 }))
  )

const pages = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ id: number; slug: string; page_kind: string; title: string; deleted: boolean }>`
    select id, slug, page_kind, title, deleted_at is not null as deleted from pages order by slug`
})

const chunks = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{
    id: number
    symbol: string | null
    start_line: number
    embedded: boolean
    done: boolean
  }>`
    select id, symbol_name_qualified as symbol, start_line, embedding is not null as embedded,
      edges_backfilled_at is not null as done from content_chunks order by page_id, chunk_index`
})

const edges = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ edge: string }>`
    select from_symbol_qualified || ' ' || edge_type || ' ' || to_symbol_qualified as edge
    from code_edges_symbol where source_id = 'default' order by 1`
  return rows.map((row) => row.edge)
})

/** As `embed` and `edges-backfill` leave chunks. */
const embed = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`update content_chunks set embedded_at = now(), edges_backfilled_at = now(),
    embedding = (select ('[' || string_agg('0.1', ',') || ']')::vector from generate_series(1, 64))`
})

onBothDatabases("import of code", (brain) => {
  const test = testsOn(brain)

  test("samples of code in a page are chunks of their own, which stay with their vectors when the prose changes", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const sample = "```ts\nexport const openDoor = () => 1\n```\n"
      yield* put(directory, {
        "door.md": `How to open it:\n\n${sample}\n\`\`\`mermaid\ngraph TD\n\`\`\`\n`,
        "kept-out.md": `---\nquarantine: junk\n---\n${sample}`
      })
      const dry = yield* importCode(directory, { strategy: "markdown", dryRun: true })
      const report = yield* importCode(directory, { strategy: "markdown" })
      expect([dry.chunks, report.chunks]).toEqual([2, 2])
      yield* embed

      const samples = Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        return yield* sql`
          select chunk.id, chunk_index, chunk_source, split_part(chunk_text, E'\n', 1) as head, language, symbol_name, symbol_type,
            start_line, end_line, embedding is not null as embedded
          from content_chunks chunk join pages on pages.id = page_id order by slug, chunk_index`
      })
      const [, code] = yield* samples
      expect(code).toMatchObject({
        chunk_index: 1,
        chunk_source: "fenced_code",
        head: "[TypeScript] fence.ts function openDoor",
        language: "typescript",
        symbol_name: "openDoor",
        symbol_type: "function",
        start_line: 1,
        end_line: 1
      })

      yield* put(directory, { "door.md": `It is open.\n\n${sample}` })
      yield* importCode(directory, { strategy: "markdown" })
      expect((yield* samples)[1]).toEqual(code)

      yield* put(directory, { "door.md": "It is open." })
      yield* importCode(directory, { strategy: "markdown" })
      expect((yield* samples).map((row) => row["chunk_source"])).toEqual(["compiled_truth"])
    }))

  test("pages whose chunks were cut before samples were get them by reindex --markdown; prose keeps its rows", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const directory = yield* folder
      yield* put(directory, { "door.md": "How to open it:\n\n```py\ndef open_door():\n  return 1\n```\n" })
      yield* importCode(directory, { strategy: "markdown" })
      yield* sql`delete from content_chunks where chunk_source = 'fenced_code'`
      yield* sql`update gbrain_effect.pages_chunked set rules = 1, chunks = 1`
      const prose = (yield* chunks)[0]

      const reindexed = yield* reindexMarkdown({
        sourceId: Option.none(),
        type: Option.none(),
        limit: Option.none(),
        dryRun: false
      }).pipe(Effect.provide(reindexLayer({ workers: 2 })))
      expect(reindexed).toMatchObject({
        pages_rechunked: 1,
        chunks: { kept: 1, created: 1, removed: 0 },
        changes: [{ slug: "door", reason: "older rules" }]
      })
      const [kept, code] = yield* chunks
      expect(kept).toEqual(prose)
      expect(code).toMatchObject({ start_line: 1 })
    }))

  test("files become pages, chunks and edges; a second import writes nothing", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* put(directory, {
        "src/a.ts": 'import { b } from "./b"\nexport class A { run() { b(); this.stop() } }\n',
        "b.py": "def b():\n    pass\n",
        "notes.md": "# Notes"
      })
      expect(yield* importCode(directory)).toMatchObject({
        status: "completed",
        files: 2,
        code_files: 2,
        created: 2,
        chunks: 4,
        code_edges: 3,
        skipped: [],
        failures: []
      })
      expect(yield* pages).toMatchObject([
        { slug: "b-py", page_kind: "code", title: "b.py (python)" },
        { slug: "src-a-ts", page_kind: "code", title: "src/a.ts (typescript)" }
      ])
      expect(yield* edges).toEqual(["A.run calls A::stop", "A.run calls b", "src/a.ts imports ./b::b"])
      const before = yield* chunks
      expect(yield* importCode(directory)).toMatchObject({ unchanged: 2, created: 0, updated: 0, chunks: 0 })
      expect(yield* chunks).toEqual(before)
      expect(yield* importCode(directory, { strategy: "all" })).toMatchObject({ created: 1, unchanged: 2 })
      expect((yield* pages).map((page) => page.slug)).toEqual(["b-py", "notes", "src-a-ts"])
    }))

  test("an edit keeps the rows and embeddings of the chunks it did not touch, and replaces their neighbours' edges", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* put(directory, { "a.ts": "function one() { x() }\nfunction two() { y() }\n" })
      yield* importCode(directory)
      yield* embed
      const before = yield* chunks
      yield* put(directory, {
        "a.ts": "function zero() {}\n\n\nfunction one() { x() }\nfunction two() { z() }\n"
      })
      expect(yield* importCode(directory)).toMatchObject({ updated: 1, chunks: 3, chunks_kept: 1 })
      const after = yield* chunks
      expect(
        after.map(({ symbol, embedded, done, start_line }) => ({ symbol, embedded, done, start_line }))
      ).toEqual([
        { symbol: "zero", embedded: false, done: false, start_line: 1 },
        { symbol: "one", embedded: true, done: false, start_line: 4 },
        { symbol: "two", embedded: false, done: false, start_line: 5 }
      ])
      expect(after[1]?.id).toBe(before[0]?.id)
      expect(yield* edges).toEqual(["one calls x", "two calls z"])
    }))

  test("a file that moved keeps its page and embeddings; one that is gone takes its page along", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* put(directory, { "a.ts": "function one() {}\n", "b.ts": "function two() {}\n" })
      yield* importCode(directory)
      yield* embed
      const before = yield* pages
      yield* Effect.promise(async () => {
        await rename(join(directory, "a.ts"), join(directory, "moved.ts"))
        await rm(join(directory, "b.ts"))
        await writeFile(join(directory, "c.ts"), "const c = 1")
      })
      expect(yield* importCode(directory, { strategy: "markdown" }).pipe(Effect.flip)).toMatchObject({
        _tag: "BadDirectory"
      })
      expect(yield* importCode(directory)).toMatchObject({ renamed: 1, deleted: 1, created: 1 })
      const after = yield* pages
      expect(after.find((page) => page.slug === "moved-ts")?.id).toBe(before[0]?.id)
      expect(after.find((page) => page.slug === "b-ts")?.deleted).toBe(true)
      expect((yield* chunks).filter((chunk) => chunk.embedded)).toHaveLength(2)
    }))

  test("what is no code that anybody wrote is left out, with the reason", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* put(directory, {
        ".gitignore": "generated/\n*.gen.ts\n!kept.gen.ts\n",
        "good.ts": "const a = 1",
        "kept.gen.ts": "const b = 1",
        "other.gen.ts": "const c = 1",
        "generated/x.ts": "const d = 1",
        "sub/.gitignore": "/local.ts",
        "sub/local.ts": "const e = 1",
        "sub/deep/local.ts": "const f = 1",
        "node_modules/m/i.js": "x()",
        "binary.c": new Uint8Array([1, 0, 2]),
        "latin.py": new Uint8Array([0x23, 0xe9, 0x0a]),
        "long.js": `x=${"1+".repeat(2_400_000)}1`,
        "huge.json": "[1]\n".repeat(1_300_000),
        "a-b.ts": "const g = 1",
        "a/b.ts": "const h = 1",
        "empty.go": "",
        "broken.rs": "fn a() { b( } }} struct"
      })
      yield* Effect.promise(() => symlink("/etc/hostname", join(directory, "link.ts")))
      const report = yield* importCode(directory)
      expect(report).toMatchObject({ status: "completed", created: 6, ignored: 3 })
      expect(new Map(report.skipped.map(({ path, reason }) => [path, reason]))).toEqual(
        new Map([
          ["node_modules/", "holds what others wrote or programs made"],
          ["link.ts", "is a symbolic link"],
          ["a/b.ts", "has the same slug as a-b.ts: a-b-ts"],
          ["binary.c", "is no text: it has bytes of zero"],
          ["latin.py", "is not valid UTF-8; convert it and import again"],
          ["long.js", "was made by a program: its lines are too long to read"],
          ["huge.json", "has 5200000 bytes, more than 5000000"]
        ])
      )
      expect((yield* pages).map((page) => page.slug)).toEqual([
        "a-b-ts",
        "broken-rs",
        "empty-go",
        "good-ts",
        "kept-gen-ts",
        "sub-deep-local-ts"
      ])
      expect(yield* importCode(directory, { includeIgnored: true })).toMatchObject({ created: 3, ignored: 0 })
    }))

  test("a slug that another page has, of another kind or folder, is named and the page left as it is", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const first = yield* folder
      const second = yield* folder
      yield* put(first, { "x-ts.md": "# X", "both.md": "first" })
      yield* put(second, { "both.md": "second", "own.md": "own" })
      yield* importCode(first, { strategy: "markdown" })
      const before = yield* sql`select slug, compiled_truth, page_kind from pages order by slug`
      yield* put(first, { "x.ts": "const x = 1" })
      const clashes = (yield* importCode(first)).skipped
      expect(clashes).toEqual([
        { path: "x.ts", reason: `has the same slug as ${join(first, "x-ts.md")}: x-ts` }
      ])
      expect(yield* importCode(second, { strategy: "markdown" })).toMatchObject({
        created: 1,
        updated: 0,
        skipped: [{ path: "both.md", reason: `has the same slug as ${join(first, "both.md")}: both` }]
      })
      expect(
        yield* sql`select slug, compiled_truth, page_kind from pages where slug <> 'own' order by slug`
      ).toEqual(before)
      // Who is gone stands in nobody's way.
      yield* Effect.promise(() => Promise.all([rm(join(first, "x-ts.md")), rm(join(first, "both.md"))]))
      expect(yield* importCode(first)).toMatchObject({ updated: 1, skipped: [] })
      expect(yield* importCode(second, { strategy: "markdown" })).toMatchObject({ updated: 1, skipped: [] })
    }))

  test("a dry run says what would be, and writes nothing", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* put(directory, { "a.ts": "function one() {}\n", "a.md": "# A\n\nText." })
      expect(yield* importCode(directory, { strategy: "all", dryRun: true })).toMatchObject({
        dry_run: true,
        created: 2,
        chunks: 2,
        links: 0
      })
      expect(yield* pages).toEqual([])
    }))

  test("a page that the database refuses is named, and takes no other along", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const sql = yield* SqlClient.SqlClient
      yield* sql`alter table pages add constraint no_bad check (slug <> 'bad-ts')`
      yield* put(directory, { "bad.ts": "a()", "fine.ts": "b()", "good.ts": "c()" })
      const report = yield* importCode(directory)
      expect(report).toMatchObject({
        status: "failed",
        created: 2,
        failed: 1,
        failures: [{ item: "bad.ts" }]
      })
      expect((yield* pages).map((page) => page.slug)).toEqual(["fine-ts", "good-ts"])
    }))

  test("reindex-code finds pages cut by older rules or edited in the brain, and touches nothing else", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const sql = yield* SqlClient.SqlClient
      yield* put(directory, {
        "a.ts": "function one() { x() }\nfunction two() {}\n",
        "b.ts": "function three() {}\n",
        "c.ts": "function four() {}\n"
      })
      yield* importCode(directory)
      yield* embed
      const before = yield* chunks
      const times = yield* sql`select slug, updated_at::text from pages order by slug`
      expect(yield* reindex()).toMatchObject({ pages_considered: 3, pages_up_to_date: 3, pages_reindexed: 0 })
      yield* sql`update pages set chunker_version = 1 where slug = 'a-ts'`
      yield* sql`delete from content_chunks where symbol_name = 'two'`
      yield* sql`update pages set compiled_truth = 'function edited() {}' where slug = 'b-ts'`
      expect(yield* reindex({ dryRun: true })).toMatchObject({ pages_reindexed: 2, chunks: 3 })
      expect(yield* reindex({ limit: Option.some(1) })).toMatchObject({
        status: "incomplete",
        pages_reindexed: 1,
        pages_left: 1
      })
      expect(yield* reindex()).toMatchObject({ status: "completed", pages_reindexed: 1, pages_up_to_date: 2 })
      const after = yield* chunks
      expect(after.map((chunk) => chunk.symbol)).toEqual(["one", "two", "edited", "four"])
      expect(after[0]?.id).toBe(before[0]?.id)
      expect(after.map((chunk) => chunk.embedded)).toEqual([true, false, false, true])
      expect(yield* sql`select slug, updated_at::text from pages order by slug`).toEqual(times)
      expect(yield* reindex({ force: true })).toMatchObject({
        pages_reindexed: 3,
        chunks_kept: 4,
        chunks_added: 0
      })
      expect(yield* chunks).toEqual(after)
    }))

  test("reindex-code takes a page again that is edited meanwhile, and one source when told", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const sql = yield* SqlClient.SqlClient
      yield* put(directory, { "a.ts": "function one() {}\n", "b.ts": "function two() {}\n" })
      yield* importCode(directory)
      yield* sql`update pages set chunker_version = 1`
      const editing = (times: number) => {
        let edits = 0
        return Layer.effect(
          CodePages,
          Effect.map(CodePages, (store) =>
            CodePages.of({
              ...store,
              commit: (some) =>
                Effect.andThen(
                  Effect.when(
                    sql`update pages set compiled_truth = 'function edited() {}', updated_at = clock_timestamp() where slug = 'a-ts'`,
                    Effect.sync(() => edits++ < times)
                  ),
                  store.commit(some)
                )
            })
          )
        ).pipe(Layer.provideMerge(reindexCodeLayer({ workers: 1 })))
      }
      expect(yield* reindexCode(defaultReindexCodeOptions).pipe(Effect.provide(editing(1)))).toMatchObject({
        status: "completed",
        pages_reindexed: 2,
        pages_edited: 0
      })
      expect((yield* chunks).map((chunk) => chunk.symbol)).toEqual(["edited", "two"])
      yield* sql`update pages set chunker_version = 1`
      expect(yield* reindexCode(defaultReindexCodeOptions).pipe(Effect.provide(editing(99)))).toMatchObject({
        status: "incomplete",
        pages_reindexed: 1,
        pages_edited: 1
      })
      yield* sql`insert into sources (id, name) values ('work', 'work')`
      yield* sql`update pages set chunker_version = 1`
      yield* sql`update pages set source_id = 'work' where slug = 'b-ts'`
      expect(yield* reindex({ sourceId: Option.some("work") })).toMatchObject({
        sources: ["work"],
        pages_considered: 1,
        pages_reindexed: 1
      })
      expect(yield* sql`select slug from pages where chunker_version = 1`).toEqual([{ slug: "a-ts" }])
    }))

  test("a page of code that names no file fails by itself", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into pages (slug, type, page_kind, title, compiled_truth) values ('x', 'code', 'code', 'x', 'a()')`
      expect(yield* reindex()).toMatchObject({
        status: "failed",
        failures: [{ item: "x", reason: "does not say which file of code it is; import it again" }]
      })
    }))
})
