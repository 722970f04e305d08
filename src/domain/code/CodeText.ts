/** Parts of a text, and how a part that is too large is cut: between lines, where they are indented least, and never inside a character. */

/** A part of a text: from here to before there, in UTF-16 units. */
export interface TextPart {
  readonly start: number
  readonly end: number
}

/** What stays in one piece: about a thousand tokens. */
export const largestChunk = 4000

/** Pieces of what does not: about five hundred tokens. */
const pieceSize = 2000

/** The size of a text, as a model counts: letters beyond ASCII are worth several. */
export const sizeOf = (text: string, start = 0, end = text.length): number => {
  let size = end - start
  for (let index = start; index < end; index++) if (text.charCodeAt(index) > 127) size += 2
  return size
}

/** A part without blank lines around it; nothing when nothing is left. The indentation of its first line stays. */
export const trimPart = (text: string, { end, start }: TextPart): TextPart | undefined => {
  let last = end
  while (last > start && isBlank(text.charCodeAt(last - 1))) last--
  let first = start
  for (let index = start; index < last; index++) {
    const code = text.charCodeAt(index)
    if (code === newLine) first = index + 1
    else if (!isBlank(code)) break
  }
  return first >= last ? undefined : { start: first, end: last }
}

const newLine = 10

const isBlank = (code: number) => code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0xfeff

/** Parts packed together so that each pack has at most the size of a piece; all in one when they are not large. */
export const packParts = (
  text: string,
  parts: ReadonlyArray<TextPart>
): ReadonlyArray<ReadonlyArray<TextPart>> => {
  const total = parts.reduce((sum, part) => sum + sizeOf(text, part.start, part.end), 0)
  if (total <= largestChunk) return parts.length === 0 ? [] : [parts]
  const packs: Array<Array<TextPart>> = []
  let room = 0
  for (const part of parts.flatMap((part) => cutPart(text, part))) {
    const size = sizeOf(text, part.start, part.end)
    const open = packs[packs.length - 1]
    if (open === undefined || size > room) {
      packs.push([part])
      room = pieceSize - size
    } else {
      open.push(part)
      room -= size
    }
  }
  return packs
}

interface Line extends TextPart {
  readonly size: number
  readonly indent: number
}

const linesOf = (text: string, part: TextPart): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  for (let start = part.start; start < part.end;) {
    const found = text.indexOf("\n", start)
    const end = found < 0 || found >= part.end ? part.end : found + 1
    let indent = 0
    while (start + indent < end && isBlank(text.charCodeAt(start + indent))) indent++
    const size = sizeOf(text, start, end)
    if (size > pieceSize) lines.push(...cutLine(text, { start, end }))
    else lines.push({ start, end, size, indent: start + indent >= end ? Number.MAX_SAFE_INTEGER : indent })
    start = end
  }
  return lines
}

// A line that is larger than a piece has no border worth keeping.
const cutLine = (text: string, line: TextPart): ReadonlyArray<Line> => {
  const cuts: Array<Line> = []
  for (let start = line.start; start < line.end;) {
    let end = start
    let size = 0
    while (end < line.end && size < pieceSize) size += text.charCodeAt(end++) > 127 ? 3 : 1
    const code = text.charCodeAt(end)
    if (end < line.end && code >= 0xdc00 && code <= 0xdfff) end++
    cuts.push({ start, end, size, indent: 0 })
    start = end
  }
  return cuts
}

/** Cuts a part into pieces. Each begins at the line that is indented least of those that leave the one before it at least half full. */
const cutPart = (text: string, part: TextPart): ReadonlyArray<TextPart> => {
  const pieces: Array<TextPart> = []
  let open: Array<Line> = []
  let size = 0
  const close = (lines: ReadonlyArray<Line>) => {
    const first = lines[0]
    const last = lines[lines.length - 1]
    const piece = first && last && trimPart(text, { start: first.start, end: last.end })
    if (piece !== undefined) pieces.push(piece)
  }
  for (const line of linesOf(text, part)) {
    if (size + line.size > pieceSize && open.length > 0) {
      const at = borderIn(open, line, size)
      close(open.slice(0, at))
      open = open.slice(at)
      size = open.reduce((sum, it) => sum + it.size, 0)
      if (size + line.size > pieceSize) {
        close(open)
        open = []
        size = 0
      }
    }
    open.push(line)
    size += line.size
  }
  close(open)
  return pieces
}

const borderIn = (lines: ReadonlyArray<Line>, next: Line, size: number): number => {
  let best = lines.length
  let least = next.indent
  let before = size
  for (let index = lines.length - 1; index > 0; index--) {
    const line = lines[index]
    if (line === undefined) break
    before -= line.size
    if (before < size / 2) break
    if (line.indent < least) {
      best = index
      least = line.indent
    }
  }
  return best
}

/** Finds the line, from 1, that a place in a text is on. */
export const lineFinder = (text: string): ((place: number) => number) => {
  const starts = [0]
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
  return (place) => lastAtMost(starts, place, (start) => start) + 1
}

/** The index of the last item whose key is at most `key`, of items sorted by it; -1 when there is none. */
export const lastAtMost = <A>(items: ReadonlyArray<A>, key: number, keyOf: (item: A) => number): number => {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    const item = items[middle]
    if (item !== undefined && keyOf(item) <= key) low = middle + 1
    else high = middle
  }
  return low - 1
}
