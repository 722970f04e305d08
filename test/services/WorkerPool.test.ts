import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Random, Semaphore } from "effect"
import { TestClock } from "effect/testing"
import { autoWorkers, WorkerPool } from "../../src/services/WorkerPool.ts"

/**
 * A service that works on `knee` calls at a time, each for `latency` milliseconds give or take a third; what comes beyond
 * that waits in its queue. So its throughput grows with the calls in flight up to the knee, and not any more beyond it.
 */
const makeService = Effect.fnUntraced(function* (options: { knee: number; latency: number }) {
  const slots = yield* Semaphore.make(options.knee)
  let served = 0
  let latency = options.latency
  return {
    call: Effect.flatMap(Random.nextBetween(2 / 3, 4 / 3), (share) =>
      Effect.andThen(
        Effect.sleep(share * latency),
        Effect.sync(() => served++)
      ).pipe(slots.withPermits(1))
    ),
    served: Effect.sync(() => served),
    moveKnee: (knee: number) => slots.resize(knee),
    slowDown: (to: number) => Effect.sync(() => (latency = to))
  }
})

type Service = Effect.Success<ReturnType<typeof makeService>>

/** Keeps a pool busy with calls to the service for as long as the scope lives. */
const keepBusy = (pool: WorkerPool["Service"], service: Service) =>
  Effect.forkScoped(
    Effect.forEach(
      Array.from({ length: pool.workers + 10 }, (_, index) => `page ${index}`),
      (page) => Effect.forever(pool.withWorker(page)(service.call)),
      { concurrency: "unbounded", discard: true }
    )
  )

const build = <A, E>(layer: Layer.Layer<WorkerPool, E, A>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, WorkerPool))

/** Calls served in the next `seconds`, as a share of what the service can do at all. */
const utilisation = Effect.fnUntraced(function* (
  service: Service,
  options: { seconds: number; knee: number; latency: number }
) {
  const before = yield* service.served
  for (let second = 0; second < options.seconds; second++) yield* TestClock.adjust("1 second")
  const served = (yield* service.served) - before
  return served / ((options.seconds * 1000 * options.knee) / options.latency)
})

describe("a fixed number of workers", () => {
  it.effect("is what it says, and goes round robin to those who wait", () =>
    Effect.gen(function* () {
      const pool = yield* build(WorkerPool.layer({ workers: 2 }))
      const order: Array<string> = []
      const piece = (owner: string) =>
        pool.withWorker(owner)(
          Effect.andThen(
            Effect.sync(() => order.push(owner)),
            Effect.sleep("1 second")
          )
        )
      const fiber = yield* Effect.forkChild(
        Effect.forEach(["a", "a", "a", "a", "b", "c"], piece, { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("0 seconds")
      expect(yield* pool.busy).toBe(2)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      expect(order.slice(0, 5)).toEqual(["a", "a", "a", "b", "c"])
    }).pipe(Effect.scoped)
  )
})

describe("--workers auto", () => {
  for (const knee of [8, 40, 200])
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
      it.effect(
        `reaches 90% of the best within the first minute when ${knee} calls at a time are best (seed ${seed})`,
        () =>
          Effect.gen(function* () {
            const latency = 1500
            const service = yield* makeService({ knee, latency })
            const pool = yield* build(WorkerPool.layer({ workers: autoWorkers }))
            yield* keepBusy(pool, service)
            yield* utilisation(service, { seconds: 40, knee, latency })
            expect(yield* utilisation(service, { seconds: 20, knee, latency })).toBeGreaterThan(0.9)
            expect(yield* utilisation(service, { seconds: 120, knee, latency })).toBeGreaterThan(0.9)
            // Enough is enough: a queue of more than half of what is worked on helps nobody.
            expect(yield* pool.limit).toBeLessThan(knee * 1.5 + 4)
          }).pipe(Effect.scoped, Random.withSeed(`${knee} ${seed}`))
      )
    }

  it.effect("follows when the knee moves up and down", () =>
    Effect.gen(function* () {
      const latency = 1000
      const service = yield* makeService({ knee: 40, latency })
      const pool = yield* build(WorkerPool.layer({ workers: autoWorkers }))
      yield* keepBusy(pool, service)
      yield* utilisation(service, { seconds: 60, knee: 40, latency })
      yield* service.moveKnee(200)
      yield* utilisation(service, { seconds: 60, knee: 200, latency })
      expect(yield* utilisation(service, { seconds: 30, knee: 200, latency })).toBeGreaterThan(0.9)
      yield* service.moveKnee(8)
      yield* utilisation(service, { seconds: 240, knee: 8, latency })
      expect(yield* utilisation(service, { seconds: 60, knee: 8, latency })).toBeGreaterThan(0.9)
      expect(yield* pool.limit).toBeLessThan(24)
    }).pipe(Effect.scoped, Random.withSeed("moving"))
  )

  it.effect("does not take a service that became slower for one that is overloaded", () =>
    Effect.gen(function* () {
      const service = yield* makeService({ knee: 60, latency: 500 })
      const pool = yield* build(WorkerPool.layer({ workers: autoWorkers }))
      yield* keepBusy(pool, service)
      yield* utilisation(service, { seconds: 60, knee: 60, latency: 500 })
      yield* service.slowDown(2000)
      yield* utilisation(service, { seconds: 60, knee: 60, latency: 2000 })
      expect(yield* utilisation(service, { seconds: 60, knee: 60, latency: 2000 })).toBeGreaterThan(0.9)
    }).pipe(Effect.scoped, Random.withSeed("slower"))
  )

  it.effect("goes down by a third when the service pushes back, once for many signs at a time", () =>
    Effect.gen(function* () {
      const service = yield* makeService({ knee: 100, latency: 1000 })
      const pool = yield* build(WorkerPool.layer({ workers: autoWorkers }))
      yield* keepBusy(pool, service)
      yield* utilisation(service, { seconds: 60, knee: 100, latency: 1000 })
      const before = yield* pool.limit
      yield* Effect.repeat(pool.pushback, { times: 5 })
      expect(yield* pool.limit).toBe(Math.floor(before * 0.7))
      yield* TestClock.adjust("5 seconds")
      expect(yield* pool.busy).toBeLessThanOrEqual(before)
    }).pipe(Effect.scoped, Random.withSeed("pushback"))
  )

  it.effect("never has more at a time than its limit, once those that began before it shrank are done", () =>
    Effect.gen(function* () {
      const service = yield* makeService({ knee: 50, latency: 1000 })
      const pool = yield* build(WorkerPool.layer({ workers: autoWorkers }))
      yield* keepBusy(pool, service)
      yield* utilisation(service, { seconds: 30, knee: 50, latency: 1000 })
      for (let round = 0; round < 20; round++) {
        yield* pool.pushback
        const limit = yield* pool.limit
        yield* TestClock.adjust("4 seconds")
        expect(yield* pool.busy).toBeLessThanOrEqual(Math.max(limit, yield* pool.limit))
      }
    }).pipe(Effect.scoped, Random.withSeed("shrinking"))
  )
})
