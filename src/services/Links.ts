/**
 * Rows of `links`, in gbrain's own form: what a page's text says has the source `markdown`, a name that was looked up
 * `wikilink-resolved`, the front matter `frontmatter` with the page and the field it is from. Only rows of these kinds are
 * extracted, compared and removed; a link that somebody made by hand has another source and is nobody's here.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import { type Write, writesOf } from "./database/joinedWrites.ts"
import { resilient } from "./database/Resilience.ts"

/** A link that a page makes. */
export interface Link {
  readonly from: number
  readonly to: number
  readonly type: string
  readonly source: "markdown" | "wikilink-resolved" | "frontmatter"
  readonly context: string
  /** The page that the link is from, where that is not told by where it begins. */
  readonly origin: number | null
  /** The field of that page. */
  readonly field: string | null
  /** Whether the text named the source of the page it links. Like gbrain we say nothing where it did not. */
  readonly resolution: "qualified" | null
}

/** A link that is there. `madeBy` is the page whose text or front matter makes it. */
export interface StoredLink extends Link {
  readonly id: number
  readonly madeBy: number
}

/** What tells two links apart: the columns of the unique index. */
export const linkKey = (link: Pick<Link, "from" | "to" | "type" | "source" | "origin">): string =>
  `${link.from} ${link.to} ${link.source} ${link.origin ?? "-"} ${link.type}`

/** Extracted links. */
export class Links extends Context.Service<
  Links,
  {
    /** The links that these pages made when they were extracted before; those of the front matter only when asked for. */
    readonly madeBy: (
      pageIds: ReadonlyArray<number>,
      options: { readonly frontmatter: boolean }
    ) => Effect.Effect<ReadonlyArray<StoredLink>, SqlError.SqlError>
    /**
     * What removes links by id, adds new ones, and changes ones whose words changed. For use inside a transaction, which fails when
     * somebody else added one of them or removed a page since the look at what is there; with `retaken`, what is there by now
     * is looked at again, row by row.
     */
    readonly writes: (
      changes: {
        readonly removed: ReadonlyArray<number>
        readonly created: ReadonlyArray<Link>
        readonly updated: ReadonlyArray<Link>
      },
      options: { readonly retaken: boolean }
    ) => ReadonlyArray<Write>
  }
>()("gbrain/Links") {
  /** Links of the open brain. */
  static readonly layer = Layer.effect(
    Links,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const columns =
        sql.literal(`id, from_page_id as "from", to_page_id as "to", link_type as type, link_source as source,
        context, origin_page_id as origin, origin_field as field, resolution_type as resolution`)

      // Columns that are all null have no type for the driver, so that what is not there travels as 0 and "".
      const insert = (name: string, links: ReadonlyArray<Link>, how: Statement.Fragment) =>
        writesOf(links, (rows) => [
          {
            name,
            statement: sql`
                insert into links as link (from_page_id, to_page_id, link_type, context, link_source, origin_page_id,
                  origin_field, resolution_type)
                select row."from", row."to", row.type, row.context, row.source, nullif(row.origin, 0), nullif(row.field, ''),
                  nullif(row.resolution, '')
                from unnest(${rows.map((row) => row.from)}::int[], ${rows.map((row) => row.to)}::int[],
                  ${rows.map((row) => row.type)}::text[], ${rows.map((row) => row.context)}::text[],
                  ${rows.map((row) => row.source)}::text[], ${rows.map((row) => row.origin ?? 0)}::int[],
                  ${rows.map((row) => row.field ?? "")}::text[], ${rows.map((row) => row.resolution ?? "")}::text[])
                  as row("from", "to", type, context, source, origin, field, resolution)
                ${how}`
          }
        ])

      // A page that is gone since it was looked up takes nothing; every other conflict is an error.
      const upsert = sql`
        where exists (select 1 from pages where id = row."from") and exists (select 1 from pages where id = row."to")
        on conflict (from_page_id, to_page_id, link_type, link_source, origin_page_id) do update set
          context = excluded.context, origin_field = excluded.origin_field, resolution_type = excluded.resolution_type`

      return Links.of({
        // Page by page, each by the index of its own links. With one condition for all pages a brain's first run, of which the planner
        // has no statistics yet, reads every link there is for each group: by the index on their source, which nearly all share, or by
        // scanning the table.
        madeBy: (pageIds, { frontmatter }) =>
          resilient(sql<StoredLink>`
            select ${columns}, made.by as "madeBy" from unnest(${pageIds}::int[]) as made(by)
            cross join lateral (select * from links where from_page_id = made.by offset 0) as link
            where link_source in ('markdown', 'wikilink-resolved') and (origin_page_id is null or origin_page_id = made.by)
            union all
            select ${columns}, made.by from unnest(${pageIds}::int[]) as made(by)
            cross join lateral (select * from links where origin_page_id = made.by offset 0) as link
            where link_source = 'frontmatter' and ${frontmatter}
              or link_source = 'markdown' and link_type = 'documented_by' and from_page_id <> made.by`),
        writes: ({ created, removed, updated }, { retaken }) => [
          ...writesOf(removed, (ids) => [
            { name: "links_removed", statement: sql`delete from links where id = any(${ids}::int[])` }
          ]),
          ...insert("links_created", created, retaken ? upsert : sql``),
          ...insert("links_updated", updated, upsert)
        ]
      })
    })
  )
}
