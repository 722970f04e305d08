/** One job, from taking it to writing down how it ended. */
import { Cause, Deferred, Duration, Effect, Exit, Option, Schedule } from "effect"
import type { JobStatus } from "../../domain/Job.ts"
import { toEvent } from "../../domain/ProgressSnapshot.ts"
import { type HeldJob, type JobEnd, JobStore, type Standing } from "../../services/JobStore.ts"
import { Progress } from "../../services/Progress.ts"
import type { RunStatus } from "../../services/Runs.ts"
import { autoWorkers } from "../../services/WorkerPool.ts"
import { wordsOf } from "../onRecord.ts"
import type { JobReport } from "./JobKind.ts"
import { kindOf } from "./kinds.ts"

/** How often a job tells how far it is, and hears whether it is to stop. */
const everyWord = Duration.seconds(1)

/** How long the end of a job may take to be written down, when its process was told to stop. */
const farewell = Duration.seconds(5)

/** A job that so many processes died of is not given to another. */
const mostDeaths = 3

/** What happens to jobs, for whoever watches the process that works on them. */
export interface JobEvent {
  readonly id: number
  readonly command: string
  readonly what: JobStatus | "given back" | "taken over"
  readonly error: string | null
}

/** Takes a job, does it, and writes down how it ended, whatever happens; one that has ended already is left alone. */
export const runJob = Effect.fn("runJob")(function* (
  id: number,
  watch: (event: JobEvent) => Effect.Effect<void>
) {
  const store = yield* JobStore
  const taken = yield* store.take(id)
  if (Option.isNone(taken)) return
  const job = taken.value
  const say = (what: JobEvent["what"], error: string | null = null) =>
    watch({ id, command: job.command, what, error })
  const finish = (end: JobEnd) =>
    Effect.flatMap(store.end(job, end), (ours) => (ours ? say(end.status, end.error) : say("taken over")))
  if (job.cancelAsked) return yield* finish({ status: "cancelled", report: null, error: null })
  if (job.deaths >= mostDeaths) {
    const error = `${job.deaths} processes died of it, one after the other, before they got anything done. See why (memory?), then submit it again: what was done is kept.`
    return yield* finish({ status: "failed", report: null, error })
  }
  yield* say("running")

  let left: JobReport | undefined
  const stopped = yield* Deferred.make<Exclude<Standing, "go on">>()
  const work = doJob(job, stopped, (report) =>
    Effect.sync(() => {
      left = report
    })
  )
  const inTime = (farewells: Effect.Effect<unknown, unknown>) =>
    Effect.ignoreCause(Effect.timeout(Effect.interruptible(farewells), farewell))
  yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const ended = yield* Effect.exit(restore(Effect.raceFirst(work, Deferred.await(stopped))))
      if (Exit.isFailure(ended)) {
        // This process stops; the job does not.
        if (Cause.hasInterruptsOnly(ended.cause)) {
          yield* inTime(
            Effect.flatMap(store.giveBack(job), (ours) => say(ours ? "given back" : "taken over"))
          )
          return yield* Effect.failCause(ended.cause)
        }
        const error = wordsOf(Cause.squash(ended.cause))
        return yield* restore(finish({ status: "failed", report: left?.report ?? null, error }))
      }
      const outcome = ended.value
      if (outcome === "taken over") {
        yield* say("taken over")
        // Whoever has it will end it. That it is over here, the engine must not take for its end: it interrupts us itself.
        return yield* restore(Effect.never)
      }
      if (outcome === "cancel") {
        return yield* restore(finish({ status: "cancelled", report: left?.report ?? null, error: null }))
      }
      const status = statusOf(outcome.status)
      yield* restore(finish({ status, report: outcome.report, error: outcome.stopped }))
    })
  )
})

// A run is interrupted from outside only, which is told apart before.
const statusOf = (status: RunStatus): JobEnd["status"] => (status === "interrupted" ? "cancelled" : status)

const doJob = Effect.fnUntraced(function* (
  job: HeldJob,
  stopped: Deferred.Deferred<Exclude<Standing, "go on">>,
  onInterrupt: (report: JobReport) => Effect.Effect<void>
) {
  const store = yield* JobStore
  const kind = yield* kindOf(job.command)
  const tell = Effect.gen(function* () {
    const standing = yield* store.tell(job, toEvent(yield* (yield* Progress).snapshot))
    if (standing !== "go on") yield* Deferred.succeed(stopped, standing)
  }).pipe(
    // While the database is away the work waits for it too; the next word comes in a second.
    Effect.catchCause((cause) => Effect.logDebug("How far the job is was not told", cause))
  )
  return yield* kind.run(job.asked, {
    workers: job.workers === "auto" ? autoWorkers : Number(job.workers),
    purse: job.purse,
    beside: Effect.repeat(tell, Schedule.spaced(everyWord)).pipe(
      // The last word is that all is done.
      Effect.ensuring(Effect.ignore(Effect.timeout(Effect.interruptible(tell), everyWord))),
      Effect.asVoid
    ),
    onInterrupt
  })
})
