/** Heads of messages that a copy from the window spreads over two lines, a name and below it a time: put together again. */
import { looksLikeSpeakerLine } from "./Names.ts"

const timeAlone = /^\[?\d{1,2}:\d{2}(?: [AP]M)?\]?$/

/**
 * Joins names with the times below them, when somebody has several such heads; a list of appointments has each once. The
 * number of lines stays the same.
 */
export const joinHeads = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const heads = new Map<number, string>()
  const seen = new Set<string>()
  let returns = false
  for (const [index, line] of lines.entries()) {
    const time = line.length > 40 ? "" : line.trim()
    const name = lines[index - 1]?.slice(0, 100).trim() ?? ""
    if (!timeAlone.test(time) || !looksLikeSpeakerLine(name)) continue
    returns ||= seen.has(name)
    seen.add(name)
    heads.set(index - 1, `${name}  ${time}`)
  }
  return returns ? lines.map((line, index) => heads.get(index) ?? (heads.has(index - 1) ? "" : line)) : lines
}
