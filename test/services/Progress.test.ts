import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import * as Money from "../../src/domain/Money.ts"
import { Budget } from "../../src/services/Budget.ts"
import { Progress } from "../../src/services/Progress.ts"
import { Usage } from "../../src/services/Usage.ts"
import { WorkerPool } from "../../src/services/WorkerPool.ts"

const layer = Progress.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(Budget.layer({ cap: Money.parseUsd("2") }), WorkerPool.layer({ workers: 3 }), Usage.layer)
  )
)

const begin = (command: string, total: number | undefined) =>
  Effect.flatMap(Progress, (progress) =>
    progress.begin({ command, unit: "pages", total: Option.fromUndefinedOr(total) })
  )

describe("Progress", () => {
  it.effect("adds up what is counted, and tells money, workers and retries as they are now", () =>
    Effect.gen(function* () {
      const progress = yield* Progress
      yield* begin("extract", 10)
      yield* progress.count({ done: 3, segments: 7 })
      yield* progress.count({ failed: 1, skipped: 2, heldElsewhere: 1 })
      yield* progress.count({ heldElsewhere: -1 })
      const price = Option.getOrThrow(Money.parseUsd("0.5"))
      yield* (yield* Budget).withReservation(price, (settle) => settle(price))
      yield* (yield* Usage).count({ retries: 2, rateLimited: 1 })
      const free = yield* Deferred.make<void>()
      yield* Effect.forkChild((yield* WorkerPool).withWorker("page")(Deferred.await(free)))
      yield* Effect.yieldNow
      expect(yield* progress.snapshot).toMatchObject({
        command: "extract",
        unit: "pages",
        total: Option.some(10),
        done: 6,
        failed: 1,
        skipped: 2,
        heldElsewhere: 0,
        segments: 7,
        inFlight: 1,
        workers: 3,
        spent: price,
        cap: Money.parseUsd("2"),
        retries: 2,
        rateLimited: 1
      })
    }).pipe(Effect.provide(layer))
  )

  it.effect("tells the time left once three are done, by the pace so far; none is left at the end", () =>
    Effect.gen(function* () {
      const progress = yield* Progress
      yield* begin("extract", 10)
      yield* TestClock.adjust("30 seconds")
      yield* progress.count({ done: 2 })
      expect((yield* progress.snapshot).etaMs).toEqual(Option.none())
      yield* progress.count({ done: 1 })
      expect(yield* progress.snapshot).toMatchObject({ elapsedMs: 30_000, etaMs: Option.some(70_000) })
      yield* progress.count({ done: 8 })
      expect((yield* progress.snapshot).etaMs).toEqual(Option.some(0))
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "several programs under it are one: what is to do adds up, and is unknown when one of them does not know",
    () =>
      Effect.gen(function* () {
        const progress = yield* Progress
        yield* begin("one", 4)
        yield* begin("two", 6)
        expect(yield* progress.snapshot).toMatchObject({ command: "one + two", total: Option.some(10) })
        yield* begin("three", undefined)
        expect((yield* progress.snapshot).total).toEqual(Option.none())
      }).pipe(Effect.provide(layer))
  )
})
