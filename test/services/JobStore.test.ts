import { expect } from "@effect/vitest"
import { Context, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../src/domain/Money.ts"
import { type ProgressSnapshot, toEvent } from "../../src/domain/ProgressSnapshot.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { JobStore, type NewJob } from "../../src/services/JobStore.ts"
import { onBothDatabases } from "../support/brains.ts"
import { testsOn } from "../support/testsOn.ts"

const five = Money.parseUsd("5")

const newJob = (asking: string): NewJob => ({
  command: "extract-conversation-facts",
  sourceId: Option.none(),
  asked: { force: false },
  asking,
  workers: "20"
})

const snapshot: ProgressSnapshot = {
  command: "extract-conversation-facts",
  stage: Option.some("making an index"),
  unit: "pages",
  total: Option.some(12),
  done: 5,
  failed: 1,
  skipped: 2,
  heldElsewhere: 0,
  segments: 9,
  inFlight: 3,
  workers: 20,
  adaptive: false,
  spent: Option.getOrThrow(Money.parseUsd("0.25")),
  cap: five,
  retries: 1,
  rateLimited: 0,
  elapsedMs: 1200,
  etaMs: Option.none()
}

onBothDatabases("JobStore", (brain) => {
  const test = testsOn(brain)

  /** The store as a process of its own sees it. */
  const storeOf = (pid: number) =>
    Effect.map(
      Layer.build(
        Layer.fresh(JobStore.layer).pipe(
          Layer.provide(Layer.succeed(HostProcess, HostProcess.of({ pid, host: "h", isAlive: () => true })))
        )
      ),
      (built) => Context.get(built, JobStore)
    )

  const added = (store: JobStore["Service"], asking: string) =>
    Effect.map(store.add([newJob(asking)], five), ([first]) => {
      if (first === undefined) throw new Error("no job")
      return first
    })

  const taken = (store: JobStore["Service"], id: number) =>
    Effect.flatMap(store.take(id), Effect.fromOption).pipe(Effect.orDie)

  test("a job asked for twice is one while it is alive, and another once it has ended (B12)", () =>
    Effect.gen(function* () {
      const store = yield* storeOf(1)
      const first = yield* added(store, "a")
      expect(first).toMatchObject({ created: true, job: { status: "waiting", workers: "20", cap_usd: 5 } })
      expect(yield* added(store, "a")).toMatchObject({ created: false, job: { id: first.job.id } })
      const job = yield* taken(store, first.job.id)
      expect(yield* added(store, "a")).toMatchObject({ created: false, job: { status: "running" } })
      yield* store.end(job, { status: "completed", report: { pages: 3 }, error: null })
      const second = yield* added(store, "a")
      expect(second.created).toBe(true)
      expect(second.job.id).not.toBe(first.job.id)
      expect((yield* store.list({ alive: true, limit: 10 })).map(({ id }) => id)).toEqual([second.job.id])
      expect((yield* store.list({ alive: false, limit: 10 })).map(({ id }) => id)).toEqual([
        second.job.id,
        first.job.id
      ])
    }))

  test("the jobs of one submission share a purse, those of another have their own", () =>
    Effect.gen(function* () {
      const store = yield* storeOf(1)
      const both = yield* store.add([newJob("a"), newJob("b")], five)
      const third = yield* added(store, "c")
      const jobs = yield* Effect.forEach([...both, third], ({ job }) => taken(store, job.id))
      const purses = jobs.map(({ purse }) => Option.getOrThrow(purse))
      expect(purses.map(({ cap }) => cap)).toEqual(Array.from({ length: 3 }, () => Option.getOrThrow(five)))
      expect(purses[0]?.name).toBe(purses[1]?.name)
      expect(purses[2]?.name).not.toBe(purses[0]?.name)
    }))

  test("who was asleep while another took the job over writes nothing more", () =>
    Effect.gen(function* () {
      const sleeper = yield* storeOf(1)
      const other = yield* storeOf(2)
      const { job } = yield* added(sleeper, "a")
      const asleep = yield* taken(sleeper, job.id)
      expect(yield* sleeper.tell(asleep, toEvent(snapshot))).toBe("go on")
      const awake = yield* taken(other, job.id)
      expect(awake.deaths).toBe(0)
      expect(yield* sleeper.tell(asleep, toEvent(snapshot))).toBe("taken over")
      expect(yield* sleeper.end(asleep, { status: "failed", report: null, error: "late" })).toBe(false)
      expect(yield* sleeper.giveBack(asleep)).toBe(false)
      expect(Option.getOrThrow(yield* other.get(job.id))).toMatchObject({
        status: "running",
        pid: 2,
        error: null,
        progress: null
      })
      expect(yield* other.tell(awake, toEvent(snapshot))).toBe("go on")
    }))

  test("a job that is given back, or taken up again by the same process, has killed nobody", () =>
    Effect.gen(function* () {
      const one = yield* storeOf(1)
      const two = yield* storeOf(2)
      const { job } = yield* added(one, "a")
      yield* one.giveBack(yield* taken(one, job.id))
      expect(Option.getOrThrow(yield* one.get(job.id)).status).toBe("waiting")
      expect((yield* taken(two, job.id)).deaths).toBe(0)
      expect((yield* taken(two, job.id)).deaths).toBe(0)
    }))

  test("a job that waits is cancelled at once; one that runs is asked; one that has ended stays as it is", () =>
    Effect.gen(function* () {
      const store = yield* storeOf(1)
      const waiting = yield* added(store, "a")
      expect(Option.getOrThrow(yield* store.askToCancel(waiting.job.id)).status).toBe("cancelled")
      expect(yield* store.take(waiting.job.id)).toEqual(Option.none())
      const running = yield* added(store, "b")
      const job = yield* taken(store, running.job.id)
      expect(Option.getOrThrow(yield* store.askToCancel(running.job.id))).toMatchObject({
        status: "running",
        cancel_asked: true
      })
      expect(yield* store.tell(job, toEvent(snapshot))).toBe("cancel")
      yield* store.end(job, { status: "cancelled", report: null, error: null })
      expect(yield* store.askToCancel(running.job.id)).toEqual(Option.none())
      expect(yield* store.countAlive).toBe(0)
    }))

  test("what the engine was not told of yet is found until it was", () =>
    Effect.gen(function* () {
      const store = yield* storeOf(1)
      const a = yield* added(store, "a")
      const b = yield* added(store, "b")
      expect(yield* store.undispatched).toEqual([
        { id: a.job.id, round: 0 },
        { id: b.job.id, round: 0 }
      ])
      yield* store.dispatched(a.job.id)
      expect(Option.getOrThrow(yield* store.get(a.job.id)).passed_on).toBe(true)
      expect(yield* store.undispatched).toEqual([{ id: b.job.id, round: 0 }])
      yield* store.askToCancel(b.job.id)
      expect(yield* store.undispatched).toEqual([])
    }))

  test("a job of which nothing was heard for minutes begins a new round, once", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const store = yield* storeOf(1)
      const { job } = yield* added(store, "a")
      yield* store.dispatched(job.id)
      yield* taken(store, job.id)
      expect(yield* store.unheardOf).toEqual([])
      yield* sql`update gbrain_effect.jobs set dispatched_at = now() - interval '5 minutes',
        heard_at = now() - interval '3 minutes'`
      const lost = { id: job.id, round: 0 }
      expect(yield* store.unheardOf).toEqual([lost])
      yield* store.newRound(lost)
      yield* store.newRound(lost)
      expect(yield* store.undispatched).toEqual([{ id: job.id, round: 1 }])
    }))

  test("a job that is asked to stop takes no more submissions; one whose holder is silent ends at once (B12)", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const store = yield* storeOf(1)
      const first = yield* added(store, "a")
      const held = yield* taken(store, first.job.id)
      yield* store.askToCancel(first.job.id)
      const second = yield* added(store, "a")
      expect(second.created).toBe(true)
      expect(second.job.id).not.toBe(first.job.id)
      yield* sql`update gbrain_effect.jobs set heard_at = now() - interval '3 minutes' where id = ${first.job.id}`
      expect(Option.getOrThrow(yield* store.askToCancel(first.job.id)).status).toBe("cancelled")
      expect(yield* store.end(held, { status: "completed", report: null, error: null })).toBe(false)
    }))

  test("who died with a job after it got somewhere is not counted, and nobody waits for what he held", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const one = yield* storeOf(1)
      const { job } = yield* added(one, "a")
      const held = yield* taken(one, job.id)
      const purse = Option.getOrThrow(held.purse).name
      yield* sql`insert into gbrain_effect.ledger (day, owner, held_picousd, spent_picousd, heard_at, purse)
        values (current_date, 'h 1 x', 10, 5, now(), ${purse}), (current_date, 'h 10 y', 10, 5, now(), ${purse}),
          (current_date, 'h 1 z', 10, 5, now(), 'another')`
      yield* one.tell(held, toEvent(snapshot))
      const two = yield* storeOf(2)
      expect((yield* taken(two, job.id)).deaths).toBe(0)
      expect(Option.getOrThrow(yield* two.get(job.id))).toMatchObject({ taken: 2, progress: null })
      expect((yield* taken(yield* storeOf(3), job.id)).deaths).toBe(1)
      const silent = yield* sql<{ owner: string }>`
        select owner from gbrain_effect.ledger where heard_at = '-infinity'`
      expect(silent).toEqual([{ owner: "h 1 x" }])
    }))

  test("a brain that was made before there were jobs, and is only looked at, has none", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`drop table gbrain_effect.jobs`
      const store = yield* storeOf(1)
      expect(yield* store.list({ alive: false, limit: 10 })).toEqual([])
      expect(yield* store.get(1)).toEqual(Option.none())
    }))
})
