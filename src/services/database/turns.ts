/** Processes that would write the same rows take turns, and none that falls silent in the middle keeps the others waiting. */
import { Duration } from "effect"
import type { SqlClient } from "effect/sql"

/** How long a process may say nothing in the middle of a transaction. Between two statements of one are milliseconds. */
const longestSilence = Duration.seconds(5)

/**
 * A column for a statement within a transaction. A process that is stopped or put to sleep would hold up whoever wants what it has
 * locked: after `silence` the server ends its connection, and the transaction with it, which a `resilient` one survives. An embedded
 * brain has one process.
 */
export const endWhenSilent = (sql: SqlClient.SqlClient, silence: Duration.Duration = longestSilence) =>
  sql`set_config('idle_in_transaction_session_timeout', ${String(Duration.toMillis(silence))}, true)`

/** Waits for the turn called `lock`, which lasts until the transaction ends or falls silent. */
export const takeTurn = (sql: SqlClient.SqlClient, lock: number, silence?: Duration.Duration) =>
  sql`select ${endWhenSilent(sql, silence)}, pg_advisory_xact_lock(${lock})`
