/** What `reindex-frontmatter` promises, on both databases. */
import { expect } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { reindexFrontmatterLayer } from "../../src/programs/reindex-frontmatter/layer.ts"
import {
  type FrontmatterOptions,
  reindexFrontmatter
} from "../../src/programs/reindex-frontmatter/reindexFrontmatter.ts"
import { PageDates } from "../../src/services/PageDates.ts"
import { onBothDatabases } from "../support/brains.ts"
import { putPages } from "../support/extraction.ts"
import { testsOn } from "../support/testsOn.ts"

const all: FrontmatterOptions = { sourceId: Option.none(), slugPrefix: Option.none(), dryRun: false }

const run = (options: Partial<FrontmatterOptions> & { readonly workers?: number } = {}) =>
  reindexFrontmatter({ ...all, ...options }).pipe(
    Effect.provide(reindexFrontmatterLayer({ workers: options.workers ?? 2 }))
  )

const datesOf = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ line: string }>`
    select slug || ' ' || coalesce(effective_date_source, '-') || ' ' || case when effective_date = updated_at then 'edit'
      else coalesce(to_char(effective_date at time zone 'UTC', 'YYYY-MM-DD'), '-') end as line
    from pages order by slug`
  return rows.map((row) => row.line)
})

const page = (slug: string, frontmatter: Readonly<Record<string, unknown>> = {}) => ({
  slug,
  body: slug,
  frontmatter
})

/** Pages that are edited, right before their dates are stored, so many times. */
const editedWhileRead = (times: number) =>
  Layer.effect(
    PageDates,
    Effect.gen(function* () {
      const dates = yield* PageDates
      const sql = yield* SqlClient.SqlClient
      let edits = 0
      const edit = sql`
        update pages set frontmatter = '{"date": "2020-02-02"}'::jsonb, updated_at = clock_timestamp() where slug = 'b'`
      return PageDates.of({
        ...dates,
        store: (changes) =>
          Effect.andThen(
            Effect.when(
              edit,
              Effect.sync(() => edits++ < times)
            ),
            dates.store(changes)
          )
      })
    })
  ).pipe(Layer.provideMerge(reindexFrontmatterLayer({ workers: 1 })))

onBothDatabases("reindex-frontmatter", (brain) => {
  const test = testsOn(brain)

  test("writes the dates that differ, and the second time none", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages([
        page("a", { date: "2024-03-15" }),
        page("b", { date: "1200-01-01", published: "2024-05-05" }),
        page("daily/2024-01-01", { date: "2023-12-31" }),
        page("notes/2022-02-02-tide"),
        page("z"),
        page("gone", { date: "2024-03-15" })
      ])
      yield* sql`update pages set deleted_at = now() where slug = 'gone'`
      yield* sql`update pages set effective_date = '2024-05-05', effective_date_source = 'published' where slug = 'b'`
      const before =
        yield* sql`select id, updated_at, generation, content_hash, links_extracted_at from pages order by id`

      const planned = yield* run({ dryRun: true })
      expect(planned).toMatchObject({ status: "completed", dry_run: true, pages_updated: 4 })
      expect(planned.changes[0]).toEqual({
        slug: "a",
        from: null,
        to: "2024-03-15T00:00:00.000Z",
        source: "date"
      })
      expect((yield* datesOf)[0]).toBe("a - -")

      expect(yield* run({ workers: 8 })).toMatchObject({
        status: "completed",
        workers: 8,
        pages_considered: 5,
        pages_examined: 5,
        pages_updated: 4,
        pages_without_date: 1
      })
      expect(yield* datesOf).toEqual([
        "a date 2024-03-15",
        "b published 2024-05-05",
        "daily/2024-01-01 filename 2024-01-01",
        "gone - -",
        "notes/2022-02-02-tide filename 2022-02-02",
        "z fallback edit"
      ])
      expect(
        yield* sql`select id, updated_at, generation, content_hash, links_extracted_at from pages order by id`
      ).toEqual(before)
      expect(yield* run()).toMatchObject({ pages_examined: 5, pages_updated: 0 })
    }))

  test("only one source, and only slugs that begin so", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into sources (id, name) values ('work', 'work')`
      const dated = { date: "2024-03-15" }
      yield* putPages([
        page("meetings/a", dated),
        page("meetings_b", dated),
        { ...page("meetings/c", dated), sourceId: "work" }
      ])
      expect(
        yield* run({ slugPrefix: Option.some("meetings/"), sourceId: Option.some("work") })
      ).toMatchObject({
        sources: ["work"],
        slug_prefix: "meetings/",
        pages_updated: 1
      })
      expect(yield* run({ slugPrefix: Option.some("meetings_") })).toMatchObject({ pages_updated: 1 })
      expect(yield* run({ slugPrefix: Option.some("meetings/") })).toMatchObject({ pages_updated: 1 })
      expect(yield* Effect.flip(run({ sourceId: Option.some("wrok") }))).toMatchObject({
        _tag: "UnknownSource"
      })
    }))

  test("a page that is edited meanwhile is taken again, and one that is edited all the time is left", () =>
    Effect.gen(function* () {
      yield* putPages([page("a", { date: "2024-03-15" }), page("b", { date: "2024-03-15" })])
      const taken = yield* reindexFrontmatter(all).pipe(Effect.provide(editedWhileRead(1)))
      expect(taken).toMatchObject({ pages_updated: 2, pages_edited: 0 })
      expect(yield* datesOf).toEqual(["a date 2024-03-15", "b date 2020-02-02"])

      const sql = yield* SqlClient.SqlClient
      yield* sql`update pages set effective_date = null`
      const left = yield* reindexFrontmatter(all).pipe(Effect.provide(editedWhileRead(99)))
      expect(left).toMatchObject({ status: "completed", pages_updated: 1, pages_edited: 1 })
    }))

  test("the run is written down, a dry one is not", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* run({ dryRun: true })
      yield* run()
      expect(
        yield* sql`select command, status, workers, report->>'pages_updated' as updated from gbrain_effect.runs`
      ).toEqual([{ command: "reindex-frontmatter", status: "completed", workers: 2, updated: "0" }])
    }))

  test("a run that is interrupted tells what it did, is written down as that, and the next one goes on", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages([page("a", { date: "2024-03-15" })])
      const begun = yield* Deferred.make<void>()
      const stuck = Layer.effect(
        PageDates,
        Effect.map(PageDates, (dates) =>
          PageDates.of({
            ...dates,
            store: () => Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)
          })
        )
      ).pipe(Layer.provideMerge(reindexFrontmatterLayer({ workers: 1 })))
      const told: Array<string> = []
      const fiber = yield* reindexFrontmatter(all, (report) =>
        Effect.sync(() => {
          told.push(report.status)
        })
      ).pipe(Effect.provide(stuck), Effect.forkChild)
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      expect(told).toEqual(["interrupted"])
      expect(yield* sql`select status, report->>'pages_updated' as updated from gbrain_effect.runs`).toEqual([
        { status: "interrupted", updated: "0" }
      ])
      expect(yield* run()).toMatchObject({ status: "completed", pages_updated: 1 })
    }))

  test("one bad page takes no other along", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* putPages([page("a", { date: "2024-03-15" }), page("bad", { date: "2024-03-15" }), page("c")])
      yield* sql`alter table pages add constraint no_dates check (slug <> 'bad' or effective_date is null)`
      const report = yield* run()
      expect(report).toMatchObject({ status: "failed", failed: 1, pages_updated: 2 })
      expect(report.failures.map((failure) => failure.item)).toEqual(["bad"])
    }))
})
