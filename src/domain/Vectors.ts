/** Arithmetic of embeddings. */

/** The sum of the products of two vectors of the same width. */
export const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0)
  return sum
}

/** How long a vector is. */
export const lengthOf = (vector: Float32Array): number => Math.sqrt(dot(vector, vector))
