import { describe, expect, inject, it } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Fiber, Layer, Random } from "effect"
import { SqlClient } from "effect/sql"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { LeaseStore } from "../../src/services/leases/LeaseStore.ts"
import { onBothDatabases, postgresBrain } from "../support/brains.ts"

/** What happens: a worker takes its next step, or the lease's time runs out. */
type Event = number | "expire"

/** What a worker does with the one lease, in this order; without the lease it can only stand aside. */
const steps = ["take", "renew", "commit", "release"] as const

/** Every order in which workers can take their steps, with so many expiries anywhere in between. */
const interleavings = function* (
  workers: number,
  stepsEach: number,
  expiries: number
): Generator<Array<Event>> {
  const left = Array.from({ length: workers }, () => stepsEach)
  const story: Array<Event> = []
  const go = function* (expiriesLeft: number): Generator<Array<Event>> {
    if (expiriesLeft === 0 && left.every((count) => count === 0)) {
      yield [...story]
      return
    }
    for (const [worker, count] of left.entries()) {
      if (count === 0) continue
      left[worker] = count - 1
      story.push(worker)
      yield* go(expiriesLeft)
      story.pop()
      left[worker] = count
    }
    if (expiriesLeft > 0) {
      story.push("expire")
      yield* go(expiriesLeft - 1)
      story.pop()
    }
  }
  yield* go(expiries)
}

/** What a lease is, in as few words as can be. */
const makeModel = () => {
  let holder: number | undefined
  let expired = false
  const does = {
    take: (worker: number) => {
      if (holder !== undefined && !expired) return false
      holder = worker
      expired = false
      return true
    },
    // Nobody took it meanwhile: then it may have expired, and is as good as new.
    renew: (worker: number) => {
      if (holder !== worker) return false
      expired = false
      return true
    },
    commit: (worker: number) => holder === worker,
    release: (worker: number) => {
      if (holder !== worker) return false
      holder = undefined
      expired = false
      return true
    }
  }
  return {
    does,
    expire: () => {
      expired = holder !== undefined
    }
  }
}

describe("the model of leases", () => {
  it("of three workers lets nobody commit who was robbed, in any order of events", () => {
    let stories = 0
    for (const story of interleavings(3, 3, 2)) {
      stories++
      const model = makeModel()
      const at = [0, 0, 0]
      let lastTaker: number | undefined
      for (const event of story) {
        if (event === "expire") {
          model.expire()
          continue
        }
        const step = (["take", "commit", "release"] as const)[at[event] ?? 0]
        at[event] = (at[event] ?? 0) + 1
        if (step === undefined) continue
        const done = model.does[step](event)
        if (step === "take" && done) lastTaker = event
        if (step === "commit" && done) expect(lastTaker).toBe(event)
      }
    }
    expect(stories).toBe(92_400)
  })
})

const storeOf = (pid: number) =>
  Effect.map(
    Layer.build(
      Layer.fresh(LeaseStore.layer).pipe(
        Layer.provide(Layer.succeed(HostProcess, { pid, host: "here", isAlive: () => true }))
      )
    ),
    (built) => Context.get(built, LeaseStore)
  )

onBothDatabases("LeaseStore", (brain) => {
  it.live("does what the model does, in every order of what two workers do and two expiries", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const stores = [yield* storeOf(1), yield* storeOf(2)]
      let stories = 0
      for (const story of interleavings(2, steps.length, 2)) {
        const id = `story ${stories++}`
        const model = makeModel()
        const at = [0, 0]
        const tokens = ["", ""]
        for (const event of story) {
          if (event === "expire") {
            model.expire()
            yield* sql`update gbrain_cycle_locks set ttl_expires_at = now() - interval '2 minutes',
              last_refreshed_at = now() - interval '4 minutes' where id = ${id}`
            continue
          }
          const step = steps[at[event] ?? 0]
          const store = stores[event]
          at[event] = (at[event] ?? 0) + 1
          if (step === undefined || store === undefined) continue
          const lease = { id, token: tokens[event] ?? "" }
          const expected = model.does[step](event)
          let really = expected
          switch (step) {
            case "take": {
              const attempt = yield* store.tryTake(id, null)
              really = attempt?.taken ?? false
              if (attempt?.taken === true) tokens[event] = attempt.token
              break
            }
            case "renew":
              really = (yield* store.renew([lease])).has(id)
              break
            case "commit":
              really = (yield* store.confirm([lease])).has(lease)
              break
            case "release":
              yield* store.giveBack([lease])
          }
          if (really !== expected)
            expect({ story, event, step, really }).toEqual({ story, event, step, really: expected })
        }
        const rows = yield* sql`select 1 from gbrain_cycle_locks where id = ${id}`
        // Whoever was never robbed has given it back; who was robbed has left the robber's row alone.
        expect({ story, rows: rows.length }).toEqual({ story, rows: model.does.take(99) ? 0 : 1 })
      }
      expect(stories).toBe(3_150)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("takes together those that are free; what is known by another token is not ours", () =>
    Effect.gen(function* () {
      const ours = yield* storeOf(1)
      const theirs = yield* storeOf(2)
      const theirToken = (yield* theirs.tryTake("many b", null))?.token ?? ""
      const ids = ["many c", "many b", "many a", "many c"]
      const tokens = yield* ours.takeFree(ids)
      expect([...tokens.keys()].sort()).toEqual(["many a", "many c"])
      const leases = [...tokens].map(([id, token]) => ({ id, token }))
      const others = [
        { id: "many a", token: "0" },
        { id: "many b", token: theirToken }
      ]
      expect(yield* ours.confirm([...leases, ...others])).toEqual(new Set(leases))
      expect(yield* theirs.confirm([...leases, ...others])).toEqual(new Set(others.slice(1)))
      expect((yield* ours.takeFree(ids)).size).toBe(0)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("what was taken longer ago than told is neither taken over nor abandoned", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const store = yield* storeOf(1)
      for (const id of ["old", "new"]) yield* store.tryTake(id, null)
      yield* sql`update gbrain_cycle_locks set acquired_at = acquired_at - interval '1 minute' where id = 'old'`
      const within = Duration.seconds(30)
      expect(yield* store.tryTake("old", 1, within)).toMatchObject({ taken: false, holderPid: 1 })
      expect(yield* store.tryTake("new", 1, within)).toMatchObject({ taken: true })
      yield* Effect.forEach(["old", "new"], (id) => store.abandon(id, within))
      expect(yield* sql`select id from gbrain_cycle_locks where id in ('old', 'new')`).toEqual([
        { id: "old" }
      ])
      yield* store.abandon("old", Duration.hours(1))
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live(
    "who takes, renews, confirms and gives back the same leases in any order never waits in a circle",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const ids = Array.from({ length: 24 }, (_, index) => `circle ${index}`)
        const work = Effect.fnUntraced(function* (pid: number) {
          const store = yield* storeOf(pid)
          for (let round = 0; round < 25; round++) {
            const tokens = yield* store.takeFree(yield* Random.shuffle(ids))
            const taken = [...tokens].map(([id, token]) => ({ id, token }))
            const shuffled = () => Random.shuffle(taken)
            yield* Effect.all(
              [
                Effect.flatMap(shuffled(), store.renew),
                Effect.flatMap(shuffled(), (leases) => sql.withTransaction(store.confirm(leases))),
                Effect.flatMap(shuffled(), (leases) => store.giveBack(leases.slice(0, 12))),
                Effect.flatMap(shuffled(), store.renew)
              ],
              { concurrency: "unbounded" }
            )
            yield* Effect.flatMap(shuffled(), store.giveBack)
          }
        })
        // PostgreSQL ends one of those that wait in a circle with an error.
        yield* Effect.forEach([1, 2, 3], work, { concurrency: "unbounded", discard: true })
        expect(yield* sql`select id from gbrain_cycle_locks where id like 'circle %'`).toEqual([])
      }).pipe(Random.withSeed("circles"), Effect.scoped, Effect.provide(brain))
  )
})

it.live.skipIf(inject("noPostgres") !== "")(
  "whoever writes on the strength of a lease holds nobody up who takes others together with it",
  () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const theirs = yield* storeOf(2)
      const token = (yield* theirs.tryTake("held", null))?.token ?? ""
      const [writing, done] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const writer = yield* theirs
        .confirm([{ id: "held", token }])
        .pipe(
          Effect.andThen(Deferred.succeed(writing, undefined)),
          Effect.andThen(Deferred.await(done)),
          sql.withTransaction,
          Effect.forkChild
        )
      yield* Deferred.await(writing)
      const ours = yield* storeOf(1)
      expect([...(yield* ours.takeFree(["held", "free"])).keys()]).toEqual(["free"])
      yield* Deferred.succeed(done, undefined)
      yield* Fiber.join(writer)
    }).pipe(Effect.scoped, Effect.provide(postgresBrain))
)

it.live.skipIf(inject("noPostgres") !== "")(
  "renewing passes over what somebody has locked, which is not lost for that, and renews the others",
  () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ours = yield* storeOf(1)
      const tokens = yield* ours.takeFree(["committed", "just being taken", "free", "given back"])
      const leases = [...tokens].map(([id, token]) => ({ id, token }))
      yield* ours.giveBack(leases.filter(({ id }) => id === "given back"))
      yield* sql`update gbrain_cycle_locks set last_refreshed_at = now() - interval '1 minute'`
      const [locked, done] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const locks = yield* ours.confirm(leases.filter(({ id }) => id === "committed")).pipe(
        Effect.andThen(sql`update gbrain_cycle_locks set holder_pid = 2, acquired_at = acquired_at + interval '1 second'
          where id = 'just being taken'`),
        Effect.andThen(Deferred.succeed(locked, undefined)),
        Effect.andThen(Deferred.await(done)),
        sql.withTransaction,
        Effect.forkChild
      )
      yield* Deferred.await(locked)
      expect(yield* ours.renew(leases)).toEqual(new Set(["committed", "just being taken", "free"]))
      const renewed = sql`
        select id from gbrain_cycle_locks where last_refreshed_at > now() - interval '30 seconds' order by id`
      expect(yield* renewed).toEqual([{ id: "free" }])
      yield* Deferred.succeed(done, undefined)
      yield* Fiber.join(locks)
      expect(yield* ours.renew(leases)).toEqual(new Set(["committed", "free"]))
      expect(yield* renewed).toEqual([{ id: "committed" }, { id: "free" }])
    }).pipe(Effect.scoped, Effect.provide(postgresBrain))
)
