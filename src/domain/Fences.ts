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

const dropHeading = (lines: Array<string>) => {
  let last = lines.length - 1
  while (last >= 0 && lines[last]?.trim() === "") last--
  if (/^#{1,6} \S/.test(lines[last]?.trim() ?? "")) lines.length = last
}
