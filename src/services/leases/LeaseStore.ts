/**
 * The rows that leases are: `gbrain_cycle_locks`, in gbrain's own format. Each function is one statement, and what it decides it
 * decides by the database's clock, in the database; `PageLease` is what is built on them.
 */
import { Context, Duration, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { HostProcess } from "../HostProcess.ts"
import { type Lease, LeasePolicy } from "./LeasePolicy.ts"

/** What became of an attempt to take a lease: who has it now, and whether that is we, just now. */
export interface Attempt {
  readonly token: string
  readonly holderPid: number
  readonly holderHost: string | null
  readonly taken: boolean
}

/** Lease rows, of this process and others. */
export class LeaseStore extends Context.Service<
  LeaseStore,
  {
    /**
     * Takes of these leases each that is free, has expired with its grace, or belongs to `deadPid` of this host; else tells who has
     * it. Nothing is told of one that its holder released in this very moment. A takeover gets a token that was never issued before.
     */
    readonly tryTake: (
      ids: ReadonlyArray<string>,
      deadPid: number | null
    ) => Effect.Effect<ReadonlyMap<string, Attempt>, SqlError.SqlError>
    /** Removes those that are still held with their tokens. */
    readonly giveBack: (leases: ReadonlyArray<Lease>) => Effect.Effect<void, SqlError.SqlError>
    /** Removes a lease that may have been taken with a token that nobody heard of. */
    readonly abandon: (id: string) => Effect.Effect<void, SqlError.SqlError>
    /** Renews those that are still held with their tokens; answers their ids. */
    readonly renew: (leases: ReadonlyArray<Lease>) => Effect.Effect<ReadonlySet<string>, SqlError.SqlError>
    /** The ids of those that are still held with their tokens: nobody takes them until the transaction ends. */
    readonly confirm: (leases: ReadonlyArray<Lease>) => Effect.Effect<ReadonlySet<string>, SqlError.SqlError>
  }
>()("gbrain/LeaseStore") {
  /** The rows of the open database. */
  static readonly layer = Layer.effect(
    LeaseStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const self = yield* HostProcess
      const policy = yield* LeasePolicy
      const ttl = Duration.toSeconds(policy.ttl)
      const grace = Duration.toSeconds(policy.grace)
      const mine = sql`holder_pid = ${self.pid} and holder_host is not distinct from ${self.host}`
      const token = sql.literal("extract(epoch from acquired_at)::text")
      // Locked in one order, since what is given back may be in the middle of being renewed.
      const ours = (leases: ReadonlyArray<Lease>) => sql`(
        select lock.id from gbrain_cycle_locks as lock
        join unnest(${leases.map((it) => it.id)}::text[], ${leases.map((it) => it.token)}::text[]) as known(id, token)
          on lock.id = known.id and ${token} = known.token
        where ${mine} order by lock.id for update of lock) as ours`

      return LeaseStore.of({
        // Insert or take over, else tell who has it. A takeover moves acquired_at strictly forward: it is the token.
        tryTake: (ids, deadPid) =>
          sql<Attempt & { readonly id: string }>`
            with attempt as (
              insert into gbrain_cycle_locks as lock
                (id, holder_pid, holder_host, acquired_at, ttl_expires_at, last_refreshed_at)
              select id, ${self.pid}::int, ${self.host}::text, clock_timestamp(),
                clock_timestamp() + make_interval(secs => ${ttl}), clock_timestamp()
              from (select distinct id from unnest(${ids}::text[]) as all_asked(id)) as asked order by id
              on conflict (id) do update set
                holder_pid = excluded.holder_pid,
                holder_host = excluded.holder_host,
                acquired_at = greatest(excluded.acquired_at, lock.acquired_at + interval '1 microsecond'),
                ttl_expires_at = excluded.ttl_expires_at,
                last_refreshed_at = excluded.last_refreshed_at
              where (lock.ttl_expires_at < clock_timestamp() and (lock.last_refreshed_at is null
                  or lock.last_refreshed_at < clock_timestamp() - make_interval(secs => ${grace})))
                or (lock.holder_host = ${self.host} and lock.holder_pid = ${deadPid}::int)
              returning id, ${token} as token, holder_pid, holder_host, true as taken
            )
            select id, token, holder_pid as "holderPid", holder_host as "holderHost", taken from attempt
            union all
            select id, ${token}, holder_pid, holder_host, false from gbrain_cycle_locks
            where id = any(${ids}::text[]) and id not in (select id from attempt)`.pipe(
            Effect.map((rows) => new Map(rows.map((row) => [row.id, row])))
          ),
        giveBack: (leases) =>
          Effect.asVoid(sql`
            delete from gbrain_cycle_locks as lock using ${ours(leases)} where lock.id = ours.id`),
        abandon: (id) => Effect.asVoid(sql`delete from gbrain_cycle_locks where id = ${id} and ${mine}`),
        renew: (leases) =>
          sql<{ readonly id: string }>`
            update gbrain_cycle_locks as lock set
              ttl_expires_at = now() + make_interval(secs => ${ttl}),
              last_refreshed_at = now()
            from ${ours(leases)} where lock.id = ours.id
            returning lock.id`.pipe(Effect.map(idsOf)),
        confirm: (leases) => Effect.map(sql<{ readonly id: string }>`select id from ${ours(leases)}`, idsOf)
      })
    })
  )
}

const idsOf = (rows: ReadonlyArray<{ readonly id: string }>): ReadonlySet<string> =>
  new Set(rows.map(({ id }) => id))
