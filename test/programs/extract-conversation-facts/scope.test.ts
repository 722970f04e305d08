/** Which pages a run is about: sources, types, one slug, and what pages say of themselves. */
import { expect } from "@effect/vitest"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { onBothDatabases } from "../../support/brains.ts"
import { conversation, extract, factsOf, marksOf, putPages, standIn } from "../../support/extraction.ts"
import { testsOn } from "../../support/testsOn.ts"

onBothDatabases("the pages of a run", (brain) => {
  const test = testsOn(brain)

  test("without a source: all that are not archived, under one budget", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      yield* sql`insert into sources (id, name, archived) values ('work', 'work', false), ('attic', 'attic', true)`
      yield* putPages(
        ["default", "work", "attic"].flatMap((sourceId) =>
          Array.from({ length: 8 }, (_, index) => ({
            sourceId,
            slug: `chats/${index}`,
            body: conversation(`${sourceId}-${index}`, 10)
          }))
        )
      )
      const report = yield* extract(api.url, { cap: "0.0105" })
      expect(report).toMatchObject({ status: "budget", sources: ["default", "work"], pages_considered: 16 })
      expect(report.spent_usd).toBeLessThanOrEqual(0.0105)
      expect(report.pages_processed).toBeLessThan(16)
      expect(yield* extract(api.url)).toMatchObject({ status: "completed" })
      expect(
        yield* sql`select source_id, count(*)::int as pages from facts where source like '%:terminal:v2' group by 1 order by 1`
      ).toEqual([
        { source_id: "default", pages: 8 },
        { source_id: "work", pages: 8 }
      ])
      // Whoever names it means it.
      expect(yield* extract(api.url, { sourceId: Option.some("attic") })).toMatchObject({
        pages_processed: 8
      })
    }))

  test("by type, which means gbrain's finer types too, and by slug", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const api = yield* standIn()
      const types = [
        "conversation",
        "slack",
        "slack-thread",
        "slack-dm-day",
        "email",
        "email-digest",
        "imessage-daily",
        "note"
      ]
      yield* putPages(types.map((type) => ({ slug: `chats/${type}`, type, body: conversation(type, 2) })))
      const done = Effect.map(
        sql<{
          slug: string
        }>`select source_markdown_slug as slug from facts where source like '%:terminal:v2' order by 1`,
        (rows) => rows.map(({ slug }) => slug.slice(6))
      )
      yield* extract(api.url, { slug: Option.some("chats/email-digest") })
      expect(yield* done).toEqual(["email-digest"])
      expect(yield* extract(api.url, { types: Option.some(["slack"]) })).toMatchObject({
        pages_considered: 3,
        types: ["slack"]
      })
      expect(yield* done).toEqual(["email-digest", "slack", "slack-dm-day", "slack-thread"])
      expect(yield* extract(api.url, { types: Option.some(["email", "imessage-daily"]) })).toMatchObject({
        pages_considered: 3,
        pages_skipped_completed: 1,
        pages_processed: 2
      })
      yield* extract(api.url)
      expect(yield* done).toEqual([...types].filter((type) => type !== "note").sort())
    }))

  test("the types that the brain is set to are the usual ones", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const set = (value: string) => sql`
        insert into config (key, value) values ('cycle.conversation_facts_backfill.types', ${value})
        on conflict (key) do update set value = excluded.value`
      const api = yield* standIn()
      yield* putPages(
        ["email", "slack", "meeting"].map((type) => ({
          slug: `chats/${type}`,
          type,
          body: conversation(type, 2)
        }))
      )
      yield* set(JSON.stringify(["slack", "telepathy"]))
      expect(yield* extract(api.url)).toMatchObject({ types: ["slack"], pages_processed: 1 })
      expect(yield* extract(api.url, { types: Option.some(["email"]) })).toMatchObject({ pages_processed: 1 })
      // What says nothing that is known means all.
      for (const value of [JSON.stringify(["telepathy"]), "slack", "[]"]) {
        yield* set(value)
        expect((yield* extract(api.url)).types).toHaveLength(6)
      }
    }))

  test("what was dreamt is left alone; a page says how long its silences are", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const body =
        "**Ana Ruiz** (2025-02-03 9:00 AM): I sold the boat.\n**Omar Haddad** (2025-02-03 10:00 AM): I bought the train."
      yield* putPages([
        { slug: "chats/dreamt", body, frontmatter: { dream_generated: true } },
        { slug: "chats/usual", body },
        { slug: "chats/slow", body, frontmatter: { conversation_gap_minutes: 90 } },
        { slug: "chats/text", body, frontmatter: { conversation_gap_minutes: "90" } },
        { slug: "chats/wrong", body, frontmatter: { conversation_gap_minutes: -1 } }
      ])
      expect(yield* extract(api.url)).toMatchObject({ pages_processed: 4, pages_skipped_opted_out: 1 })
      expect(yield* marksOf("chats/dreamt")).toEqual([])
      const segments = Effect.fnUntraced(function* (slug: string) {
        return new Set((yield* factsOf(slug)).map((row) => /segment (\S+?)(?:,|$)/.exec(row.context)?.[1]))
          .size
      })
      expect(
        yield* Effect.forEach(["usual", "slow", "text", "wrong"], (name) => segments(`chats/${name}`))
      ).toEqual([2, 1, 1, 2])
      expect(yield* extract(api.url, { force: true })).toMatchObject({
        pages_processed: 4,
        pages_skipped_opted_out: 1
      })
    }))
})
