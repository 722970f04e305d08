/**
 * One worker a page, across fibers, processes and machines. A lease is a row of `gbrain_cycle_locks`, in gbrain's own
 * format, so that gbrain and we respect each other's. It lives two minutes by the database's clock and is refreshed every
 * twenty seconds, one statement for all that this process holds.
 *
 * A lease alone does not make writing safe: a process can sleep through its expiry and wake up believing that it holds
 * it. So a lease carries a fencing token, and `confirm`, run inside the transaction that writes a page's outcome, fails
 * unless the row is still this holder's; the row stays locked until that transaction ends.
 */
import { Cause, Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Schedule, Schema } from "effect"
import type { SqlError } from "effect/sql"
import { Database, reasonOf } from "./Database.ts"
import { resilient } from "./database/Resilience.ts"
import { HostProcess } from "./HostProcess.ts"
import { joinCalls } from "./joinCalls.ts"
import { type Lease, LeasePolicy } from "./leases/LeasePolicy.ts"
import { type Attempt, LeaseStore } from "./leases/LeaseStore.ts"

export { type Lease, LeasePolicy } from "./leases/LeasePolicy.ts"

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
    /** The same for many: tells those that are lost. */
    readonly confirmEach: (
      leases: ReadonlyArray<Lease>
    ) => Effect.Effect<ReadonlyMap<Lease, LeaseLost>, SqlError.SqlError>
    /** How many leases this process holds now. */
    readonly held: Effect.Effect<number>
  }
>()("gbrain/PageLease") {
  /** Leases of a store, with one fiber that refreshes them for as long as the layer lives. */
  static readonly layerStore = Layer.effect(
    PageLease,
    Effect.gen(function* () {
      const store = yield* LeaseStore
      const self = yield* HostProcess
      const policy = yield* LeasePolicy
      const held = new Map<string, Held>()
      const here = yield* takenHere
      // Leases that could not be given back when their work was done, because the database was away.
      const unreleased = new Set<Lease>()

      const heldBy = (id: string, pid: number, host: string) =>
        new LeaseHeld({
          id,
          holderPid: pid,
          holderHost: host,
          message: `${id} is being worked on by process ${pid} on ${host}`
        })

      // A call that takes long goes on for others when one gives up: what it takes for nobody is given back.
      const takeFree = joinCalls({
        rowsAtMost: 64,
        run: (ids: ReadonlyArray<string>) =>
          Effect.tap(store.takeFree(ids), (tokens) =>
            Effect.sync(() => {
              for (const [id, token] of tokens) if (!here.has(id)) unreleased.add({ id, token })
            })
          )
      })

      // Those that nobody has are taken together; whoever meets a holder is on its own.
      const tryTake = Effect.fnUntraced(function* (id: string, deadPid: number | null) {
        const token = deadPid === null ? (yield* takeFree([id])).get(id) : undefined
        if (token === undefined) return yield* store.tryTake(id, deadPid)
        return { token, holderPid: self.pid, holderHost: self.host, taken: true }
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
        let deadPid: number | null = null
        for (;;) {
          const found: Attempt | undefined = yield* resilient(answered(tryTake(id, deadPid)))
          if (found === undefined) continue
          if (found.taken) {
            const lease: Held = { id, token: found.token, lost: yield* Deferred.make<never, LeaseLost>() }
            held.set(id, lease)
            return lease
          }
          // Our own row that no fiber of this process knows: it was taken, and the answer that said so was lost on the way.
          const forgotten = found.holderPid === self.pid
          const abandoned = found.holderHost === self.host && (forgotten || !self.isAlive(found.holderPid))
          if (abandoned && deadPid !== found.holderPid) {
            deadPid = found.holderPid
            continue
          }
          return yield* heldBy(id, found.holderPid, found.holderHost ?? "an unknown host")
        }
      })

      const drop = (lease: Held) => {
        if (held.get(lease.id) !== lease) return
        held.delete(lease.id)
        here.delete(lease.id)
      }

      const confirmEach = (leases: ReadonlyArray<Lease>) =>
        Effect.map(
          store.confirm(leases),
          (ours): ReadonlyMap<Lease, LeaseLost> =>
            new Map(leases.flatMap((lease) => (ours.has(lease) ? [] : [[lease, lost(lease)] as const])))
        )

      const giveBack = joinCalls({ run: store.giveBack, rowsAtMost: 64 })

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
          : Effect.map(store.giveBack(leases), () => leases.forEach((lease) => unreleased.delete(lease)))
      })
      yield* Effect.addFinalizer(() =>
        releaseRest.pipe(Effect.interruptible, Effect.timeout(releaseTimeout), Effect.ignore)
      )

      // Interrupted between the taking and the knowing of it: what may have been taken is given back.
      const abandon = (id: string) =>
        Effect.suspend(() => (here.has(id) ? Effect.void : store.abandon(id))).pipe(
          Effect.interruptible,
          Effect.timeout(releaseTimeout),
          Effect.ignore
        )

      const refresh = Effect.gen(function* () {
        const leases = [...held.values()]
        if (leases.length === 0) return
        const kept = yield* store.renew(leases)
        for (const lease of leases) {
          // A lease released while the statement ran is gone for a good reason.
          if (kept.has(lease.id) || held.get(lease.id) !== lease) continue
          drop(lease)
          yield* Deferred.fail(lease.lost, lost(lease))
        }
      })

      // A refresh that fails is tried again at the next turn: with a TTL of six turns, a database that is away for a minute
      // costs nothing, and the fencing token guards the rest.
      yield* Effect.andThen(refresh, releaseRest).pipe(
        Effect.timeout(policy.refreshEvery),
        Effect.catchCause((cause) =>
          Effect.logWarning(`Leases could not be refreshed, trying again: ${reasonOf(Cause.squash(cause))}`)
        ),
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
        confirm: (lease) =>
          Effect.flatMap(confirmEach([lease]), (gone) =>
            gone.has(lease) ? Effect.fail(lost(lease)) : Effect.void
          ),
        confirmEach,
        held: Effect.sync(() => held.size)
      })
    })
  )

  /** Leases in the open database. */
  static readonly layer = PageLease.layerStore.pipe(Layer.provide(LeaseStore.layer))
}

/**
 * A statement whose end is waited for even when nobody wants its answer any more: one that is given up may still be under way
 * at the server, and what undoes it on another connection would come before it.
 */
const answered = <A, E, R>(statement: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkChild(Effect.interruptible(statement)), (fiber) =>
      restore(Fiber.join(fiber)).pipe(
        Effect.onInterrupt(() =>
          Fiber.await(fiber).pipe(
            Effect.interruptible,
            Effect.timeout(releaseTimeout),
            Effect.ignore,
            Effect.andThen(Fiber.interrupt(fiber))
          )
        )
      )
    )
  )

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
