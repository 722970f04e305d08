/** The part of a text that shows why it was found. */
import { fold, isFormOf, isUnspaced, piecesOf, stemOf } from "./Spelling.ts"

/** An excerpt in one line. */
export interface Excerpt {
  readonly text: string
  /** Words of the excerpt that were looked for, as they stand in it, each once. */
  readonly matched: ReadonlyArray<string>
}

/** Characters of an excerpt, about. */
const excerptLength = 240

/** What to look for in a text. */
export interface Sought {
  /** Stemmed words. */
  readonly lexemes: ReadonlyArray<string>
  /** Words, as they were asked for, of which a part of a word is enough. */
  readonly parts: ReadonlyArray<string>
}

interface Place {
  readonly start: number
  readonly end: number
  readonly word: string
  readonly sought: string
}

/** The stretch of a text that has the most of what was looked for, the earliest where several have; else its beginning. */
export const excerptOf = (text: string, sought: Sought): Excerpt => {
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim()
  const places = placesOf(line, sought)
  const start = bestStart(line, places)
  const end = wordEnd(line, start + excerptLength)
  const from = start === 0 ? 0 : wordStart(line, start)
  const inside = places.filter((place) => place.start >= from && place.end <= end)
  return {
    text: `${from > 0 ? "…" : ""}${line.slice(from, end).trim()}${end < line.length ? "…" : ""}`,
    matched: [...new Set(inside.map((place) => place.word))]
  }
}

const placesOf = (line: string, { lexemes, parts }: Sought): ReadonlyArray<Place> => {
  const stems = lexemes.map(stemOf)
  const pieces = [...new Set(parts.flatMap(piecesOf).map(fold))]
  return [...line.matchAll(/[\p{L}\p{M}\p{N}]+/gu)].flatMap((match): ReadonlyArray<Place> => {
    const [word] = match
    const folded = fold(word)
    const stem = stems.find((it) => isFormOf(folded, it))
    const piece = stem === undefined ? pieces.find((it) => folded.includes(it)) : undefined
    if (stem !== undefined || (piece !== undefined && !isUnspaced(word))) {
      return [{ start: match.index, end: match.index + word.length, word, sought: stem ?? piece ?? "" }]
    }
    // Where words are not set apart, what was found is the piece, not everything around it.
    return pieces.flatMap((it) => {
      const at = isUnspaced(it) ? word.indexOf(it) : -1
      return at < 0
        ? []
        : [{ start: match.index + at, end: match.index + at + it.length, word: it, sought: it }]
    })
  })
}

// A little before the first match, so that it can be read in its context.
const lead = 40

const bestStart = (line: string, places: ReadonlyArray<Place>): number => {
  if (line.length <= excerptLength) return 0
  let best = 0
  let most = 0
  for (const first of places) {
    const start = Math.max(0, Math.min(first.start - lead, line.length - excerptLength))
    const within = places.filter((it) => it.start >= start && it.end <= start + excerptLength)
    const distinct = new Set(within.map((it) => it.sought)).size
    if (distinct > most) {
      most = distinct
      best = start
    }
  }
  return best
}

// Never in the middle of a word, unless the word is longer than is worth waiting for.
const longestWord = 30

const wordStart = (line: string, at: number): number => {
  const space = line.indexOf(" ", at)
  return space >= 0 && space - at < longestWord ? space + 1 : whole(line, at)
}

const wordEnd = (line: string, at: number): number => {
  if (at >= line.length) return line.length
  const space = line.lastIndexOf(" ", at)
  return at - space < longestWord ? space : whole(line, at)
}

// Not between the halves of a character.
const whole = (line: string, at: number): number => (/[\udc00-\udfff]/.test(line[at] ?? "") ? at - 1 : at)
