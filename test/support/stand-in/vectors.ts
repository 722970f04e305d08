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

interface Feature {
  readonly hash: number
  readonly weight: number
}

// Texts are made of the same words again and again, and benches share their processors with this server.
const known = new Map<string, ReadonlyArray<Feature>>()
const mostKnown = 50_000

const featuresOf = (word: string): ReadonlyArray<Feature> => {
  const there = known.get(word)
  if (there !== undefined) return there
  const stem = word.length > 4 ? word.replace(/(ing|ed|es|s)$/, "") : word
  // Of the short words most are everywhere: what a text is about is in the longer ones.
  const weight = word.length > 3 ? 1 : 0.4
  const features: Array<Feature> = [{ hash: hash(`w:${stem}`), weight }]
  for (let index = 0; index + 3 <= word.length; index++)
    features.push({ hash: hash(`t:${word.slice(index, index + 3)}`), weight: 0.3 * weight })
  if (known.size >= mostKnown) known.clear()
  known.set(word, features)
  return features
}

/** The vector of a text, of length 1. */
export const standInVector = (text: string, dimensions: number): Float32Array => {
  const vector = new Float32Array(dimensions)
  for (const word of plain(text).match(/[\p{L}\p{N}]+/gu) ?? []) {
    for (const feature of featuresOf(word)) {
      const at = feature.hash % dimensions
      vector[at] = (vector[at] ?? 0) + (feature.hash & 0x10000 ? feature.weight : -feature.weight)
    }
  }
  let squares = 0
  for (let index = 0; index < dimensions; index++) squares += (vector[index] ?? 0) ** 2
  const length = Math.sqrt(squares)
  if (length === 0) vector[0] = 1
  else for (let index = 0; index < dimensions; index++) vector[index] = (vector[index] ?? 0) / length
  return vector
}
