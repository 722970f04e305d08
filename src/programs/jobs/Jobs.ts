/**
 * The jobs of a brain, for whoever hands them over and looks after them. A brain on a server is asked directly. An embedded one belongs
 * to the process that works on its jobs, which answers through a socket in the brain's folder.
 */
import { Context, Duration, Effect, Layer, Option, Schema } from "effect"
import { Rpc, RpcClient, RpcGroup, RpcSerialization, RpcServer } from "effect/rpc"
import { SqlError } from "effect/sql"
import { Job, LiveRunner, Submission, Submitted } from "../../domain/Job.ts"
import { Brain } from "../../services/Brain.ts"
import { reasonOf } from "../../services/Database.ts"
import { HostProcess } from "../../services/HostProcess.ts"
import { liveRunners } from "../../services/jobs/engine.ts"
import { JobStore } from "../../services/JobStore.ts"
import { JobRefused, RunnerGone } from "./JobKind.ts"
import { NoSuchPage } from "../extract-conversation-facts/scope.ts"
import { UnknownSource } from "../../services/Sources.ts"
import { submitJobs } from "./submit.ts"

/** Why something was not told or done. */
export const JobsError = Schema.Union([JobRefused, RunnerGone])

/** Why something was not told or done. */
export type JobsError = typeof JobsError.Type

/** How long the process that has the brain open may take to answer. */
const answersWithin = Duration.seconds(15)

// What is asked of the process that has an embedded brain open.
class JobCalls extends RpcGroup.make(
  Rpc.make("submit", {
    payload: { submission: Submission },
    success: Schema.Array(Submitted),
    error: JobsError
  }),
  Rpc.make("list", {
    payload: { alive: Schema.Boolean, limit: Schema.Int },
    success: Schema.Array(Job),
    error: JobsError
  }),
  Rpc.make("get", { payload: { id: Schema.Int }, success: Job, error: JobsError }),
  Rpc.make("cancel", { payload: { id: Schema.Int }, success: Job, error: JobsError }),
  Rpc.make("runners", { success: Schema.Array(LiveRunner), error: JobsError })
) {}

/** The jobs of a brain. */
export class Jobs extends Context.Service<
  Jobs,
  {
    /** Hands work over; see `submitJobs`. */
    readonly submit: (submission: Submission) => Effect.Effect<ReadonlyArray<Submitted>, JobsError>
    /** Those that are alive, or all, the latest first. */
    readonly list: (options: {
      readonly alive: boolean
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Job>, JobsError>
    readonly get: (id: number) => Effect.Effect<Job, JobsError>
    /** Ends a job that waits, asks one that runs to stop; answers how it stands now. */
    readonly cancel: (id: number) => Effect.Effect<Job, JobsError>
    /** Whether the brain is open here and cannot be elsewhere meanwhile, so that nobody works on its jobs. */
    readonly opensAlone: boolean
    /** Who works on them now, as far as is known. */
    readonly runners: Effect.Effect<ReadonlyArray<LiveRunner>, JobsError>
  }
>()("gbrain/Jobs") {
  /** Of an open brain. */
  static readonly layer = Layer.effect(
    Jobs,
    Effect.gen(function* () {
      const store = yield* JobStore
      const services = yield* Effect.context<
        Effect.Services<ReturnType<typeof submitJobs>> | Effect.Services<typeof liveRunners>
      >()
      const { kind } = yield* Brain
      const found = (id: number) =>
        Effect.flatMap(
          Effect.mapError(store.get(id), refused),
          Option.match({ onNone: () => Effect.fail(unknownJob(id)), onSome: Effect.succeed })
        )
      return Jobs.of({
        submit: (submission) =>
          submitJobs(submission).pipe(Effect.provideContext(services), Effect.mapError(refused)),
        list: (options) => Effect.mapError(store.list(options), refused),
        get: found,
        cancel: (id) =>
          Effect.flatMap(
            Effect.mapError(store.askToCancel(id), refused),
            Option.match({ onNone: () => found(id), onSome: Effect.succeed })
          ),
        opensAlone: kind === "pglite",
        // An embedded brain that this process could open is nobody's else.
        runners:
          kind === "pglite"
            ? Effect.succeed([])
            : liveRunners.pipe(Effect.provideContext(services), Effect.mapError(refused))
      })
    })
  )

  /** Of a brain that another process has open and works on: over a socket (`effect/socket`). */
  static readonly layerRemote = Layer.effect(
    Jobs,
    Effect.map(RpcClient.make(JobCalls), (client) => {
      const gone = () =>
        new RunnerGone({ message: "The process that worked on the brain's jobs went away. Ask again." })
      const silent = () =>
        new RunnerGone({ message: "The process that works on the brain's jobs does not answer. Ask again." })
      const call = <A>(asked: Effect.Effect<A, JobsError | { readonly _tag: "RpcClientError" }>) =>
        asked.pipe(
          Effect.catchTag("RpcClientError", () => Effect.fail(gone())),
          Effect.timeoutOrElse({ duration: answersWithin, orElse: () => Effect.fail(silent()) })
        )
      return Jobs.of({
        submit: (submission) => call(client.submit({ submission })),
        list: (options) => call(client.list(options)),
        get: (id) => call(client.get({ id })),
        cancel: (id) => call(client.cancel({ id })),
        opensAlone: false,
        runners: call(client.runners(undefined))
      })
    })
  ).pipe(Layer.provide(RpcClient.layerProtocolSocket()), Layer.provide(RpcSerialization.layerNdjson))

  /** Answers others over a socket server (`effect/socket`) as long as the layer lives. */
  static readonly layerServer = RpcServer.layer(JobCalls).pipe(
    Layer.provide(
      JobCalls.toLayer(
        Effect.map(Effect.all([Jobs, HostProcess]), ([jobs, { host, pid }]) =>
          JobCalls.of({
            submit: ({ submission }) => jobs.submit(submission),
            list: (options) => jobs.list(options),
            get: ({ id }) => jobs.get(id),
            cancel: ({ id }) => jobs.cancel(id),
            runners: () => Effect.succeed([{ host, pid }])
          })
        )
      )
    ),
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide(RpcSerialization.layerNdjson)
  )
}

const unknownJob = (id: number) =>
  new JobRefused({ wrongUsage: true, message: `There is no job ${id}. See: gbrain jobs list --all` })

const refused = (error: JobsError | SqlError.SqlError | { readonly message: string }): JobRefused =>
  error instanceof JobRefused
    ? error
    : new JobRefused({
        wrongUsage: error instanceof UnknownSource || error instanceof NoSuchPage,
        message: SqlError.isSqlError(error) ? `the database failed: ${reasonOf(error)}` : error.message
      })
