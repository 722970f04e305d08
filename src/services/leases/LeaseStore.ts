/**
 * The rows that leases are: `gbrain_cycle_locks`, in gbrain's own format. Each function is one statement, and what it decides it
 * decides by the database's clock, in the database; `PageLease` is what is built on them.
 */
import { Context, Duration, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { endWhenSilent } from "../database/turns.ts"
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
    /** Takes those of these leases that nobody ever took or that were given back; answers their tokens. Does not wait for what is written on the strength of one. */
    readonly takeFree: (
      ids: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, string>, SqlError.SqlError>
    /**
     * Takes a lease that is free, has expired with its grace, or belongs to `deadPid` of this host, and, where `takenWithin` is told,
     * was taken no longer ago than that; else tells who has it. None when its holder released it in this very moment. A takeover
     * gets a token that was never issued before.
     */
    readonly tryTake: (
      id: string,
      deadPid: number | null,
      takenWithin?: Duration.Duration
    ) => Effect.Effect<Attempt | undefined, SqlError.SqlError>
    /** Removes those that are still held with their tokens. */
    readonly giveBack: (leases: ReadonlyArray<Lease>) => Effect.Effect<void, SqlError.SqlError>
    /** Removes a lease that may have been taken, no longer ago than that, with a token that nobody heard of. */
    readonly abandon: (id: string, takenWithin: Duration.Duration) => Effect.Effect<void, SqlError.SqlError>
    /**
     * Renews those that are still held with their tokens, and answers their ids; also of those that somebody has locked, which are not
     * renewed this time: it waits for nobody.
     */
    readonly renew: (leases: ReadonlyArray<Lease>) => Effect.Effect<ReadonlySet<string>, SqlError.SqlError>
    /**
     * Those that are still held with their tokens: nobody takes them until the transaction ends. The server ends it when this process
     * falls silent in the middle.
     */
    readonly confirm: (leases: ReadonlyArray<Lease>) => Effect.Effect<ReadonlySet<Lease>, SqlError.SqlError>
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
      const since = (within: Duration.Duration) =>
        sql`lock.acquired_at >= clock_timestamp() - make_interval(secs => ${Duration.toSeconds(within)})`
      const known = (leases: ReadonlyArray<Lease>) => sql`
        select * from unnest(${leases.map((it) => it.id)}::text[], ${leases.map((it) => it.token)}::text[]) as known(id, token)`
      // Locked in one order, since what is given back may be in the middle of being renewed.
      const ours = (leases: ReadonlyArray<Lease>) => sql`(
        select lock.id, known.token from gbrain_cycle_locks as lock
        join (${known(leases)}) as known on lock.id = known.id and ${token} = known.token
        where ${mine} order by lock.id for update of lock) as ours`

      return LeaseStore.of({
        // A row that is there may be locked by somebody's commit, for as long as that takes: it is left to who asks for it alone.
        takeFree: (ids) =>
          sql<{ readonly id: string; readonly token: string }>`
            insert into gbrain_cycle_locks (id, holder_pid, holder_host, acquired_at, ttl_expires_at, last_refreshed_at)
            select id, ${self.pid}::int, ${self.host}::text, clock_timestamp(),
              clock_timestamp() + make_interval(secs => ${ttl}), clock_timestamp()
            from (select distinct id from unnest(${ids}::text[]) as asked(id)) as asked order by id
            on conflict (id) do nothing
            returning id, ${token} as token`.pipe(
            Effect.map((rows) => new Map(rows.map((row) => [row.id, row.token])))
          ),
        // Insert or take over, else tell who has it. A takeover moves acquired_at strictly forward: it is the token.
        tryTake: (id, deadPid, takenWithin) =>
          sql<{ token: string; holder_pid: number; holder_host: string | null; taken: boolean }>`
            with attempt as (
              insert into gbrain_cycle_locks as lock
                (id, holder_pid, holder_host, acquired_at, ttl_expires_at, last_refreshed_at)
              values (${id}, ${self.pid}, ${self.host}, clock_timestamp(),
                clock_timestamp() + make_interval(secs => ${ttl}), clock_timestamp())
              on conflict (id) do update set
                holder_pid = excluded.holder_pid,
                holder_host = excluded.holder_host,
                acquired_at = greatest(excluded.acquired_at, lock.acquired_at + interval '1 microsecond'),
                ttl_expires_at = excluded.ttl_expires_at,
                last_refreshed_at = excluded.last_refreshed_at
              where (lock.ttl_expires_at < clock_timestamp() and (lock.last_refreshed_at is null
                  or lock.last_refreshed_at < clock_timestamp() - make_interval(secs => ${grace})))
                or (lock.holder_host = ${self.host} and lock.holder_pid = ${deadPid}::int
                  and ${takenWithin === undefined ? sql`true` : since(takenWithin)})
              returning ${token} as token, holder_pid, holder_host, true as taken
            )
            select token, holder_pid, holder_host, taken from attempt
            union all
            select ${token}, holder_pid, holder_host, false from gbrain_cycle_locks
            where id = ${id} and not exists (select 1 from attempt)`.pipe(
            Effect.map(([row]) =>
              row === undefined
                ? undefined
                : {
                    token: row.token,
                    holderPid: row.holder_pid,
                    holderHost: row.holder_host,
                    taken: row.taken
                  }
            )
          ),
        giveBack: (leases) =>
          Effect.asVoid(sql`
            delete from gbrain_cycle_locks as lock using ${ours(leases)} where lock.id = ours.id`),
        abandon: (id, takenWithin) =>
          Effect.asVoid(sql`
            delete from gbrain_cycle_locks as lock where id = ${id} and ${mine} and ${since(takenWithin)}`),
        // One that is locked, by a commit of ours or by whoever is just taking it, must not keep the others: it is passed over until
        // the next turn. It is ours for as long as it is seen with our token, whoever has it locked.
        renew: (leases) =>
          sql<{ readonly id: string }>`
            with known as (${known(leases)}), free as (
              select lock.id from gbrain_cycle_locks as lock join known using (id)
              where ${token} = known.token and ${mine} order by lock.id for update of lock skip locked
            ), renewed as (
              update gbrain_cycle_locks as lock set
                ttl_expires_at = now() + make_interval(secs => ${ttl}),
                last_refreshed_at = now()
              from free where lock.id = free.id
            )
            select lock.id from gbrain_cycle_locks as lock join known using (id)
            where ${token} = known.token and ${mine}`.pipe(
            Effect.map((kept) => new Set(kept.map(({ id }) => id)))
          ),
        confirm: (leases) =>
          sql<{ readonly id: string; readonly token: string }>`
            select id, token, ${endWhenSilent(sql)} from ${ours(leases)}`.pipe(
            Effect.map((rows) => {
              const held = new Set(rows.map(nameOf))
              return new Set(leases.filter((lease) => held.has(nameOf(lease))))
            })
          )
      })
    })
  )
}

const nameOf = ({ id, token }: Lease): string => `${token} ${id}`
