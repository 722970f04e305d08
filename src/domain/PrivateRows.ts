/**
 * What gbrain keeps inside a page for itself and lets no search see: takes, and facts that are not for everybody. Both stand in
 * tables between markers.
 */

/** The text without them. A block that is not closed is text. */
export const withoutPrivateRows = (text: string): string =>
  text.includes("<!--- gbrain:") ? withoutPrivateFacts(withoutTakes(text)) : text

const withoutTakes = (text: string): string => {
  const block = blockOf(text, "takes")
  return block === undefined ? text : text.slice(0, block.start) + text.slice(block.end)
}

const withoutPrivateFacts = (text: string): string => {
  const block = blockOf(text, "facts")
  if (block === undefined) return text
  const kept = text.slice(block.start, block.end).split("\n").filter(isForEverybody).join("\n")
  return text.slice(0, block.start) + kept + text.slice(block.end)
}

const blockOf = (text: string, name: string) => {
  const begin = `<!--- gbrain:${name}:begin -->`
  const end = `<!--- gbrain:${name}:end -->`
  const start = text.indexOf(begin)
  const close = start < 0 ? -1 : text.indexOf(end, start + begin.length)
  return close < 0 ? undefined : { start, end: close + end.length }
}

const visibilityCell = 4

// Rows of a table begin with their number; the heading and what is around the table stay.
const isForEverybody = (line: string): boolean => {
  if (!line.trim().startsWith("|")) return line.startsWith("<!---") || line.trim() === ""
  const cells = line
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim())
  return !/^\d/.test(cells[0] ?? "") || cells[visibilityCell]?.toLowerCase() === "world"
}
