import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"

/** Rows after which it is first asked whether the planner knows of them. */
const firstLook = 500

/**
 * Tells the planner how large tables are while they are filled. Without that it goes on as with empty ones: a lookup of two
 * hundred pages by their names reads all of them, each time. A server finds out by itself after a minute or more, the embedded
 * database never. The answer is called with the number of rows that were written into `table`; when there are twice as many as the last time
 * and the planner does not know it, `sampled` are sampled (`analyze`; tables, with columns where some will do), except those that
 * somebody else has locked.
 */
export const keepStatistics = (
  sql: SqlClient.SqlClient,
  options: { readonly table: string; readonly sampled: ReadonlyArray<string> }
): ((rows: number) => Effect.Effect<void, SqlError.SqlError>) => {
  let written = 0
  let nextLook = firstLook
  return Effect.fnUntraced(function* (rows) {
    written += rows
    if (written < nextLook) return
    nextLook = written * 2
    const [known] = yield* sql<{ readonly rows: number }>`
      select reltuples::float8 as rows from pg_class where oid = ${options.table}::regclass`
    if (known === undefined || known.rows > written / 2) return
    yield* sql`analyze (skip_locked) ${sql.literal(options.sampled.join(", "))}`
  })
}
