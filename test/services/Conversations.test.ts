import { expect, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { markSession, markSource } from "../../src/domain/ConversationPages.ts"
import { Conversations } from "../../src/services/Conversations.ts"
import { JoinPolicy } from "../../src/services/joinCalls.ts"
import { onBothDatabases } from "../support/brains.ts"
import { putPages } from "../support/extraction.ts"

const source = "default"

onBothDatabases("Conversations", (brain) => {
  const layer = Conversations.layer.pipe(Layer.provideMerge(brain))
  const together = Effect.provideService(JoinPolicy, { patience: Duration.minutes(1) })

  it.live(
    "pages that are read at the same time are each told what is theirs, and of one that is gone nothing",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const conversations = yield* Conversations
        const slugs = ["one", "two", "three", "four"]
        yield* putPages(slugs.map((slug) => ({ slug, body: `the text of ${slug}` })))
        const pages = yield* sql<{ id: number; slug: string }>`select id, slug from pages order by id`
        const asked = [...pages.map(({ id }) => id), 999_999, pages[1]?.id ?? 0]
        const found = yield* Effect.forEach(asked, conversations.load, { concurrency: "unbounded" }).pipe(
          together
        )
        expect(found.map((page) => Option.getOrUndefined(page)?.compiled_truth)).toEqual([
          ...slugs.map((slug) => `the text of ${slug}`),
          undefined,
          "the text of two"
        ])
      }).pipe(Effect.provide(layer))
  )

  it.live("the marks of versions that are asked about at the same time are each version's own", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const conversations = yield* Conversations
      for (const [mark, slug] of [
        ["complete", "done"],
        ["not-applicable", "prose"]
      ] as const) {
        yield* sql`insert into facts (source_id, source, source_session, source_markdown_slug, row_num, fact)
          values (${source}, ${markSource(mark)}, ${markSession(mark, slug, "v1")}, ${slug}, 0, 'mark')`
      }
      yield* putPages(["declined", "given up"].map((slug) => ({ slug, body: "text" })))
      const pages = yield* sql<{ id: number; slug: string }>`select id, slug from pages order by slug`
      for (const { id, slug } of pages) {
        const model = slug === "given up" ? Option.some("openai:one") : Option.none()
        yield* conversations.setAside({ id, sourceId: source, slug }, "v1", "because", model)
      }
      const asked = [
        ["done", "v1", "openai:one", "complete"],
        ["done", "v2", "openai:one", undefined],
        ["prose", "v1", "openai:one", "not-applicable"],
        ["declined", "v1", "openai:two", "set-aside"],
        ["given up", "v1", "openai:one", "set-aside"],
        ["given up", "v1", "openai:two", undefined],
        ["nobody", "v1", "openai:one", undefined],
        ["done", "v1", "openai:two", "complete"]
      ] as const
      const marks = yield* Effect.forEach(
        asked,
        ([slug, version, model]) => conversations.markOf({ sourceId: source, slug }, version, model),
        { concurrency: "unbounded" }
      ).pipe(together)
      expect(marks.map(Option.getOrUndefined)).toEqual(asked.map(([, , , mark]) => mark))
    }).pipe(Effect.provide(layer))
  )

  it.live("a row that cannot be read fails the page whose it is", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const conversations = yield* Conversations
      yield* putPages(["one", "broken", "two"].map((slug) => ({ slug, body: slug })))
      yield* sql`update pages set frontmatter = '[1]' where slug = 'broken'`
      const pages = yield* sql<{ id: number }>`select id from pages order by id`
      const found = yield* Effect.forEach(pages, ({ id }) => Effect.exit(conversations.load(id)), {
        concurrency: "unbounded"
      }).pipe(together)
      expect(found.map((exit) => exit._tag)).toEqual(["Success", "Failure", "Success"])
    }).pipe(Effect.provide(layer))
  )
})
