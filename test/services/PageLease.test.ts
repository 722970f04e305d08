import { expect, it } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Scheduler } from "effect"
import { PgTypes } from "@effect/sql-pg"
import { SqlClient, SqlError } from "effect/sql"
import { TestClock } from "effect/testing"
import { Database } from "../../src/services/Database.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { LeaseStore } from "../../src/services/leases/LeaseStore.ts"
import { LeasePolicy, PageLease } from "../../src/services/PageLease.ts"
import { onBothDatabases } from "../support/brains.ts"

const connectionLost = new SqlError.SqlError({
  reason: new SqlError.ConnectionError({ cause: new Error("the connection was closed") })
})

/** Another process: on this host unless told otherwise, alive unless told otherwise. */
const processAs = (
  pid: number,
  options: { readonly host?: string; readonly dead?: ReadonlyArray<number> } = {}
) =>
  Layer.fresh(PageLease.layer).pipe(
    Layer.provide(
      Layer.succeed(
        HostProcess,
        HostProcess.of({
          pid,
          host: options.host ?? "here",
          isAlive: (other) => !(options.dead ?? []).includes(other)
        })
      )
    ),
    Layer.provide(
      Layer.succeed(LeasePolicy, {
        ttl: Duration.minutes(2),
        refreshEvery: Duration.millis(250),
        grace: Duration.minutes(1)
      })
    )
  )

onBothDatabases("PageLease", (brain) => {
  const test = <A, E>(name: string, body: Effect.Effect<A, E, Layer.Success<typeof brain>>) =>
    it.live(name, () => body.pipe(Effect.asVoid, Effect.provide(brain)))

  const leases = (layer: ReturnType<typeof processAs>) =>
    Effect.map(Layer.build(layer), (built) => Context.get(built, PageLease))

  test(
    "a lease is a row in gbrain's own form while it is held, and gone afterwards",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ours = yield* leases(processAs(11))
      const rows = yield* ours.withLease(
        "page",
        () => sql`
        select id, holder_pid, holder_host, ttl_expires_at - last_refreshed_at between interval '119 seconds' and interval '121 seconds' as ttl,
          acquired_at <= last_refreshed_at as ordered from gbrain_cycle_locks`
      )
      expect(rows).toEqual([{ id: "page", holder_pid: 11, holder_host: "here", ttl: true, ordered: true }])
      expect(yield* sql`select 1 from gbrain_cycle_locks`).toEqual([])
      expect(yield* ours.held).toBe(0)
    }).pipe(Effect.scoped)
  )

  test(
    "what another process holds is refused at once, by name, and so is gbrain's own lock",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ours = yield* leases(processAs(11))
      const theirs = yield* leases(processAs(22))
      const error = yield* ours.withLease("page", () =>
        Effect.flip(theirs.withLease("page", () => Effect.void))
      )
      expect(error).toMatchObject({ _tag: "LeaseHeld", holderPid: 11, holderHost: "here" })
      yield* sql`insert into gbrain_cycle_locks (id, holder_pid, holder_host, ttl_expires_at)
        values ('gbrains', 99, 'elsewhere', now() + interval '1 minute')`
      expect(yield* Effect.flip(ours.withLease("gbrains", () => Effect.void))).toMatchObject({
        holderPid: 99
      })
    }).pipe(Effect.scoped)
  )

  test(
    "an expired lease is taken over, but not within the grace after its last refresh; that of a dead process at once",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ours = yield* leases(processAs(11, { dead: [33] }))
      const put = (id: string, pid: number, host: string, expired: string, refreshed: string) => sql`
        insert into gbrain_cycle_locks (id, holder_pid, holder_host, ttl_expires_at, last_refreshed_at)
        values (${id}, ${pid}, ${host}, now() - ${expired}::interval, now() - ${refreshed}::interval)`
      yield* put("expired", 44, "elsewhere", "1 minute", "3 minutes")
      yield* put("in grace", 44, "elsewhere", "1 second", "30 seconds")
      yield* put("of the dead", 33, "here", "-1 minute", "1 second")
      yield* put("same pid elsewhere", 33, "elsewhere", "-1 minute", "1 second")
      expect(yield* ours.withLease("expired", () => Effect.succeed("taken"))).toBe("taken")
      expect(yield* ours.withLease("of the dead", () => Effect.succeed("taken"))).toBe("taken")
      expect(yield* Effect.flip(ours.withLease("in grace", () => Effect.void))).toMatchObject({
        _tag: "LeaseHeld"
      })
      expect(yield* Effect.flip(ours.withLease("same pid elsewhere", () => Effect.void))).toMatchObject({
        _tag: "LeaseHeld"
      })
    }).pipe(Effect.scoped)
  )

  test(
    "B15: a lease that was stolen interrupts its work, and confirms nothing any more; the thief's row stays",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ours = yield* leases(processAs(11))
      const interrupted = yield* Deferred.make<boolean>()
      const started = yield* Deferred.make<void>()
      const work = yield* Effect.forkChild(
        Effect.flip(
          ours.withLease("page", (lease) =>
            Effect.gen(function* () {
              yield* sql.withTransaction(ours.confirm(lease))
              yield* sql`update gbrain_cycle_locks set holder_pid = 22, acquired_at = acquired_at + interval '1 second'`
              expect(yield* Effect.flip(sql.withTransaction(ours.confirm(lease)))).toMatchObject({
                _tag: "LeaseLost"
              })
              yield* Deferred.succeed(started, undefined)
              return yield* Effect.never
            }).pipe(Effect.onInterrupt(() => Deferred.succeed(interrupted, true)))
          )
        )
      )
      yield* Deferred.await(started)
      expect(yield* Fiber.join(work)).toMatchObject({ _tag: "LeaseLost" })
      expect(yield* Deferred.await(interrupted)).toBe(true)
      expect(yield* sql`select holder_pid from gbrain_cycle_locks`).toEqual([{ holder_pid: 22 }])
    }).pipe(Effect.scoped)
  )

  test(
    "a live lease that is signed as this process signs, as by process 1 of another container, is left alone",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into gbrain_cycle_locks (id, holder_pid, holder_host, ttl_expires_at, last_refreshed_at)
        values ('page', 1, 'worker', now() + interval '1 minute', now())`
      const ours = yield* leases(processAs(1, { host: "worker" }))
      const refused = { _tag: "LeaseHeld", holderPid: 1, holderHost: "worker" }
      expect(yield* Effect.flip(ours.withLease("page", () => Effect.void))).toMatchObject(refused)
      // Nor is it given back for whoever is interrupted while he asks for it.
      const asking = yield* Effect.forkChild(Effect.exit(ours.withLease("page", () => Effect.void)))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(asking)
      expect(yield* sql`select holder_pid from gbrain_cycle_locks`).toEqual([{ holder_pid: 1 }])
    }).pipe(Effect.scoped)
  )

  test(
    "a lease that was taken, and the answer lost on the way, is ours at the next attempt; what was there before is not",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const store = yield* LeaseStore
      yield* sql`insert into gbrain_cycle_locks (id, holder_pid, holder_host, acquired_at, ttl_expires_at, last_refreshed_at)
        values ('theirs', 11, 'here', now() - interval '1 minute', now() + interval '1 minute', now())`
      // The first answer of each kind is lost; for the second attempt the database is there.
      let lose = 2
      const losing = <A, E>(answer: Effect.Effect<A, E>) =>
        Effect.flatMap(answer, (found) => (lose-- > 0 ? Effect.fail(connectionLost) : Effect.succeed(found)))
      const layer = PageLease.layerStore.pipe(
        Layer.provide(
          Layer.succeed(LeaseStore, {
            ...store,
            takeFree: (ids) => losing(store.takeFree(ids)),
            tryTake: (...asked) => losing(store.tryTake(...asked))
          })
        ),
        Layer.provide(Layer.succeed(HostProcess, { pid: 11, host: "here", isAlive: () => true }))
      )
      const ours = Context.get(yield* Layer.build(layer), PageLease)
      expect(yield* ours.withLease("page", () => Effect.succeed("taken"))).toBe("taken")
      lose = 1
      expect(yield* Effect.flip(ours.withLease("theirs", () => Effect.void))).toMatchObject({
        _tag: "LeaseHeld"
      })
      expect(yield* sql`select id from gbrain_cycle_locks`).toEqual([{ id: "theirs" }])
    }).pipe(
      Effect.scoped,
      Effect.provide(
        LeaseStore.layer.pipe(
          Layer.provide(Layer.succeed(HostProcess, { pid: 11, host: "here", isAlive: () => true }))
        )
      )
    )
  )

  test(
    "all leases of a process are refreshed by one statement",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ours = yield* leases(processAs(11))
      const ids = Array.from({ length: 300 }, (_, index) => `page ${index}`)
      const release = yield* Deferred.make<void>()
      const work = yield* Effect.forkChild(
        Effect.forEach(ids, (id) => ours.withLease(id, () => Deferred.await(release)), {
          concurrency: "unbounded"
        })
      )
      const moments = sql<{ readonly moments: number; readonly held: number }>`
        select count(distinct last_refreshed_at)::int as moments, count(*)::int as held from gbrain_cycle_locks`
      // Taken at three hundred moments, refreshed together.
      yield* Effect.repeat(Effect.delay(moments, "5 millis"), {
        until: ([row]) => row?.held === 300 && row.moments < 300
      })
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(work)
      expect(yield* ours.held).toBe(0)
    }).pipe(Effect.scoped)
  )

  test(
    "interruption gives the lease back",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ours = yield* leases(processAs(11))
      const started = yield* Deferred.make<void>()
      const work = yield* Effect.forkChild(
        ours.withLease("page", () => Effect.andThen(Deferred.succeed(started, undefined), Effect.never))
      )
      yield* Deferred.await(started)
      yield* Fiber.interrupt(work)
      expect(yield* sql`select 1 from gbrain_cycle_locks`).toEqual([])
    }).pipe(Effect.scoped)
  )
})

const processOne = Layer.mergeAll(
  Layer.succeed(HostProcess, { pid: 1, host: "here", isAlive: () => true }),
  Layer.succeed(Database, { kind: "postgres", label: "slow", types: PgTypes.makeRegistry() })
)

/** Lets a fiber go so many steps and interrupts it there; all other fibers run as ever. */
class Interrupting implements Scheduler.Scheduler {
  readonly executionMode = "async"
  readonly #others = new Scheduler.MixedScheduler()
  #left: number
  target: Fiber.Fiber<unknown, unknown> | undefined
  constructor(steps: number) {
    this.#left = steps
  }
  makeDispatcher() {
    return this.#others.makeDispatcher()
  }
  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    if (fiber !== this.target) return this.#others.shouldYield(fiber)
    this.#left--
    if (this.#left !== 0) return false
    // After it has given way, and before it goes on.
    queueMicrotask(() => fiber.interruptUnsafe())
    return true
  }
}

it.effect("an interruption between any two steps leaves nothing taken, in the database or here", () => {
  const rows = new Map<string, string>()
  let tokens = 0
  const take = (id: string) => {
    const token = String(++tokens)
    rows.set(id, token)
    return token
  }
  const store = Layer.mock(LeaseStore)({
    takeFree: (ids) =>
      Effect.andThen(
        Effect.yieldNow,
        Effect.sync(() => new Map(ids.filter((id) => id !== "expired").map((id) => [id, take(id)])))
      ),
    tryTake: (id) => Effect.sync(() => ({ token: take(id), holderPid: 1, holderHost: "here", taken: true })),
    abandon: (id) => Effect.sync(() => void rows.delete(id)),
    giveBack: (leases) =>
      Effect.sync(() => {
        for (const { id, token } of leases) if (rows.get(id) === token) rows.delete(id)
      }),
    renew: (leases) => Effect.succeed(new Set(leases.map(({ id }) => id)))
  })
  return Effect.gen(function* () {
    const leases = yield* PageLease
    for (const id of ["free", "expired"]) {
      for (let step = 1; ; step++) {
        const scheduler = new Interrupting(step)
        const work = Effect.andThen(
          Effect.yieldNow,
          leases.withLease(id, () => Effect.yieldNow)
        )
        const fiber = yield* Effect.forkChild(Effect.provideService(work, Scheduler.Scheduler, scheduler))
        scheduler.target = fiber
        const exit = yield* Fiber.await(fiber)
        expect([step, yield* leases.held, [...rows.keys()]]).toEqual([step, 0, []])
        // Nor is it remembered as taken.
        yield* leases.withLease(id, () => Effect.void)
        if (Exit.isSuccess(exit)) break
      }
    }
  }).pipe(Effect.provide(PageLease.layerStore.pipe(Layer.provide(store), Layer.provide(processOne))))
})

it.effect("a lease that is taken after whoever asked for it has given up is given back", () => {
  const rows = new Map<string, string>()
  // Taking takes a minute, and the patience of whoever is interrupted five seconds.
  const store = Layer.mock(LeaseStore)({
    takeFree: (ids) =>
      Effect.delay(
        Effect.sync(() => {
          for (const id of ids) rows.set(id, `token of ${id}`)
          return new Map(ids.map((id) => [id, `token of ${id}`]))
        }),
        "1 minute"
      ),
    abandon: (id) => Effect.sync(() => void rows.delete(id)),
    giveBack: (leases) => Effect.sync(() => leases.forEach(({ id }) => rows.delete(id))),
    renew: (leases) => Effect.succeed(new Set(leases.map(({ id }) => id)))
  })
  const layer = PageLease.layerStore.pipe(Layer.provide(store), Layer.provide(processOne))
  return Effect.gen(function* () {
    const leases = yield* PageLease
    const [, wanted, unwanted] = yield* Effect.forEach(["first", "wanted", "unwanted"], (id) =>
      Effect.forkChild(leases.withLease(id, () => Effect.never))
    )
    if (wanted === undefined || unwanted === undefined) return
    yield* TestClock.adjust("1 second")
    const gone = yield* Effect.forkChild(Fiber.interrupt(unwanted))
    yield* TestClock.adjust("10 seconds")
    expect(gone.pollUnsafe()).toEqual(Exit.void)
    yield* TestClock.adjust("2 minutes")
    expect([...rows.keys()].sort()).toEqual(["first", "wanted"])
    expect(yield* leases.held).toBe(2)
  }).pipe(Effect.provide(layer))
})
