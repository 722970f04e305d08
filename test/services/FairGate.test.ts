import { expect, it } from "@effect/vitest"
import { Effect, Fiber, Scheduler } from "effect"
import { makeFairGate } from "../../src/services/FairGate.ts"

/** More turns than a fiber takes to go through a gate, with the fewest operations a turn. */
const turns = 25

/** Starts a fiber that lets others go after so many operations. */
const forkSlow = <A, E, R>(self: Effect.Effect<A, E, R>, operations: number) =>
  Effect.forkChild(Effect.provideService(self, Scheduler.MaxOpsBeforeYield, operations))

/** Runs a check for each of the moments at which a fiber can be interrupted. */
const atEachMoment = (check: (operations: number, waitFor: Effect.Effect<void>) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    for (let operations = 3; operations <= 12; operations++) {
      for (let turn = 0; turn <= turns; turn++) {
        yield* check(operations, Effect.asVoid(Effect.replicateEffect(Effect.yieldNow, turn)))
      }
    }
  })

it.effect("one that is interrupted, whenever it is, leaves nothing inside", () =>
  atEachMoment((operations, untilThen) =>
    Effect.gen(function* () {
      const gate = makeFairGate(1)
      const fiber = yield* forkSlow(gate.within("a")(Effect.yieldNow), operations)
      yield* untilThen
      yield* Fiber.interrupt(fiber)
      expect(gate.inside()).toBe(0)
    })
  )
)

it.effect("one that is interrupted when its turn comes leaves it to who is next", () =>
  atEachMoment((operations, untilThen) =>
    Effect.gen(function* () {
      const gate = makeFairGate(0)
      const waiting = yield* forkSlow(gate.within("a")(Effect.yieldNow), operations)
      yield* Effect.replicateEffect(Effect.yieldNow, turns)
      const behind = yield* Effect.forkChild(gate.within("b")(Effect.succeed("went")))
      yield* Effect.yieldNow
      gate.resize(1)
      yield* untilThen
      yield* Fiber.interrupt(waiting)
      for (let turn = 0; turn < turns && behind.pollUnsafe() === undefined; turn++) yield* Effect.yieldNow
      expect(gate.inside()).toBe(0)
      expect(behind.pollUnsafe()).toBeDefined()
    })
  )
)

it.effect("one that is interrupted while it waits takes nobody else out of the queue", () =>
  atEachMoment((operations, untilThen) =>
    Effect.gen(function* () {
      const gate = makeFairGate(0)
      const others = yield* Effect.forkChild(
        Effect.all([gate.within("a")(Effect.succeed(1)), gate.within("a")(Effect.succeed(2))], {
          concurrency: 2
        })
      )
      yield* Effect.yieldNow
      const fiber = yield* forkSlow(gate.within("a")(Effect.never), operations)
      yield* untilThen
      yield* Fiber.interrupt(fiber)
      gate.resize(1)
      expect(yield* Fiber.join(others)).toEqual([1, 2])
      expect(gate.inside()).toBe(0)
    })
  )
)
