/**
 * Cuts a page's text into chunks for search. The borders are gbrain's, so that a page that both programs have worked on keeps its
 * chunks and their vectors: pieces of at most three hundred words, at the coarsest border that fits (paragraphs, lines,
 * sentences, clauses, words), put together again to half as much more, each beginning with the last words of the one before it.
 */
import { countWords, estimateTokens, sizeOf, together, wordsIn } from "./ChunkSizes.ts"
import type { CodeChunk } from "./code/CodeChunks.ts"
import { withoutPrivateRows } from "./PrivateRows.ts"

/** gbrain's number for these rules; it looks for pages with a lower one and cuts them anew. */
export const chunkerVersion = 3

/** Raised when only the code here changes, so that pages it cut before are found. Known to us only. */
export const chunkRules = 2

/** Fields of the front matter by which gbrain keeps a page out of search: too large to embed, or suspected to be junk. */
export const leftOutBy = ["embed_skip", "quarantine"] as const

/** Words in a piece, at most. */
const pieceWords = 300

/** Words in pieces put together, at most. */
const chunkWords = 450

/** Words of a chunk that the next one repeats. */
const overlapWords = 50

/** Characters in a chunk, at most, where its words are that long. */
const chunkCharacters = 6000

/** Tokens in a chunk, at most: the narrowest models that make vectors take little more. */
const chunkTokens = 2000

/** A chunk and the part of the page it is from. */
export interface PageChunk {
  readonly text: string
  readonly source: "compiled_truth" | "timeline" | "fenced_code"
  /** What a sample of code is of; prose has none. */
  readonly symbol?: Pick<CodeChunk, "language" | "symbolName" | "symbolType" | "startLine" | "endLine">
}

/** Whether a page is kept out of search. */
export const isLeftOut = (frontmatter: Readonly<Record<string, unknown>>): boolean =>
  leftOutBy.some((key) => (frontmatter[key] ?? null) !== null)

/** The chunks of the prose of a page, in order; none when it is kept out of search. */
export const chunkPage = (page: {
  readonly compiledTruth: string
  readonly timeline: string
  readonly frontmatter?: Readonly<Record<string, unknown>>
}): ReadonlyArray<PageChunk> =>
  isLeftOut(page.frontmatter ?? {})
    ? []
    : [
        ...chunkText(page.compiledTruth).map((text) => ({ text, source: "compiled_truth" as const })),
        ...chunkText(page.timeline).map((text) => ({ text, source: "timeline" as const }))
      ]

/** The chunks of a text, without what in it is private. An empty text has none. */
export const chunkText = (text: string): ReadonlyArray<string> => {
  const open = withoutPrivateRows(text)
  if (open.trim() === "") return []
  if (countWords(open) <= pieceWords) return cutLong(open.trim())
  return overlapped(merged(split(open, 0))).flatMap((chunk) => cutLong(chunk.trim()))
}

const borders = [/\n\n/g, /\n/g, /\. |! |\? |\.\n|!\n|\?\n|[。！？]/g, /; |: |, |[；：，、]/g]

const split = (text: string, level: number): ReadonlyArray<string> => {
  const border = borders[level]
  if (border === undefined) return splitWords(text)
  const pieces = piecesOf(text, border)
  if (pieces.length <= 1) return split(text, level + 1)
  return pieces.flatMap((piece) => (countWords(piece) > pieceWords ? split(piece, level + 1) : [piece]))
}

// A border belongs to what is before it.
const piecesOf = (text: string, border: RegExp): ReadonlyArray<string> => {
  const ends = [...text.matchAll(border)].map((match) => match.index + match[0].length)
  return [...ends, text.length]
    .map((end, index) => text.slice(index === 0 ? 0 : ends[index - 1], end))
    .filter((piece) => piece.trim() !== "")
}

const splitWords = (text: string): ReadonlyArray<string> => {
  const words = text.match(/\S+\s*/g) ?? []
  const [only = ""] = words
  if (words.length === 1 && only.length > pieceWords) return slices(text, pieceWords, pieceWords)
  return Array.from({ length: Math.ceil(words.length / pieceWords) }, (_, index) =>
    words.slice(index * pieceWords, (index + 1) * pieceWords).join("")
  )
}

// Pieces may be many and small, so what is put together is never measured again as a whole.
const merged = (pieces: ReadonlyArray<string>): ReadonlyArray<string> => {
  const chunks: Array<string> = []
  let open = ""
  let openSize = sizeOf(open)
  for (const piece of pieces) {
    const size = sizeOf(piece)
    const longerSize = open === "" ? size : together(openSize, size)
    if (open !== "" && wordsIn(longerSize) > chunkWords) {
      chunks.push(open)
      open = piece
      openSize = size
    } else {
      open += piece
      openSize = longerSize
    }
  }
  return open.trim() === "" ? chunks : [...chunks, open]
}

const overlapped = (chunks: ReadonlyArray<string>): ReadonlyArray<string> =>
  chunks.map((chunk, index) => lastWords(chunks[index - 1] ?? "") + chunk)

// From the first sentence that begins in the first half of them, when one does.
const lastWords = (text: string): string => {
  const words = text.match(/\S+\s*/g) ?? []
  if (words.length <= overlapWords) return ""
  const last = words.slice(-overlapWords).join("")
  const end = last.search(/[.!?]\s+/)
  const sentence = end >= 0 && end < last.length / 2 ? last.slice(end).replace(/^[.!?]\s+/, "") : ""
  return sentence.trim() === "" ? last : sentence
}

// Text that words do not measure: tables of numbers, addresses, encoded files.
const cutLong = (text: string): ReadonlyArray<string> => {
  const tokens = estimateTokens(text)
  const size =
    tokens <= chunkTokens
      ? chunkCharacters
      : Math.max(1, Math.min(chunkCharacters, Math.floor((text.length * chunkTokens) / tokens)))
  if (text.length <= size) return text === "" ? [] : [text]
  const step = Math.max(1, size - Math.min(500, Math.floor(size / 10)))
  return slices(text, size, step).flatMap((slice) => {
    const kept = slice.trim()
    if (kept === "") return []
    return estimateTokens(kept) > chunkTokens && kept.length < text.length ? cutLong(kept) : [kept]
  })
}

const slices = (text: string, size: number, step: number): ReadonlyArray<string> => {
  const cut: Array<string> = []
  for (let start = 0; ;) {
    const end = between(text, Math.min(text.length, start + size))
    cut.push(text.slice(start, end))
    if (end >= text.length) return cut
    start = Math.max(start + 1, between(text, start + step))
  }
}

// Never inside a character of two units.
const between = (text: string, index: number): number =>
  index < text.length && (text.codePointAt(index - 1) ?? 0) > 0xffff ? index - 1 : index
