/**
 * Whether the chunks that a page has are a cut of the text that it has, whoever cut it and at whichever borders: each stands in the
 * text, begins where the one before it ended or earlier, and together they reach its end. Blanks do not count.
 */
import { withoutFences } from "./Fences.ts"

/** Whether `chunks`, in order, are a cut of `text`. An empty text is cut into none. */
export const chunksFit = (text: string, chunks: ReadonlyArray<string>): boolean => {
  const whole = compact(text)
  let reached = 0
  for (const chunk of chunks.map(compact)) {
    if (chunk.length > longestChunk) return false
    // What repeats the end of the chunk before is no longer than the chunk, and little more than that is looked through. The last
    // place is meant: a text that repeats itself has many, and near its end the last may be one before the place that was cut.
    const from = Math.max(0, reached - 2 * chunk.length)
    const at = whole.slice(from, reached + chunk.length).lastIndexOf(chunk)
    if (at === -1) return false
    reached = Math.max(reached, from + at + chunk.length)
  }
  return reached === whole.length
}

/** No program cuts longer ones, and to look for them takes as long as they are, squared. */
const longestChunk = 10_000

// Tables that programs keep in a page are cut in more than one way: some of their rows are not for everybody.
const compact = (text: string): string => withoutFences(text).text.replace(/\s+/g, "")
