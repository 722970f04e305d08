/**
 * Blocks that gbrain keeps inside a page between markers, such as the table under `## Facts`: made by programs, and no part
 * of what anybody said.
 */

const begin = /^<!-{2,3} ?gbrain:([a-z-]{1,40}):begin ?-{2,3}>$/
const end = /^<!-{2,3} ?gbrain:([a-z-]{1,40}):end ?-{2,3}>$/

/** The text without such blocks and the headings that stand directly over them; and whether one of them holds facts. */
export const withoutFences = (text: string): { readonly text: string; readonly hasFacts: boolean } => {
  if (!text.includes("gbrain:")) return { text, hasFacts: false }
  const kept: Array<string> = []
  let inside = false
  let hasFacts = false
  for (const line of text.split("\n")) {
    const trimmed = line.trim()
    const name = begin.exec(trimmed)?.[1]
    if (name !== undefined) {
      inside = true
      hasFacts = hasFacts || name === "facts"
      dropHeading(kept)
    } else if (end.test(trimmed)) inside = false
    else if (!inside) kept.push(line)
  }
  return { text: kept.join("\n"), hasFacts }
}

/**
 * The text as search may find it: what somebody holds (`takes`) has rights of its own, and of the facts only those that are marked
 * `world` are for everybody. gbrain leaves out the same.
 */
export const searchable = (text: string): string => {
  if (!text.includes("gbrain:")) return text
  let inside: string | undefined
  return text
    .split("\n")
    .filter((line) => {
      const trimmed = line.trim()
      const opened = begin.exec(trimmed)?.[1]
      if (opened !== undefined) inside = opened
      const within = inside
      if (end.test(trimmed)) inside = undefined
      if (within === "takes") return false
      return within !== "facts" || opened !== undefined || inside === undefined || isForAll(trimmed)
    })
    .join("\n")
}

const visibilityCell = 5

// The head of the table and the line under it say nothing of anybody.
const isForAll = (row: string): boolean => {
  if (row === "" || /^[|\s:-]+$/.test(row)) return true
  const visibility = row.split(/(?<!\\)\|/)[visibilityCell]?.trim()
  return visibility === "world" || visibility === "visibility"
}

const dropHeading = (lines: Array<string>) => {
  let last = lines.length - 1
  while (last >= 0 && lines[last]?.trim() === "") last--
  if (/^#{1,6} \S/.test(lines[last]?.trim() ?? "")) lines.length = last
}
