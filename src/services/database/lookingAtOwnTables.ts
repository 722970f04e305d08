/**
 * Our own tables for statements that only read: in a brain that is looked at and not written to, one that gbrain made or that an
 * earlier version of us opened, a table that is missing reads as one without rows.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"

const empty = {
  page_names: "0 as page_id, 0::smallint as way, ''::text as source_id, ''::text as name",
  links_waiting: "0 as page_id, ''::text as name",
  timeline_extracted: "0 as entry_id, 0 as page_id",
  pages_chunked: "0 as page_id, ''::text as digest, 0::smallint as rules, 0 as chunks",
  edges_walked: "0 as chunk_id, now() as walked_at, 0::smallint as rules"
}

/** A table that can be read before it is there. */
export type ReadTable = keyof typeof empty

/** For each of these tables what stands in its place in a `from`. */
export const lookingAt = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const rows = yield* sql<{ readonly name: string }>`
    select name from unnest(${Object.keys(empty)}::text[]) as name where to_regclass('gbrain_effect.' || name) is not null`
  const there = new Set(rows.map((row) => row.name))
  return (table: ReadTable) =>
    sql.literal(there.has(table) ? `gbrain_effect.${table}` : `(select ${empty[table]} where false)`)
})
