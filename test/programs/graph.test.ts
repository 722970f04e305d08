/** What a page links, what links it, what can be reached, and what happened. */
import { expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { graphFrom, linksOfPage } from "../../src/programs/graph/links.ts"
import { timelineOfPage } from "../../src/programs/graph/timeline.ts"
import { onBothDatabases } from "../support/brains.ts"

const anywhere = Option.none<string>()

const putPages = (sourceId: string, slugs: ReadonlyArray<string>) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`insert into pages (source_id, slug, type, title)
      select ${sourceId}, slug, 'note', upper(slug) from unnest(${slugs}::text[]) slug`
  )

const putLinks = (links: ReadonlyArray<readonly [from: string, to: string, type?: string]>) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`insert into links (from_page_id, to_page_id, link_type, link_source)
      select a.id, b.id, link.type, 'markdown'
      from unnest(${links.map(([from]) => from)}::text[], ${links.map(([, to]) => to)}::text[],
        ${links.map(([, , type = "mentions"]) => type)}::text[]) as link("from", "to", type)
      join pages a on a.slug = link."from" and a.source_id = 'default'
      join pages b on b.slug = link."to" and b.source_id = 'default'`
  )

onBothDatabases("the graph of a brain", (brain) => {
  it.live("circles end, a page is shown where it is reached first, deleted pages lead nowhere", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages("default", ["a", "b", "c", "d", "gone", "beyond"])
      yield* putLinks([
        ["a", "a"],
        ["a", "b"],
        ["a", "b", "founded"],
        ["b", "c"],
        ["c", "a"],
        ["c", "d"],
        ["a", "gone"],
        ["gone", "beyond"]
      ])
      yield* sql`update pages set deleted_at = now() where slug = 'gone'`
      const { cut, nodes } = yield* graphFrom("a", { depth: 10, sourceId: anywhere })
      expect(cut).toBe(false)
      expect(nodes.map(({ depth, from, slug, types }) => [slug, depth, from, types.join(" ")])).toEqual([
        ["a", 0, null, ""],
        ["b", 1, "a", "founded mentions"],
        ["c", 2, "b", "mentions"],
        ["d", 3, "c", "mentions"]
      ])
      expect((yield* graphFrom("a", { depth: 1, sourceId: anywhere })).nodes).toHaveLength(2)
      const back = yield* linksOfPage("a", { direction: "in", sourceId: anywhere })
      expect(back.map((link) => link.slug)).toEqual(["a", "c"])
      const out = yield* linksOfPage("a", { direction: "out", sourceId: anywhere })
      expect(out.map((link) => `${link.type} ${link.slug} ${link.title}`)).toEqual([
        "founded b B",
        "mentions a A",
        "mentions b B"
      ])
    }).pipe(Effect.provide(brain))
  )

  it.live("a thousand pages are shown, and it is said that there are more", () =>
    Effect.gen(function* () {
      const around = Array.from({ length: 1200 }, (_, place) => `n/${String(place).padStart(4, "0")}`)
      yield* putPages("default", ["hub", ...around])
      yield* putLinks(around.map((slug) => ["hub", slug] as const))
      const { cut, nodes } = yield* graphFrom("hub", { depth: 2, sourceId: anywhere })
      expect(cut).toBe(true)
      expect(new Set(nodes.map((node) => node.slug)).size).toBe(1000)
    }).pipe(Effect.provide(brain))
  )

  it.live(
    "a page of several sources is asked for by its source; one that is not there is told with its like",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`insert into sources (id, name) values ('work', 'work'), ('home', 'home')`
        yield* putPages("work", ["plans/boat", "both"])
        yield* putPages("home", ["plans/boat"])
        yield* putPages("default", ["both"])
        yield* sql`insert into timeline_entries (page_id, date, source, summary)
        select id, day, 'Minutes', 'on ' || day from pages, unnest(array['2024-05-01', '2025-01-01']::date[]) day
        where slug = 'plans/boat' and source_id = 'home'`
        const several = yield* Effect.flip(timelineOfPage("plans/boat", anywhere))
        expect(several).toMatchObject({
          _tag: "UnknownPage",
          message: "Several sources have a page plans/boat: home, work. Name one with --source-id."
        })
        expect(yield* timelineOfPage("plans/boat", Option.some("work"))).toEqual([])
        expect((yield* timelineOfPage("plans/boat", Option.some("home"))).map((entry) => entry.date)).toEqual(
          ["2025-01-01", "2024-05-01"]
        )
        // The default source is meant where it has the page.
        expect((yield* graphFrom("both", { depth: 1, sourceId: anywhere })).nodes[0]?.source).toBe("default")
        const missing = yield* Effect.flip(timelineOfPage("boat", anywhere))
        expect(missing).toMatchObject({ message: "There is no page boat. Did you mean plans/boat?" })
      }).pipe(Effect.provide(brain))
  )
})
