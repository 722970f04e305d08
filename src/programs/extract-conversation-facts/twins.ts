/** Telling whether a page says the same thing twice, in other words. */
import { Effect } from "effect"
import { type ExtractedFact, sameMeaning } from "../../domain/Fact.ts"
import { dot, unit } from "../../domain/Vectors.ts"

/** Comparisons of two vectors that take a few milliseconds. */
const comparisonsAtOnce = 2_000

/**
 * Remembers the facts that are kept, and tells of another whether one of them says the same: of the same subject, with the same numbers
 * (two sentences that differ in these only are near each other as vectors), and near it in meaning. With turns for others in between:
 * a page may have thousands of facts of one person.
 */
export const makeTwins = () => {
  const kept = new Map<string, Array<Float32Array>>()
  let comparisons = 0
  return {
    /** Whether a kept fact says the same; the fact is kept when none does. `subject` is whom it is about. */
    isTwin: Effect.fnUntraced(function* (subject: string, fact: ExtractedFact, vector: Float32Array) {
      const claim = JSON.stringify([subject, fact.metric, fact.value, fact.fact.match(/\d+/g) ?? []])
      const alike = kept.get(claim) ?? []
      kept.set(claim, alike)
      const direction = unit(vector)
      for (const other of alike) {
        if (++comparisons % comparisonsAtOnce === 0) yield* Effect.yieldNow
        if (dot(other, direction) >= sameMeaning) return true
      }
      alike.push(direction)
      return false
    })
  }
}
