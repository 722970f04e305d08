/**
 * One worker a page, across fibers, processes and machines. A lease is a row of `gbrain_cycle_locks`, in gbrain's own
 * format, so that gbrain and we respect each other's. It lives two minutes by the database's clock. Every twenty seconds one
 * statement refreshes all that this process holds, but for those that somebody has locked just then: their turn is the next.
 *
 * A lease alone does not make writing safe: a process can sleep through its expiry and wake up believing that it holds
 * it. So a lease carries a fencing token, and `confirm`, run inside the transaction that writes a page's outcome, fails
 * unless the row is still this holder's; the row stays locked until that transaction ends.
 */
import { Cause, Clock, Context, Deferred, Duration, Effect, Exit, Layer, Schedule, Schema } from "effect"
import type { SqlError } from "effect/sql"
import { reasonOf } from "./Database.ts"
import { resilient } from "./database/Resilience.ts"
import { HostProcess } from "./HostProcess.ts"
import { joinCalls } from "./joinCalls.ts"
import { answered, releaseTimeout } from "./leases/answered.ts"
import { type Lease, LeasePolicy } from "./leases/LeasePolicy.ts"
import { type Attempt, LeaseStore } from "./leases/LeaseStore.ts"
import { takenHere } from "./leases/takenHere.ts"

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

/**
 * How much longer than we a row may say that it is there, which was made when we asked for it: what we ask about it may be as long on its
 * way, and clocks do not run alike.
 */
const inexactness = Duration.seconds(5)

interface Held extends Lease {
  readonly lost: Deferred.Deferred<never, LeaseLost>
}

/** Taking a lease that has not expired: from which process of this host, and how long ago that took it at most. */
interface Taking {
  readonly pid: number
  readonly within: Duration.Duration | undefined
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

const nameOf = ({ id, token }: Lease): string => `${token} ${id}`

const timeSince = (moment: number) =>
  Effect.map(Clock.currentTimeMillis, (now) =>
    Duration.sum(Duration.millis(Math.max(now - moment, 0)), inexactness)
  )

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
      // Taken, and nobody works under them: just taken, or not to be given back when their work was done, because the database was away.
      const loose = new Map<string, Lease>()
      // Ids of attempts whose end nobody heard of, each with the time of the first: a row may have been made by one.
      const unheard = new Map<string, number>()

      const heldBy = (id: string, pid: number, host: string) =>
        new LeaseHeld({
          id,
          holderPid: pid,
          holderHost: host,
          message: `${id} is being worked on by process ${pid} on ${host}`
        })

      // What an attempt takes is noted whatever becomes of whoever made it, and so is that nobody knows whether it took anything.
      const noting = <A, E, R>(
        ids: ReadonlyArray<string>,
        attempt: Effect.Effect<A, E, R>,
        takenBy: (answer: A) => Iterable<readonly [id: string, token: string]>
      ) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.onExit(attempt, (exit) =>
            Effect.sync(() => {
              if (Exit.isSuccess(exit)) {
                for (const [id, token] of takenBy(exit.value)) loose.set(nameOf({ id, token }), { id, token })
              } else {
                for (const id of ids) if (!unheard.has(id)) unheard.set(id, now)
              }
            })
          )
        )

      const takeFree = joinCalls({
        rowsAtMost: 64,
        run: (ids: ReadonlyArray<string>) => noting(ids, store.takeFree(ids), (tokens) => tokens)
      })

      // Those that nobody has are taken together; whoever meets a holder is on its own.
      const tryTake = Effect.fnUntraced(function* (id: string, from?: Taking) {
        const token = from === undefined ? (yield* takeFree([id])).get(id) : undefined
        if (token !== undefined) return { token, holderPid: self.pid, holderHost: self.host, taken: true }
        return yield* noting(
          [id],
          store.tryTake(id, from?.pid ?? null, from?.within),
          (found): ReadonlyArray<readonly [string, string]> =>
            found?.taken === true ? [[id, found.token]] : []
        )
      })

      // Runs where nothing interrupts but what is waited for: what was taken is held, or undone.
      const acquire = (id: string, restore: Restore) =>
        Effect.suspend(() => {
          if (here.has(id)) return Effect.fail(heldBy(id, self.pid, self.host))
          here.add(id)
          return take(id, restore).pipe(
            Effect.onInterrupt(() => undo(id)),
            Effect.onExit((exit) =>
              Effect.sync(() => {
                if (!Exit.isSuccess(exit)) here.delete(id)
              })
            )
          )
        })

      const take = Effect.fnUntraced(function* (id: string, restore: Restore) {
        let from: Taking | undefined
        for (;;) {
          const found: Attempt | undefined = yield* restore(resilient(answered(tryTake(id, from))))
          if (found === undefined) continue
          if (found.taken) {
            const lease: Held = { id, token: found.token, lost: yield* Deferred.make<never, LeaseLost>() }
            loose.delete(nameOf(lease))
            unheard.delete(id)
            held.set(id, lease)
            return lease
          }
          const left = loose.get(nameOf({ id, token: found.token }))
          if (left !== undefined) {
            yield* restore(resilient(giveBack([left])))
            loose.delete(nameOf(left))
            continue
          }
          const next = yield* mayTakeFrom(id, found)
          if (next !== undefined && from?.pid !== next.pid) {
            from = next
            continue
          }
          unheard.delete(id)
          return yield* heldBy(id, found.holderPid, found.holderHost ?? "an unknown host")
        }
      })

      /**
       * Whom a lease can be taken from although it has not expired. A row that is signed as we sign need not be ours: two containers that
       * share a host name may both have a process 1. It is, when we asked for it and never heard, and it was made after that.
       */
      const mayTakeFrom = Effect.fnUntraced(function* (id: string, { holderHost, holderPid: pid }: Attempt) {
        if (holderHost !== self.host) return undefined
        if (pid !== self.pid)
          return self.isAlive(pid) ? undefined : ({ pid, within: undefined } satisfies Taking)
        const asked = unheard.get(id)
        return asked === undefined ? undefined : ({ pid, within: yield* timeSince(asked) } satisfies Taking)
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

      const giveBackLoose = (leases: ReadonlyArray<Lease>) =>
        leases.length === 0
          ? Effect.void
          : Effect.map(giveBack(leases), () => leases.forEach((lease) => loose.delete(nameOf(lease))))

      // Work that is done must not wait for a database that is away: the refresher tries again.
      const release = (lease: Held) =>
        Effect.suspend(() => {
          drop(lease)
          loose.set(nameOf(lease), lease)
          return giveBackLoose([lease])
        }).pipe(Effect.interruptible, Effect.timeout(releaseTimeout), Effect.ignore)

      // But for those that somebody is just taking.
      const releaseRest = Effect.suspend(() =>
        giveBackLoose([...loose.values()].filter(({ id }) => !here.has(id)))
      )
      yield* Effect.addFinalizer(() =>
        releaseRest.pipe(Effect.interruptible, Effect.timeout(releaseTimeout), Effect.ignore)
      )

      // What was taken, or may have been, for somebody who was interrupted before it was his.
      const undo = (id: string) =>
        Effect.gen(function* () {
          yield* giveBackLoose([...loose.values()].filter((lease) => lease.id === id))
          const asked = unheard.get(id)
          if (asked === undefined) return
          yield* store.abandon(id, yield* timeSince(asked))
          unheard.delete(id)
        }).pipe(Effect.interruptible, Effect.timeout(releaseTimeout), Effect.ignore)

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
            Effect.flatMap(acquire(id, restore), (lease) =>
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

const lost = (lease: Lease) =>
  new LeaseLost({
    id: lease.id,
    message: `the lease ${lease.id} expired and was taken by another process; nothing was written for it`
  })
