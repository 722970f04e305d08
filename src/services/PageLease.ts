/**
 * One worker a page, across fibers, processes and machines. A lease is a row of `gbrain_cycle_locks`, in gbrain's own
 * format, so that gbrain and we respect each other's. It lives two minutes by the database's clock and is refreshed every
 * twenty seconds, one statement for all that this process holds.
 *
 * A lease alone does not make writing safe: a process can sleep through its expiry and wake up believing that it holds
 * it. So a lease carries a fencing token, and `confirm`, run inside the transaction that writes a page's outcome, fails
 * unless the row is still this holder's; the row stays locked until that transaction ends.
 */
import { Context, Deferred, Duration, Effect, Exit, Layer, Schedule, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Database } from "./Database.ts"
import { resilient } from "./database/Resilience.ts"
import { HostProcess } from "./HostProcess.ts"

/** How long a lease lives, and how often it is renewed. Durations of the database's clock and of ours. */
export const LeasePolicy = Context.Reference("gbrain/LeasePolicy", {
  defaultValue: () => ({
    /** A lease not refreshed for this long may be taken by others. */
    ttl: Duration.minutes(2),
    /** Time between two refreshes. */
    refreshEvery: Duration.seconds(20),
    /** How long after its last refresh an expired lease is still left alone; gbrain's rule, which we keep. */
    grace: Duration.minutes(1)
  })
})

/** Somebody else holds the lease. */
export class LeaseHeld extends Schema.TaggedError<LeaseHeld>()("LeaseHeld", {
  id: Schema.String,
  holderPid: Schema.Int,
  holderHost: Schema.String,
  message: Schema.String
}) {}

/** The lease was ours and is no longer: it expired and was taken. Nothing may be written on its strength. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {
  id: Schema.String,
  message: Schema.String
}) {}

/** A lease that is held. `token` tells this holding from every earlier and later one of the same id. */
export interface Lease {
  readonly id: string
  readonly token: string
}

/** A release that takes longer is tried again later, and else left to the lease's expiry: stopping must not wait for a database that is away. */
const releaseTimeout = Duration.seconds(5)

/**
 * What the fibers of this process hold or ask for, by database: a row that carries our process id is somebody else's when
 * another layer in this process took it, and a leftover when nobody did.
 */
const TakenHere = Context.Reference("gbrain/PageLease/TakenHere", {
  defaultValue: () => new Map<unknown, Set<string>>()
})

interface Held extends Lease {
  readonly lost: Deferred.Deferred<never, LeaseLost>
}

interface Row {
  readonly token: string
  readonly holder_pid: number
  readonly holder_host: string | null
  readonly taken: boolean
}

/** Leases held by this process. */
export class PageLease extends Context.Service<
  PageLease,
  {
    /**
     * Runs `use` while holding the lease `id`, and gives the lease back afterwards. Fails with `LeaseHeld` at once when
     * somebody else has it. When the lease is lost while `use` runs, `use` is interrupted and the effect fails with `LeaseLost`.
     */
    readonly withLease: <A, E, R>(
      id: string,
      use: (lease: Lease) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | LeaseHeld | LeaseLost | SqlError.SqlError, R>
    /**
     * Inside a transaction: fails with `LeaseLost` unless the lease is still this holder's, and keeps others from taking
     * it until the transaction ends.
     */
    readonly confirm: (lease: Lease) => Effect.Effect<void, LeaseLost | SqlError.SqlError>
    /** How many leases this process holds now. */
    readonly held: Effect.Effect<number>
  }
>()("gbrain/PageLease") {
  /** Leases in the open database, with one fiber that refreshes them for as long as the layer lives. */
  static readonly layer = Layer.effect(
    PageLease,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const self = yield* HostProcess
      const policy = yield* LeasePolicy
      const ttl = Duration.toSeconds(policy.ttl)
      const grace = Duration.toSeconds(policy.grace)
      const held = new Map<string, Held>()
      const here = yield* takenHere
      // Leases that could not be given back when their work was done, because the database was away.
      const unreleased = new Set<Lease>()

      const mine = sql`holder_pid = ${self.pid} and holder_host is not distinct from ${self.host}`
      const token = sql.literal("extract(epoch from acquired_at)::text")

      // One statement: insert, or take over what has expired or belonged to `deadPid`, else tell who has it. A takeover
      // moves acquired_at strictly forward, so that a token is never issued twice.
      const tryTake = (id: string, deadPid: number) => sql<Row>`
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
            or (lock.holder_host = ${self.host} and lock.holder_pid = ${deadPid})
          returning ${token} as token, holder_pid, holder_host, true as taken
        )
        select token, holder_pid, holder_host, taken from attempt
        union all
        select ${token}, holder_pid, holder_host, false from gbrain_cycle_locks
        where id = ${id} and not exists (select 1 from attempt)`

      const noDeadHolder = -1

      const heldBy = (id: string, pid: number, host: string) =>
        new LeaseHeld({
          id,
          holderPid: pid,
          holderHost: host,
          message: `${id} is being worked on by process ${pid} on ${host}`
        })

      const acquire = (id: string) =>
        Effect.suspend(() => {
          if (here.has(id)) return Effect.fail(heldBy(id, self.pid, self.host))
          here.add(id)
          return Effect.onExit(take(id), (exit) =>
            Effect.sync(() => {
              if (!Exit.isSuccess(exit)) here.delete(id)
            })
          )
        })

      const take = Effect.fnUntraced(function* (id: string) {
        let deadPid = noDeadHolder
        for (;;) {
          const [row] = yield* resilient(tryTake(id, deadPid))
          // The row vanished between the two halves of the statement: its holder has just released it.
          if (row === undefined) continue
          if (row.taken) {
            const lease: Held = { id, token: row.token, lost: yield* Deferred.make<never, LeaseLost>() }
            held.set(id, lease)
            return lease
          }
          // Our own row that no fiber of this process knows: it was taken, and the answer that said so was lost on the way.
          const forgotten = row.holder_pid === self.pid
          const abandoned = row.holder_host === self.host && (forgotten || !self.isAlive(row.holder_pid))
          if (abandoned && deadPid !== row.holder_pid) {
            deadPid = row.holder_pid
            continue
          }
          return yield* heldBy(id, row.holder_pid, row.holder_host ?? "an unknown host")
        }
      })

      const drop = (lease: Held) => {
        if (held.get(lease.id) !== lease) return
        held.delete(lease.id)
        here.delete(lease.id)
      }

      const giveBack = (leases: ReadonlyArray<Lease>) => sql`
        delete from gbrain_cycle_locks as lock
        using unnest(${leases.map((it) => it.id)}::text[], ${leases.map((it) => it.token)}::text[])
          as ours(lease_id, lease_token)
        where lock.id = ours.lease_id and ${mine} and ${token} = ours.lease_token`

      // Work that is done must not wait for a database that is away: the refresher tries again.
      const release = (lease: Held) =>
        Effect.suspend(() => {
          drop(lease)
          unreleased.add(lease)
          return giveBack([lease])
        }).pipe(
          Effect.tap(() => Effect.sync(() => unreleased.delete(lease))),
          Effect.interruptible,
          Effect.timeout(releaseTimeout),
          Effect.ignore
        )

      const releaseRest = Effect.suspend(() => {
        const leases = [...unreleased]
        return leases.length === 0
          ? Effect.void
          : Effect.map(giveBack(leases), () => leases.forEach((lease) => unreleased.delete(lease)))
      })
      yield* Effect.addFinalizer(() =>
        releaseRest.pipe(Effect.interruptible, Effect.timeout(releaseTimeout), Effect.ignore)
      )

      // Interrupted between the taking and the knowing of it: what may have been taken is given back.
      const abandon = (id: string) =>
        Effect.suspend(() =>
          here.has(id)
            ? Effect.void
            : Effect.asVoid(sql`delete from gbrain_cycle_locks where id = ${id} and ${mine}`)
        ).pipe(Effect.interruptible, Effect.timeout(releaseTimeout), Effect.ignore)

      const refresh = Effect.gen(function* () {
        const leases = [...held.values()]
        if (leases.length === 0) return
        const kept = yield* sql<{ readonly id: string }>`
          update gbrain_cycle_locks as lock set
            ttl_expires_at = now() + make_interval(secs => ${ttl}),
            last_refreshed_at = now()
          from unnest(${leases.map((it) => it.id)}::text[], ${leases.map((it) => it.token)}::text[])
            as ours(lease_id, lease_token)
          where lock.id = ours.lease_id and ${mine} and ${token} = ours.lease_token
          returning lock.id`
        const ids = new Set(kept.map((it) => it.id))
        for (const lease of leases) {
          // A lease released while the statement ran is gone for a good reason.
          if (ids.has(lease.id) || held.get(lease.id) !== lease) continue
          drop(lease)
          yield* Deferred.fail(lease.lost, lost(lease))
        }
      })

      // A refresh that fails is tried again at the next turn: with a TTL of six turns, a database that is away for a minute
      // costs nothing, and the fencing token guards the rest.
      yield* Effect.andThen(refresh, releaseRest).pipe(
        Effect.timeout(policy.refreshEvery),
        Effect.catchCause((cause) => Effect.logWarning("Leases could not be refreshed; trying again", cause)),
        Effect.schedule(Schedule.spaced(policy.refreshEvery)),
        Effect.forkScoped
      )

      return PageLease.of({
        withLease: (id, use) =>
          Effect.uninterruptibleMask((restore) =>
            Effect.flatMap(restore(acquire(id)).pipe(Effect.onInterrupt(() => abandon(id))), (lease) =>
              restore(Effect.raceFirst(use(lease), Deferred.await(lease.lost))).pipe(
                Effect.ensuring(release(lease))
              )
            )
          ),
        confirm: Effect.fnUntraced(function* (lease) {
          const rows = yield* sql`
            select 1 from gbrain_cycle_locks
            where id = ${lease.id} and ${mine} and ${token} = ${lease.token} for update`
          if (rows.length === 0) return yield* lost(lease)
        }),
        held: Effect.sync(() => held.size)
      })
    })
  )
}

// What one process, real or played in a test, has taken of one database. An embedded one has one client.
const takenHere = Effect.gen(function* () {
  const all = yield* TakenHere
  const database = yield* Database
  const { host, pid } = yield* HostProcess
  const key = database.kind === "postgres" ? database.label : database
  const ofDatabase = all.get(key) ?? new Set()
  all.set(key, ofDatabase)
  const name = (id: string) => `${host} ${pid} ${id}`
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      if (ofDatabase.size === 0) all.delete(key)
    })
  )
  return {
    has: (id: string) => ofDatabase.has(name(id)),
    add: (id: string) => ofDatabase.add(name(id)),
    delete: (id: string) => ofDatabase.delete(name(id))
  }
})

const lost = (lease: Lease) =>
  new LeaseLost({
    id: lease.id,
    message: `the lease ${lease.id} expired and was taken by another process; nothing was written for it`
  })
