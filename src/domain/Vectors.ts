/** Arithmetic of embeddings. */

/** The cosine of the angle between two vectors of the same width, -1 to 1; 0 when one of them is zero. */
export const cosine = (a: Float32Array, b: Float32Array): number => {
  let dot = 0
  let lengthA = 0
  let lengthB = 0
  for (let index = 0; index < a.length; index++) {
    const x = a[index] ?? 0
    const y = b[index] ?? 0
    dot += x * y
    lengthA += x * x
    lengthB += y * y
  }
  return lengthA === 0 || lengthB === 0 ? 0 : dot / Math.sqrt(lengthA * lengthB)
}
