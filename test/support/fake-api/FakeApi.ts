/**
 * The stand-in API for tests, demo and bench: `start` runs it in this process, `FakeApiProcess.start` in one of its own, both
 * for as long as the scope lives. They are watched and steered the same way.
 */
import { fileURLToPath } from "node:url"
import { NodeServices } from "@effect/platform-node"
import { Effect, Layer, Option, Result, Schema, Stream } from "effect"
import type { Scope } from "effect"
import { ChildProcess } from "effect/process"
import { type Counters, LogEntry, Stats } from "./Ledger.ts"
import { listen } from "./Listen.ts"
import type { Control, Options } from "./Settings.ts"

/** The server could not be started, or did not understand what it was told. */
export class FakeApiError extends Schema.TaggedError<FakeApiError>()("FakeApiError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/** A running stand-in. */
export interface FakeApi {
  /** What OPENAI_BASE_URL is to be set to; ends in `/v1`. */
  readonly url: string
  /** All that was counted so far. */
  readonly stats: Effect.Effect<Stats, FakeApiError>
  /** One entry a request, in the order of arrival. */
  readonly log: Effect.Effect<ReadonlyArray<LogEntry>, FakeApiError>
  /** Changes the behaviour from now on. */
  readonly control: (change: Control) => Effect.Effect<void, FakeApiError>
  /** Waits, without polling, until these counters are at least as large, and gives all of them at that time. */
  readonly reached: (least: Partial<Counters>) => Effect.Effect<Stats, FakeApiError>
}

const decodeStats = Schema.decodeUnknownEffect(Stats)
const decodeLog = Schema.decodeUnknownEffect(Schema.Array(LogEntry))

const connect = (origin: string): FakeApi => {
  const ask = (path: string, body?: unknown) =>
    Effect.tryPromise({
      try: async (signal): Promise<unknown> => {
        const response = await fetch(
          `${origin}${path}`,
          body === undefined ? { signal } : { method: "POST", body: JSON.stringify(body), signal }
        )
        if (!response.ok) throw new Error(await response.text())
        return response.json()
      },
      catch: (cause) => new FakeApiError({ message: `${path} failed: ${String(cause)}`, cause })
    })
  const failed = (cause: unknown) =>
    new FakeApiError({ message: "The server's answer has another form.", cause })
  return {
    url: `${origin}/v1`,
    stats: ask("/__stats").pipe(Effect.flatMap((json) => Effect.mapError(decodeStats(json), failed))),
    log: ask("/__log").pipe(Effect.flatMap((json) => Effect.mapError(decodeLog(json), failed))),
    control: (change) => Effect.asVoid(ask("/__control", change)),
    reached: (least) =>
      ask("/__wait", least).pipe(Effect.flatMap((json) => Effect.mapError(decodeStats(json), failed)))
  }
}

/** What to start with, and where: a free port when none is named. */
export interface StartOptions extends Options {
  readonly port?: number
}

/** Starts the server in this process. It is closed, with all its connections, at the end of the scope. */
export const start: (options?: StartOptions) => Effect.Effect<FakeApi, FakeApiError, Scope.Scope> = Effect.fn(
  "FakeApi.start"
)(function* ({ port = 0, ...options }: StartOptions = {}) {
  const server = yield* Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly close: (done: () => void) => void }, FakeApiError>(
      (resume) =>
        listen(options, port, (outcome) =>
          resume(
            Result.isSuccess(outcome)
              ? Effect.succeed(outcome.success)
              : Effect.fail(
                  new FakeApiError({
                    message: `Cannot listen on port ${port}: ${outcome.failure.message}`,
                    cause: outcome.failure
                  })
                )
          )
        )
    ),
    (server) => Effect.callback<void>((resume) => server.close(() => resume(Effect.void)))
  )
  return connect(`http://127.0.0.1:${server.port}`)
})

/** The server in a process of its own, so that its work does not count as that of the client that is measured. */
export const FakeApiProcess: {
  /** Starts the process; it is killed at the end of the scope, and ends by itself when this process dies. */
  readonly start: (options?: StartOptions) => Effect.Effect<FakeApi, FakeApiError, Scope.Scope>
} = {
  start: Effect.fn("FakeApiProcess.start")(function* ({ port = 0, ...options }: StartOptions = {}) {
    const failed = (cause: unknown) =>
      new FakeApiError({ message: `The server's process did not start: ${String(cause)}`, cause })
    const services = yield* Layer.build(NodeServices.layer)
    const handle = yield* ChildProcess.make(
      process.execPath,
      [
        fileURLToPath(new URL("./main.ts", import.meta.url)),
        "--port",
        String(port),
        "--settings",
        JSON.stringify({ chatLatencyMs: 0, embeddingLatencyMs: 0, ...options }),
        "--exit-with-parent"
      ],
      { stdin: "pipe", stderr: "inherit", killSignal: "SIGKILL" }
    ).pipe(Effect.provide(services), Effect.mapError(failed))
    const line = yield* handle.stdout.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runHead,
      Effect.mapError(failed)
    )
    if (Option.isNone(line)) return yield* failed("it ended without a word")
    return connect(new URL(line.value).origin)
  })
}
