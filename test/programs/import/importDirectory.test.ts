/** What an import promises to whom keeps working with gbrain on the same brain, on both databases. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, FileSystem, Layer, Path } from "effect"
import { SqlClient } from "effect/sql"
import { defaultImportOptions, importDirectory } from "../../../src/programs/import/importDirectory.ts"
import { importLayer } from "../../../src/programs/import/layer.ts"
import { PageNames } from "../../../src/services/PageNames.ts"
import { PageWriter } from "../../../src/services/PageWriter.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { putPages } from "../../support/extraction.ts"
import { allLinks, runExtract } from "../../support/links.ts"

/** A folder with these files, gone when the scope ends, and how to import it. */
const folderOf = Effect.fnUntraced(function* (files: Readonly<Record<string, string>>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* fs.makeTempDirectoryScoped()
  const write = Effect.fnUntraced(function* (more: Readonly<Record<string, string>>) {
    for (const [name, content] of Object.entries(more)) {
      yield* fs.makeDirectory(path.dirname(path.join(directory, name)), { recursive: true })
      yield* fs.writeFileString(path.join(directory, name), content)
    }
  })
  yield* write(files)
  const run = Effect.provide(
    importDirectory({ ...defaultImportOptions, directory }),
    importLayer({ workers: 2 })
  )
  return { directory, write, run, remove: (name: string) => fs.remove(path.join(directory, name)) }
})

const pages = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{
    slug: string
    type: string
    filename: string | null
    source: string | null
    dated: boolean
    chunker: number
  }>`
    select slug, type, import_filename as filename, effective_date_source as source,
      effective_date is not null as dated, chunker_version as chunker
    from pages where deleted_at is null order by slug`
})

/** An import that is interrupted when its pages are written and names were looked up, before any links are made. */
const stopping = (layer: ReturnType<typeof importLayer>) =>
  Layer.effect(
    PageNames,
    Effect.map(PageNames, (names) =>
      PageNames.of({
        ...names,
        refresh: Effect.andThen(names.refresh, Effect.interrupt)
      })
    )
  ).pipe(Layer.provideMerge(layer))

onBothDatabases("an import", (brain) => {
  describe("beside gbrain", () => {
    it.live("dates every page, with the time of the import where nothing else does", () =>
      Effect.gen(function* () {
        const folder = yield* folderOf({ "notes/a.md": "A", "daily/2024-05-06.md": "---\ntitle: D\n---\n" })
        yield* folder.run
        expect(yield* pages).toEqual([
          {
            slug: "daily/2024-05-06",
            type: "concept",
            filename: "2024-05-06",
            source: "filename",
            dated: true,
            chunker: 3
          },
          { slug: "notes/a", type: "note", filename: "a", source: "fallback", dated: true, chunker: 3 }
        ])
      }).pipe(Effect.scoped, Effect.provide(brain))
    )

    it.live("leaves a page the type it has when its file names none, and calls it unchanged", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const folder = yield* folderOf({ "notes/a.md": "---\ntitle: A\n---\nText" })
        yield* folder.run
        // The hash is gbrain's of the same file on a page of this type.
        yield* sql`update pages set type = 'memo', content_hash = 'another'`
        expect(yield* folder.run).toMatchObject({ updated: 1 })
        expect(yield* pages).toMatchObject([{ slug: "notes/a", type: "memo" }])
        expect(yield* folder.run).toMatchObject({ updated: 0, unchanged: 1 })
      }).pipe(Effect.scoped, Effect.provide(brain))
    )

    it.live(
      "notes the folder of a source that has none or that it noted itself, and leaves that of gbrain's sync",
      () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const noted = Effect.map(
            sql<{ local_path: string | null }>`select local_path from sources where id = 'default'`,
            (rows) => rows[0]?.local_path
          )
          const first = yield* folderOf({ "notes/a.md": "A" })
          const second = yield* folderOf({ "notes/b.md": "B" })
          expect((yield* first.run).directory).toBe(yield* noted)
          expect((yield* second.run).directory).toBe(yield* noted)
          yield* sql`update sources set local_path = '/vault' where id = 'default'`
          yield* first.run
          expect(yield* noted).toBe("/vault")
        }).pipe(Effect.scoped, Effect.provide(brain))
    )

    it.live("keeps tags that somebody gave a page", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const folder = yield* folderOf({ "notes/a.md": "---\ntags: [sea, sea]\n---\nText" })
        yield* folder.run
        yield* sql`insert into tags (page_id, tag) select id, 'by-hand' from pages`
        yield* folder.write({ "notes/a.md": "---\ntags: [wind]\n---\nText" })
        yield* folder.run
        const tags = yield* sql<{ tag: string }>`select tag from tags order by tag`
        expect(tags.map((row) => row.tag)).toEqual(["by-hand", "sea", "wind"])
      }).pipe(Effect.scoped, Effect.provide(brain))
    )

    it.live("keeps other names of pages where gbrain looks for them, also when the file moves", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const aliases = sql<{
          line: string
        }>`select slug || ' ' || alias_norm as line from page_aliases order by 1`
        const file = '---\ntitle: José\ntype: person\naliases: [Pepe  Ñandú, "ＡＢＣ", Pepe Ñandú]\n---\nText'
        const folder = yield* folderOf({
          "people/jose.md": file,
          "people/b.md": "---\naliases: x, (Y)\n---\n"
        })
        yield* folder.run
        expect((yield* aliases).map((row) => row.line)).toEqual([
          "people/b x",
          "people/b y",
          "people/jose abc",
          "people/jose pepe ñandú"
        ])
        yield* folder.remove("people/jose.md")
        yield* folder.write({ "people/josé-ñandú.md": file, "people/b.md": "No names" })
        expect(yield* folder.run).toMatchObject({ renamed: 1, updated: 1 })
        expect((yield* aliases).map((row) => row.line)).toEqual([
          "people/jose-nandu abc",
          "people/jose-nandu pepe ñandú"
        ])
      }).pipe(Effect.scoped, Effect.provide(brain))
    )

    it.live("reads the files that gbrain reads, under the slugs that it gives them", () =>
      Effect.gen(function* () {
        const folder = yield* folderOf({
          "ops/tasks.md": "Text",
          "readme.md": "Text",
          "README.md": "no page",
          "RESOLVER.md": "no page",
          "vendor/a.md": "no page",
          "people/ana.raw/b.md": "no page",
          "sub/.git": "gitdir: ../.git/modules/sub",
          "sub/c.md": "no page",
          "notes/[draft].md": "no page",
          "people/jose.md": "---\nslug: people/José\n---\nText",
          "people/ana.md": "---\nslug: people/maria\n---\nText"
        })
        const report = yield* folder.run
        expect((yield* pages).map((row) => row.slug)).toEqual(["ops/tasks", "people/josé", "readme"])
        expect(report.skipped.map((file) => file.path).sort()).toEqual([
          "notes/[draft].md",
          "people/ana.md",
          "sub/"
        ])
        expect(yield* folder.run).toMatchObject({ unchanged: 3, deleted: 0 })
      }).pipe(Effect.scoped, Effect.provide(brain))
    )
  })

  it.live("a file whose front matter makes no sense, or breaks us, is named and takes no other along", () =>
    Effect.gen(function* () {
      const folder = yield* folderOf({
        "a.md": "A",
        "cycle.md": "---\na: &a [*a]\n---\nText",
        // What has no words for itself is a bug of ours waiting to be found.
        "wordless.md": "---\ntags: [{ toString: 1 }]\n---\nText",
        "z.md": "Z [[a]]"
      })
      const report = yield* folder.run
      expect(report).toMatchObject({ status: "completed", created: 2, failed: 0, links: 1 })
      expect(report.skipped).toEqual([
        { path: "cycle.md", reason: expect.stringContaining("holds itself") },
        { path: "wordless.md", reason: expect.stringContaining("a bug") }
      ])
      expect((yield* pages).map((page) => page.slug)).toEqual(["a", "z"])
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("that was stopped before it came to links and timelines is finished by the next", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages([{ slug: "old", body: "Waits for [[b]].", type: "note" }])
      yield* runExtract()
      const folder = yield* folderOf({ "a.md": "[[b]]\n\n- **2024-01-01** | Signed", "b.md": "B" })
      const stopped = importDirectory({ ...defaultImportOptions, directory: folder.directory }).pipe(
        Effect.provide(stopping(importLayer({ workers: 2 })))
      )
      expect(Exit.hasInterrupts(yield* Effect.exit(stopped))).toBe(true)
      expect(yield* sql`select status from gbrain_effect.runs where command = 'import'`).toEqual([
        { status: "interrupted" }
      ])
      expect(yield* allLinks).toEqual([])
      expect(yield* folder.run).toMatchObject({ unchanged: 2, created: 0, links: 2, timeline_entries: 1 })
      expect(yield* allLinks).toEqual(["a mentions b", "old mentions b"])
      expect(yield* folder.run).toMatchObject({ unchanged: 2, links: 0, timeline_entries: 0 })
      expect(yield* sql`select 1 from gbrain_effect.pages_underived`).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("whose links the database refuses names the page, fails, and makes them when it can", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const folder = yield* folderOf({ "a.md": "[[b]] bad", "b.md": "[[a]]", "c.md": "[[a]]" })
      yield* sql`alter table links add constraint refused check (context not like '%bad')`
      expect(yield* folder.run).toMatchObject({
        status: "failed",
        created: 3,
        failed: 1,
        links: 2,
        failures: [{ item: "a", reason: expect.stringContaining("refused") }]
      })
      yield* sql`alter table links drop constraint refused`
      expect(yield* folder.run).toMatchObject({ status: "completed", unchanged: 3, links: 1 })
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("of a folder that another process imports writes nothing, also no run", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const folder = yield* folderOf({ "a.md": "A" })
      yield* sql`
        insert into gbrain_cycle_locks (id, holder_pid, holder_host, acquired_at, ttl_expires_at, last_refreshed_at)
        values (${`import:default:${folder.directory}`}, 7, 'elsewhere', now(), now() + interval '1 hour', now())`
      expect(yield* Effect.flip(folder.run)).toMatchObject({ _tag: "LeaseHeld", holderHost: "elsewhere" })
      expect(yield* pages).toEqual([])
      expect(yield* sql`select 1 from gbrain_effect.runs`).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("that fails is on record as failed", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const folder = yield* folderOf({ "a.md": "A" })
      const broken = Layer.effect(
        PageWriter,
        Effect.map(PageWriter, (writer) =>
          PageWriter.of({ ...writer, setLocalPath: () => Effect.die(new Error("broken")) })
        )
      ).pipe(Layer.provideMerge(importLayer({ workers: 2 })))
      yield* Effect.exit(
        importDirectory({ ...defaultImportOptions, directory: folder.directory }).pipe(Effect.provide(broken))
      )
      expect(yield* sql`select status, report->>'stopped' as stopped from gbrain_effect.runs`).toEqual([
        { status: "failed", stopped: "broken" }
      ])
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("of an edited page keeps the rows of chunks that only moved, and with them their embeddings", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const page = (body: string) =>
        `---\ntype: note\n---\n${body}\n\n## Timeline\n\n- **2025-02-03** | Signed\n`
      const folder = yield* folderOf({ "a.md": page("Short.") })
      yield* folder.run
      const chunks = sql<{ id: number; index: number; source: string }>`
        select id, chunk_index as index, chunk_source as source from content_chunks order by chunk_index`
      const before = yield* chunks
      expect(before.map(({ source }) => source)).toEqual(["compiled_truth", "timeline"])
      yield* folder.write({ "a.md": page("Now it is long, with many words in every line. ".repeat(90)) })
      const report = yield* folder.run
      const after = yield* chunks
      expect(after.length).toBeGreaterThan(2)
      expect(after.at(-1)).toEqual({ id: before[1]?.id, index: after.length - 1, source: "timeline" })
      expect(report).toMatchObject({ updated: 1, chunks: after.length, chunks_kept: 1 })
    }).pipe(Effect.scoped, Effect.provide(brain))
  )
})
