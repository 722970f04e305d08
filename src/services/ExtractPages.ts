/**
 * Pages as the extraction of links and timelines sees them: which are to be done, what they say, and that they are done. A
 * page is done as of an instant, `pages.links_extracted_at`, which is the time of the edit that was read and not the time of
 * writing: an edit that happens meanwhile is later than the mark and is seen by the next run.
 */
import { Context, Effect, Layer, Option, Schema, Semaphore, Stream } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { type Write, writeTogether } from "./database/joinedWrites.ts"
import { groupsOf } from "./database/pageGroups.ts"
import { resilient } from "./database/Resilience.ts"
import { keepStatistics } from "./database/statistics.ts"

/**
 * When the rules for links and timelines last changed; what was extracted before is out of date. gbrain's instant, for its rules
 * are ours.
 */
export const rulesSince = "2026-08-21T00:00:00Z"

/** Which pages a run is about. */
export interface ExtractScope {
  readonly sourceIds: ReadonlyArray<string>
  readonly type: Option.Option<string>
  /** Only pages written after this, in epoch milliseconds. */
  readonly since: Option.Option<number>
  /** Whether pages that are up to date are left out. */
  readonly staleOnly: boolean
  /** Pages that are up to date, and are to be taken all the same. */
  readonly woken: ReadonlyArray<number>
}

/** Pages that are worked on together, so that statements are few. */
export interface PageGroup {
  readonly ids: ReadonlyArray<number>
  readonly label: string
}

const PageRow = Schema.Struct({
  id: Schema.Int,
  source_id: Schema.String,
  slug: Schema.String,
  type: Schema.String,
  page_kind: Schema.String,
  compiled_truth: Schema.String,
  timeline: Schema.String,
  frontmatter: Schema.Unknown,
  content_hash: Schema.NullOr(Schema.String),
  version: Schema.String,
  stale: Schema.Boolean
})

/** A page as it is now. `version` is the time of its last edit, to the microsecond. */
export type ExtractPage = typeof PageRow.Type

const decodePages = Schema.decodeUnknownEffect(Schema.Array(PageRow))

/** What a transaction about pages is given, and what it answers. */
export interface Commit<A> {
  readonly pages: ReadonlyArray<Pick<ExtractPage, "id" | "version">>
  /** Pages to be marked as done. */
  readonly done: ReadonlySet<number>
  /** What is written about the pages that are still as they were read, and what is answered then. */
  readonly write: (unchanged: ReadonlySet<number>) => {
    readonly writes: ReadonlyArray<Write>
    readonly answer: A
  }
}

/** Pages to extract from. */
export class ExtractPages extends Context.Service<
  ExtractPages,
  {
    readonly count: (
      scope: ExtractScope
    ) => Effect.Effect<{ readonly total: number; readonly toDo: number }, SqlError.SqlError>
    /** The pages of the scope in groups, by id, without their texts. */
    readonly groups: (scope: ExtractScope) => Stream.Stream<PageGroup, SqlError.SqlError>
    readonly idsOf: (
      sourceId: string,
      slugs: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<number>, SqlError.SqlError>
    readonly slugsOf: (
      ids: ReadonlyArray<number>
    ) => Effect.Effect<ReadonlyMap<number, string>, SqlError.SqlError>
    readonly load: (
      ids: ReadonlyArray<number>
    ) => Effect.Effect<ReadonlyArray<ExtractPage>, SqlError.SqlError>
    /**
     * One transaction: pages that were edited since they were read are found out, the others held; what `write` says of those is
     * written, and they are marked as done. Answers what `write` answers.
     */
    readonly commit: <A>(commit: Commit<A>) => Effect.Effect<A, SqlError.SqlError>
    /** Is told of new rows that were committed, and tells the planner when they have become many. */
    readonly wrote: (rows: { readonly links: number; readonly entries: number }) => Effect.Effect<void>
  }
>()("gbrain/ExtractPages") {
  /** Pages of the open brain. */
  static readonly layer = Layer.effect(
    ExtractPages,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const writing = yield* Semaphore.make(writersAtOnce)

      // The columns by which links and entries are looked up. Without statistics the planner expects hundreds of links a page, and a
      // server compiles each query (`jit`), which takes longer than running it.
      const wroteLinks = keepStatistics(sql, {
        table: "links",
        sampled: ["links (from_page_id, to_page_id, link_source, origin_page_id)"]
      })
      const wroteEntries = keepStatistics(sql, {
        table: "timeline_entries",
        sampled: ["timeline_entries (page_id)"]
      })

      const isStale = sql`(page.links_extracted_at is null or page.links_extracted_at < ${rulesSince}::timestamptz
        or page.updated_at > page.links_extracted_at)`
      const isDue = (scope: ExtractScope) => sql`(${isStale} or page.id = any(${scope.woken}::int[]))`
      const inScope = ({ since, sourceIds, type }: ExtractScope) => sql`
        page.deleted_at is null and page.source_id = any(${sourceIds}::text[])
        and ${Option.match(type, { onNone: () => sql`true`, onSome: (it) => sql`page.type = ${it}` })}
        and ${Option.match(since, {
          onNone: () => sql`true`,
          onSome: (millis) => sql`page.updated_at > to_timestamp(${millis / 1000}::float8)`
        })}`
      const version = sql.literal(
        `to_char(page.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
      )

      const list = (scope: ExtractScope, after: number) =>
        resilient(sql<{ readonly id: number; readonly slug: string; readonly bytes: number }>`
          select page.id, page.slug, octet_length(page.compiled_truth) + octet_length(page.timeline) as bytes
          from pages page
          where ${inScope(scope)} and page.id > ${after} and ${scope.staleOnly ? isDue(scope) : sql`true`}
          order by page.id limit ${listed}`)

      const hold = Effect.fnUntraced(function* (pages: Commit<unknown>["pages"]) {
        const held = yield* sql<{ readonly id: number }>`
          select page.id from pages page
          join unnest(${pages.map((page) => page.id)}::int[], ${pages.map((page) => page.version)}::text[]) as read(id, version)
            on read.id = page.id and page.updated_at = read.version::timestamptz
          where page.deleted_at is null order by page.id for no key update of page`
        return new Set(held.map((row) => row.id))
      })

      return ExtractPages.of({
        count: Effect.fnUntraced(function* (scope) {
          const [row] = yield* resilient(sql<{ readonly total: number; readonly stale: number }>`
            select count(*)::int as total, (count(*) filter (where ${isDue(scope)}))::int as stale
            from pages page where ${inScope(scope)}`)
          const total = row?.total ?? 0
          return { total, toDo: scope.staleOnly ? (row?.stale ?? 0) : total }
        }),
        groups: (scope) =>
          Stream.paginate(0, (after) =>
            Effect.map(list(scope, after), (rows) => {
              const last = rows[rows.length - 1]
              const next =
                last === undefined || rows.length < listed ? Option.none<number>() : Option.some(last.id)
              return [inGroups(rows), next] as const
            })
          ),
        idsOf: (sourceId, slugs) =>
          slugs.length === 0
            ? Effect.succeed([])
            : resilient(sql<{ readonly id: number }>`
                select id from pages where source_id = ${sourceId} and slug = any(${slugs}::text[])
                  and deleted_at is null order by id`).pipe(Effect.map((rows) => rows.map((row) => row.id))),
        slugsOf: (ids) =>
          resilient(sql<{ readonly id: number; readonly slug: string }>`
            select id, slug from pages where id = any(${ids}::int[])`).pipe(
            Effect.map((rows) => new Map(rows.map((row) => [row.id, row.slug])))
          ),
        load: Effect.fnUntraced(function* (ids) {
          const rows = yield* resilient(sql`
            select page.id, page.source_id, page.slug, page.type, page.page_kind, page.compiled_truth, page.timeline,
              page.frontmatter, page.content_hash, ${version} as version, ${isStale} as stale
            from pages page where page.id = any(${ids}::int[]) and page.deleted_at is null order by page.id`)
          return yield* Effect.orDie(decodePages(rows))
        }),
        commit: ({ done, pages, write }) =>
          Effect.gen(function* () {
            const unchanged = yield* hold(pages)
            const { answer, writes } = write(unchanged)
            yield* writeTogether(sql, writes)
            const marked = [...unchanged].filter((id) => done.has(id))
            if (marked.length > 0) {
              // Last, for gbrain's trigger makes what is searched of a page of what its timeline says when the page is updated.
              yield* sql`
                update pages set links_extracted_at = greatest(updated_at, ${rulesSince}::timestamptz)
                where id = any(${marked}::int[])`
            }
            return answer
          }).pipe(sql.withTransaction, resilient, (work) => writing.withPermit(work)),
        wrote: ({ entries, links }) => Effect.ignore(Effect.andThen(wroteLinks(links), wroteEntries(entries)))
      })
    })
  )
}

/** Rows listed by one statement. */
const listed = 2000

/**
 * Transactions that write at a time. Each locks the pages that it links, whose own groups are being written by others: with eight
 * at once the server needs half as much processor time again, and is no quicker. Reading and parsing gain from every worker.
 */
const writersAtOnce = 2

const inGroups = (
  rows: ReadonlyArray<{ readonly id: number; readonly slug: string; readonly bytes: number }>
): ReadonlyArray<PageGroup> =>
  groupsOf(rows).map((group) => {
    const [first] = group
    const others = group.length - 1
    return {
      ids: group.map((row) => row.id),
      label: others === 0 ? (first?.slug ?? "") : `${first?.slug ?? ""} and ${others} more`
    }
  })
