import type { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"

/**
 * Does what may have to wait for rows or tables that somebody else has locked, in a transaction: on a connection of its own, where
 * an interruption cancels it. Statements outside of transactions share connections and cannot be cancelled: one that waits would go
 * on waiting, and keep waiting whatever is said behind it.
 */
export const cancellable = <A, E, R>(
  sql: SqlClient.SqlClient,
  write: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SqlError.SqlError, R> => sql.withTransaction(write)
