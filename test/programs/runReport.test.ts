/** A run is written down once, however it ends. */
import { expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Latch } from "effect"
import { TestClock } from "effect/testing"
import { reported } from "../../src/programs/runReport.ts"

const log = () => {
  const finished: Array<string> = []
  const shown: Array<string> = []
  const options = (finish: Effect.Effect<unknown> = Effect.void) => ({
    report: (ended: string) => Effect.succeed(ended),
    finish: (report: string) =>
      Effect.sync(() => {
        finished.push(report)
      }).pipe(Effect.andThen(finish), Effect.as(report)),
    onInterrupt: (report: string) =>
      Effect.sync(() => {
        shown.push(report)
      })
  })
  return { finished, shown, options }
}

it.effect("one that ends is finished with its report", () =>
  Effect.gen(function* () {
    const { finished, options, shown } = log()
    expect(yield* reported(Effect.succeed("done"), options())).toBe("done")
    expect([finished, shown]).toEqual([["done"], []])
  })
)

it.effect("one that fails, or dies of a bug, is written down as failed, and fails as it did", () =>
  Effect.gen(function* () {
    const { finished, options, shown } = log()
    const bug = new Error("bug")
    expect(yield* Effect.exit(reported(Effect.die(bug), options()))).toEqual(Exit.die(bug))
    expect(yield* Effect.exit(reported(Effect.fail("away"), options()))).toEqual(Exit.fail("away"))
    expect([finished, shown]).toEqual([["failed", "failed"], []])
  })
)

it.effect("one that is interrupted is finished and shown", () =>
  Effect.gen(function* () {
    const { finished, options, shown } = log()
    const fiber = yield* Effect.forkChild(reported(Effect.as(Effect.never, ""), options()), {
      startImmediately: true
    })
    yield* Fiber.interrupt(fiber)
    expect([finished, shown]).toEqual([["interrupted"], ["interrupted"]])
  })
)

it.effect("one that is interrupted while it is written down is written down once, to the end", () =>
  Effect.gen(function* () {
    const { finished, options, shown } = log()
    const written = yield* Latch.make()
    let whole = 0
    const finish = Effect.andThen(
      written.await,
      Effect.sync(() => {
        whole++
      })
    )
    const fiber = yield* Effect.forkChild(reported(Effect.succeed("done"), options(finish)), {
      startImmediately: true
    })
    const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
    yield* written.open
    yield* Fiber.join(interrupting)
    expect([finished, shown, whole]).toEqual([["done"], ["done"], 1])
  })
)

it.effect("whoever pressed Ctrl-C does not wait for a database that does not answer", () =>
  Effect.gen(function* () {
    const { finished, options, shown } = log()
    const fiber = yield* Effect.forkChild(reported(Effect.succeed("done"), options(Effect.never)), {
      startImmediately: true
    })
    const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(interrupting)
    expect([finished, shown]).toEqual([["done"], ["done"]])
  })
)
