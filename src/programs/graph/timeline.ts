/** What happened to the subject of a page, newest first. */
import { Effect, type Option } from "effect"
import { SqlClient } from "effect/sql"
import { pageBySlug } from "./page.ts"

/** Something that happened. */
export interface ShownEntry {
  /** `YYYY-MM-DD`. */
  readonly date: string
  readonly source: string
  readonly summary: string
  readonly detail: string
}

/** The timeline of a page. */
export const timelineOfPage = Effect.fn("timelineOfPage")(function* (
  slug: string,
  sourceId: Option.Option<string>
) {
  const sql = yield* SqlClient.SqlClient
  const page = yield* pageBySlug(slug, sourceId)
  return yield* sql<ShownEntry>`
    select to_char(date, 'YYYY-MM-DD') as date, source, summary, detail from timeline_entries
    where page_id = ${page.id} order by timeline_entries.date desc, id`
})
