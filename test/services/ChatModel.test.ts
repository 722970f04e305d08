import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Option, Scheduler } from "effect"
import { TestClock } from "effect/testing"
import * as Money from "../../src/domain/Money.ts"
import { Budget } from "../../src/services/Budget.ts"
import { ChatModel } from "../../src/services/ChatModel.ts"
import type { Endpoint, Finish } from "../../src/services/openai/Endpoint.ts"
import { Usage } from "../../src/services/Usage.ts"
import { failedAttempt, modelLayer, noLimits } from "../support/models.ts"

const model = "openai:gpt-4.1-mini"

const question = { system: "Be brief.", user: "Who?", maxOutputTokens: 1000 }

const answers = (
  finish: Finish = "complete",
  usage = Option.some({ inputTokens: 10, cachedTokens: 4, outputTokens: 5 })
) => Effect.succeed({ text: "Ana.", finish, usage, limits: noLimits })

const chatWith = (chat: Endpoint["chat"], options: { cap?: string; model?: string } = {}) =>
  ChatModel.layer({ model: options.model ?? model }).pipe(
    Layer.provideMerge(modelLayer({ chat }, options.cap))
  )

const ask = Effect.flatMap(ChatModel, (chat) => chat.ask(question))

const spent = Effect.map(
  Effect.flatMap(Budget, (budget) => budget.snapshot),
  (snapshot) => Money.toNumber(snapshot.spent)
)

describe("ChatModel", () => {
  it.effect("gives the answer with what it used and cost, cached tokens at their own price", () =>
    Effect.gen(function* () {
      const answer = yield* ask
      expect(answer).toMatchObject({ text: "Ana.", truncated: false })
      // 6 tokens at $0.40, 4 from the cache at $0.10, 5 out at $1.60, a million each.
      expect(Money.toNumber(answer.cost)).toBeCloseTo((6 * 0.4 + 4 * 0.1 + 5 * 1.6) / 1e6, 12)
      expect(yield* spent).toBe(Money.toNumber(answer.cost))
      expect(yield* (yield* Usage).snapshot).toMatchObject({ chatCalls: 1, inputTokens: 10, outputTokens: 5 })
    }).pipe(Effect.provide(chatWith(() => answers(), { cap: "1" })))
  )

  it.effect("an answer that was cut is an answer, and says so", () =>
    Effect.gen(function* () {
      expect(yield* ask).toMatchObject({ truncated: true })
    }).pipe(Effect.provide(chatWith(() => answers("truncated"))))
  )

  for (const [finish, reason] of [
    ["refused", "Refused"],
    ["filtered", "ContentFiltered"]
  ] as const) {
    it.effect(`${finish} is a typed error, and paid for`, () =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(ask)).toMatchObject({ _tag: "ModelError", reason })
        expect(yield* spent).toBeGreaterThan(0)
      }).pipe(Effect.provide(chatWith(() => answers(finish))))
    )
  }

  it.effect(
    "a server that does not tell what was used is charged the worst case, so that the cap holds",
    () =>
      Effect.gen(function* () {
        yield* ask
        expect(yield* spent).toBeGreaterThanOrEqual((1000 * 1.6) / 1e6)
      }).pipe(Effect.provide(chatWith(() => answers("complete", Option.none()), { cap: "1" })))
  )

  it.effect("a question that the cap cannot pay is not asked", () => {
    let asked = 0
    return Effect.gen(function* () {
      expect(yield* Effect.flip(ask)).toMatchObject({ _tag: "BudgetExhausted" })
      expect(asked).toBe(0)
    }).pipe(
      Effect.provide(
        chatWith(
          () =>
            Effect.suspend(() => {
              asked++
              return answers()
            }),
          { cap: "0.001" }
        )
      )
    )
  })

  it.effect(
    "a model without a price is refused under a cap, by checkPrice and by the question; without one it is counted",
    () =>
      Effect.gen(function* () {
        const unheard = { model: "openai:unheard-of" }
        const capped = chatWith(() => answers(), { ...unheard, cap: "1" })
        const check = Effect.flatMap(ChatModel, (chat) => chat.checkPrice)
        expect(yield* Effect.flip(check).pipe(Effect.provide(capped))).toMatchObject({
          _tag: "UnpricedModel"
        })
        expect(yield* Effect.flip(ask).pipe(Effect.provide(capped))).toMatchObject({ _tag: "UnpricedModel" })
        const free = Effect.gen(function* () {
          yield* check
          yield* ask
          return yield* (yield* Usage).snapshot
        }).pipe(Effect.provide(chatWith(() => answers(), unheard)))
        expect(yield* free).toMatchObject({ chatCalls: 1, unpricedCalls: 1 })
      })
  )

  it.effect(
    "what may pass is asked again and charged only as far as it may be billed; what may not, fails at once",
    () => {
      let attempts = 0
      return Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(ask)
        yield* TestClock.adjust("10 seconds")
        expect(yield* Fiber.join(fiber)).toMatchObject({ text: "Ana." })
        expect(attempts).toBe(3)
        const worst = (1000 * 1.6) / 1e6
        expect(yield* spent).toBeGreaterThan(worst)
        expect(yield* spent).toBeLessThan(worst * 1.2)
        expect(yield* (yield* Usage).snapshot).toMatchObject({ retries: 2, chatCalls: 1 })
      }).pipe(
        Effect.provide(
          chatWith(() =>
            Effect.suspend(() => {
              attempts++
              // The first was never answered and may be billed; the second was turned away.
              if (attempts === 1) return Effect.fail(failedAttempt("TimedOut", "maybe"))
              return attempts === 2 ? Effect.fail(failedAttempt("Unavailable")) : answers()
            })
          )
        )
      )
    }
  )

  it.effect("an answer that is there reaches who keeps it, whatever step an interruption meets", () => {
    let answered = 0
    let turns = 0
    let kept = 0
    // Interrupts the fiber that asks so many turns after its answer came.
    const interruptedLater = Effect.withFiber((asking) =>
      Effect.forkDetach(
        Effect.andThen(
          Effect.replicateEffect(Effect.yieldNow, turns),
          Effect.sync(() => asking.interruptUnsafe())
        )
      )
    )
    const answer = {
      text: "Ana.",
      finish: "complete" as const,
      usage: Option.none(),
      limits: noLimits
    }
    const keeping = Effect.uninterruptible(
      Effect.andThen(
        ask,
        Effect.sync(() => {
          kept++
        })
      )
    )
    return Effect.gen(function* () {
      for (turns = 0; turns <= 60; turns++) {
        // A fiber that gives way after so few operations is interrupted where no other is.
        const fiber = yield* Effect.forkChild(
          keeping.pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, 4))
        )
        yield* Fiber.await(fiber)
        expect(kept, `after ${turns}`).toBe(answered)
      }
      expect(answered).toBeGreaterThan(50)
    }).pipe(
      Effect.provide(
        chatWith(() =>
          Effect.andThen(
            interruptedLater,
            Effect.sync(() => {
              answered++
              return answer
            })
          )
        )
      )
    )
  })

  it.effect("a question can be given up where nothing else can be interrupted, and is charged in full", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.uninterruptible(ask))
      yield* TestClock.adjust("1 second")
      const giving = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("1 second")
      expect(giving.pollUnsafe()).toEqual(Exit.void)
      expect(yield* spent).toBeGreaterThanOrEqual((1000 * 1.6) / 1e6)
    }).pipe(Effect.provide(chatWith(() => Effect.never)))
  )
})
