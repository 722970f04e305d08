/**
 * How much front matter may say. YAML can name a value and use it again, also inside itself: a few lines can stand for more than any
 * memory holds, or for something without an end. JSON has no such names, so everything would be written out. And how it may be
 * written, where what reads it is slow.
 */

/** Deeper nesting is no front matter that anybody wrote; what holds itself nests without end. */
const deepest = 100

/** In characters, values used again counted each time. */
const longest = 10_000_000

/** Why a value cannot be written out as JSON, in words; nothing when it can. Gives up as soon as it knows. */
export const tooMuchForJson = (value: unknown): string | undefined => {
  let length = 0
  const visit = (it: unknown, depth: number): string | undefined => {
    length += typeof it === "string" ? it.length : 1
    if (length > longest) return `with its aliases written out it has more than ${longest} characters`
    if (typeof it !== "object" || it === null) return undefined
    if (depth === deepest) return `it nests deeper than ${deepest} levels, or holds itself`
    for (const [key, inner] of Object.entries(it)) {
      length += key.length
      const wrong = visit(inner, depth + 1)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }
  return visit(value, 0)
}

/** In characters, lines without anything in them. What reads front matter looks through such a gap once for each of its lines. */
const widestGap = 1000

/** Whether a file's front matter has a gap in it that nobody wrote, for which reading it would take longer than anybody waits. */
export const hasWideGap = (content: string): boolean => {
  // What begins with anything else has none that is read so.
  if (!/^\ufeff?---/.test(content)) return false
  const end = content.indexOf("\n---", "---".length)
  return (end < 0 ? content : content.slice(0, end))
    .split(/\S+/)
    .some((gap) => gap.length > widestGap && gap.includes("\n"))
}
