/** `gbrain jobs`: what was handed over with `--background`, and working on it. */
import { rmSync } from "node:fs"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Console, DateTime, Effect, Layer, Logger } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { isAlive } from "../../domain/Job.ts"
import { Jobs } from "../../programs/jobs/Jobs.ts"
import type { JobEvent } from "../../programs/jobs/runJob.ts"
import { workOnJobs } from "../../programs/jobs/work.ts"
import { limitsLayer } from "../../programs/extract-conversation-facts/layer.ts"
import { callTimeoutsFromEnvironment } from "../../services/CallTimeouts.ts"
import { JobStore } from "../../services/JobStore.ts"
import { type LocationFlags, Settings } from "../../services/Settings.ts"
import { follow } from "../background.ts"
import { json, locationFlags, optionalCount } from "../flags.ts"
import { brainForJobs, jobsAt } from "../jobsAt.ts"
import { answersAt, socketOf } from "../jobSocket.ts"
import { jobsTable, jobText } from "../render/jobs.ts"
import { print, printable, printJson } from "../render/text.ts"

const id = Argument.Int("id").pipe(Argument.withDescription("The job's number, as gbrain jobs list shows it"))

const shownUnlessTold = 20

const list = Command.make(
  "list",
  {
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Also those that have ended, the latest first"),
      Flag.withDefault(false)
    ),
    limit: optionalCount("limit", `At most so many; ${shownUnlessTold} unless told`),
    json,
    ...locationFlags
  },
  Effect.fn(function* (flags) {
    const { jobs, runners } = yield* Effect.gen(function* () {
      const service = yield* Jobs
      const limit = flags.limit._tag === "Some" ? flags.limit.value : shownUnlessTold
      return {
        jobs: yield* service.list({ alive: !flags.all, limit }),
        runners: yield* service.runners
      }
    }).pipe(Effect.provide(jobsAt(flags)))
    if (flags.json) return yield* printJson({ jobs, runners })
    if (jobs.length === 0) {
      return yield* Console.error(
        flags.all ? "There are no jobs." : "No job waits or runs. Ended ones: --all"
      )
    }
    yield* print(jobsTable(jobs))
    if (runners.length === 0 && jobs.some((job) => isAlive(job.status))) {
      yield* Console.error("Nobody works on jobs now. Start somebody with: gbrain jobs work")
    }
  })
).pipe(Command.withDescription("List the jobs that wait or run"))

const show = Command.make(
  "get",
  { id, json, ...locationFlags },
  Effect.fn(function* (flags) {
    const job = yield* Effect.flatMap(Jobs, (jobs) => jobs.get(flags.id)).pipe(Effect.provide(jobsAt(flags)))
    yield* flags.json ? printJson(job) : print(jobText(job))
  })
).pipe(Command.withDescription("Show one job: how far it is, or its report"))

const cancel = Command.make(
  "cancel",
  { id, json, ...locationFlags },
  Effect.fn(function* (flags) {
    const job = yield* Effect.flatMap(Jobs, (jobs) => jobs.cancel(flags.id)).pipe(
      Effect.provide(jobsAt(flags))
    )
    yield* flags.json
      ? printJson(job)
      : print(
          job.status === "running"
            ? `Job ${job.id} was asked to stop. What it paid for is kept.`
            : `Job ${job.id} is ${job.status}.`
        )
  })
).pipe(Command.withDescription("Stop a job; what was done and paid for is kept"))

const followOne = Command.make(
  "follow",
  { id, json, ...locationFlags },
  Effect.fn(function* (flags) {
    yield* follow([flags.id], flags)
  })
).pipe(Command.withDescription("Show how far a job is until it has ended, then its report"))

/** Jobs at a time unless told: work of several sources at once, and not so many that a machine chokes. */
const atOnceUnlessTold = 4

/** Calls in flight of all jobs of a process; what a provider allows is found out, this is only an end to it. */
const mostInFlight = 1000

/** Statements that several jobs have in flight. */
const connections = 20

const work = Command.make(
  "work",
  {
    jobs: optionalCount("jobs", `Jobs at a time; ${atOnceUnlessTold} unless told`),
    untilIdle: Flag.Boolean("until-idle").pipe(
      Flag.withDescription("End when no job is left, instead of waiting for more"),
      Flag.withDefault(false)
    ),
    ...locationFlags
  },
  Effect.fn(function* (flags) {
    const atOnce = flags.jobs._tag === "Some" ? flags.jobs.value : atOnceUnlessTold
    yield* Effect.gen(function* () {
      yield* Console.error(
        printable("Working on jobs. Ctrl-C stops; jobs are given back and go on elsewhere.")
      )
      yield* workOnJobs({ atOnce, untilIdle: flags.untilIdle, watch }).pipe(
        Effect.onInterrupt(() => print("Stopped. What was under way was given back, to be gone on with."))
      )
    }).pipe(
      Effect.provide(Logger.layer([inOneLine])),
      Effect.provide(answering(flags)),
      Effect.provide(JobStore.layer),
      Effect.provide(limitsLayer({ maxInFlight: mostInFlight })),
      Effect.provide(callTimeoutsFromEnvironment),
      Effect.provide(brainForJobs(flags, connections)),
      // Two that were started at once: one of them is enough.
      Effect.catchTag("BrainInUse", (error) =>
        flags.untilIdle
          ? Effect.filterOrFail(
              answersAt(socketOf(error.directory)),
              (is) => is,
              () => error
            )
          : Effect.fail(error)
      )
    )
  })
).pipe(Command.withDescription("Work on jobs on this machine, beside others that work on the same brain's"))

// What the engine has to say, without the stack of the library.
const inOneLine = Logger.make(({ date, logLevel, message }) => {
  const words = (Array.isArray(message) ? message : [message]).filter((it) => typeof it === "string")
  process.stderr.write(
    `${date.toISOString()} process ${process.pid}: ${logLevel.toLowerCase()}: ${printable(words.join(" "))}\n`
  )
})

const watch = ({ command, error, id: job, what }: JobEvent) =>
  Effect.gen(function* () {
    const at = DateTime.formatIso(yield* DateTime.now)
    yield* Console.error(
      printable(
        `${at} process ${process.pid}: job ${job} (${command}): ${what}${error === null ? "" : `: ${error}`}`
      )
    )
  })

// Whoever wants to know of an embedded brain's jobs, or to hand some over, must ask the process that has it open.
const answering = (flags: LocationFlags) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const location = yield* (yield* Settings).locate(flags)
      if (location.kind === "postgres") return Layer.empty
      const path = socketOf(location.directory)
      // We have the brain: what stands there is of somebody who died.
      const clear = Effect.sync(() => rmSync(path, { force: true }))
      return Jobs.layerServer.pipe(
        Layer.provide(Jobs.layer),
        Layer.provide(NodeSocketServer.layer({ path })),
        Layer.provide(Layer.effectDiscard(Effect.acquireRelease(clear, () => clear)))
      )
    })
  )

export const jobs = Command.make("jobs").pipe(
  Command.withDescription("Look after the work that was handed over with --background, and do it"),
  Command.withExamples([
    { command: "gbrain jobs list", description: "What waits and runs" },
    { command: "gbrain jobs follow 3", description: "How far it is, until it has ended" },
    { command: "gbrain jobs cancel 3", description: "Stop it; what was paid for is kept" },
    { command: "gbrain jobs work", description: "Work on jobs here, for as long as the command runs" }
  ]),
  Command.withSubcommands([list, show, followOne, cancel, work])
)
