/** A page that got another slug keeps its facts, and what was learnt of it on other pages leads to it. */
import { expect, it } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import { SqlClient } from "effect/sql"
import { defaultImportOptions, importDirectory } from "../../../src/programs/import/importDirectory.ts"
import { importLayer } from "../../../src/programs/import/layer.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { conversation, extract, factsOf, marksOf, putPages, standIn } from "../../support/extraction.ts"

onBothDatabases("a renamed page", (brain) => {
  it.live("is not read again, has its facts once, and stays the entity of facts about it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      const directory = yield* fs.makeTempDirectoryScoped()
      const at = (name: string) => path.join(directory, name)
      yield* fs.makeDirectory(at("chats"))
      yield* fs.makeDirectory(at("people"))
      yield* fs.writeFileString(at("people/ana.md"), "---\ntype: person\ntitle: Ana Ruiz\n---\nA person.")
      yield* fs.writeFileString(
        at("chats/old.md"),
        `---\ntype: conversation\ntitle: Talk\n---\n${conversation("lease")}`
      )
      yield* fs.writeFileString(
        at("chats/new.md"),
        `---\ntype: conversation\ntitle: Other\n---\n${conversation("boat")}`
      )
      const run = Effect.provide(
        importDirectory({ ...defaultImportOptions, directory }),
        importLayer({ workers: 2 })
      )
      yield* run
      expect(yield* extract(api.url)).toMatchObject({ pages_processed: 2, facts_inserted: 8 })
      const before = yield* factsOf("chats/old")
      expect(new Set(before.map((row) => row.entity_slug))).toEqual(new Set(["people/ana", null]))
      // The other chat goes first: its page is deleted, and in the way with its facts.
      yield* fs.remove(at("chats/new.md"))
      yield* run
      yield* fs.rename(at("chats/old.md"), at("chats/new.md"))
      yield* fs.rename(at("people/ana.md"), at("people/ana-ruiz.md"))
      expect(yield* run).toMatchObject({ renamed: 2 })
      expect(yield* extract(api.url)).toMatchObject({
        pages_skipped_completed: 1,
        pages_processed: 0,
        chat_calls: 0,
        embedding_calls: 0
      })
      expect(yield* factsOf("chats/old")).toEqual([])
      const after = yield* factsOf("chats/new")
      expect(after.map((row) => row.fact)).toEqual(before.map((row) => row.fact))
      expect(new Set(after.map((row) => row.entity_slug))).toEqual(new Set(["people/ana-ruiz", null]))
      expect(yield* marksOf("chats/new")).toHaveLength(1)
      expect(
        yield* sql`select distinct source_session from facts where source = 'cli:extract-conversation-facts'`
      ).toEqual([{ source_session: "cli:extract-conversation-facts:chats/new" }])
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("is not written to under its old slug when that happens while it is worked on", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn({ chatLatency: 150 })
      yield* putPages([{ slug: "chats/old", body: conversation("lease", 2) }])
      const rename = Effect.gen(function* () {
        while (api.stats().chatCalls === 0) yield* Effect.sleep(5)
        yield* sql`update pages set slug = 'chats/new'`
      })
      const [report] = yield* Effect.all([extract(api.url), rename], { concurrency: 2 })
      expect(report).toMatchObject({ pages_processed: 0, pages_failed: 0, pages_skipped_disappeared: 1 })
      expect(yield* sql`select 1 from facts`).toEqual([])
      expect(yield* extract(api.url)).toMatchObject({ pages_processed: 1, chat_calls: 0 })
      expect(yield* factsOf("chats/new")).toHaveLength(2)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )
})
