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
      expect(awake.deaths).toBe(1)
      expect(yield* sleeper.tell(asleep, toEvent(snapshot))).toBe("taken over")
      yield* sleeper.end(asleep, { status: "failed", report: null, error: "late" })
      yield* sleeper.giveBack(asleep)
      expect(Option.getOrThrow(yield* other.get(job.id))).toMatchObject({
        status: "running",
        pid: 2,
        error: null,
        progress: toEvent(snapshot)
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
      expect(yield* store.undispatched).toEqual([a.job.id, b.job.id])
      yield* store.dispatched(a.job.id)
      expect(yield* store.undispatched).toEqual([b.job.id])
      yield* store.askToCancel(b.job.id)
      expect(yield* store.undispatched).toEqual([])
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
