/** Processes that would write the same rows take turns. */
import { Duration } from "effect"
import type { SqlClient } from "effect/sql"

/** How long a process that has its turn may say nothing. Between two statements of one transaction are milliseconds. */
const longestSilence = Duration.seconds(5)

/**
 * Waits for the turn called `lock`, which lasts until the transaction ends. A process that is stopped or put to sleep in the middle of its
 * turn would hold up all others: after `silence` the server ends its connection, and the transaction with it. An embedded brain has
 * one process.
 */
export const takeTurn = (
  sql: SqlClient.SqlClient,
  lock: number,
  silence: Duration.Duration = longestSilence
) =>
  sql`select set_config('idle_in_transaction_session_timeout', ${String(Duration.toMillis(silence))}, true),
    pg_advisory_xact_lock(${lock})`
