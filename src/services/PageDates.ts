/** The dates of pages, as they are stored, and what they are made of; many pages at a time. */
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { resilient } from "./database/Resilience.ts"

/** Which pages. */
export interface DateScope {
  readonly sourceIds: ReadonlyArray<string>
  /** Only slugs that begin so. */
  readonly slugPrefix: Option.Option<string>
}

const Row = Schema.Struct({
  id: Schema.Int,
  slug: Schema.String,
  /** The fields that can state a date, and no others. */
  frontmatter: Schema.Record(Schema.String, Schema.Unknown),
  filename: Schema.String,
  /** The last edit, to the microsecond, and in epoch milliseconds. */
  version: Schema.String,
  updatedAt: Schema.Finite,
  /** What is stored: epoch milliseconds, and where they are from. */
  storedAt: Schema.NullOr(Schema.Finite),
  storedSource: Schema.NullOr(Schema.String)
})

/** A page with its stored date. */
export type DatedRow = typeof Row.Type

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))

/** A date to be stored. */
export interface DateChange {
  readonly id: number
  readonly version: string
  readonly millis: number
  /** A field, `filename`, or `fallback` when the page states no date; it is then that of its last edit. */
  readonly source: string
}

/** Dates of pages. */
export class PageDates extends Context.Service<
  PageDates,
  {
    readonly count: (scope: DateScope) => Effect.Effect<number, SqlError.SqlError>
    /** The pages of the scope, in groups, by id. */
    readonly groups: (scope: DateScope) => Stream.Stream<ReadonlyArray<DatedRow>, SqlError.SqlError>
    /** The same pages as they are now; deleted ones are left out. */
    readonly load: (ids: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<DatedRow>, SqlError.SqlError>
    /** Stores dates, in one statement; answers the pages that were still as they were read. Nothing else of a page changes. */
    readonly store: (
      changes: ReadonlyArray<DateChange>
    ) => Effect.Effect<ReadonlySet<number>, SqlError.SqlError>
  }
>()("gbrain/PageDates") {
  /** Dates in the open brain. */
  static readonly layer = Layer.effect(
    PageDates,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const columns = sql.literal(`
        id, slug, jsonb_strip_nulls(jsonb_build_object('event_date', frontmatter->'event_date', 'date', frontmatter->'date',
          'published', frontmatter->'published')) as frontmatter,
        coalesce(nullif(import_filename, ''), split_part(slug, '/', -1)) as filename,
        to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as version,
        floor(extract(epoch from updated_at) * 1000)::float8 as "updatedAt",
        floor(extract(epoch from effective_date) * 1000)::float8 as "storedAt", effective_date_source as "storedSource"`)
      const inScope = ({ slugPrefix, sourceIds }: DateScope) => sql`
        deleted_at is null and source_id = any(${sourceIds}::text[]) and ${Option.match(slugPrefix, {
          onNone: () => sql`true`,
          onSome: (prefix) => sql`starts_with(slug, ${prefix})`
        })}`
      const list = (scope: DateScope, after: number) =>
        Effect.flatMap(
          resilient(sql`
            select ${columns} from pages where ${inScope(scope)} and id > ${after} order by id limit ${groupPages}`),
          (rows) => Effect.orDie(decodeRows(rows))
        )

      return PageDates.of({
        count: (scope) =>
          resilient(
            sql<{ readonly pages: number }>`select count(*)::int as pages from pages where ${inScope(scope)}`
          ).pipe(Effect.map((rows) => rows[0]?.pages ?? 0)),
        groups: (scope) =>
          Stream.paginate(0, (after) =>
            Effect.map(list(scope, after), (rows) => {
              const last = rows[rows.length - 1]
              const next =
                last === undefined || rows.length < groupPages ? Option.none<number>() : Option.some(last.id)
              return [rows.length === 0 ? [] : [rows], next] as const
            })
          ),
        load: (ids) =>
          Effect.flatMap(
            resilient(
              sql`select ${columns} from pages where id = any(${ids}::int[]) and deleted_at is null order by id`
            ),
            (rows) => Effect.orDie(decodeRows(rows))
          ),
        store: (changes) =>
          changes.length === 0
            ? Effect.succeed(new Set<number>())
            : // In a transaction of its own, which an interruption ends: a statement alone would go on waiting for somebody's lock,
              // and whatever is said next on its connection with it.
              resilient(
                sql.withTransaction(sql<{ readonly id: number }>`
                update pages set effective_date_source = new.source,
                  effective_date = case when new.source = 'fallback' then pages.updated_at else to_timestamp(new.millis / 1000) end
                from unnest(${changes.map((it) => it.id)}::int[], ${changes.map((it) => it.version)}::text[],
                  ${changes.map((it) => it.millis)}::float8[], ${changes.map((it) => it.source)}::text[])
                  as new(id, version, millis, source)
                where pages.id = new.id and pages.updated_at = new.version::timestamptz and pages.deleted_at is null
                returning pages.id`)
              ).pipe(Effect.map((rows) => new Set(rows.map((row) => row.id))))
      })
    })
  )
}

/** Pages in a group. */
const groupPages = 1000
