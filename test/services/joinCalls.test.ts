import { describe, expect, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, Fiber, Scheduler } from "effect"
import { TestClock } from "effect/testing"
import { joinCalls, JoinPolicy } from "../../src/services/joinCalls.ts"

/** A store that takes a second a write and refuses whatever has a row "bad" in it. */
const store = (options: { readonly rowsAtMost: number; readonly patience: Duration.Input }) => {
  const written: Array<string> = []
  const { patience, rowsAtMost } = options
  const join = joinCalls({
    rowsAtMost,
    concernsAll: (cause) => Cause.squash(cause) === "away",
    run: (rows: ReadonlyArray<string>) =>
      Effect.andThen(
        Effect.sleep("1 second"),
        Effect.suspend(() => {
          written.push(rows.join(" "))
          if (rows.includes("last")) return Effect.fail("away" as const)
          return rows.includes("bad") ? Effect.fail("refused" as const) : Effect.void
        })
      )
  })
  const policy = { patience: Duration.fromInputUnsafe(patience) }
  const write = (rows: ReadonlyArray<string>) => Effect.provideService(join(rows), JoinPolicy, policy)
  return { write, written }
}

describe("joinCalls", () => {
  it.effect("what comes while a write is under way goes with the next, and nothing waits at leisure", () =>
    Effect.gen(function* () {
      const { write, written } = store({ rowsAtMost: 10, patience: "1 minute" })
      const first = yield* Effect.forkChild(write(["a"]))
      yield* TestClock.adjust("500 millis")
      const others = yield* Effect.forkChild(
        Effect.all([write(["b"]), write(["c", "d"]), write(["e"])], { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("500 millis")
      yield* Fiber.join(first)
      expect(written).toEqual(["a"])
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(others)
      expect(written).toEqual(["a", "b c d e"])
    })
  )

  it.effect("a write that takes longer than the patience holds nobody up", () =>
    Effect.gen(function* () {
      const { write, written } = store({ rowsAtMost: 10, patience: "100 millis" })
      const all = yield* Effect.forkChild(
        Effect.all([write(["a"]), write(["b"]), write(["c"])], { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("1100 millis")
      yield* Fiber.join(all)
      expect(written).toEqual(["a", "b c"])
    })
  )

  it.effect("joins up to so many rows, and leaves a large write whole", () =>
    Effect.gen(function* () {
      const { write, written } = store({ rowsAtMost: 3, patience: "1 minute" })
      const all = yield* Effect.forkChild(
        Effect.all([write(["a"]), write(["b", "c"]), write(["d", "e"]), write(["1", "2", "3", "4"])], {
          concurrency: "unbounded"
        })
      )
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(all)
      expect(written).toEqual(["a", "b c", "d e", "1 2 3 4"])
    })
  )

  it.effect("rows that are refused take none along that they were joined with", () =>
    Effect.gen(function* () {
      const { write, written } = store({ rowsAtMost: 10, patience: "1 minute" })
      const exits = yield* Effect.forkChild(
        Effect.all(
          ["a", "b", "bad", "c"].map((row) => Effect.exit(write([row]))),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("10 seconds")
      const ended = yield* Fiber.join(exits)
      expect(ended.map(Exit.isSuccess)).toEqual([true, true, false, true])
      expect(ended[2]).toEqual(Exit.fail("refused"))
      expect(written.slice(0, 2)).toEqual(["a", "b bad c"])
      expect(written.slice(2).sort()).toEqual(["b", "bad", "c"])
    })
  )

  it.effect(
    "an error that has nothing to do with the rows is everybody's, and nobody tries again for it",
    () =>
      Effect.gen(function* () {
        const { write, written } = store({ rowsAtMost: 10, patience: "1 minute" })
        const exits = yield* Effect.forkChild(
          Effect.all(
            ["a", "b", "last", "c"].map((row) => Effect.exit(write([row]))),
            { concurrency: "unbounded" }
          )
        )
        yield* TestClock.adjust("10 seconds")
        expect((yield* Fiber.join(exits)).slice(1)).toEqual(
          Array.from({ length: 3 }, () => Exit.fail("away"))
        )
        expect(written).toEqual(["a", "b last c"])
      })
  )

  it.effect(
    "what is read together is known to all who asked, and a read that fails alone is not made twice",
    () =>
      Effect.gen(function* () {
        const asked: Array<string> = []
        const read = joinCalls({
          rowsAtMost: 10,
          run: (keys: ReadonlyArray<string>) =>
            Effect.gen(function* () {
              asked.push(keys.join(" "))
              yield* Effect.sleep("10 millis")
              if (keys.includes("bad")) return yield* Effect.fail("refused" as const)
              return new Map(keys.map((key) => [key, key.toUpperCase()]))
            })
        })
        const found = yield* Effect.forkChild(
          Effect.all(
            ["a", "b", "c"].map((key) => Effect.map(read([key]), (all) => all.get(key))),
            { concurrency: "unbounded" }
          )
        )
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(found)).toEqual(["A", "B", "C"])
        expect(asked).toEqual(["a", "b c"])
        const refused = yield* Effect.forkChild(Effect.exit(read(["bad"])))
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.join(refused)).toEqual(Exit.fail("refused"))
        expect(asked).toEqual(["a", "b c", "bad"])
      })
  )

  it.effect(
    "a call goes on for as long as anybody waits for it, and is interrupted with the last of them",
    () =>
      Effect.gen(function* () {
        const { write, written } = store({ rowsAtMost: 10, patience: "1 minute" })
        const fork = (row: string) => Effect.forkChild(write([row]))
        const [a, b, c, d] = [yield* fork("a"), yield* fork("b"), yield* fork("c"), yield* fork("d")]
        yield* TestClock.adjust("1500 millis")
        yield* Fiber.interrupt(b)
        yield* Fiber.interrupt(d)
        yield* TestClock.adjust("1 second")
        yield* Fiber.joinAll([a, c])
        expect(written).toEqual(["a", "b c d"])
        const [e, f] = [yield* fork("e"), yield* fork("f")]
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interrupt(e)
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interrupt(f)
        yield* TestClock.adjust("1 minute")
        expect(written).toEqual(["a", "b c d"])
        const last = yield* fork("g")
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(last)
        expect(written).toEqual(["a", "b c d", "g"])
      })
  )

  it.effect("a call that breaks before it begins is told to all who wait", () =>
    Effect.gen(function* () {
      const join = joinCalls({
        rowsAtMost: 10,
        run: (rows: ReadonlyArray<string>): Effect.Effect<void> => {
          if (rows.includes("bad")) throw new Error("broken")
          return Effect.sleep("1 second")
        }
      })
      const fibers = yield* Effect.forEach(["a", "bad", "b"], (row) =>
        Effect.forkChild(Effect.exit(join([row])))
      )
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.joinAll(fibers)).map(Exit.isSuccess)).toEqual([true, false, true])
    })
  )

  it.effect("an interruption between any two steps leaves nobody waiting for ever", () =>
    Effect.gen(function* () {
      for (let steps = 3; steps <= 60; steps++) {
        const { write } = store({ rowsAtMost: 10, patience: "1 minute" })
        // A fiber that gives way after so few operations is interrupted where no other is.
        const first = yield* Effect.forkChild(
          write(["a"]).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, steps))
        )
        yield* Effect.yieldNow
        yield* Fiber.interrupt(first)
        const second = yield* Effect.forkChild(write(["b"]))
        yield* TestClock.adjust("1 hour")
        expect(second.pollUnsafe(), `after ${steps}`).toEqual(Exit.void)
      }
    })
  )

  it.effect("a call that ends just when the patience does leaves nobody waiting for ever", () =>
    Effect.gen(function* () {
      // Of two that wake at the same time the one that fell asleep later wakes later.
      for (let later = 0; later <= 12; later++) {
        for (let steps = 3; steps <= 16; steps++) {
          const join = joinCalls({
            rowsAtMost: 1,
            run: () =>
              Effect.andThen(Effect.replicateEffect(Effect.yieldNow, later), Effect.sleep("1 second"))
          })
          const fibers = yield* Effect.forEach(["a", "b", "c"], (row) =>
            Effect.forkChild(
              join([row]).pipe(
                Effect.provideService(Scheduler.MaxOpsBeforeYield, steps),
                Effect.provideService(JoinPolicy, { patience: Duration.seconds(1) })
              )
            )
          )
          for (let second = 0; second < 60; second++) yield* TestClock.adjust("1 second")
          const ended = fibers.map((fiber) => fiber.pollUnsafe())
          expect(ended, `${later} later, after ${steps}`).toEqual(fibers.map(() => Exit.void))
        }
      }
    })
  )

  it.effect("an interrupted writer leaves the rows of others to themselves, and nobody waits for ever", () =>
    Effect.gen(function* () {
      for (const patience of ["1 minute", "400 millis"] as const) {
        const { write, written } = store({ rowsAtMost: 10, patience })
        const fibers = yield* Effect.forEach(["a", "b", "c", "d", "e"], (row) =>
          Effect.forkChild(Effect.asVoid(write([row])))
        )
        // The second or third is in the middle of a write that has the rows of those behind it.
        yield* TestClock.adjust("1500 millis")
        yield* Fiber.interruptAll(fibers.slice(0, 3))
        yield* TestClock.adjust("10 seconds")
        for (const fiber of fibers.slice(3)) yield* Fiber.join(fiber)
        const rows = written.join(" ").split(" ")
        expect(rows.filter((row) => row === "d" || row === "e").sort()).toEqual(["d", "e"])
      }
    })
  )
})
