/**
 * Changing a table that everybody reads, without anybody noticing. Such a change needs the table to itself for a moment, and
 * whoever comes while it waits for that moment waits behind it. So it waits a tenth of a second at most, then lets
 * everybody through, and tries again.
 */
import { Clock, Context, Duration, Effect, Random, Schema } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { resilient } from "./Resilience.ts"

/** How a table is asked for. */
export const LockPolicy = Context.Reference("gbrain/LockPolicy", {
  defaultValue: () => ({
    /** How long others may have to wait behind us, a table and attempt. */
    wait: Duration.millis(100),
    /** An automatic vacuum makes room, a second after somebody waits for it. */
    waitForVacuum: Duration.millis(1500),
    firstPause: Duration.millis(200),
    longestPause: Duration.seconds(5),
    giveUpAfter: Duration.minutes(10)
  })
})

/** A table was never free for the moment that a change of its columns takes. */
export class TableBusy extends Schema.TaggedError<TableBusy>()("TableBusy", {
  tables: Schema.Array(Schema.String),
  message: Schema.String
}) {}

/**
 * Runs `work` in a transaction that has `tables` to itself: nobody reads or writes them meanwhile, so it must be short and must
 * wait for nothing. `work` is run again when the locks were not to be had, and must find out what was done before.
 */
export const withShortLocks = Effect.fnUntraced(function* <A, E, R>(
  tables: ReadonlyArray<string>,
  work: Effect.Effect<A, E, R>
) {
  const sql = yield* SqlClient.SqlClient
  const policy = yield* LockPolicy
  const startedAt = yield* Clock.currentTimeMillis
  let pause = Duration.toMillis(policy.firstPause)
  let wait = policy.wait
  for (let attempts = 1; ; attempts++) {
    const result = yield* Effect.result(resilient(attempt(sql, tables, wait, work)))
    if (result._tag === "Success") return { value: result.success, attempts }
    const error = result.failure
    if (!isLockTimeout(error)) return yield* Effect.fail(error)
    const holders = yield* resilient(holdersOf(sql, tables))
    const elapsed = (yield* Clock.currentTimeMillis) - startedAt
    if (elapsed > Duration.toMillis(policy.giveUpAfter)) {
      return yield* new TableBusy({
        tables: [...tables],
        message:
          `${tables.join(", ")} could not be had for a moment in ${Math.round(elapsed / 1000)} s: ` +
          `${describe(holders)}. End that, or run again when it is through; nothing is lost.`
      })
    }
    wait = holders.length > 0 && holders.every((it) => it.vacuum) ? policy.waitForVacuum : policy.wait
    yield* Effect.sleep(pause * (0.5 + (yield* Random.next) / 2))
    pause = Math.min(pause * 2, Duration.toMillis(policy.longestPause))
  }
})

const attempt = <A, E, R>(
  sql: SqlClient.SqlClient,
  tables: ReadonlyArray<string>,
  wait: Duration.Duration,
  work: Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    // A process that goes to sleep in here must not take the tables with it.
    yield* sql.unsafe(
      `select set_config('lock_timeout', '${Duration.toMillis(wait)}ms', true),
        set_config('idle_in_transaction_session_timeout', '10s', true)`
    )
    yield* sql.unsafe(`lock table ${tables.join(", ")} in access exclusive mode`)
    return yield* work
  }).pipe(sql.withTransaction)

const isLockTimeout = (error: unknown): boolean =>
  SqlError.isSqlError(error) && error.reason._tag === "LockTimeoutError"

interface Holder {
  readonly pid: number
  readonly vacuum: boolean
  readonly seconds: number
}

const holdersOf = (sql: SqlClient.SqlClient, tables: ReadonlyArray<string>) =>
  sql<Holder>`
    select distinct pid, coalesce(backend_type, '') = 'autovacuum worker' as vacuum,
      coalesce(extract(epoch from clock_timestamp() - xact_start), 0)::int as seconds
    from pg_locks left join pg_stat_activity using (pid)
    where relation = any(${tables}::text[]::regclass[]) and granted and pid <> pg_backend_pid()
    order by seconds desc`

const describe = (holders: ReadonlyArray<Holder>): string => {
  const [oldest] = holders
  return oldest === undefined
    ? "others are always at work on it"
    : `the database's process ${oldest.pid} has been in a transaction on it for ${oldest.seconds} s`
}
