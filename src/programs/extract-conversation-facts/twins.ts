/** Telling whether a page says the same thing twice, in other words. */
import { Effect } from "effect"
import { type ExtractedFact, sameMeaning } from "../../domain/Fact.ts"
import { dot, lengthOf } from "../../domain/Vectors.ts"

/** Comparisons of two vectors that take a few milliseconds. */
const comparisonsAtOnce = 2_000

// Most facts are the only ones of their subject and numbers: how long a vector is, is computed when it is compared.
interface Kept {
  readonly vector: Float32Array
  length: number | undefined
}

// A vector of zeros is like nothing.
const cosine = (a: Kept, b: Kept): number => {
  a.length ??= lengthOf(a.vector)
  b.length ??= lengthOf(b.vector)
  const lengths = a.length * b.length
  return lengths === 0 ? 0 : dot(a.vector, b.vector) / lengths
}

/**
 * Remembers the facts that are kept, and tells of another whether one of them says the same: of the same subject, with the same numbers
 * (two sentences that differ in these only are near each other as vectors), and near it in meaning. With turns for others in between:
 * a page may have thousands of facts of one person.
 */
export const makeTwins = () => {
  const kept = new Map<string, Array<Kept>>()
  let comparisons = 0
  return {
    /** Whether a kept fact says the same; the fact is kept when none does. `subject` is whom it is about. */
    isTwin: Effect.fnUntraced(function* (subject: string, fact: ExtractedFact, vector: Float32Array) {
      const claim = JSON.stringify([subject, fact.metric, fact.value, fact.fact.match(/\d+/g) ?? []])
      const alike = kept.get(claim) ?? []
      kept.set(claim, alike)
      const candidate: Kept = { vector, length: undefined }
      for (const other of alike) {
        if (++comparisons % comparisonsAtOnce === 0) yield* Effect.yieldNow
        if (cosine(other, candidate) >= sameMeaning) return true
      }
      alike.push(candidate)
      return false
    })
  }
}
