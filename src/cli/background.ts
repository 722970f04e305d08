/** `--background`: the command becomes a job, which outlives this process; and looking on, with `--follow`. */
import { Clock, Console, Duration, Effect, Schedule } from "effect"
import { Flag } from "effect/cli"
import { createLogUpdate } from "log-update"
import { isAlive, type Job, type Submission, type Submitted } from "../domain/Job.ts"
import { Jobs } from "../programs/jobs/Jobs.ts"
import { type LocationFlags, Settings } from "../services/Settings.ts"
import { Ended, exitCodes, UsageError } from "./exit.ts"
import { jobsAt } from "./jobsAt.ts"
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
export const checkBackground = (
  flags: BackgroundFlags & { readonly dryRun: boolean; readonly progressJson: boolean }
) => {
  if (flags.follow && !flags.background) {
    return Effect.fail(
      new UsageError({ message: "--follow goes with --background. Jobs there are: gbrain jobs follow ID" })
    )
  }
  const [other] = [...(flags.dryRun ? ["--dry-run"] : []), ...(flags.progressJson ? ["--progress-json"] : [])]
  return flags.background && other !== undefined
    ? Effect.fail(new UsageError({ message: `--background and ${other} exclude each other.` }))
    : Effect.void
}

/** How long a process that was started may take until it works on jobs. */
const patience = Duration.seconds(60)

/** How long those who are said to work on jobs may take to notice new ones. */
const noticedWithin = Duration.seconds(10)

const look = Schedule.spaced(Duration.millis(250))

/** Hands the work over, sees to it that somebody works on it, and says what it is called. */
export const handOver = Effect.fnUntraced(function* (flags: BackgroundFlags, submission: Submission) {
  const { noticed, submitted } = yield* Effect.gen(function* () {
    const jobs = yield* Jobs
    const handed = yield* jobs.submit(submission)
    return { submitted: handed, noticed: (yield* jobs.runners).length > 0 && (yield* isNoticed(handed)) }
  }).pipe(
    Effect.provide(jobsAt(flags)),
    // Asked again it is the same submission.
    Effect.retry({ schedule: look, times: 5, while: (error) => error._tag === "RunnerGone" })
  )
  yield* Effect.forEach(submitted, (it) => Console.error(printable(handedOver(it))), { discard: true })
  if (!flags.json) yield* Effect.forEach(submitted, ({ job }) => Console.log(`job_id=${job.id}`))
  if (!noticed) yield* begin(flags)
  const ids = submitted.map(({ job }) => job.id)
  if (flags.follow) return yield* follow(ids, flags)
  const { jobs, runners } = yield* Effect.gen(function* () {
    const service = yield* Jobs
    return { jobs: yield* Effect.forEach(ids, service.get), runners: yield* service.runners }
  }).pipe(
    Effect.provide(jobsAt(flags)),
    Effect.retry({ schedule: look, times: 20, while: (error) => error._tag === "RunnerGone" })
  )
  if (flags.json) return yield* printJson({ jobs, runners })
  const by = runners.map(({ host, pid }) => `process ${pid} on ${host}`).join(", ")
  yield* Console.error(
    printable(
      `Jobs are worked on by ${by === "" ? "nobody any more" : by}. ` +
        `How far: gbrain jobs follow ${ids[0]}. To stop it: gbrain jobs cancel ${ids[0]}`
    )
  )
})

const handedOver = ({ created, job }: Submitted): string =>
  created
    ? `Handed over: ${jobName(job)}${job.cap_usd === null ? "" : `, for at most $${job.cap_usd.toFixed(2)}`}.`
    : `Under way already: ${jobName(job)}, handed over ${job.submitted_at}.`

// A machine that went away without a word counts among those who work on jobs for a while, and one that is about to leave, too.
const isNoticed = (submitted: ReadonlyArray<Submitted>) =>
  Effect.gen(function* () {
    const jobs = yield* Jobs
    yield* Effect.forEach(submitted, ({ job }) => jobs.get(job.id)).pipe(
      Effect.repeat({ schedule: look, until: (all) => all.every(isTakenCareOf) })
    )
    return true
  }).pipe(Effect.timeoutOrElse({ duration: noticedWithin, orElse: () => Effect.succeed(false) }))

// Silent for longer than this, who had it may be dead.
const silentFor = 20

const isTakenCareOf = (job: Job): boolean =>
  !isAlive(job.status) ||
  (job.status === "waiting" ? job.passed_on : job.silent_seconds !== null && job.silent_seconds < silentFor)

// Nobody works on the brain's jobs: a process of our own does from now on.
const begin = Effect.fnUntraced(function* (flags: LocationFlags) {
  const location = yield* (yield* Settings).locate(flags)
  const started = yield* startRunner(location)
  yield* Console.error(printable(`Started process ${started.pid} for it; what it says: ${started.log}`))
  const path = location.kind === "pglite" ? socketOf(location.directory) : undefined
  const atWork =
    path === undefined
      ? Effect.gen(function* () {
          const jobs = yield* Jobs
          yield* Effect.repeat(jobs.runners, {
            schedule: look,
            until: (all) => all.some(({ pid }) => pid === started.pid)
          })
        }).pipe(Effect.provide(jobsAt(flags)))
      : // Until it has opened the brain it does not answer.
        Effect.repeat(answersAt(path), { schedule: look, until: (is) => is })
  yield* Effect.asVoid(atWork).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () =>
        Effect.fail(
          new RunnerFailed({
            message: `Process ${started.pid} does not begin to work; see ${started.log}. The job waits.`
          })
        )
    }),
    // It also ends when somebody else, who was quicker, works on the jobs.
    Effect.raceFirst(started.ended)
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
    let alone = 0
    for (;;) {
      const all = yield* Effect.forEach(ids, (id) => jobs.get(id))
      yield* shown.show(all)
      if (all.every((job) => !isAlive(job.status))) return all
      // As long as an embedded brain is open here, nobody can work on its jobs.
      alone = (yield* jobs.runners).length === 0 ? alone + 1 : 0
      if (jobs.opensAlone || alone * Duration.toSeconds(everyLook) > Duration.toSeconds(patience)) {
        return yield* new RunnerFailed({
          message: `Nobody works on ${all.map(jobName).join(", ")} now. Start somebody with: gbrain jobs work`
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
        (job) =>
          (flags.json ? Console.error : Console.log)(printable(`${jobName(job)} goes on: ${howFar(job)}`)),
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
