/**
 * Chance without a generator: every draw is a function of a text that names it, so it does not matter which of many
 * concurrent requests comes first.
 */

/** A 32-bit hash of `text` (FNV-1a over its UTF-16 units, finished with murmur3's mixer). */
export const hash32 = (text: string, basis = 0x811c9dc5): number => {
  let hash = basis
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A number above 0 and below 1, drawn by the name `draw`. */
export const uniform = (draw: string): number => (hash32(draw) + 0.5) / 2 ** 32

/** The spread of latencies: a tenth of them are 1.9 times the median or more, as with hosted models. */
const sigma = 0.5

/** A log-normal number with this median, drawn by the name `draw`. */
export const logNormal = (median: number, draw: string): number => {
  const radius = Math.sqrt(-2 * Math.log(uniform(`${draw}/radius`)))
  return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * uniform(`${draw}/angle`)))
}
