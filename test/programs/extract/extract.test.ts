/** What `extract` promises of links and timelines, on both databases. */
import { expect, inject, it } from "@effect/vitest"
import { Duration, Effect, FileSystem, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import {
  extractForSlugs,
  extractLinksForSlugs,
  extractTimelineForSlugs
} from "../../../src/programs/extract/forSlugs.ts"
import { extract } from "../../../src/programs/extract/extract.ts"
import { extractBrainLayer, extractLayer } from "../../../src/programs/extract/layer.ts"
import { defaultExtractOptions } from "../../../src/programs/extract/options.ts"
import { Links } from "../../../src/services/Links.ts"
import { Timeline } from "../../../src/services/Timeline.ts"
import { brainOfLocaleC, onBothDatabases } from "../../support/brains.ts"
import { putPages, type TestPage } from "../../support/extraction.ts"
import { allEntries, allLinks, runExtract } from "../../support/links.ts"
import { testsOn } from "../../support/testsOn.ts"

const page = (slug: string, body: string, more: Partial<TestPage> = {}): TestPage => ({
  slug,
  body,
  type: "concept",
  ...more
})

const stale = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ slug: string }>`
    select slug from pages where links_extracted_at is null or updated_at > links_extracted_at order by slug`
  return rows.map((row) => row.slug)
})

const none = { created: 0, updated: 0, removed: 0 }

/** A run during which something happens right before links and entries are written, after what is there was looked at, so many times. */
const runWhile = <E>(
  happens: (sql: SqlClient.SqlClient) => Effect.Effect<unknown, E>,
  options: { readonly times: number }
) =>
  extract(defaultExtractOptions).pipe(
    Effect.provide(
      Layer.effect(
        Timeline,
        Effect.gen(function* () {
          const timeline = yield* Timeline
          const sql = yield* SqlClient.SqlClient
          let happened = 0
          return Timeline.of({
            ...timeline,
            of: (ids) =>
              Effect.tap(timeline.of(ids), () =>
                Effect.when(
                  Effect.orDie(happens(sql)),
                  Effect.sync(() => happened++ < options.times)
                )
              )
          })
        })
      ).pipe(Layer.provideMerge(extractLayer({ workers: 2 })))
    )
  )

/** A run during which page `a` is edited. */
const runEdited = (times: number) =>
  runWhile(
    (sql) => sql`
      update pages set compiled_truth = ${"[[c]]\n\n- **2024-01-01** | new"}, updated_at = clock_timestamp() where slug = 'a'`,
    { times }
  )

const capitals = Effect.gen(function* () {
  yield* putPages([
    page("x/1", "", { title: "ÉCOLE NORMALE" }),
    page("x/2", "", { title: "Иван Петров" }),
    page("x/3", "", { title: "ΟΔΥΣΣΈΑΣ Å" }),
    page("start", "[[École normale]] [[ИВАН петров]] [[Οδυσσέας å]]")
  ])
  yield* runExtract()
  expect(yield* allLinks).toHaveLength(3)
})

it.live.skipIf(inject("noPostgres") !== "")(
  "capitals are found in a database whose locale knows none but those of English",
  () => capitals.pipe(Effect.scoped, Effect.provide(brainOfLocaleC))
)

onBothDatabases("extract", (brain) => {
  const test = testsOn(brain)

  test("links and timelines of a small brain, and again for nothing", () =>
    Effect.gen(function* () {
      yield* putPages([
        page("people/ana-ruiz", "CTO of [[companies/azul|Azul]]. Knows [Omar](omar.md).", { type: "person" }),
        page("people/omar", "See people/ana-ruiz, and/or `[[companies/azul]]`.", { type: "person" }),
        page(
          "companies/azul",
          "Founded by [Ana](../people/ana-ruiz.md).\n\n- **2024-03-15** | Minutes — Founded",
          {
            type: "company"
          }
        ),
        page("meetings/m1", "With [[Ana Ruiz]] and [[nobody]].", { type: "meeting", title: "Kick-off" })
      ])
      const first = yield* runExtract()
      expect(first).toMatchObject({
        status: "completed",
        pages_processed: 4,
        links: { found: 5, created: 5 },
        timeline: { found: 1, created: 1 },
        references_unresolved: 1,
        failures: []
      })
      // Omar stands in the same sentences as Azul: words are a matter of nearness.
      expect(yield* allLinks).toEqual([
        "companies/azul founded people/ana-ruiz",
        "meetings/m1 wikilink_basename people/ana-ruiz [wikilink-resolved]",
        "people/ana-ruiz works_at companies/azul",
        "people/ana-ruiz works_at people/omar",
        "people/omar mentions people/ana-ruiz"
      ])
      expect(yield* allEntries).toEqual(["companies/azul 2024-03-15 Minutes: Founded"])
      expect(yield* stale).toEqual([])
      expect(yield* runExtract()).toMatchObject({ pages_up_to_date: 4, pages_processed: 0 })
      expect(yield* runExtract({ force: true })).toMatchObject({
        pages_processed: 4,
        links: { found: 5, ...none },
        timeline: { found: 1, ...none }
      })
    }))

  test("what a page no longer says goes, what others made stays", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages([page("a", "[[b]] [[c]]\n\n- **2024-01-01** | one"), page("b", ""), page("c", "")])
      yield* runExtract()
      yield* sql`
        insert into links (from_page_id, to_page_id, link_type, link_source)
        select a.id, b.id, 'knows', kind from pages a, pages b, unnest(array['manual', 'mentions', null]) kind
        where a.slug = 'a' and b.slug = 'b'`
      yield* sql`
        insert into timeline_entries (page_id, date, source, summary) select id, '2023-01-01', 'me', 'by hand' from pages where slug = 'a'`
      yield* putPages([page("a", "[[c]]\n\n- **2024-01-01** | two")])
      expect(yield* runExtract()).toMatchObject({
        links: { removed: 1, created: 0 },
        timeline: { removed: 1, created: 1 }
      })
      expect(yield* allLinks).toEqual([
        "a knows b [manual]",
        "a knows b [mentions]",
        "a knows b [nobody]",
        "a mentions c"
      ])
      expect(yield* allEntries).toEqual(["a 2023-01-01 me: by hand", "a 2024-01-01 markdown: two"])
    }))

  test("columns are filled as gbrain fills them", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into sources (id, name) values ('work', 'Work')`
      yield* putPages([
        page("people/ana", "", { type: "person", title: "Ana Ruiz", frontmatter: { company: "Azul" } }),
        page("companies/azul", "[[people/ana]] [[work:people/omar]] [[ana]] see src/a.ts:7", {
          type: "company",
          frontmatter: {
            key_people: [{ name: "Ana Ruis", role: "CTO" }, "Nobody"],
            related: ["[[people/ana]]"]
          }
        }),
        page("people/omar", "", { type: "person", sourceId: "work" }),
        page("src-a-ts", "", { type: "code" })
      ])
      const report = yield* runExtract({ includeFrontmatter: true })
      expect(report.names_unresolved).toEqual([{ name: "key_people: Nobody", times: 1 }])
      const rows = yield* sql`
        select a.slug as "from", b.slug as "to", link_type as type, link_source as source, link_kind as kind, o.slug as origin,
          origin_field as field, resolution_type as resolution
        from links join pages a on a.id = from_page_id join pages b on b.id = to_page_id left join pages o on o.id = origin_page_id
        order by link_source, link_type, a.slug, o.slug, b.slug`
      const row = (from: string, to: string, type: string, source: string, more: object = {}) => ({
        from,
        to,
        type,
        source,
        kind: null,
        origin: null,
        field: null,
        resolution: null,
        ...more
      })
      const azul = "companies/azul"
      const ana = "people/ana"
      expect(rows).toEqual([
        row(azul, ana, "related_to", "frontmatter", { origin: azul, field: "related" }),
        row(ana, azul, "works_at", "frontmatter", { origin: azul, field: "key_people" }),
        row(ana, azul, "works_at", "frontmatter", { origin: ana, field: "company" }),
        row("src-a-ts", azul, "documented_by", "markdown", { origin: azul, field: "compiled_truth" }),
        row(azul, "src-a-ts", "documents", "markdown", { origin: azul, field: "compiled_truth" }),
        row(azul, ana, "mentions", "markdown"),
        row(azul, "people/omar", "mentions", "markdown", { resolution: "qualified" }),
        row(azul, ana, "wikilink_basename", "wikilink-resolved")
      ])
      // The front matter is left alone by a run that is not asked about it, and followed by one that is.
      expect(yield* runExtract({ force: true })).toMatchObject({ links: none })
      yield* putPages([page(ana, "", { type: "person", title: "Ana Ruiz" })])
      expect(yield* runExtract({ includeFrontmatter: true })).toMatchObject({ links: { removed: 1 } })
    }))

  // What gbrain 0.46 made of these pages: learnt by running it.
  test("the links that gbrain makes, of the same types and with the same words around them", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages([
        page("companies/ocean-fund", "", { type: "company" }),
        page("companies/kelpline", "", { type: "company" }),
        page("concepts/quiet", ""),
        page("people/dan", "", { type: "person" }),
        page("people/noor", "", { type: "person" }),
        page(
          "companies/sea",
          "# Sea\n\nInvested in by [[companies/ocean-fund]]. [Dan](people/dan.md) advises it.\n",
          {
            type: "company"
          }
        ),
        page(
          "companies/tidewell",
          "Founded by [[people/noor|Noor]] in January 2024, funded by [[companies/kelpline|Kelpline]].",
          { type: "company" }
        ),
        page("people/jose", "He works at [[companies/kelpline|Kelpline]]. See [[wiki:concepts/quiet]].", {
          type: "person"
        }),
        page("notes/ohm", "Ohm’s law. [[People/Dan]] said so.", { type: "note" })
      ])
      yield* runExtract()
      expect(yield* allLinks).toEqual([
        "companies/sea advises companies/ocean-fund",
        "companies/sea advises people/dan",
        "companies/tidewell invested_in companies/kelpline",
        "companies/tidewell invested_in people/noor",
        "notes/ohm wikilink_basename people/dan [wikilink-resolved]",
        "people/jose works_at companies/kelpline",
        "people/jose works_at concepts/quiet"
      ])
      const [words] = yield* sql<{ context: string }>`
        select context from links where link_source = 'wikilink-resolved'`
      expect(words?.context).toBe("Ohm’s law. [[People/Dan]] said so.")
    }))

  test("a bare name: the one page that has it, or every one where the brain is set so, or none", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const rule = (value: string) => sql`
        insert into config (key, value) values ('link_resolution.global_basename', ${value})
        on conflict (key) do update set value = excluded.value`
      yield* sql`insert into page_aliases (source_id, alias_norm, slug) values ('default', 'the harbour', 'x/twin')`
      yield* putPages([
        page("start", "[[twin]] [[only]] [[The Harbour]] [[Ein Titel]] [[deep/only]] [[near]]"),
        page("x/twin", ""),
        page("y/twin", ""),
        page("x/deep/only", "", { title: "Ein Titel" }),
        page("near", "[[near]] [[twin#x|y]]")
      ])
      yield* runExtract()
      expect(yield* allLinks).toEqual([
        "start mentions near",
        "start wikilink_basename x/deep/only [wikilink-resolved]",
        "start wikilink_basename x/twin [wikilink-resolved]"
      ])
      yield* rule("true")
      yield* runExtract({ force: true })
      expect((yield* allLinks).filter((line) => line.includes("twin"))).toHaveLength(4)
      yield* rule("false")
      yield* runExtract({ force: true })
      // The end of a path is no bare name.
      expect(yield* allLinks).toEqual([
        "start mentions near",
        "start wikilink_basename x/deep/only [wikilink-resolved]"
      ])
    }))

  test("links lead to the page's own source first, then to the common one, and never to a third", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into sources (id, name) values ('work', 'Work'), ('home', 'Home')`
      yield* putPages([
        page("x/both", "", { sourceId: "work" }),
        page("x/both", ""),
        page("x/common", ""),
        page("x/third", "", { sourceId: "home" }),
        page("start", "[[x/both]] [[x/common]] [[x/third]] [[third]] [[home:x/third]]", { sourceId: "work" })
      ])
      yield* runExtract()
      const rows = yield* sql<{ line: string }>`
        select b.source_id || ' ' || b.slug as line from links join pages b on b.id = to_page_id order by 1`
      expect(rows.map((row) => row.line)).toEqual(["default x/common", "home x/third", "work x/both"])
    }))

  test("a page that is named before it exists is linked when it comes, and the name it had still leads to it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages([page("start", "[[people/陈伟]] and [[later]] and x/old")])
      expect(yield* runExtract()).toMatchObject({ links: { found: 0 }, references_unresolved: 2 })
      yield* putPages([page("people/陈伟", ""), page("x/later", ""), page("x/new", "")])
      yield* sql`insert into slug_aliases (source_id, alias_slug, canonical_slug) values ('default', 'x/old', 'x/new')`
      const names = yield* sql`select * from gbrain_effect.page_names order by page_id, way`
      // A dry run foretells what would be woken and found by name, and writes neither down.
      expect(yield* runExtract({ dryRun: true })).toMatchObject({
        pages_considered: 4,
        pages_processed: 4,
        links: { created: 3 }
      })
      expect(yield* sql`select * from gbrain_effect.page_names order by page_id, way`).toEqual(names)
      expect(yield* runExtract()).toMatchObject({ pages_processed: 4 })
      expect(yield* allLinks).toEqual([
        "start mentions people/陈伟",
        "start mentions x/new",
        "start wikilink_basename x/later [wikilink-resolved]"
      ])
    }))

  test("an edit while a page is read is not hidden: the page is read again", () =>
    Effect.gen(function* () {
      yield* putPages([page("a", "[[b]]\n\n- **2024-01-01** | old"), page("b", ""), page("c", "")])
      const report = yield* runEdited(1)
      expect(report).toMatchObject({ status: "completed", pages_processed: 3, pages_edited: 0 })
      expect(yield* allLinks).toEqual(["a mentions c"])
      expect(yield* allEntries).toEqual(["a 2024-01-01 markdown: new"])
      expect(yield* stale).toEqual([])
    }))

  test("a page that is edited all the time is left to the next run, and does not look done", () =>
    Effect.gen(function* () {
      yield* putPages([page("a", "[[b]]"), page("b", ""), page("c", "")])
      expect(yield* runEdited(99)).toMatchObject({ pages_processed: 2, pages_edited: 1, links: none })
      expect(yield* allLinks).toEqual([])
      expect(yield* stale).toEqual(["a"])
      expect(yield* runExtract()).toMatchObject({ pages_up_to_date: 2, pages_processed: 1 })
      expect(yield* allLinks).toEqual(["a mentions c"])
    }))

  test("what others write and remove between the look and the writing costs nothing and is there once", () =>
    Effect.gen(function* () {
      yield* putPages([page("b", ""), page("c", "")])
      yield* runExtract()
      yield* putPages([page("a", "[[b]] [[c]]\n\n- **2024-03-15** | Met", { frontmatter: { company: "d" } })])
      const report = yield* runWhile(
        (sql) =>
          Effect.gen(function* () {
            yield* sql`delete from pages where slug = 'b'`
            yield* sql`
              insert into links (from_page_id, to_page_id, link_type, link_source, context)
              select a.id, c.id, 'mentions', 'markdown', 'theirs' from pages a, pages c where a.slug = 'a' and c.slug = 'c'`
            yield* sql`
              insert into timeline_entries (page_id, date, source, summary, detail)
              select id, '2024-03-15', 'markdown', 'Met', 'theirs' from pages where slug = 'a'`
          }),
        { times: 1 }
      )
      expect(report).toMatchObject({ status: "completed", pages_processed: 1, pages_failed: 0 })
      expect(yield* allLinks).toEqual(["a mentions c"])
      const sql = yield* SqlClient.SqlClient
      expect(yield* sql`select summary, detail from timeline_entries`).toEqual([
        { summary: "Met", detail: "theirs" }
      ])
      expect(yield* stale).toEqual([])
      expect((yield* runExtract({ force: true })).links).toMatchObject(none)
    }))

  test("the planner is told of links and entries while they are made", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const text = (index: number) => `[[p${index + 1}]]\n\n- **2024-03-15** | Met`
      yield* putPages(Array.from({ length: 600 }, (_, index) => page(`p${index}`, text(index))))
      yield* runExtract()
      expect(
        yield* sql`select tablename, attname from pg_stats where tablename in ('links', 'timeline_entries') order by 1, 2`
      ).toEqual(
        [
          ["links", "from_page_id"],
          ["links", "link_source"],
          ["links", "origin_page_id"],
          ["links", "to_page_id"],
          ["timeline_entries", "page_id"]
        ].map(([tablename, attname]) => ({ tablename, attname }))
      )
    }))

  test("a page that is removed while a run is under way is not called left", () =>
    Effect.gen(function* () {
      yield* putPages([page("a", "[[b]]"), page("b", "[[a]]")])
      const report = yield* runWhile((sql) => sql`delete from pages where slug = 'b'`, { times: 1 })
      expect(report).toMatchObject({ status: "completed", pages_processed: 1, pages_gone: 1, pages_left: 0 })
      expect(yield* allLinks).toEqual([])
    }))

  test("one page that the database refuses takes no other along", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages(Array.from({ length: 7 }, (_, index) => page(`p${index}`, `[[p${(index + 1) % 7}]]`)))
      yield* sql`alter table links add constraint refused check (context <> '[[p4]]')`
      const report = yield* runExtract()
      expect(report).toMatchObject({
        status: "failed",
        pages_processed: 6,
        pages_failed: 1,
        links: { created: 6 }
      })
      expect(report.failures).toMatchObject([{ item: "p3", reason: expect.stringContaining("refused") }])
      expect(yield* stale).toEqual(["p3"])
      yield* sql`alter table links drop constraint refused`
      expect(yield* runExtract()).toMatchObject({ status: "completed", pages_processed: 1 })
    }))

  test("a dry run tells what would be linked and writes nothing", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages([page("a", "[[b]]\n\n- **2024-01-01** | x"), page("b", "")])
      expect(yield* runExtract({ dryRun: true })).toMatchObject({
        dry_run: true,
        links: { created: 1 },
        timeline: { created: 1 },
        would_link: [{ from: "a", to: "b", type: "mentions" }]
      })
      expect(yield* allLinks).toEqual([])
      expect(yield* allEntries).toEqual([])
      expect(yield* stale).toEqual(["a", "b"])
      expect(yield* sql`select 1 from gbrain_effect.runs`).toEqual([])
    }))

  test("links or timeline alone do not make a page look done; types, dates and times limit the pages", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages([
        page("a", "[[b]]\n\n- **2024-01-01** | x", { type: "note" }),
        page("b", "[[a]]\n\n- **2024-01-02** | y")
      ])
      yield* sql`update pages set updated_at = '2030-01-01' where slug = 'b'`
      expect(yield* runExtract({ kind: "timeline", type: Option.some("note") })).toMatchObject({
        pages_processed: 1,
        links: { found: 0 },
        timeline: { created: 1 }
      })
      expect(
        yield* runExtract({ kind: "links", since: Option.some(Date.parse("2029-01-01")) })
      ).toMatchObject({ pages_processed: 1, links: { created: 1 }, timeline: { found: 0 } })
      expect(yield* stale).toEqual(["a", "b"])
      expect(yield* runExtract({ timeLimit: Option.some(Duration.zero) })).toMatchObject({
        status: "incomplete",
        pages_left: 2
      })
      expect(yield* runExtract()).toMatchObject({ status: "completed", pages_processed: 2 })
    }))

  test("only the pages that were written, and those that waited for them", () =>
    Effect.gen(function* () {
      yield* putPages([page("a", "[[c]]"), page("b", "[[a]]\n\n- **2024-01-01** | x")])
      const written = { sourceId: "default", slugs: ["b", "gone"] }
      const forSlugs = <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.provide(work, extractBrainLayer)
      yield* forSlugs(extractLinksForSlugs(written))
      expect(yield* allLinks).toEqual(["b mentions a"])
      expect(yield* allEntries).toEqual([])
      yield* forSlugs(extractTimelineForSlugs(written))
      expect(yield* allEntries).toHaveLength(1)
      expect(yield* stale).toEqual(["a", "b"])
      yield* forSlugs(extractForSlugs({ ...written, slugs: ["a"] }, "all"))
      expect(yield* stale).toEqual(["b"])
      yield* putPages([page("c", "")])
      const outcome = yield* forSlugs(extractForSlugs({ ...written, slugs: ["c"] }, "all"))
      expect(outcome).toMatchObject({ processed: 2, failed: 0 })
      expect(yield* allLinks).toEqual(["a mentions c", "b mentions a"])
    }))

  test("files are read as the pages that they are in the brain; those that are none are named", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${directory}/ana.md`, "---\ntitle: Ana\n---\nFounder of [[azul]].")
      yield* fs.writeFileString(`${directory}/Azul.md`, "The first")
      yield* fs.writeFileString(`${directory}/azul.md`, "of two")
      yield* fs.symlink("/etc/hostname", `${directory}/link.md`)
      // The file says no type, so the page keeps its own, as it does in an import.
      yield* putPages([
        page("ana", "Founder of [[azul]].", { type: "person" }),
        page("azul", "", { type: "company" })
      ])
      const report = yield* runExtract({
        directory: Option.some(directory),
        type: Option.some("person"),
        kind: "links"
      })
      expect(report).toMatchObject({ from: "fs", pages_processed: 1, links: { created: 1 } })
      expect(report.files_skipped).toEqual([
        { path: "link.md", reason: "is a symbolic link" },
        { path: "azul.md", reason: "has the same slug as Azul.md: azul" }
      ])
      const fromFiles = yield* allLinks
      expect(fromFiles).toHaveLength(1)
      yield* runExtract({ force: true })
      expect(yield* allLinks).toEqual(fromFiles)
    }))

  test("capitals of every script are the small letters that a reference is looked up by", () => capitals)

  test("names in Chinese, with accents and from right to left, by path, by name and by title", () =>
    Effect.gen(function* () {
      yield* putPages([
        page("人物/陈伟", "任职于[[公司/蔚蓝]]。\n\n- 2020年1月2日 | 加入蔚蓝", {
          type: "person",
          title: "陈伟"
        }),
        page("公司/蔚蓝", "参见[陈伟](../人物/陈伟.md)和[[José Muñoz]]。", {
          type: "company",
          title: "蔚蓝"
        }),
        page("people/jose-munoz", "ראו [[דנה כהן]], et [[人物/陈伟#Café|Chen]]", {
          type: "person",
          title: "José Muñoz"
        }),
        page("אנשים/דנה-כהן", "[José](../people/José Muñoz.md)\n\n### 2024-03-15 — נפגשו", {
          type: "person",
          title: "דנה כהן"
        })
      ])
      expect(yield* runExtract()).toMatchObject({ status: "completed", references_unresolved: 0 })
      expect((yield* allLinks).toSorted()).toEqual(
        [
          "people/jose-munoz mentions 人物/陈伟",
          "people/jose-munoz wikilink_basename אנשים/דנה-כהן [wikilink-resolved]",
          "אנשים/דנה-כהן mentions people/jose-munoz",
          "人物/陈伟 works_at 公司/蔚蓝",
          "公司/蔚蓝 mentions 人物/陈伟",
          "公司/蔚蓝 wikilink_basename people/jose-munoz [wikilink-resolved]"
        ].toSorted()
      )
      expect((yield* allEntries).toSorted()).toEqual(
        ["אנשים/דנה-כהן 2024-03-15 markdown: נפגשו", "人物/陈伟 2020-01-02 markdown: 加入蔚蓝"].toSorted()
      )
      expect(yield* runExtract({ force: true })).toMatchObject({ links: none, timeline: none })
    }))

  test("many groups at once leave what one at a time leaves", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`
        insert into pages (slug, type, title, compiled_truth)
        select 'p/' || n, 'person', 'P ' || n, 'Advises [[p/' || (n * 7) % 1500 || ']], see p/' || (n * 11) % 1500 || E'\n\n- **2024-01-01** | day ' || n
        from generate_series(0, 1499) n`
      const report = yield* runExtract({ workers: 8 })
      expect(report).toMatchObject({ pages_processed: 1500, timeline: { created: 1500 } })
      const before = yield* allLinks
      expect(before.length).toBe(report.links.created)
      yield* sql`delete from links`
      yield* runExtract({ workers: 1, force: true })
      expect(yield* allLinks).toEqual(before)
    }))

  test("a page with a million links of all kinds, one that links everything, and a circle", () =>
    Effect.gen(function* () {
      const lines = (count: number, line: (index: number) => string) =>
        Array.from({ length: count }, (_, index) => line(index)).join("\n")
      yield* putPages([
        page(
          "nowhere",
          [
            lines(300_000, (index) => `[[gone/${index % 10_000}]]`),
            lines(300_000, (index) => `[away](far/${index % 10_000}.md)`),
            lines(400_000, (index) => `see lost/${index}`)
          ].join("\n")
        ),
        page(
          "self",
          lines(100_000, () => "founded [[circle]]")
        ),
        page("circle", "[[self]] [[circle]]")
      ])
      expect(yield* runExtract()).toMatchObject({
        status: "completed",
        links: { created: 2 },
        references_unresolved: 20_000
      })
      expect(yield* allLinks).toEqual(["circle mentions self", "self founded circle"])
    }))

  test("what is searched of a page, which gbrain's trigger makes when it is updated, knows the new entries", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`drop trigger gbrain_page_search_vector on pages`
      yield* sql.unsafe(`
        create function of_timeline() returns trigger language plpgsql as $$
        begin
          new.search_vector := to_tsvector('english', coalesce(
            (select string_agg(summary, ' ') from timeline_entries where page_id = new.id), ''));
          return new;
        end $$`)
      yield* sql`create trigger of_timeline before insert or update on pages for each row execute function of_timeline()`
      yield* putPages([page("a", "- **2024-03-15** | Harbour")])
      yield* runExtract()
      const found = (word: string) =>
        sql`select slug from pages where search_vector @@ to_tsquery('english', ${word})`
      expect(yield* found("harbour")).toEqual([{ slug: "a" }])
      yield* putPages([page("a", "- **2024-03-15** | Airport")])
      yield* runExtract()
      expect(yield* found("airport")).toEqual([{ slug: "a" }])
      expect(yield* found("harbour")).toEqual([])
    }))

  test("a page that a bug of ours breaks on is named, and takes no other along", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages(["a", "b", "c"].map((slug) => page(slug, slug === "a" ? "" : "[[a]]")))
      const [bad] = yield* sql<{ id: number }>`select id from pages where slug = 'b'`
      const broken = Layer.effect(
        Links,
        Effect.map(Links, (links) =>
          Links.of({
            ...links,
            madeBy: (ids, options) =>
              ids.includes(bad?.id ?? 0) ? Effect.die(new RangeError("too deep")) : links.madeBy(ids, options)
          })
        )
      ).pipe(Layer.provideMerge(extractLayer({ workers: 2 })))
      expect(yield* extract(defaultExtractOptions).pipe(Effect.provide(broken))).toMatchObject({
        status: "failed",
        pages_processed: 2,
        pages_failed: 1,
        failures: [{ item: "b", reason: expect.stringContaining("too deep") }]
      })
      expect(yield* allLinks).toEqual(["c mentions a"])
      expect(yield* stale).toEqual(["b"])
    }))
})
