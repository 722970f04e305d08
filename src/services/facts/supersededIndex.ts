/**
 * An index that gbrain's `facts` lacks: which fact was given up for which. Without it the database reads all facts for every one
 * that goes, to see that none points at it, and a large brain waits for that with every page that is read again.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type ConcurrentIndex, makeIndex } from "../database/concurrentIndex.ts"
import { resilient } from "../database/Resilience.ts"

/** Few facts were given up for another, so it is small and costs others nothing when they are written. */
export const supersededIndex: ConcurrentIndex = {
  name: "gbrain_effect_facts_superseded_by",
  statement: `create index concurrently if not exists gbrain_effect_facts_superseded_by
    on facts (superseded_by) where superseded_by is not null`
}

/** Whether that column has an index that is whole, whoever made it, and how many facts there are, as far as the planner knows. */
export const supersededIndexed = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* resilient(sql<{ readonly facts: number; readonly indexed: boolean }>`
    select greatest(reltuples, 0)::float8 as facts, exists (
      select 1 from pg_index
      join pg_attribute on attrelid = indrelid and attnum = indkey[0]
      where indrelid = pg_class.oid and attname = 'superseded_by' and indisvalid
    ) as indexed from pg_class where oid = 'facts'::regclass`)
  return { facts: row?.facts ?? 0, indexed: row?.indexed === true }
})

/**
 * Makes it where there is none. Nobody waits for it, and nothing depends on it: where tables are another's, who lets us write but
 * not make an index, or while somebody keeps the database from it, all goes on as before, and `doctor` says what is lacking.
 */
export const makeSupersededIndex: Effect.Effect<void, never, SqlClient.SqlClient> = supersededIndexed.pipe(
  Effect.flatMap(({ indexed }) => (indexed ? Effect.void : makeIndex(supersededIndex))),
  Effect.catch((error) => Effect.logDebug(`facts.superseded_by has no index: ${error.message}`)),
  Effect.asVoid
)
