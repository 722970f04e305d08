/** Facts follow the pages that they are from and about, when those get other slugs. */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { factSource } from "../../domain/ConversationPages.ts"

/**
 * Gives facts the new slugs of their pages: where they are from, their marks included, and whom they are about. To be run before the
 * pages themselves are renamed, in the same transaction, when no page has the new slugs any more. What facts a page left under a new
 * slug when it went is cleared out of the way. What expired and was neither a number nor of a dimension, so that it is in nobody's
 * history, stays about the old slug.
 */
export const moveFacts = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  renames: ReadonlyArray<{ readonly id: number; readonly slug: string }>
) {
  const moved = sql`(select page.source_id, page.slug as old, new.slug as new
    from unnest(${renames.map((it) => it.id)}::int[], ${renames.map((it) => it.slug)}::text[]) as new(id, slug)
    join pages page on page.id = new.id)`

  // Looked for page by page, each part by an index that gbrain has; joined to the facts as a whole, they would all be read, which
  // "offset 0" forbids.
  const found = (parts: ReadonlyArray<Statement.Fragment>) =>
    Effect.map(
      sql<{ readonly id: string }>`
        select distinct fact.id::text as id from ${moved} move cross join lateral (
          ${sql.join(
            " union all ",
            false
          )(
            parts.map(
              (part) => sql`(select id from facts where source_id = move.source_id and ${part} offset 0)`
            )
          )}
        ) fact`,
      (rows) => rows.map((row) => row.id)
    )

  // Rows without a number are no rows of a page: somebody said them elsewhere.
  const inTheWay = yield* found([sql`source_markdown_slug = move.new and row_num is not null`])
  if (inTheWay.length > 0) {
    yield* sql`update facts set superseded_by = null where superseded_by = any(${inTheWay}::bigint[])`
    yield* sql`delete from facts where id = any(${inTheWay}::bigint[])`
  }
  const from = yield* found([
    sql`source_markdown_slug = move.old and row_num is not null`,
    sql`source_markdown_slug = move.old and row_num is null and source like ${`${factSource}%`}
      and source_session = ${`${factSource}:`} || move.old`,
    sql`source_markdown_slug = move.old and row_num is null and dimension is not null`
  ])
  if (from.length > 0) {
    yield* sql`
      update facts fact set source_markdown_slug = move.new, source_session = case
        when fact.source like ${`${factSource}%`} and starts_with(fact.source_session, fact.source || ':' || move.old)
          then fact.source || ':' || move.new || substr(fact.source_session, length(fact.source || ':' || move.old) + 1)
        else fact.source_session end
      from ${moved} move where fact.id = any(${from}::bigint[])
        and fact.source_id = move.source_id and fact.source_markdown_slug = move.old`
  }
  const about = yield* found([
    // Sorted as the index is that is meant: a database that has no statistics yet finds others as good, and reads all by them.
    sql`entity_slug = move.old and expired_at is null order by valid_from desc`,
    sql`entity_slug = move.old and dimension is not null`,
    sql`entity_slug = move.old and claim_metric is not null`
  ])
  if (about.length > 0) {
    yield* sql`
      update facts fact set entity_slug = move.new
      from ${moved} move where fact.id = any(${about}::bigint[])
        and fact.source_id = move.source_id and fact.entity_slug = move.old`
  }
  yield* sql`
    delete from gbrain_effect.pages_set_aside aside using ${moved} move
    where aside.source_id = move.source_id and aside.slug = move.new`
  yield* sql`
    update gbrain_effect.pages_set_aside aside set slug = move.new
    from ${moved} move where aside.source_id = move.source_id and aside.slug = move.old`
})
