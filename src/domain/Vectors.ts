/** Arithmetic of embeddings. */

/** The sum of the products of two vectors of the same width: of unit vectors the cosine of the angle between them, -1 to 1. */
export const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0)
  return sum
}

/** The vector of length 1 in the same direction; a vector of zeros stays what it is. */
export const unit = (vector: Float32Array): Float32Array => {
  const length = Math.sqrt(dot(vector, vector))
  return length === 0 ? vector : vector.map((component) => component / length)
}
