/** Facts follow the pages that they are from and about, when those get other slugs. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { factSource } from "../../domain/ConversationPages.ts"

/**
 * Gives facts the new slugs of their pages: where they are from, their marks included, and whom they are about. To be run before the
 * pages themselves are renamed, in the same transaction, when no page has the new slugs any more. What facts a page left under a new
 * slug when it went is cleared out of the way.
 */
export const moveFacts = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  renames: ReadonlyArray<{ readonly id: number; readonly slug: string }>
) {
  const moved = sql`(select page.source_id, page.slug as old, new.slug as new
    from unnest(${renames.map((it) => it.id)}::int[], ${renames.map((it) => it.slug)}::text[]) as new(id, slug)
    join pages page on page.id = new.id)`
  // Rows without a number are no rows of a page: somebody said them elsewhere.
  const inTheWay = sql`select fact.id from facts fact join ${moved} move
    on fact.source_id = move.source_id and fact.source_markdown_slug = move.new where fact.row_num is not null`
  yield* sql`update facts set superseded_by = null where superseded_by in (${inTheWay})`
  yield* sql`delete from facts where id in (${inTheWay})`
  yield* sql`
    update facts fact set source_markdown_slug = move.new, source_session = case
      when fact.source like ${`${factSource}%`} and starts_with(fact.source_session, fact.source || ':' || move.old)
        then fact.source || ':' || move.new || substr(fact.source_session, length(fact.source || ':' || move.old) + 1)
      else fact.source_session end
    from ${moved} move where fact.source_id = move.source_id and fact.source_markdown_slug = move.old`
  yield* sql`
    update facts fact set entity_slug = move.new
    from ${moved} move where fact.source_id = move.source_id and fact.entity_slug = move.old`
  yield* sql`
    delete from gbrain_effect.pages_set_aside aside using ${moved} move
    where aside.source_id = move.source_id and aside.slug = move.new`
  yield* sql`
    update gbrain_effect.pages_set_aside aside set slug = move.new
    from ${moved} move where aside.source_id = move.source_id and aside.slug = move.old`
})
