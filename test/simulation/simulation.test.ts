import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { interrupted, simulate, type Story } from "./simulate.ts"
import type { Mutation } from "./World.ts"

// A seed that failed is told again alone: SEED=123 npx vitest run test/simulation
const asked = process.env["SEED"]

const eachOf = (from: number, count: number, mutation?: Mutation) =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => from + index),
    (seed) => simulate(seed, mutation)
  )

const total = 2_000
const atATime = 250

describe("what must always hold, in stories told from seeds", () => {
  if (asked !== undefined) {
    it.live(`seed ${asked}`, () =>
      Effect.map(simulate(Number(asked)), ({ violation }) => expect(violation).toBe(undefined))
    )
    return
  }
  const told: Array<Story> = []
  for (let from = 1; from <= total; from += atATime) {
    it.live(`seeds ${from} to ${from + atATime - 1}`, () =>
      Effect.map(eachOf(from, atATime), (stories) => {
        told.push(...stories)
        expect(stories.filter(({ violation }) => violation !== undefined)).toEqual([])
      })
    )
  }

  it.live(
    "in the stories things do go wrong: processes are killed, leases are lost before a commit, and pages are written together",
    () =>
      // Of those told above; alone it tells them itself.
      Effect.map(told.length === 0 ? eachOf(1, total) : Effect.succeed(told), (stories) => {
        const sum = (what: "kills" | "fenced" | "commits" | "joined") =>
          stories.reduce((all, { seen }) => all + seen[what], 0)
        expect(sum("kills")).toBeGreaterThan(130)
        expect(sum("fenced")).toBeGreaterThan(10)
        expect(sum("commits")).toBeGreaterThan(3000)
        expect(sum("joined")).toBeGreaterThan(130)
      })
  )

  it.live("a run that is interrupted at any moment ends within 100 ms, and leaves nothing behind", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 300; seed++) {
        const { millis, violation } = yield* interrupted(seed)
        expect({ seed, violation }).toEqual({ seed, violation: undefined })
        expect({ seed, soon: millis <= 100 }).toEqual({ seed, soon: true })
      }
    })
  )

  // Each breaks one thing that the rest relies on; it must be noticed.
  const mutations: ReadonlyArray<readonly [Mutation, string]> = [
    ["no fence", "a page was written by somebody who had lost its lease"],
    ["no journal", "asked again what is known"],
    ["facts pile up", "a fact is there twice"],
    ["dear server", "billed more than was accounted for"],
    ["leases for all", "a lease was taken from somebody who is alive"],
    ["selfish ledger", "billed beyond the day's cap"]
  ]
  for (const [mutation, noticed] of mutations) {
    it.live(`notices what is broken on purpose: ${mutation}`, () =>
      Effect.map(eachOf(1, 100, mutation), (stories) => {
        expect(stories.map(({ violation }) => violation)).toContain(noticed)
      })
    )
  }
})
