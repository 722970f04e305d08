/** The combinator, on virtual time and without a database: what it promises for any program built with it. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Data, Deferred, Duration, Effect, Fiber, Layer, Option, Random, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Money from "../../src/domain/Money.ts"
import { bulk } from "../../src/programs/bulk.ts"
import { Budget } from "../../src/services/Budget.ts"
import { LeaseHeld, PageLease } from "../../src/services/PageLease.ts"
import { Progress } from "../../src/services/Progress.ts"
import { Usage } from "../../src/services/Usage.ts"
import { WorkerPool } from "../../src/services/WorkerPool.ts"

class Bad extends Data.TaggedError("Bad")<{ readonly message: string }> {}
class WrongKey extends Data.TaggedError("WrongKey")<{ readonly message: string }> {}

const run = (
  workers: number,
  cap: Option.Option<Money.Money> = Option.none(),
  heldIds: Set<string> = new Set()
) => {
  const held = new Set<string>()
  const leases = Layer.succeed(
    PageLease,
    PageLease.of({
      withLease: (id, use) =>
        heldIds.has(id)
          ? Effect.fail(new LeaseHeld({ id, holderPid: 1, holderHost: "there", message: `${id} is held` }))
          : Effect.acquireUseRelease(
              Effect.sync(() => {
                held.add(id)
                return { id, token: "1" }
              }),
              use,
              () => Effect.sync(() => held.delete(id))
            ),
      confirm: () => Effect.void,
      confirmEach: () => Effect.succeed(new Map()),
      held: Effect.sync(() => held.size)
    })
  )
  return Progress.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(Budget.layer({ cap }), WorkerPool.layer({ workers }), Usage.layer, leases)
    )
  )
}

const numbers = (count: number) => Stream.fromIterable(Array.from({ length: count }, (_, index) => index))
const label = (item: number) => `item ${item}`
const isFatal = (error: { readonly _tag: string }) => error._tag === "WrongKey"

/** Runs `program` while virtual time goes on, and answers how long it took. */
const timed = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const fiber = yield* Effect.forkChild(
      Effect.flatMap(program, (result) =>
        Effect.map(Clock.currentTimeMillis, (now) => ({ result, millis: now - startedAt }))
      )
    )
    yield* TestClock.adjust(Duration.hours(10))
    return yield* Fiber.join(fiber)
  })

describe("bulk", () => {
  it.effect("N workers mean N pieces at a time, across items and across the pieces of one item", () =>
    Effect.gen(function* () {
      let inFlight = 0
      let most = 0
      const piece = Effect.sync(() => {
        inFlight++
        most = Math.max(most, inFlight)
      }).pipe(Effect.andThen(Effect.sleep("1 second")), Effect.ensuring(Effect.sync(() => inFlight--)))
      const { millis } = yield* timed(
        bulk({
          items: numbers(30),
          label,
          isFatal,
          // One item of a hundred pieces among small ones.
          work: (item, context) =>
            Effect.forEach(Array.from({ length: item === 7 ? 100 : 2 }), () => context.piece(piece), {
              concurrency: "unbounded",
              discard: true
            })
        })
      )
      expect(most).toBe(10)
      expect(millis).toBe(Math.ceil((29 * 2 + 100) / 10) * 1000)
    }).pipe(Effect.provide(run(10)))
  )

  for (const place of [0, 300, 600]) {
    it.effect(
      `a page of 200 segments, the ${place + 1}th of 601, neither starves the others nor drags on`,
      () =>
        Effect.gen(function* () {
          const workers = 20
          let answers = 0
          const piece = Effect.gen(function* () {
            const latency = yield* Random.nextIntBetween(500, 2_500)
            answers += latency
            yield* Effect.sleep(latency)
          })
          let singlesDone = 0
          let singlesDoneWithLong = 0
          const { millis } = yield* timed(
            bulk({
              items: numbers(601),
              label,
              isFatal,
              work: (item, context) =>
                Effect.gen(function* () {
                  // Loading before, committing after.
                  yield* Effect.sleep(20)
                  const pieces = item === place ? 200 : 1
                  yield* Effect.forEach(Array.from({ length: pieces }), () => context.piece(piece), {
                    concurrency: "unbounded",
                    discard: true
                  })
                  yield* Effect.sleep(20)
                  if (pieces === 1) singlesDone++
                  else singlesDoneWithLong = singlesDone
                })
            })
          ).pipe(Effect.provide(run(workers)))
          expect(answers / workers / millis).toBeGreaterThan(0.85)
          // The long one took turns with the others: many of them were done before it.
          if (place < 600) expect(singlesDoneWithLong).toBeGreaterThan(150)
        }).pipe(Random.withSeed("long pages"))
    )
  }

  it.effect("there is no barrier: a slow item delays no other", () =>
    Effect.gen(function* () {
      const finished: Array<number> = []
      const { millis } = yield* timed(
        bulk({
          items: numbers(101),
          label,
          isFatal,
          work: (item, context) =>
            context
              .piece(Effect.sleep(item === 0 ? "50 seconds" : "1 second"))
              .pipe(Effect.andThen(Effect.sync(() => finished.push(item))))
        })
      )
      expect(finished.indexOf(0)).toBeGreaterThanOrEqual(49)
      expect(millis).toBe(75_000)
    }).pipe(Effect.provide(run(2)))
  )

  it.effect("items are drawn as they are worked on, never all at once", () =>
    Effect.gen(function* () {
      let drawn = 0
      let done = 0
      let mostAhead = 0
      yield* timed(
        bulk({
          items: numbers(500).pipe(
            Stream.rechunk(1),
            Stream.tap(() =>
              Effect.sync(() => {
                drawn++
                mostAhead = Math.max(mostAhead, drawn - done)
              })
            )
          ),
          label,
          isFatal,
          work: (_, context) =>
            context.piece(Effect.sleep("1 second")).pipe(Effect.andThen(Effect.sync(() => void done++)))
        })
      )
      expect(done).toBe(500)
      expect(mostAhead).toBeLessThanOrEqual(4 * 2 + 2)
    }).pipe(Effect.provide(run(4)))
  )

  it.effect("B13: a failing item, and one that dies of a bug, are counted and named and end nothing", () =>
    Effect.gen(function* () {
      const report = yield* bulk({
        items: numbers(10),
        label,
        isFatal,
        work: (item) =>
          item === 3
            ? Effect.fail(new Bad({ message: "it is broken" }))
            : item === 5
              ? Effect.die(new Error("aborted, says the bug"))
              : Effect.void
      })
      expect(report).toMatchObject({ failed: 2, stopped: Option.none() })
      expect([...report.failures].sort((a, b) => a.item.localeCompare(b.item))).toEqual([
        { item: "item 3", reason: "it is broken" },
        { item: "item 5", reason: "aborted, says the bug" }
      ])
    }).pipe(Effect.provide(run(3)))
  )

  it.effect(
    "a stream of items that fails ends the run when what is under way is finished, and the report says why",
    () =>
      Effect.gen(function* () {
        let finished = 0
        const broken = new Bad({ message: "the listing was cut off" })
        const { result } = yield* timed(
          bulk({
            items: Stream.concat(numbers(3), Stream.fail(broken)),
            label,
            isFatal,
            work: () =>
              Effect.andThen(
                Effect.sleep("1 minute"),
                Effect.sync(() => finished++)
              )
          })
        )
        expect(finished).toBe(3)
        expect(result).toMatchObject({ failed: 0, stopped: Option.some(broken) })
      }).pipe(Effect.provide(run(2)))
  )

  it.effect("a fatal error stops the run, and interrupts what is under way after a moment", () =>
    Effect.gen(function* () {
      let interrupted = 0
      let started = 0
      const { millis, result } = yield* timed(
        bulk({
          items: numbers(1000),
          label,
          isFatal,
          leaseId: (item) => `lease ${item}`,
          work: (item, context) =>
            context.piece(
              Effect.suspend(() => {
                started++
                return item === 4
                  ? Effect.andThen(
                      Effect.sleep("2 seconds"),
                      Effect.fail(new WrongKey({ message: "wrong key" }))
                    )
                  : Effect.onInterrupt(Effect.sleep("1 minute"), () => Effect.sync(() => interrupted++))
              })
            )
        })
      )
      expect(Option.getOrNull(result.stopped)).toMatchObject({ _tag: "WrongKey" })
      expect(millis).toBe(3000)
      expect(started).toBeLessThanOrEqual(6)
      expect(interrupted).toBe(started - 1)
      const leases = yield* PageLease
      expect(yield* leases.held).toBe(0)
      const pool = yield* WorkerPool
      expect(yield* pool.busy).toBe(0)
    }).pipe(Effect.provide(run(5)))
  )

  it.effect("an exhausted budget starts nothing new, and lets what is under way finish", () =>
    Effect.gen(function* () {
      const budget = yield* Budget
      const cent = Money.fromPico(10_000_000_000n)
      let finished = 0
      const { result } = yield* timed(
        bulk({
          items: numbers(1000),
          label,
          isFatal,
          work: (_, context) =>
            context
              .piece(
                budget.withReservation(cent, (settle) =>
                  Effect.andThen(Effect.sleep("1 second"), settle(cent))
                )
              )
              .pipe(Effect.andThen(Effect.sync(() => void finished++)))
        })
      )
      expect(finished).toBe(100)
      expect(Option.isSome(result.budgetExhausted)).toBe(true)
      expect(result.failed).toBe(0)
      expect((yield* budget.snapshot).spent).toBe(cent * 100n)
      expect(result.unpaid).toBeLessThanOrEqual(16)
    }).pipe(Effect.provide(run(8, Money.parseUsd("1"))))
  )

  it.effect(
    "a budget that refused somebody who found another way has ended the run all the same, and it says so",
    () =>
      Effect.gen(function* () {
        const budget = yield* Budget
        const report = yield* bulk({
          items: numbers(50),
          label,
          isFatal,
          work: () =>
            budget
              .withReservation(Money.fromPico(2_000_000_000_000n), () => Effect.void)
              .pipe(
                Effect.catchTag("BudgetExhausted", () =>
                  budget.withReservation(Money.fromPico(10_000_000_000n), () => Effect.void)
                )
              )
        })
        expect(Option.map(report.budgetExhausted, ({ neededUsd }) => neededUsd)).toEqual(
          Option.some("2.000000")
        )
        expect((yield* budget.snapshot).spent).toBeLessThan(500_000_000_000n)
        expect(report.failed).toBe(0)
      }).pipe(Effect.provide(run(1, Money.parseUsd("1"))))
  )

  it.effect("what is held elsewhere when the budget ends the run is counted, and not tried again", () =>
    Effect.gen(function* () {
      const budget = yield* Budget
      const report = yield* bulk({
        items: numbers(3),
        label,
        isFatal,
        leaseId: (item) => `lease ${item}`,
        work: () => budget.withReservation(Money.fromPico(2_000_000_000_000n), () => Effect.void)
      })
      expect(report).toMatchObject({
        heldElsewhere: 1,
        holders: [{ item: "item 0", reason: "lease 0 is held" }]
      })
      expect(Option.isSome(report.budgetExhausted)).toBe(true)
      expect((yield* (yield* Progress).snapshot).heldElsewhere).toBe(1)
    }).pipe(Effect.provide(run(1, Money.parseUsd("1"), new Set(["lease 0"]))))
  )

  it.effect("what is held elsewhere is tried once more at the end, and counted if it still is", () => {
    const heldIds = new Set(["lease 2", "lease 6"])
    return Effect.gen(function* () {
      const done: Array<number> = []
      const report = yield* bulk({
        items: numbers(8),
        label,
        isFatal,
        leaseId: (item) => `lease ${item}`,
        work: (item) =>
          Effect.sync(() => {
            done.push(item)
            // Whoever held it lets go in the middle of our run.
            if (item === 7) heldIds.delete("lease 2")
          })
      })
      expect(done.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 7])
      expect(report).toMatchObject({
        heldElsewhere: 1,
        holders: [{ item: "item 6", reason: "lease 6 is held" }]
      })
      const progress = yield* (yield* Progress).snapshot
      expect(progress.heldElsewhere).toBe(1)
    }).pipe(Effect.provide(run(2, Option.none(), heldIds)))
  })

  it.effect("interruption reaches every fiber, and gives leases, workers and money back", () =>
    Effect.gen(function* () {
      const budget = yield* Budget
      const started = yield* Deferred.make<void>()
      let open = 0
      const fiber = yield* Effect.forkChild(
        bulk({
          items: numbers(100),
          label,
          isFatal,
          leaseId: (item) => `lease ${item}`,
          work: (_, context) =>
            Effect.forEach(
              [1, 2, 3],
              () =>
                context.piece(
                  budget.withReservation(Money.fromPico(5n), () =>
                    Effect.acquireUseRelease(
                      Effect.sync(() => {
                        open++
                        if (open === 6) Deferred.doneUnsafe(started, Effect.void)
                      }),
                      () => Effect.never,
                      () => Effect.sync(() => open--)
                    )
                  )
                ),
              { concurrency: "unbounded" }
            )
        })
      )
      yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      expect(open).toBe(0)
      expect(yield* (yield* PageLease).held).toBe(0)
      expect(yield* (yield* WorkerPool).busy).toBe(0)
      const money = yield* budget.snapshot
      expect(money.reserved).toBe(0n)
      expect(money.spent).toBe(30n)
    }).pipe(Effect.provide(run(6)))
  )

  it.effect("two programs under one layer share its workers and its progress", () =>
    Effect.gen(function* () {
      let inFlight = 0
      let most = 0
      const program = bulk({
        items: numbers(20),
        label,
        isFatal,
        work: (_, context) =>
          context.piece(
            Effect.acquireUseRelease(
              Effect.sync(() => {
                most = Math.max(most, ++inFlight)
              }),
              () => Effect.sleep("1 second"),
              () => Effect.sync(() => inFlight--)
            )
          )
      })
      const { millis } = yield* timed(Effect.all([program, program], { concurrency: 2 }))
      expect(most).toBe(4)
      expect(millis).toBe(10_000)
    }).pipe(Effect.provide(run(4)))
  )
})
