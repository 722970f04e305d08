/** What `edges-backfill`, `code-callers` and `code-callees` promise, on both databases. */
import { expect } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { slugOfCode } from "../../src/domain/links/CodePaths.ts"
import { edgesOfSymbol } from "../../src/programs/code/callers.ts"
import { edgesBackfill, type EdgesOptions } from "../../src/programs/edges/edgesBackfill.ts"
import { edgesLayer } from "../../src/programs/edges/layer.ts"
import { CodeEdges } from "../../src/services/CodeEdges.ts"
import { Sources } from "../../src/services/Sources.ts"
import { onBothDatabases } from "../support/brains.ts"
import { testsOn } from "../support/testsOn.ts"

const all: EdgesOptions = { sourceId: Option.none(), maxChunks: Option.none(), dryRun: false }

const run = (options: Partial<EdgesOptions> & { readonly workers?: number } = {}) =>
  edgesBackfill({ ...all, ...options }).pipe(Effect.provide(edgesLayer({ workers: options.workers ?? 2 })))

/** A file: its symbols, and what each of them calls; what begins with `import ` is imported. */
type File = Readonly<Record<string, ReadonlyArray<string>>>

/** Puts files of code into the brain, in gbrain's form. */
const putFiles = Effect.fnUntraced(function* (
  files: Readonly<Record<string, File>>,
  { language = "typescript", source = "default" } = {}
) {
  const sql = yield* SqlClient.SqlClient
  for (const [path, symbols] of Object.entries(files)) {
    yield* sql`delete from pages where source_id = ${source} and slug = ${slugOfCode(path)}`
    const [page] = yield* sql<{ id: number }>`
      insert into pages (source_id, slug, type, page_kind, title, compiled_truth, frontmatter)
      values (${source}, ${slugOfCode(path)}, 'code', 'code', ${path}, '', ${JSON.stringify({ language, file: path })}::jsonb) returning id`
    for (const [index, [symbol, calls]] of Object.entries(symbols).entries()) {
      const name = symbol.replace(/'+$/, "")
      const [chunk] = yield* sql<{ id: number }>`
        insert into content_chunks (page_id, chunk_index, chunk_text, language, symbol_name_qualified, start_line)
        values (${page?.id ?? 0}, ${index}, ${symbol}, ${language}, ${name}, ${index * 10 + 1}) returning id`
      for (const call of calls) {
        const [type, to] = call.startsWith("import ") ? ["imports", call.slice(7)] : ["calls", call]
        yield* sql`
          insert into code_edges_symbol (from_chunk_id, from_symbol_qualified, to_symbol_qualified, edge_type, source_id)
          values (${chunk?.id ?? 0}, ${name}, ${to}, ${type}, ${source})`
      }
    }
  }
})

/** Edges as `from -> to: where`. */
const outcomes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ line: string }>`
    select from_symbol_qualified || ' -> ' || to_symbol_qualified || ': ' || coalesce(
      (select pages.frontmatter->>'file' || ' ' || symbol_name_qualified from content_chunks join pages on pages.id = page_id
        where content_chunks.id = (edge_metadata->>'resolved_chunk_id')::int),
      'one of ' || jsonb_array_length(edge_metadata->'candidates'), '-') as line
    from code_edges_symbol where edge_type = 'calls' order by 1`
  return rows.map((row) => row.line)
})

const small: Readonly<Record<string, File>> = {
  "src/app.ts": {
    main: [
      "import ./users::Users",
      "import ./util/text.js::trim",
      "import left-pad::pad",
      "trim",
      "pad",
      "helper"
    ],
    helper: ["Users::load", "twice", "./util/text.js::trim"],
    twice: [],
    "twice'": []
  },
  "src/users.ts": { Users: [], "Users.load": ["Users::save", "console"], "Users.save": [] },
  "src/util/text.ts": { trim: [] },
  "src/other.ts": { pad: [], trim: [] }
}

onBothDatabases("edges-backfill", (brain) => {
  const test = testsOn(brain)

  test("names become the symbols they mean, and the second run has nothing to do", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putFiles(small)
      expect(yield* run({ dryRun: true })).toMatchObject({
        dry_run: true,
        chunks_walked: 10,
        edges_changed: 8
      })
      expect(
        yield* sql`select count(*)::int as n from content_chunks where edges_backfilled_at is not null`
      ).toEqual([{ n: 0 }])
      expect(yield* run({ workers: 8 })).toMatchObject({
        status: "completed",
        workers: 8,
        chunks_to_do: 10,
        chunks_walked: 10,
        edges_examined: 11,
        edges_resolved: 7,
        edges_ambiguous: 1,
        edges_unmatched: 3
      })
      expect(yield* outcomes).toEqual([
        "Users.load -> Users::save: src/users.ts Users.save",
        "Users.load -> console: -",
        "helper -> ./util/text.js::trim: src/util/text.ts trim",
        "helper -> Users::load: src/users.ts Users.load",
        "helper -> twice: one of 2",
        "main -> helper: src/app.ts helper",
        "main -> pad: -",
        "main -> trim: src/util/text.ts trim"
      ])
      const before = yield* sql`select * from code_edges_symbol order by id`
      expect(yield* run()).toMatchObject({ chunks_to_do: 0, chunks_walked: 0, chunks_woken: 0 })
      expect(yield* sql`select * from code_edges_symbol order by id`).toEqual(before)
    }))

  test("when a symbol comes or goes, what leads to it is looked at again, and nothing else", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putFiles(
        { "a.go": { run: ["later", "gone"], idle: ["other"] }, "b.go": { gone: [] } },
        { language: "go" }
      )
      yield* run()
      expect((yield* outcomes).slice(1)).toEqual(["run -> gone: b.go gone", "run -> later: -"])

      yield* putFiles({ "c.go": { later: [] } }, { language: "go" })
      expect(yield* run({ dryRun: true })).toMatchObject({
        chunks_woken: 1,
        chunks_walked: 2,
        edges_changed: 1
      })
      expect(yield* run()).toMatchObject({ chunks_woken: 1, chunks_walked: 2 })
      expect((yield* outcomes)[2]).toBe("run -> later: c.go later")

      yield* putFiles({ "d.go": { later: [] } }, { language: "go" })
      expect(yield* run()).toMatchObject({ chunks_woken: 1, edges_ambiguous: 1 })
      yield* sql`delete from pages where slug = 'd-go'`
      yield* sql`update pages set deleted_at = now() where slug = 'b-go'`
      expect(yield* run()).toMatchObject({ chunks_woken: 1, chunks_walked: 1 })
      expect((yield* outcomes).slice(1)).toEqual(["run -> gone: -", "run -> later: c.go later"])
      expect(yield* run()).toMatchObject({ chunks_to_do: 0 })
    }))

  test("goes on where it was stopped; what gbrain marked as done is looked at once more", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putFiles(small)
      yield* sql`update content_chunks set created_at = now() - interval '1 hour'`
      yield* sql`update pages set updated_at = now() - interval '1 hour'`
      expect(yield* run({ maxChunks: Option.some(4) })).toMatchObject({
        status: "completed",
        chunks_walked: 4,
        chunks_left: 6
      })
      expect(yield* run()).toMatchObject({ chunks_to_do: 6, chunks_walked: 6 })
      yield* sql`update content_chunks set edges_backfilled_at = now() where symbol_name_qualified = 'main'`
      expect(yield* run()).toMatchObject({ chunks_walked: 1, edges_changed: 0 })
    }))

  test("a symbol that an import wrote before the run, and that was seen only after it, is found by the next", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putFiles({ "a.go": { run: ["later"] } }, { language: "go" })
      yield* run()
      yield* putFiles({ "c.go": { later: [] } }, { language: "go" })
      yield* sql`update pages set updated_at = now() - interval '40 seconds' where slug = 'c-go'`
      yield* sql`update content_chunks set created_at = now() - interval '40 seconds' where symbol_name_qualified = 'later'`
      expect(yield* run()).toMatchObject({ chunks_woken: 1, chunks_walked: 2, edges_resolved: 1 })
    }))

  test("sources are apart; markdown without code is left alone", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into sources (id, name) values ('work', 'work')`
      yield* putFiles({ "a.go": { run: ["there"] } }, { language: "go" })
      yield* putFiles({ "b.go": { there: [] } }, { language: "go", source: "work" })
      yield* sql`insert into pages (slug, type, title) values ('note', 'concept', 'note')`
      yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text) select id, 0, 'x' from pages where slug = 'note'`
      expect(yield* run({ sourceId: Option.some("work") })).toMatchObject({
        sources: ["work"],
        chunks_walked: 1
      })
      expect(yield* run()).toMatchObject({ chunks_walked: 1, edges_unmatched: 1 })
      expect(
        yield* sql`select count(*)::int as n from content_chunks where edges_backfilled_at is null`
      ).toEqual([{ n: 1 }])
    }))

  test("a file that is imported anew meanwhile is taken again", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putFiles({ "a.go": { run: ["here"], here: [] } }, { language: "go" })
      let edits = 0
      const edited = Layer.effect(
        CodeEdges,
        Effect.map(CodeEdges, (store) =>
          CodeEdges.of({
            ...store,
            commit: (chunks, changes) =>
              Effect.andThen(
                Effect.when(
                  sql`update pages set updated_at = clock_timestamp()`,
                  Effect.sync(() => edits++ < 1)
                ),
                store.commit(chunks, changes)
              )
          })
        )
      ).pipe(Layer.provideMerge(edgesLayer({ workers: 1 })))
      const report = yield* edgesBackfill(all).pipe(Effect.provide(edited))
      expect(report).toMatchObject({ chunks_walked: 2, chunks_edited: 0, edges_examined: 1 })
    }))

  test("shows who calls a symbol and what it calls, by any way of writing its name", () =>
    Effect.gen(function* () {
      yield* putFiles(small)
      yield* run()
      const ask = (symbol: string, direction: "callers" | "callees", limit = 100) =>
        edgesOfSymbol(symbol, { direction, limit, sourceId: Option.none() }).pipe(
          Effect.provide(Sources.layer)
        )
      const callers = yield* ask("Users.load", "callers")
      expect(callers.edges).toMatchObject([
        {
          edge_type: "calls",
          from_symbol_qualified: "helper",
          from_file: "src/app.ts",
          from_line: 11,
          to_symbol_qualified: "Users::load",
          to_file: "src/users.ts",
          to_line: 11,
          resolved: true
        }
      ])
      expect((yield* ask("Users::load", "callers")).edges).toEqual(callers.edges)
      expect((yield* ask("trim", "callers")).edges.map((edge) => edge.from_symbol_qualified)).toEqual([
        "main",
        "main",
        "helper"
      ])
      expect((yield* ask("pad", "callers")).edges.map((edge) => edge.resolved)).toEqual([false, false])
      const callees = yield* ask("helper", "callees")
      expect(callees.edges.map((edge) => [edge.to_symbol_qualified, edge.resolved, edge.candidates])).toEqual(
        [
          ["Users::load", true, 0],
          ["twice", false, 2],
          ["./util/text.js::trim", true, 0]
        ]
      )
      expect(yield* ask("helper", "callees", 2)).toMatchObject({ cut: true })
      expect((yield* ask("nobody", "callers")).edges).toEqual([])
    }))
})
