/**
 * Embeddings by hashing: each word stem and each three letters of it add to one of the dimensions, with a sign of their own.
 * Texts with words in common get vectors with a small angle, so similarity means something, and the same text always gets
 * the same vector.
 */
import { hash32 } from "./Chance.ts"

const wordWeight = 1
const partWeight = 0.35
/** Words that say little about what a text is about. */
const commonWeight = 0.15
const common = new Set(
  (
    "a an and are as at be been but by did do does for from had has have he her his i in is it its me my not of on or our " +
    "she so that the their them they this to us was we were what who will with would you your"
  ).split(" ")
)

/** The vector of `text` in `dimensions` dimensions, of length 1. */
export const vectorOf = (text: string, dimensions: number): Float32Array => {
  const vector = new Float32Array(dimensions)
  const add = (feature: string, weight: number) => {
    const hash = hash32(feature)
    const place = hash % dimensions
    const sign = hash32(feature, 0x9e3779b9) & 1 ? 1 : -1
    vector[place] = (vector[place] ?? 0) + sign * weight
  }
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    const weight = common.has(word) ? commonWeight : 1
    const stem = stemOf(word)
    add(`word ${stem}`, wordWeight * weight)
    const padded = `<${stem}>`
    for (let at = 0; at + 3 <= padded.length; at++)
      add(`part ${padded.slice(at, at + 3)}`, partWeight * weight)
  }
  // Never the null vector, to which no angle is defined: a text without words is its characters.
  if (vector.every((component) => component === 0)) add(`text ${text}`, 1)
  let square = 0
  for (const component of vector) square += component * component
  const length = Math.sqrt(square)
  return vector.map((component) => component / length)
}

/** A rough stem: endings of English taken off words that stay long enough. */
const stemOf = (word: string): string => {
  for (const ending of ["ings", "ing", "ies", "ed", "es", "ly", "s", "e", "y"]) {
    if (word.endsWith(ending) && word.length - ending.length >= 3) return word.slice(0, -ending.length)
  }
  return word
}
