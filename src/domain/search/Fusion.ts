/**
 * Several ranked lists made one. By place, not by score: what a rank of words and a distance of vectors are worth cannot be
 * compared, their order can.
 */

/** A ranked list: keys of what was found, the best first, each once. */
export interface RankedList {
  /** How it was found. */
  readonly name: string
  readonly keys: ReadonlyArray<string>
}

/** Something that was found, with what all lists together say of it. */
export interface Fused {
  readonly key: string
  readonly score: number
  /** The lists it is on. */
  readonly foundBy: ReadonlyArray<string>
}

/**
 * Added to every place, so that the first places of a list do not outweigh everything that several lists agree on. The value
 * is that of Cormack, Clarke and Büttcher, who found the method; gbrain's too.
 */
export const rankOffset = 60

/** Reciprocal rank fusion: each list gives `1 / (rankOffset + place)`; the sums decide, and where they are the same, the key. */
export const fuse = (lists: ReadonlyArray<RankedList>): ReadonlyArray<Fused> => {
  const found = new Map<string, { score: number; foundBy: Array<string> }>()
  for (const { keys, name } of lists) {
    for (const [index, key] of keys.entries()) {
      const entry = found.get(key) ?? { score: 0, foundBy: [] }
      entry.score += 1 / (rankOffset + index + 1)
      entry.foundBy.push(name)
      found.set(key, entry)
    }
  }
  return [...found]
    .map(([key, entry]) => ({ key, ...entry }))
    .sort((a, b) => b.score - a.score || (a.key < b.key ? -1 : 1))
}

/** Hits of one page that may stand before those of other pages. */
export const mostOfAPage = 3

/**
 * The same hits, in their order, but of each page only the first `most`; the rest comes after everything else, so that one page that
 * says much about a thing does not hide the others, and nothing is lost. Hits without a page stand where they are.
 */
export const spread = <A>(
  hits: ReadonlyArray<A>,
  pageOf: (hit: A) => string | null,
  most: number = mostOfAPage
): ReadonlyArray<A> => {
  const seen = new Map<string, number>()
  const later: Array<A> = []
  const first = hits.filter((hit) => {
    const page = pageOf(hit)
    if (page === null) return true
    const count = (seen.get(page) ?? 0) + 1
    seen.set(page, count)
    if (count > most) later.push(hit)
    return count <= most
  })
  return [...first, ...later]
}
