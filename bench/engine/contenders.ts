/**
 * Ways to run many pieces of work, N at a time: ours, what people write by hand, what they install, and what the original
 * does. Each runs `work` once for every item, however it likes.
 */
import { Effect, Layer, Option, Stream } from "effect"
import pMap from "p-map"
import PQueue from "p-queue"
import { Budget, bulk, PageLease, Progress, Usage, WorkerPool } from "../../src/index.ts"

/** What is done for an item: wait so many milliseconds, or nothing at all. */
export type Work = (item: number) => number

/** A way to run work. */
export interface Contender {
  readonly name: string
  readonly run: (count: number, workers: number, work: Work) => Promise<void>
}

const wait = (millis: number): Promise<void> =>
  millis === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, millis))

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

const noLeases = Layer.succeed(
  PageLease,
  PageLease.of({
    withLease: (id, use) => use({ id, token: "" }),
    confirm: () => Effect.void,
    confirmEach: () => Effect.succeed(new Map()),
    held: Effect.succeed(0)
  })
)

const engine = (workers: number) =>
  Progress.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        Budget.layer({ cap: Option.none() }),
        WorkerPool.layer({ workers }),
        Usage.layer,
        noLeases
      )
    )
  )

/** `bulk`, with a budget, a progress and a pool whose workers take turns among items. */
export const ours: Contender = {
  name: "bulk",
  run: (count, workers, work) =>
    Effect.runPromise(
      bulk({
        items: Stream.range(0, count - 1),
        label: String,
        isFatal: () => false,
        work: (item, { piece }) => {
          const millis = work(item)
          return piece(millis === 0 ? Effect.void : Effect.sleep(millis))
        }
      }).pipe(
        Effect.provide(engine(workers)),
        Effect.flatMap((report) =>
          report.failed === 0 ? Effect.void : Effect.die(new Error(`${report.failed} items failed`))
        )
      )
    )
}

const byHand: Contender = {
  name: "promise pool",
  run: async (count, workers, work) => {
    let next = 0
    const worker = async () => {
      while (next < count) await wait(work(next++))
    }
    await Promise.all(range(workers).map(worker))
  }
}

const mapped: Contender = {
  name: "p-map",
  run: async (count, workers, work) => {
    await pMap(range(count), (item) => wait(work(item)), { concurrency: workers })
  }
}

const queued: Contender = {
  name: "p-queue",
  run: async (count, workers, work) => {
    const queue = new PQueue({ concurrency: workers })
    await queue.addAll(range(count).map((item) => () => wait(work(item))))
  }
}

/** So many at once, and all of them done before the next are begun. */
const batches = (name: string, size: (workers: number) => number): Contender => ({
  name,
  run: async (count, workers, work) => {
    const atOnce = size(workers)
    for (let from = 0; from < count; from += atOnce) {
      await Promise.all(range(Math.min(atOnce, count - from)).map((offset) => wait(work(from + offset))))
    }
  }
})

/** Everybody, ours first. */
export const contenders: ReadonlyArray<Contender> = [
  ours,
  byHand,
  mapped,
  queued,
  batches("batches of N", (workers) => workers),
  batches("batches of ten", (workers) => Math.min(10, workers))
]
