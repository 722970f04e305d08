/** Works on the brain's jobs, on this machine, beside others on theirs. */
import { Cause, Duration, Effect, Layer, Option, Schedule, Schema, Semaphore } from "effect"
import { Singleton } from "effect/cluster"
import { Activity, Workflow } from "effect/workflow"
import { engine } from "../../services/jobs/engine.ts"
import { JobStore } from "../../services/JobStore.ts"
import { type JobEvent, runJob } from "./runJob.ts"

/** How a process works on jobs. */
export interface WorkOptions {
  /** Jobs at a time, each with its own workers; others wait. */
  readonly atOnce: number
  /** Ends when no job is left, anywhere, instead of waiting for more. */
  readonly untilIdle: boolean
  readonly watch: (event: JobEvent) => Effect.Effect<void>
}

// A job as the engine knows it. All else stands in the brain's table of jobs.
const JobWorkflow = Workflow.make("gbrain/Job", {
  payload: { id: Schema.Int, round: Schema.Int },
  idempotencyKey: ({ id, round }) => `${id}/${round}`
})

/** How often the engine is told of new jobs. */
const everyLook = Duration.seconds(1)

/** How often jobs are looked for that the engine has forgotten. */
const everyRescue = Duration.minutes(1)

/** How often a job is taken up again whose process lost the database for minutes. */
const untilTheDatabaseIsBack = Duration.seconds(10)

/** So long nothing may be left before a process that works until then ends. */
const idleFor = Duration.seconds(2)

// The table of jobs is the engine's outbox: whoever submits writes there, and one of the processes passes on. A job is marked
// after it was passed on: one that is passed on twice is one to the engine.
const dispatcher = Singleton.make(
  "gbrain/dispatcher",
  Effect.gen(function* () {
    const store = yield* JobStore
    const pass = Effect.gen(function* () {
      for (const job of yield* store.undispatched) {
        yield* JobWorkflow.execute(job, { discard: true })
        yield* store.dispatched(job.id)
      }
    }).pipe(Effect.catchCause(notInterrupted("New jobs were not passed on")))
    // A job that lives, and that the engine has done with, would lie there for ever. It should not be so; a new round sees to it.
    const rescue = Effect.gen(function* () {
      for (const job of yield* store.unheardOf) {
        const found = yield* JobWorkflow.poll(yield* JobWorkflow.executionId(job))
        if (Option.exists(found, ({ _tag }) => _tag === "Complete")) yield* store.newRound(job)
      }
    }).pipe(Effect.catchCause(notInterrupted("Jobs that nobody works on were not looked for")))
    yield* Effect.repeat(rescue, Schedule.spaced(everyRescue)).pipe(Effect.forkScoped)
    yield* Effect.repeat(pass, Schedule.spaced(everyLook))
  })
)

const notInterrupted = (what: string) => (cause: Cause.Cause<unknown>) =>
  Cause.hasInterrupts(cause) ? Effect.interrupt : Effect.logWarning(what, cause)

/**
 * Works on jobs until interrupted, or until none is left. When it is interrupted its jobs are given back, and go on in
 * another process that works on this brain's jobs, or in the next one.
 */
export const workOnJobs = Effect.fn("workOnJobs")(function* (options: WorkOptions) {
  const store = yield* JobStore
  const turns = yield* Semaphore.make(options.atOnce)
  const jobs = JobWorkflow.toLayer(({ id }) =>
    Activity.make({
      name: "run",
      // Whatever can go wrong with a job is written down, unless the database is away for longer than statements wait for it.
      execute: turns
        .withPermit(runJob(id, options.watch))
        .pipe(Effect.retry(Schedule.spaced(untilTheDatabaseIsBack)), Effect.orDie)
    })
  )
  const working = Layer.merge(jobs, dispatcher).pipe(Layer.provide(engine))
  yield* Layer.launch(working).pipe(Effect.raceFirst(options.untilIdle ? idle(store) : Effect.never))
})

const idle = Effect.fnUntraced(function* (store: JobStore["Service"]) {
  const count = Effect.orElseSucceed(store.countAlive, () => 1)
  for (let quiet = 0; quiet < Duration.toSeconds(idleFor);) {
    yield* Effect.sleep(everyLook)
    quiet = (yield* count) === 0 ? quiet + Duration.toSeconds(everyLook) : 0
  }
})
