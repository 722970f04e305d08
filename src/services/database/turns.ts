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

/**
 * The same for how long the rest of a transaction waits for a lock at most. One that waits keeps what it has locked itself, and with that
 * whoever wants that; so it fails instead, with a `LockTimeoutError`, and lets everybody through.
 */
export const waitAtMost = (sql: SqlClient.SqlClient, wait: Duration.Duration) =>
  sql`set_config('lock_timeout', ${String(Duration.toMillis(wait))}, true)`

/**
 * The turns that are taken on a brain, by their numbers, which every process and every version of it must agree on. PostgreSQL has one
 * space of them for a whole database: two turns with one number would wait for each other. So each stands here, and none is used twice.
 */
export const turns = {
  /** Our own tables are made and changed. */
  migration: 7_202_611,
  /** Money is held. Paid calls wait for it, so nothing slow may ever have its number. */
  ledger: 7_202_612,
  /** The names of pages are brought up to date, which takes seconds in a large brain. */
  names: 7_202_613
} as const

/** Waits for the turn called `lock`, which lasts until the transaction ends or falls silent. */
export const takeTurn = (sql: SqlClient.SqlClient, lock: number, silence?: Duration.Duration) =>
  sql`select ${endWhenSilent(sql, silence)}, pg_advisory_xact_lock(${lock})`
