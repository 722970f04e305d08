/**
 * Rows of `timeline_entries`. What a page says is added; what it said before and no longer says is removed, if we had added it:
 * gbrain keeps no note of which entries were extracted and which made by hand, so ours are noted in a table of our own.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import type { TimelineEntry } from "../domain/timeline/Entry.ts"
import { type Write, writesOf } from "./database/joinedWrites.ts"
import { lookingAt } from "./database/lookingAtOwnTables.ts"
import { resilient } from "./database/Resilience.ts"

/** An entry of a page. */
export interface PageEntry extends TimelineEntry {
  readonly pageId: number
}

/** An entry that is there. */
export interface StoredEntry extends PageEntry {
  readonly id: number
  /** Whether it was extracted by us. */
  readonly extracted: boolean
}

/** Timeline entries. */
export class Timeline extends Context.Service<
  Timeline,
  {
    readonly of: (
      pageIds: ReadonlyArray<number>
    ) => Effect.Effect<ReadonlyArray<StoredEntry>, SqlError.SqlError>
    /**
     * What removes entries by id, adds new ones, and changes ones whose detail changed. For use inside a transaction, which fails when
     * somebody else added one of them since the look at what is there; with `retaken` that one stays theirs.
     */
    readonly writes: (
      changes: {
        readonly removed: ReadonlyArray<number>
        readonly created: ReadonlyArray<PageEntry>
        readonly updated: ReadonlyArray<PageEntry>
      },
      options: { readonly retaken: boolean }
    ) => ReadonlyArray<Write>
  }
>()("gbrain/Timeline") {
  /** The timelines of the open brain. */
  static readonly layer = Layer.effect(
    Timeline,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const table = yield* lookingAt(sql)
      const insert = (name: string, entries: ReadonlyArray<PageEntry>, how: Statement.Fragment) =>
        writesOf(entries, (rows) => [
          {
            name,
            statement: sql`
                insert into timeline_entries as entry (page_id, date, source, summary, detail)
                select * from unnest(${rows.map((row) => row.pageId)}::int[], ${rows.map((row) => row.date)}::date[],
                  ${rows.map((row) => row.source)}::text[], ${rows.map((row) => row.summary)}::text[],
                  ${rows.map((row) => row.detail)}::text[])
                ${how} returning id, page_id`
          },
          {
            name: `${name}_noted`,
            statement: sql`
                insert into gbrain_effect.timeline_extracted (entry_id, page_id) select id, page_id from ${sql.literal(name)}
                on conflict do nothing`
          }
        ])
      const upsert = sql`on conflict (page_id, date, md5(summary), source) do update set detail = excluded.detail`

      return Timeline.of({
        of: (pageIds) =>
          resilient(sql<StoredEntry>`
            select entry.id, entry.page_id as "pageId", to_char(entry.date, 'YYYY-MM-DD') as date, entry.source, entry.summary,
              entry.detail, extracted.entry_id is not null as extracted
            from timeline_entries entry left join ${table("timeline_extracted")} extracted on extracted.entry_id = entry.id
            where entry.page_id = any(${pageIds}::int[])`),
        writes: ({ created, removed, updated }, { retaken }) => [
          ...writesOf(removed, (ids) => [
            {
              name: "entries_removed",
              statement: sql`delete from timeline_entries where id = any(${ids}::int[])`
            },
            {
              name: "entries_removed_noted",
              statement: sql`delete from gbrain_effect.timeline_extracted where entry_id = any(${ids}::int[])`
            }
          ]),
          ...insert("entries_created", created, retaken ? sql`on conflict do nothing` : sql``),
          ...insert("entries_updated", updated, upsert)
        ]
      })
    })
  )
}
