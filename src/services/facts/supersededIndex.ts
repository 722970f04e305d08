/**
 * An index that gbrain's `facts` lacks: which fact was given up for which. Without it the database reads all facts for every one
 * that goes, to see that none points at it, and a large brain waits for that with every page that is read again.
 */
import { Duration, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type ConcurrentIndex, makeIndex } from "../database/concurrentIndex.ts"
import { resilient } from "../database/Resilience.ts"

const name = "gbrain_effect_facts_superseded_by"

/** Few facts were given up for another, so it is small and costs others nothing when they are written. */
const supersededIndex: ConcurrentIndex = {
  name,
  statement: `create index concurrently if not exists ${name} on facts (superseded_by) where superseded_by is not null`,
  // While it waits for somebody's transaction, nobody can change the columns of the table.
  patience: Duration.seconds(5)
}

/** The statements that make it by hand; a making that was cut short left something that is in the way. */
export const supersededIndexByHand = `drop index concurrently if exists ${name};\n${supersededIndex.statement};`

/** Whether the column has an index that is whole and finds every fact that was given up, whoever made it. */
export const isSupersededIndexed = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* resilient(sql`
    select 1 from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
    where indrelid = 'facts'::regclass and attname = 'superseded_by' and indisvalid
      and coalesce(pg_get_expr(indpred, indrelid), '(superseded_by IS NOT NULL)') = '(superseded_by IS NOT NULL)'`)
  return rows.length > 0
})

/**
 * Makes it where there is none. Nothing depends on it: where tables are another's, who lets us write but not make an index, or while
 * somebody keeps the database from it, all goes on as before, and `doctor` says what is lacking.
 */
export const makeSupersededIndex: Effect.Effect<void, never, SqlClient.SqlClient> = isSupersededIndexed.pipe(
  Effect.flatMap((there) => (there ? Effect.void : makeIndex(supersededIndex))),
  Effect.catch((error) => Effect.logDebug(`facts.superseded_by has no index: ${error.message}`)),
  Effect.asVoid
)
