/** Facts that say the same. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ExtractedFact } from "../../../src/domain/Fact.ts"
import { makeTwins } from "../../../src/programs/extract-conversation-facts/twins.ts"

const fact = (text: string, more: Partial<ExtractedFact> = {}): ExtractedFact => ({
  fact: text,
  entity: "Ana",
  kind: "fact",
  confidence: 1,
  notability: "low",
  metric: null,
  value: null,
  unit: null,
  period: null,
  messages: [1],
  ...more
})

/** A vector of two components at an angle, of any length. */
const at = (degrees: number, length = 1) =>
  Float32Array.of(length * Math.cos((degrees / 180) * Math.PI), length * Math.sin((degrees / 180) * Math.PI))

it.effect("two that are near in meaning are one, whatever the length of their vectors", () =>
  Effect.gen(function* () {
    const { isTwin } = makeTwins()
    expect(yield* isTwin("people/ana", fact("Ana moved to Porto"), at(0))).toBe(false)
    expect(yield* isTwin("people/ana", fact("Ana lives in Porto now"), at(10, 7))).toBe(true)
    expect(yield* isTwin("people/ana", fact("Ana sold a boat"), at(90))).toBe(false)
    expect(yield* isTwin("people/ana", fact("Ana sold the boat"), at(85))).toBe(true)
  })
)

it.effect("what differs in whom it is about, in a number, or in a value is another", () =>
  Effect.gen(function* () {
    const { isTwin } = makeTwins()
    expect(yield* isTwin("people/ana", fact("Ana pays 400 a month"), at(0))).toBe(false)
    expect(yield* isTwin("people/ana", fact("Ana pays 500 a month"), at(0))).toBe(false)
    expect(yield* isTwin("people/ben", fact("Ben pays 400 a month"), at(0))).toBe(false)
    expect(yield* isTwin("people/ana", fact("Ana pays 400 a month", { value: 400 }), at(0))).toBe(false)
    expect(yield* isTwin("people/ana", fact("each month Ana pays 400"), at(0))).toBe(true)
  })
)

it.effect("a page of thousands of facts of one person leaves turns to others", () =>
  Effect.gen(function* () {
    const { isTwin } = makeTwins()
    let turns = 0
    let done = false
    yield* Effect.forkChild(
      Effect.whileLoop({
        while: () => !done,
        body: () => Effect.yieldNow,
        step: () => {
          turns++
        }
      }),
      { startImmediately: true }
    )
    // Every one far from every other: none is a twin, and each is compared with all before.
    for (let index = 0; index < 500; index++) {
      const vector = new Float32Array(500)
      vector[index] = 1
      expect(yield* isTwin("people/ana", fact("Ana said so"), vector)).toBe(false)
    }
    done = true
    expect(turns).toBeGreaterThan(50)
  })
)
