/**
 * Cuts files of code into chunks on threads of their own, so that several processors work and the program stays responsive. A thread
 * that crashes on a file, or is still at it when its time is up, is ended, another takes its place, and the file is named.
 */
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import { Context, Duration, Effect, Layer, Schema, Semaphore } from "effect"
import type { CodeChunk } from "../domain/code/CodeChunks.ts"
import type { ParserAnswer, ParserJob } from "./code/parserThread.ts"

/** A file that could not be cut. */
export class CodeUnreadable extends Schema.TaggedError<CodeUnreadable>()("CodeUnreadable", {
  path: Schema.String,
  /** What is wrong with the file, in words that follow its name. */
  message: Schema.String
}) {}

// From sources the threads run sources, from the built package what was built.
const thread = (url: string) => new URL(`./code/parserThread${url.endsWith(".ts") ? ".ts" : ".js"}`, url)

/** How threads are run. */
export const ParserPolicy = Context.Reference("gbrain/ParserPolicy", {
  defaultValue: () => ({
    /** The longest a file may take. Grammars read a megabyte a second or more; what takes longer goes in circles. */
    timeout: Duration.seconds(30),
    /** Memory of a thread, beside the grammars'. */
    megabytes: 1024,
    /** What runs on a thread. */
    script: thread(import.meta.url)
  })
})

/** Cuts code into chunks. */
export class CodeParser extends Context.Service<
  CodeParser,
  {
    /** The chunks of a file with their edges, as `codeChunkerVersion` has them. */
    readonly chunks: (file: ParserJob) => Effect.Effect<ReadonlyArray<CodeChunk>, CodeUnreadable>
  }
>()("gbrain/CodeParser") {
  /** As many threads as workers, and no more than processors. They start when there is something for them to do. */
  static readonly layer = (options: { readonly workers: number }) =>
    Layer.effect(
      CodeParser,
      Effect.gen(function* () {
        const policy = yield* ParserPolicy
        const threads = Math.max(1, Math.min(options.workers, availableParallelism()))
        const room = yield* Semaphore.make(threads)
        const idle: Array<Worker> = []
        yield* Effect.addFinalizer(() =>
          Effect.forEach(idle.splice(0), end, { concurrency: "unbounded", discard: true })
        )
        const take = Effect.sync(() => idle.pop() ?? startThread(policy, idle))
        const run = (file: ParserJob) =>
          Effect.acquireUseRelease(
            take,
            (worker) =>
              ask(worker, file).pipe(
                Effect.timeoutOrElse({
                  duration: policy.timeout,
                  orElse: () =>
                    Effect.fail(
                      unreadable(file, `took longer than ${Duration.format(policy.timeout)} to read`)
                    )
                })
              ),
            // An answer that never came, for whatever reason, leaves a thread that nobody knows anything of.
            (worker, exit) =>
              exit._tag === "Success"
                ? Effect.sync(() => {
                    idle.push(worker)
                  })
                : end(worker)
          )
        return CodeParser.of({
          chunks: (file) =>
            run(file).pipe(
              (it) => room.withPermit(it),
              Effect.flatMap((answer) =>
                "failed" in answer
                  ? Effect.fail(unreadable(file, answer.failed))
                  : Effect.succeed(answer.chunks)
              )
            )
        })
      })
    )
}

const unreadable = (file: ParserJob, message: string) => new CodeUnreadable({ path: file.path, message })

const startThread = (
  policy: { readonly megabytes: number; readonly script: URL },
  idle: Array<Worker>
): Worker => {
  const worker = new Worker(policy.script, {
    resourceLimits: { maxOldGenerationSizeMb: policy.megabytes },
    // What a thread says on its way out belongs to the report, not among results or progress.
    stdout: true,
    stderr: true
  })
  // A thread that ends while nobody waits for it is not to be taken again.
  worker.on("error", () => undefined)
  worker.on("exit", () => {
    const at = idle.indexOf(worker)
    if (at >= 0) idle.splice(at, 1)
  })
  return worker
}

const end = (worker: Worker) => Effect.ignore(Effect.tryPromise(() => worker.terminate()))

const ask = (worker: Worker, file: ParserJob) =>
  Effect.callback<ParserAnswer, CodeUnreadable>((resume) => {
    const settle = (answer: Effect.Effect<ParserAnswer, CodeUnreadable>) => {
      stop()
      resume(answer)
    }
    const onMessage = (answer: ParserAnswer) => settle(Effect.succeed(answer))
    const onError = (error: unknown) =>
      settle(Effect.fail(unreadable(file, `crashed its reader: ${wordsOf(error)}`)))
    const onExit = (code: number) =>
      settle(Effect.fail(unreadable(file, `crashed its reader, which ended with ${code}`)))
    const stop = () => worker.off("message", onMessage).off("error", onError).off("exit", onExit)
    worker.on("message", onMessage).on("error", onError).on("exit", onExit)
    worker.postMessage(file, [])
    return Effect.sync(stop)
  })

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
