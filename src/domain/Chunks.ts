/**
 * Cuts a page's text into chunks for search: about three hundred words, at the coarsest border that fits (paragraphs, then
 * lines, sentences, words), each beginning with the last words of the one before it.
 */

import { searchable } from "./Fences.ts"

/**
 * What is written to `pages.chunker_version`: gbrain's number for its present chunker. gbrain cuts pages with a smaller one again, and
 * whoever embeds chunks reads it; see decision 012.
 */
export const chunkerVersion = 3

/** Raised when the rules here change, so that pages cut by older ones are found. Known to us only. */
export const chunkRules = 2

/** Words in a chunk, at most. */
const chunkWords = 300

/** Words of a chunk that the next one repeats. */
const overlapWords = 50

/** A chunk and the part of the page it is from. */
export interface PageChunk {
  readonly text: string
  readonly source: "compiled_truth" | "timeline"
}

/** The chunks of a page, in order. */
export const chunkPage = (page: {
  readonly compiledTruth: string
  readonly timeline: string
  readonly frontmatter?: Readonly<Record<string, unknown>>
}): ReadonlyArray<PageChunk> =>
  leftOutBy.some((key) => (page.frontmatter?.[key] ?? null) !== null)
    ? []
    : [
        ...chunkText(searchable(page.compiledTruth)).map((text) => ({
          text,
          source: "compiled_truth" as const
        })),
        ...chunkText(searchable(page.timeline)).map((text) => ({ text, source: "timeline" as const }))
      ]

/** Fields of the front matter by which gbrain keeps a page out of search: too large to embed, or suspected to be junk. */
export const leftOutBy = ["embed_skip", "quarantine"] as const

/** The chunks of a text. An empty text has none. */
export const chunkText = (text: string): ReadonlyArray<string> => {
  const pieces = splitFine(text.trim(), 0)
  const chunks: Array<string> = []
  let open = ""
  let words = 0
  for (const piece of pieces) {
    const size = countWords(piece)
    if (words > 0 && words + size > chunkWords) {
      chunks.push(open.trim())
      const tail = lastWords(open, overlapWords)
      open = tail === "" ? "" : `${tail} `
      words = countWords(tail)
      // A piece as large as a chunk leaves no room for what was before it.
      if (words + size > chunkWords) {
        open = ""
        words = 0
      }
    }
    open += piece
    words += size
  }
  if (open.trim() !== "") chunks.push(open.trim())
  return chunks
}

const borders = [/(?<=\n\n)/, /(?<=\n)/, /(?<=[.!?。！？] ?)(?=\s|\S)/u, /(?<=\s)/]

/** Characters that count as a word where words are not set apart, as in Chinese. */
const charactersPerWord = 6

const countWords = (text: string): number => {
  const words = text.split(/\s+/).filter((word) => word !== "")
  return words.reduce((sum, word) => sum + Math.max(1, Math.ceil(sizeOf(word) / (charactersPerWord * 4))), 0)
}

// A Chinese character is about a token, where a letter is a quarter of one.
const sizeOf = (word: string): number => word.length + (word.match(dense)?.length ?? 0) * 3

const dense = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/gu

const splitFine = (text: string, level: number): ReadonlyArray<string> => {
  if (text === "") return []
  if (countWords(text) <= chunkWords) return [text]
  const border = borders[level]
  if (border === undefined) return cutHard(text)
  return text.split(border).flatMap((part) => splitFine(part, level + 1))
}

// Text without any border: by length, between whole characters.
const cutHard = (text: string): ReadonlyArray<string> => {
  const characters = Array.from(text)
  const size = chunkWords * charactersPerWord
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join("")
  )
}

const lastWords = (text: string, count: number): string => text.trim().split(/\s+/).slice(-count).join(" ")
