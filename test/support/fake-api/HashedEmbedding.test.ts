import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { vectorOf } from "./HashedEmbedding.ts"

const similarity = (a: string, b: string, dimensions = 1536) => {
  const other = vectorOf(b, dimensions)
  return vectorOf(a, dimensions).reduce((sum, component, at) => sum + component * (other[at] ?? 0), 0)
}

describe("vectorOf", () => {
  it.each([
    [
      "Ana Ruiz signed the lease on Friday",
      "On Friday Ana Ruiz signs a lease",
      "The churn of Globex fell in March"
    ],
    ["Acme raised 3 million dollars", "Acme is raising three million", "Bob prefers tea in the morning"],
    ["Maria joined Initech as CTO", "Initech: Maria joins as its new CTO", "The weather in Lisbon was awful"]
  ])("puts %j nearer to %j than to %j", (text, similar, unrelated) => {
    expect(similarity(text, similar)).toBeGreaterThan(0.5)
    expect(similarity(text, unrelated)).toBeLessThan(0.2)
  })

  it("is of length 1, of the width that is asked for, and always the same", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 400 }), (text, dimensions) => {
        const vector = vectorOf(text, dimensions)
        expect(vector.length).toBe(dimensions)
        expect(Math.hypot(...vector)).toBeCloseTo(1, 4)
        expect(vectorOf(text, dimensions)).toEqual(vector)
      })
    )
  })

  it("does not care about case and word order, and does about words", () => {
    expect(similarity("Acme hired Bob", "bob HIRED acme")).toBeCloseTo(1, 5)
    expect(similarity("Acme hired Bob", "Acme hired Eve")).toBeLessThan(0.9)
  })
})
