/** The stand-in's embeddings: a hashed bag of words and trigrams, so that texts about the same things are near each other. */

const hash = (text: string): number => {
  let value = 2166136261
  for (let index = 0; index < text.length; index++) {
    value ^= text.charCodeAt(index)
    value = Math.imul(value, 16777619)
  }
  return value >>> 0
}

/** Small letters without accents: to a model, Tomas and Tomás are the same. */
const plain = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()

/** The vector of a text, of length 1. */
export const standInVector = (text: string, dimensions: number): Float32Array => {
  const vector = new Float32Array(dimensions)
  const add = (feature: string, weight: number) => {
    const value = hash(feature)
    const at = value % dimensions
    vector[at] = (vector[at] ?? 0) + (value & 0x10000 ? weight : -weight)
  }
  for (const word of plain(text).match(/[\p{L}\p{N}]+/gu) ?? []) {
    const stem = word.length > 4 ? word.replace(/(ing|ed|es|s)$/, "") : word
    // Of the short words most are everywhere: what a text is about is in the longer ones.
    const weight = word.length > 3 ? 1 : 0.4
    add(`w:${stem}`, weight)
    for (let index = 0; index + 3 <= word.length; index++)
      add(`t:${word.slice(index, index + 3)}`, 0.3 * weight)
  }
  const length = Math.hypot(...vector) || 1
  for (let index = 0; index < dimensions; index++) vector[index] = (vector[index] ?? 0) / length
  if (length === 1 && vector.every((component) => component === 0)) vector[0] = 1
  return vector
}
