/** What pages say of how their chunks were embedded. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { resilient } from "../database/Resilience.ts"

/** Pages that are changed in one statement. */
const pagesAtOnce = 1_000

/**
 * Pages whose chunks were embedded under a synopsis of each, which gbrain writes, have vectors under the title alone now, and say so: else
 * gbrain took them for done. In small parts, each by itself: nobody waits for more than a few rows.
 */
export const settlePageModes = Effect.fnUntraced(function* () {
  const sql = yield* SqlClient.SqlClient
  for (let after = 0; ;) {
    const rows = yield* resilient(sql<{ readonly last: number | null }>`
      with part as materialized (
        select id from pages where id > ${after} and contextual_retrieval_mode = 'per_chunk_synopsis'
        order by id limit ${pagesAtOnce} for no key update
      ), changed as (
        update pages set contextual_retrieval_mode = 'title', corpus_generation = null
        from part where pages.id = part.id
      )
      select max(id)::int as last from part`)
    const last = rows[0]?.last ?? null
    if (last === null) return
    after = last
  }
})
