/**
 * Finds the conversation in a user message: lines of the shape `[3] Ana Ruiz (2026-03-01T09:00:00Z): text`, the number
 * optional, the text going on over lines of any other shape. Whatever stands before the first such line is not part of it,
 * and what people wrote is never more than text.
 */

/** One message of a conversation. */
export interface Line {
  /** The number in brackets; none when there is none. */
  readonly id: number | undefined
  readonly speaker: string
  readonly text: string
}

const numbered = /^\[(\d{1,6})\] ?/
const time =
  / \((?:\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?|\d{1,2}:\d{2}(?::\d{2})?|time unknown)\):(?: |$)/

/** The messages of the conversation, in their order. Empty when there is no line of the shape. */
export const readTranscript = (message: string): ReadonlyArray<Line> => {
  const lines: Array<{ id: number | undefined; speaker: string; text: string }> = []
  const end = endMarker(message)
  for (const row of message.split(/\r?\n/)) {
    if (row === end) break
    const line = readLine(row)
    const open = lines.at(-1)
    // In a numbered conversation a line without a number is a quotation inside a message.
    if (line !== undefined && (line.id !== undefined || lines[0]?.id === undefined)) lines.push(line)
    else if (open !== undefined) open.text += `\n${row}`
  }
  return lines.map((line) => ({ ...line, text: line.text.trim() }))
}

const readLine = (row: string): Line | undefined => {
  const number = numbered.exec(row)
  const rest = number === null ? row : row.slice(number[0].length)
  const stamp = time.exec(rest)
  if (stamp === null || stamp.index === 0) return undefined
  return {
    id: number === null ? undefined : Number(number[1]),
    speaker: rest.slice(0, stamp.index),
    text: rest.slice(stamp.index + stamp[0].length)
  }
}

const endMarker = (message: string): string | undefined => {
  const begin = /^BEGIN (\S+)$/m.exec(message)
  return begin === null ? undefined : `END ${begin[1]}`
}
