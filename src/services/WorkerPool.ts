/**
 * `--workers N`: at most N pieces of work at a time, and N of them while work remains. One pool is shared by all pages, all
 * segments of a page, and all programs that run under the same layer. Free workers go round robin to the pages that wait,
 * so that one page of two hundred segments neither starves the others nor is starved by them.
 *
 * `--workers auto`: N is found and followed by watching how long pieces take; see `domain/ConcurrencyControl`.
 */
import { Clock, Context, Effect, Exit, Layer } from "effect"
import {
  answered,
  type ConcurrencyPolicy,
  defaultConcurrencyPolicy,
  initialConcurrency,
  pushedBack
} from "../domain/ConcurrencyControl.ts"
import { makeFairGate } from "./FairGate.ts"

/** How many at a time: a number, or found out between the bounds of a policy. */
export type Workers = number | { readonly auto: ConcurrencyPolicy }

/** `--workers auto`. */
export const autoWorkers: Workers = { auto: defaultConcurrencyPolicy }

/** The most workers that there can ever be. */
export const mostWorkers = (workers: Workers): number =>
  typeof workers === "number" ? workers : workers.auto.most

/** Runs an effect when there is room for it. */
type Within = <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** The workers of a run. */
export class WorkerPool extends Context.Service<
  WorkerPool,
  {
    /** N, or the most there can be. */
    readonly workers: number
    /** Whether N is found out. */
    readonly adaptive: boolean
    /** N at this moment. */
    readonly limit: Effect.Effect<number>
    /** Runs `work` on the next free worker; `owner` is what takes turns with others, usually a page. */
    readonly withWorker: (owner: string) => Within
    /**
     * Runs `work` as one of the items under way: twice as many as workers, so that none waits while an item is loaded or
     * committed. Only an adaptive pool holds anything back here; a fixed number is the caller's to keep.
     */
    readonly withItem: Within
    /** Tells that the service pushed back: refused for want of capacity, or did not answer in time. */
    readonly pushback: Effect.Effect<void>
    /** How many workers are busy now. */
    readonly busy: Effect.Effect<number>
  }
>()("gbrain/WorkerPool") {
  /** A pool of `workers`: a positive whole number, or `autoWorkers`. */
  static readonly layer = (options: { readonly workers: Workers }) =>
    Layer.effect(
      WorkerPool,
      typeof options.workers === "number" ? makeFixed(options.workers) : makeAdaptive(options.workers.auto)
    )
}

/** Items under way for each worker. */
export const itemsPerWorker = 2

const makeFixed = (workers: number) =>
  Effect.sync(() => {
    const gate = makeFairGate(workers)
    return WorkerPool.of({
      workers,
      adaptive: false,
      limit: Effect.succeed(workers),
      withWorker: gate.within,
      withItem: (work) => work,
      pushback: Effect.void,
      busy: Effect.sync(gate.inside)
    })
  })

const makeAdaptive = Effect.fnUntraced(function* (policy: ConcurrencyPolicy) {
  const clock = yield* Clock.Clock
  let state = initialConcurrency(policy, clock.currentTimeMillisUnsafe())
  const workers = makeFairGate(state.limit)
  const items = makeFairGate(state.limit * itemsPerWorker)

  const become = (next: typeof state) => {
    state = next
    workers.resize(next.limit)
    items.resize(next.limit * itemsPerWorker)
  }

  // A piece that failed says nothing about how long answers take; what it says, it says through `pushback`.
  const watched: Within = (work) =>
    Effect.suspend(() => {
      const startedAt = clock.currentTimeMillisUnsafe()
      return Effect.onExit(work, (exit) =>
        Effect.sync(() => {
          if (!Exit.isSuccess(exit)) return
          const now = clock.currentTimeMillisUnsafe()
          become(answered(policy, state, { now, latency: now - startedAt, inFlight: workers.inside() }))
        })
      )
    })

  return WorkerPool.of({
    workers: policy.most,
    adaptive: true,
    limit: Effect.sync(() => state.limit),
    withWorker: (owner) => (work) => workers.within(owner)(watched(work)),
    withItem: items.within("items"),
    pushback: Effect.sync(() => become(pushedBack(policy, state))),
    busy: Effect.sync(workers.inside)
  })
})
