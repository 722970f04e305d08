/** What a page is like at its commit: is it what was read, which of its rows go, and where does numbering go on. */
import { type Duration, Effect, Option } from "effect"
import type { SqlClient } from "effect/sql"
import { factSession, factSource } from "../../domain/ConversationPages.ts"
import { waitAtMost } from "../database/turns.ts"
import { fingerprintColumns, type PageOutcome } from "./PageOutcome.ts"

/** A page as the transaction finds it. */
export interface Found {
  readonly fingerprint: string | null
  /** Ids of the rows that go. */
  readonly leaving: ReadonlyArray<string>
  /** The highest number among our rows that stay, and among others'. */
  readonly ours: number | null
  readonly theirs: number | null
  readonly transaction: string
  /** What the brain's vectors are made with now. */
  readonly model: string | null
  readonly dimensions: string | null
}

/**
 * Is a page what was read, which of its rows go, and where does numbering go on. From this look at facts on, nobody exchanges
 * their columns before the transaction ends, and nothing is waited for longer than `wait`: a page that somebody works on fails it.
 */
export const lookAtPages = (sql: SqlClient.SqlClient) => {
  const ours = sql`source like ${`${factSource}%`}`
  // Without a new mark the earlier ones stay: they are of another text, and say that the page was complete once.
  const goes = sql`
    (${ours} and case when source = ${factSource} then asked.since is null or valid_from >= asked.since else asked.marked end)`
  // The page's rows, each part by an index that gbrain has: by the page, those with a number; by the session, facts of ours
  // without. Asked for in one condition, each page would read the rows of all.
  const rowsOfPage = sql`
    select id, row_num, ${ours} as ours, ${goes} as goes from facts
    where source_id = asked.source_id and source_markdown_slug = asked.slug and row_num is not null
    union all
    select id, row_num, true, ${goes} from facts
    where source_id = asked.source_id and source_markdown_slug = asked.slug and row_num is null
      and ${ours} and source_session = asked.session`

  return Effect.fnUntraced(function* (outcomes: ReadonlyArray<PageOutcome>, wait: Duration.Duration) {
    if (outcomes.length === 0) return new Map<PageOutcome, Found>()
    const asked = outcomes.map(({ mark, page, replace }, place) => ({
      place,
      page_id: page.id,
      source_id: page.sourceId,
      slug: page.slug,
      session: factSession(page.slug),
      since: replace === "all" ? null : instant(replace.since),
      marked: Option.isSome(mark)
    }))
    const rows = yield* sql<Found & { readonly place: number }>`
      with asked as (
        select * from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) as asked(place int, page_id int, source_id text,
          slug text, session text, since timestamptz, marked boolean)
      ), patience as materialized (
        select ${waitAtMost(sql, wait)} as set
      ), page as (
        select id, ${sql.literal(fingerprintColumns)} as fingerprint from pages
        -- No row is there to be locked before that is set.
        join patience on patience.set is not null
        where id = any(${outcomes.map(({ page }) => page.id)}::int[]) order by id for share of pages
      )
      select asked.place, page.fingerprint, found.leaving, found.ours, found.theirs,
        pg_current_xact_id()::text as transaction,
        (select value from config where key = 'embedding_model') as model,
        (select value from config where key = 'embedding_dimensions') as dimensions
      from asked left join page on page.id = asked.page_id
      cross join lateral (
        select coalesce(array_agg(id::text) filter (where goes), '{}') as leaving,
          max(row_num) filter (where ours and not goes) as ours, max(row_num) filter (where not ours) as theirs
        from (${rowsOfPage}) as rows
      ) as found`
    return new Map(
      rows.flatMap((row) => {
        const outcome = outcomes[row.place]
        return outcome === undefined ? [] : [[outcome, row] as const]
      })
    )
  })
}

/** A time (epoch milliseconds) as the database reads it. */
export const instant = (epochMillis: number): string => new Date(epochMillis).toISOString()
