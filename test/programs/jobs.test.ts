import { expect } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Ref, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { limitsLayer } from "../../src/programs/extract-conversation-facts/layer.ts"
import { defaultOptions } from "../../src/programs/extract-conversation-facts/options.ts"
import { type ExtractionAsked, extractionJob } from "../../src/programs/jobs/extractionJob.ts"
import { Jobs } from "../../src/programs/jobs/Jobs.ts"
import type { JobEvent } from "../../src/programs/jobs/runJob.ts"
import { workOnJobs } from "../../src/programs/jobs/work.ts"
import { BrainConfig } from "../../src/services/BrainConfig.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { JobStore } from "../../src/services/JobStore.ts"
import { onBothDatabases } from "../support/brains.ts"
import { conversation, environment, factsOf, putPages, standIn } from "../support/extraction.ts"
import type { StandIn } from "../support/stand-in/server.ts"
import { testsOn } from "../support/testsOn.ts"

const submission = (asked: Partial<ExtractionAsked> = {}, cap = "5") => ({
  command: "extract-conversation-facts",
  asked: Effect.runSync(extractionJob.encode({ ...defaultOptions, model: Option.none(), ...asked })),
  workers: "4",
  cap_usd: cap
})

onBothDatabases("jobs", (brain) => {
  const test = testsOn(Layer.provideMerge(Jobs.layer, Layer.provideMerge(JobStore.layer, brain)))

  /** Works on jobs until none is left, and tells what happened to them. */
  const work = Effect.fnUntraced(function* (api: StandIn, untilIdle = true) {
    const events = yield* Ref.make<ReadonlyArray<string>>([])
    const watch = ({ id, what }: JobEvent) => Ref.update(events, (all) => [...all, `${id} ${what}`])
    yield* workOnJobs({ atOnce: 4, untilIdle, watch }).pipe(
      Effect.provide(limitsLayer({ maxInFlight: 100 })),
      Effect.provide(environment({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test" }))
    )
    return yield* Ref.get(events)
  })

  const submit = (asked: Partial<ExtractionAsked> = {}, cap?: string) =>
    Effect.flatMap(Jobs, (jobs) => jobs.submit(submission(asked, cap)))

  const untilAsked = (api: StandIn, times: number) =>
    Effect.repeat(
      Effect.sync(() => api.stats().chatCalls),
      { schedule: Schedule.spaced("10 millis"), until: (calls) => calls >= times }
    )

  /** The server hears of a call that was given up when its socket closes, a moment after the caller has gone on. */
  const untilGivenUp = (api: StandIn) =>
    Effect.repeat(
      Effect.sync(() => api.stats()),
      { schedule: Schedule.spaced("10 millis"), until: (stats) => stats.inFlight === 0 }
    ).pipe(Effect.tap((stats) => Effect.sync(() => expect(stats.abortedByClient).toBeGreaterThan(0))))

  const addSources = (...ids: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      for (const id of ids) yield* sql`insert into sources (id, name) values (${id}, ${id})`
    })

  const chats = (count: number, sourceId = "default") =>
    putPages(
      Array.from({ length: count }, (_, index) => ({
        slug: `chats/${sourceId}-${index}`,
        body: conversation(`${sourceId}${index}`, 2, 2),
        sourceId
      }))
    )

  test("without a source a submission is a job a source; with a source, or a limit for all, it is one (B12)", () =>
    Effect.gen(function* () {
      expect((yield* submit()).map(({ job }) => job.source_id)).toEqual([null])
      yield* addSources("work", "play")
      expect(new Set((yield* submit()).map(({ job }) => job.source_id))).toEqual(
        new Set(["default", "work", "play"])
      )
      expect(
        (yield* submit({ sourceId: Option.some("work"), force: true })).map((it) => it.job.source_id)
      ).toEqual(["work"])
      expect((yield* submit({ limit: Option.some(3) })).map(({ job }) => job.source_id)).toEqual([null])
    }))

  test("what the command itself would refuse is refused when it is handed over", () =>
    Effect.gen(function* () {
      const jobs = yield* Jobs
      const why = (asked: Partial<ExtractionAsked>) =>
        Effect.map(Effect.flip(submit(asked)), (it) => it.message)
      expect(yield* why({ sourceId: Option.some("nowhere") })).toContain("nowhere")
      expect(yield* why({ model: Option.some("nobody:nothing") })).toContain("nobody:nothing")
      yield* Effect.flatMap(BrainConfig, (config) => config.set("facts.extraction_enabled", "false")).pipe(
        Effect.provide(BrainConfig.layer)
      )
      expect(yield* why({})).toContain("--override-disabled")
      expect((yield* Effect.flip(jobs.submit({ ...submission(), command: "tidy-up" }))).message).toContain(
        "tidy-up"
      )
      expect(yield* jobs.list({ alive: false, limit: 10 })).toEqual([])
    }))

  test("jobs are worked on, each with its workers, and their reports kept", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      yield* addSources("work")
      yield* chats(3)
      yield* chats(2, "work")
      const submitted = yield* submit()
      const events = yield* work(api)
      expect(events.filter((event) => event.endsWith("completed"))).toHaveLength(2)
      const jobs = yield* Jobs
      const ended = yield* Effect.forEach(submitted, ({ job }) => jobs.get(job.id))
      for (const job of ended) {
        const pages = job.source_id === "work" ? 2 : 3
        expect(job).toMatchObject({
          status: "completed",
          error: null,
          report: { status: "completed", workers: 4, pages_processed: pages, facts_inserted: pages * 4 }
        })
        expect(job.finished_at).not.toBeNull()
      }
      expect(yield* factsOf("chats/work-1")).toHaveLength(4)
    }))

  test("a process that stops gives its jobs back, and another goes on with them and pays for nothing twice", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ chatLatency: 1000 })
      yield* chats(12)
      const [submitted] = yield* submit()
      const id = submitted?.job.id ?? 0
      const first = yield* Effect.forkChild(work(api, false))
      yield* untilAsked(api, 6)
      yield* Fiber.interrupt(first)
      yield* untilGivenUp(api)
      api.behave({ chatLatency: 60 })
      const jobs = yield* Jobs
      expect((yield* jobs.get(id)).status).toBe("waiting")
      const sql = yield* SqlClient.SqlClient
      expect(yield* sql`select 1 from gbrain_cycle_locks`).toEqual([])
      expect(yield* work(api)).toEqual([`${id} running`, `${id} completed`])
      expect(yield* jobs.get(id)).toMatchObject({ status: "completed", deaths: 0 })
      const answered = api.log().filter((it) => it.endpoint === "chat" && it.outcome === "answered")
      // What was in flight, or begun in the moment of stopping, may have been answered to nobody.
      expect(answered.length - new Set(answered.map(({ text }) => text)).size).toBeLessThanOrEqual(2 * 4)
      const facts = yield* sql`select 1 from facts where source = 'cli:extract-conversation-facts'`
      expect(facts).toHaveLength(12 * 4)
    }))

  test("a job that is cancelled is interrupted, gives everything back and keeps what it paid for (B12)", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ chatLatency: 1000 })
      yield* chats(40)
      const [submitted] = yield* submit()
      const id = submitted?.job.id ?? 0
      const working = yield* Effect.forkChild(work(api))
      yield* untilAsked(api, 6)
      const jobs = yield* Jobs
      expect((yield* jobs.cancel(id)).cancel_asked).toBe(true)
      expect(yield* Fiber.join(working)).toEqual([`${id} running`, `${id} cancelled`])
      yield* untilGivenUp(api)
      api.behave({ chatLatency: 60 })
      const job = yield* jobs.get(id)
      expect(job).toMatchObject({ status: "cancelled", report: { status: "interrupted" } })
      const sql = yield* SqlClient.SqlClient
      expect(yield* sql`select 1 from gbrain_cycle_locks`).toEqual([])
      const before = api.stats().chatCalls
      yield* submit()
      yield* work(api)
      const facts = yield* sql`select 1 from facts where source = 'cli:extract-conversation-facts'`
      expect(facts).toHaveLength(40 * 4)
      expect(api.stats().chatCalls).toBeLessThan(before + 80)
    }))

  test("jobs of several sources together spend no more than the submission may", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ chatLatency: 5 })
      yield* addSources("work", "play")
      for (const source of ["default", "work", "play"]) yield* chats(30, source)
      const submitted = yield* submit({}, "0.08")
      yield* work(api)
      const jobs = yield* Jobs
      const ended = yield* Effect.forEach(submitted, ({ job }) => jobs.get(job.id))
      expect(ended.map(({ status }) => status)).toContain("budget")
      const sql = yield* SqlClient.SqlClient
      const [spent] = yield* sql<{ usd: number }>`
        select (sum(spent_picousd) / 1e12)::float8 as usd from gbrain_effect.ledger`
      expect(spent?.usd).toBeLessThanOrEqual(0.08)
      expect(spent?.usd).toBeGreaterThan(0.06)
    }))

  test("a job that fails says why, and one that three processes died of is given to nobody", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ rules: [{ endpoint: "chat", fault: { kind: "status", status: 401 } }] })
      yield* chats(2)
      const [submitted] = yield* submit()
      yield* work(api)
      const jobs = yield* Jobs
      const failed = yield* jobs.get(submitted?.job.id ?? 0)
      expect(failed.status).toBe("failed")
      expect(failed.error).toContain("key")
      // Three processes take it, and are not heard of again.
      const [second] = yield* submit()
      const id = second?.job.id ?? 0
      const process = (pid: number) =>
        Layer.fresh(JobStore.layer).pipe(
          Layer.provide(
            Layer.succeed(HostProcess, HostProcess.of({ pid, host: "gone", isAlive: () => false }))
          )
        )
      for (const pid of [1, 2, 3]) {
        yield* Effect.flatMap(JobStore, (store) => store.take(id)).pipe(Effect.provide(process(pid)))
      }
      yield* Effect.flatMap(JobStore, (store) => store.newRound({ id, round: 0 }))
      const sql = yield* SqlClient.SqlClient
      yield* sql`update gbrain_effect.jobs set status = 'running' where id = ${id}`
      expect(Option.getOrThrow(yield* Effect.flatMap(JobStore, (store) => store.take(id))).deaths).toBe(3)
      yield* Effect.flatMap(JobStore, (store) => store.newRound({ id, round: 1 }))
      yield* work(api)
      expect(yield* jobs.get(id)).toMatchObject({ status: "failed" })
      expect((yield* jobs.get(id)).error).toContain("3 processes died")
    }))

  test("more jobs than are done at a time wait; one that is cancelled meanwhile is not begun", () =>
    Effect.gen(function* () {
      const api = yield* standIn({ chatLatency: 30 })
      yield* chats(8)
      const jobs = yield* Jobs
      const ids: Array<number> = []
      for (let index = 0; index < 6; index++) {
        for (const { job } of yield* submit({ slug: Option.some(`chats/default-${index}`) })) ids.push(job.id)
      }
      const working = yield* Effect.forkChild(work(api))
      yield* Effect.repeat(jobs.get(ids[0] ?? 0), {
        schedule: Schedule.spaced("5 millis"),
        until: ({ status }) => status !== "waiting"
      })
      const cancelled = yield* Effect.forEach(ids.slice(4), jobs.cancel)
      const events = yield* Fiber.join(working)
      for (const { id, status } of cancelled) {
        if (status === "cancelled") expect(events).not.toContain(`${id} running`)
      }
      const ended = yield* Effect.forEach(ids.slice(0, 4), jobs.get)
      expect(ended.map(({ status }) => status)).toEqual(["completed", "completed", "completed", "completed"])
    }))

  test("another cap, or other workers, make another job", () =>
    Effect.gen(function* () {
      const [first] = yield* submit({}, "5")
      expect((yield* submit({}, "5"))[0]).toMatchObject({ created: false, job: { id: first?.job.id } })
      expect((yield* submit({}, "0.5"))[0]).toMatchObject({ created: true, job: { cap_usd: 0.5 } })
    }))

  test("options that another version wrote and cannot be read fail the job, in words", () =>
    Effect.gen(function* () {
      const api = yield* standIn()
      const [submitted] = yield* submit()
      const id = submitted?.job.id ?? 0
      const sql = yield* SqlClient.SqlClient
      yield* sql`update gbrain_effect.jobs set asked = '{"force": "perhaps"}' where id = ${id}`
      yield* work(api)
      const job = yield* Effect.flatMap(Jobs, (jobs) => jobs.get(id))
      expect(job).toMatchObject({ status: "failed" })
      expect(job.error).toContain("cannot be read")
    }))
})
