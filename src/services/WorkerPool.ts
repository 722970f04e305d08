/**
 * `--workers N`: at most N pieces of model work at a time, and N of them while work remains. One pool is shared by all
 * pages, all segments of a page, and all programs that run under the same layer. Free workers go round robin to the pages
 * that wait, so that one page of two hundred segments neither starves the others nor is starved by them.
 */
import { Context, Effect, Layer, PartitionedSemaphore } from "effect"

/** The workers of a run. */
export class WorkerPool extends Context.Service<
  WorkerPool,
  {
    /** N. */
    readonly workers: number
    /** Runs `work` on the next free worker; `owner` is what takes turns with others, usually a page. */
    readonly withWorker: (owner: string) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    /** How many workers are busy now. */
    readonly busy: Effect.Effect<number>
  }
>()("gbrain/WorkerPool") {
  /** A pool of `workers` (a positive whole number). */
  static readonly layer = (options: { readonly workers: number }) =>
    Layer.effect(
      WorkerPool,
      Effect.gen(function* () {
        const semaphore = yield* PartitionedSemaphore.make<string>({ permits: options.workers })
        return WorkerPool.of({
          workers: options.workers,
          withWorker: semaphore.withPermit,
          busy: Effect.map(semaphore.available, (available) => options.workers - available)
        })
      })
    )
}
