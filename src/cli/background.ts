/** `--background`: the command becomes a job, which outlives this process; and looking on, with `--follow`. */
import { Clock, Console, Duration, Effect, Schedule } from "effect"
import { Flag } from "effect/cli"
import { createLogUpdate } from "log-update"
import { isAlive, type Job, type LiveRunner, type Submission, type Submitted } from "../domain/Job.ts"
import { Jobs } from "../programs/jobs/Jobs.ts"
import { type LocationFlags, Settings } from "../services/Settings.ts"
import { Ended, exitCodes, UsageError } from "./exit.ts"
import { jobsAt, jobsBehind } from "./jobsAt.ts"
import { answersAt, socketOf } from "./jobSocket.ts"
import { howFar, jobName, jobText } from "./render/jobs.ts"
import { printable, printJson } from "./render/text.ts"
import { RunnerFailed, startRunner } from "./runner.ts"

/** The flags of a command that can be a job. */
export const backgroundFlags = {
  background: Flag.Boolean("background").pipe(
    Flag.withDescription(
      "Hand the work over to a process of its own, here or on another machine, and return"
    ),
    Flag.withDefault(false)
  ),
  follow: Flag.Boolean("follow").pipe(
    Flag.withDescription(
      "With --background: show how far it is until it has ended; Ctrl-C stops showing only"
    ),
    Flag.withDefault(false)
  )
}

/** The values of `backgroundFlags`, and what goes with them. */
export type BackgroundFlags = LocationFlags & {
  readonly background: boolean
  readonly follow: boolean
  readonly json: boolean
}

/** Fails when the flags contradict each other. */
export const checkBackground = (flags: BackgroundFlags & { readonly dryRun: boolean }) => {
  if (flags.follow && !flags.background) {
    return Effect.fail(
      new UsageError({ message: "--follow goes with --background. Jobs there are: gbrain jobs follow ID" })
    )
  }
  return flags.background && flags.dryRun
    ? Effect.fail(new UsageError({ message: "--background and --dry-run exclude each other." }))
    : Effect.void
}

/** How long a process may take until it works on a job that waits for nothing else. */
const patience = Duration.seconds(60)

const look = Schedule.spaced(Duration.millis(250))

/** Hands the work over, sees to it that somebody works on it, and says what it is called. */
export const handOver = Effect.fnUntraced(function* (flags: BackgroundFlags, submission: Submission) {
  const { runners, submitted } = yield* Effect.gen(function* () {
    const jobs = yield* Jobs
    return { submitted: yield* jobs.submit(submission), runners: yield* jobs.runners }
  }).pipe(Effect.provide(jobsAt(flags)))

  const begun = yield* runners.length > 0
    ? Effect.succeed({ jobs: submitted, by: runners })
    : begin(flags, submitted)
  yield* flags.json && !flags.follow
    ? printJson({ jobs: begun.jobs, runners: begun.by })
    : Effect.forEach(begun.jobs, ({ job }) => Console.log(`job_id=${job.id}`), { discard: true })
  yield* Effect.forEach(begun.jobs, (it) => Console.error(printable(handedOver(it))), { discard: true })
  const [{ job } = { job: undefined }] = begun.jobs
  if (job === undefined) return
  yield* Console.error(
    printable(
      `Worked on by ${begun.by.map(({ host, pid }) => `process ${pid} on ${host}`).join(", ")}. ` +
        `How far: gbrain jobs follow ${job.id}. To stop it: gbrain jobs cancel ${job.id}`
    )
  )
  if (flags.follow) {
    yield* follow(
      begun.jobs.map((it) => it.job.id),
      flags
    )
  }
})

const handedOver = ({ created, job }: Submitted): string =>
  created
    ? `Handed over: ${jobName(job)}.`
    : `Under way already: ${jobName(job)}, ${job.status}, handed over ${job.submitted_at}.`

// Nobody works on the brain's jobs: a process of our own does from now on.
const begin = Effect.fnUntraced(function* (flags: LocationFlags, submitted: ReadonlyArray<Submitted>) {
  const location = yield* (yield* Settings).locate(flags)
  const started = yield* startRunner(location)
  yield* Console.error(printable(`Started process ${started.pid} for it; what it says: ${started.log}`))
  const first = submitted[0]?.job.id ?? 0
  const seen = Effect.gen(function* () {
    const jobs = yield* Jobs
    // One that was under way may still stand as in the hands of somebody who died.
    yield* Effect.all([jobs.get(first), jobs.runners]).pipe(
      Effect.repeat({
        schedule: look,
        until: ([{ status }, runners]) =>
          !isAlive(status) || (status === "running" && runners.some(({ pid }) => pid === started.pid))
      })
    )
    const now = yield* Effect.forEach(submitted, ({ created, job }) =>
      Effect.map(jobs.get(job.id), (at): Submitted => ({ created, job: at }))
    )
    const by: ReadonlyArray<LiveRunner> = yield* jobs.runners
    return { jobs: now, by }
  })
  const through =
    location.kind === "postgres"
      ? Effect.provide(seen, jobsAt(flags))
      : // Until it has opened the brain it does not answer.
        Effect.andThen(
          Effect.repeat(answersAt(socketOf(location.directory)), { schedule: look, until: (is) => is }),
          Effect.provide(seen, jobsBehind(socketOf(location.directory)))
        )
  return yield* through.pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () =>
        Effect.fail(
          new RunnerFailed({
            message: `Process ${started.pid} does not take up the job; see ${started.log}. The job waits.`
          })
        )
    }),
    Effect.raceFirst(started.failed)
  )
})

/** Shows how far jobs are until all have ended, and their reports; ends as the worst of them did. */
export const follow = Effect.fnUntraced(function* (
  ids: ReadonlyArray<number>,
  flags: LocationFlags & { readonly json: boolean }
) {
  const shown = yield* Effect.acquireRelease(
    Effect.sync(() => makeView()),
    (view) => Effect.sync(view.done)
  )
  const untilEnded = Effect.gen(function* () {
    const jobs = yield* Jobs
    for (;;) {
      const all = yield* Effect.forEach(ids, (id) => jobs.get(id))
      yield* shown.show(all)
      if (all.every((job) => !isAlive(job.status))) return all
      // As long as an embedded brain is open here, nobody can work on its jobs.
      if (jobs.opensAlone) {
        return yield* new RunnerFailed({
          message: `Nobody works on ${all.map(jobName).join(", ")} any more. Start somebody with: gbrain jobs work`
        })
      }
      yield* Effect.sleep(everyLook)
    }
  }).pipe(
    Effect.provide(jobsAt(flags)),
    // The process that worked on an embedded brain's jobs ends when none is left; then the brain can be opened.
    Effect.retry({ schedule: look, times: 20, while: (error) => error._tag === "RunnerGone" })
  )
  const ended = yield* untilEnded.pipe(
    Effect.onInterrupt(() =>
      Effect.forEach(
        shown.latest(),
        (job) => Console.log(printable(`${jobName(job)} goes on: ${howFar(job)}`)),
        { discard: true }
      )
    )
  )
  yield* flags.json
    ? printJson({ jobs: ended })
    : Effect.forEach(ended, (job) => Console.log(printable(jobText(job))), { discard: true })
  const code = Math.max(...ended.map(codeOf))
  if (code !== exitCodes.done) return yield* new Ended({ code })
}, Effect.scoped)

/** How often jobs are asked about, and how often they are told of where lines cannot be redrawn. */
const everyLook = Duration.seconds(1)
const everyLine = Duration.seconds(5)

// What is known of jobs, on a terminal redrawn in place.
const makeView = () => {
  const draw = process.stderr.isTTY ? createLogUpdate(process.stderr, { showCursor: true }) : undefined
  let latest: ReadonlyArray<Job> = []
  let toldAt = -Infinity
  return {
    latest: () => latest,
    done: () => draw?.done(),
    show: (all: ReadonlyArray<Job>) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        latest = all
        const text = printable(all.map((job) => `${jobName(job)}: ${howFar(job, width())}`).join("\n"))
        if (draw !== undefined) return draw(text)
        if (now - toldAt < Duration.toMillis(everyLine)) return
        toldAt = now
        process.stderr.write(`${text}\n`)
      })
  }
}

const width = () => (process.stderr.columns ?? 200) - 1

// Of several the gravest: 1 failed, 3 left pages to others.
const codeOf = (job: Job): number =>
  job.status === "failed" || job.status === "cancelled"
    ? exitCodes.failed
    : job.status === "incomplete"
      ? exitCodes.heldElsewhere
      : exitCodes.done
