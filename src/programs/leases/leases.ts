/**
 * The leases that processes hold on a brain's pages, and the giving back of one whose holder will never do so: a machine
 * that is gone for good, a process that hangs.
 */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { HostProcess } from "../../services/HostProcess.ts"

/** A lease, as it is shown. */
export const ListedLease = Schema.Struct({
  id: Schema.String,
  pid: Schema.Int,
  host: Schema.NullOr(Schema.String),
  /** Since it was taken. */
  age_seconds: Schema.Int,
  /** Past its time, or its process is gone from this host: the next run takes it over without being told. */
  stale: Schema.Boolean
})

/** A lease, as it is shown. */
export type ListedLease = typeof ListedLease.Type

/** Nobody holds a lease of that id. */
export class NoSuchLease extends Schema.TaggedError<NoSuchLease>()("NoSuchLease", {
  id: Schema.String,
  message: Schema.String
}) {}

/** The lease belongs to a process that is still refreshing it. */
export class LeaseAlive extends Schema.TaggedError<LeaseAlive>()("LeaseAlive", {
  id: Schema.String,
  message: Schema.String
}) {}

interface Row {
  readonly id: string
  readonly pid: number
  readonly host: string | null
  readonly age: number
  readonly expired: boolean
  readonly token: string
}

const columns = `id, holder_pid as pid, holder_host as host, extract(epoch from now() - acquired_at)::int as age,
  ttl_expires_at < now() as expired, extract(epoch from acquired_at)::text as token`

const isStale = (row: Row, self: HostProcess["Service"]): boolean =>
  row.expired || (row.host === self.host && !self.isAlive(row.pid))

/** The leases held now, the oldest first, gbrain's included; at most `limit`. */
export const listLeases = Effect.fn("listLeases")(function* (options: { readonly limit: number }) {
  const sql = yield* SqlClient.SqlClient
  const self = yield* HostProcess
  const rows = yield* sql<Row>`
    select ${sql.literal(columns)} from gbrain_cycle_locks order by acquired_at, id limit ${options.limit}`
  return rows.map((row): ListedLease => ({
    id: row.id,
    pid: row.pid,
    host: row.host,
    age_seconds: row.age,
    stale: isStale(row, self)
  }))
})

/**
 * Gives back a lease in its holder's place. A lease that is alive is only taken away with `force`; its holder then finds it
 * lost at the next refresh, at the latest at its commit, and writes nothing.
 */
export const releaseLease = Effect.fn("releaseLease")(function* (
  id: string,
  options: { readonly force: boolean }
) {
  const sql = yield* SqlClient.SqlClient
  const self = yield* HostProcess
  const [row] = yield* sql<Row>`select ${sql.literal(columns)} from gbrain_cycle_locks where id = ${id}`
  if (row === undefined) {
    return yield* new NoSuchLease({
      id,
      message: `Nobody holds ${id}. gbrain lock list shows what is held.`
    })
  }
  if (!options.force && !isStale(row, self)) {
    return yield* new LeaseAlive({
      id,
      message:
        `${id} is held by process ${row.pid} on ${row.host ?? "an unknown host"}, which refreshes it. Stop that process; ` +
        `if it is known to be gone, take the lease away with --force.`
    })
  }
  // Only the holding that was looked at: another may have begun meanwhile.
  const gone = yield* sql`
    delete from gbrain_cycle_locks where id = ${id} and extract(epoch from acquired_at)::text = ${row.token} returning id`
  if (gone.length === 0) {
    return yield* new NoSuchLease({ id, message: `${id} changed hands at this moment; look again.` })
  }
  return { id, pid: row.pid, host: row.host }
})
