/**
 * Blocks that gbrain keeps inside a page between markers, such as the table under `## Facts`: made by programs, and no part
 * of what anybody said. A marker without its end is no block: somebody quoted it, or it was left behind, and the text after it is text.
 */

const marker = /^<!-{2,3} ?gbrain:([a-z-]{1,40}):(begin|end) ?-{2,3}>$/

/** The text without such blocks and the headings that stand directly over them; and whether one of them holds facts. */
export const withoutFences = (text: string): { readonly text: string; readonly hasFacts: boolean } => {
  if (!text.includes("gbrain:")) return { text, hasFacts: false }
  const lines = text.split("\n")
  const blocks = blocksOf(lines)
  const kept: Array<string> = []
  let hasFacts = false
  for (let index = 0; index < lines.length; index++) {
    const block = blocks.get(index)
    if (block === undefined) {
      const line = lines[index] ?? ""
      if (!marker.test(line.trim())) kept.push(line)
      continue
    }
    hasFacts = hasFacts || block.name === "facts"
    dropHeading(kept)
    index = block.end
  }
  return { text: kept.join("\n"), hasFacts }
}

interface Block {
  readonly name: string
  /** The line of its end. */
  readonly end: number
}

// By the line they begin on. Read from the end: a block is closed by the next marker of its name, where that is an end.
const blocksOf = (lines: ReadonlyArray<string>): ReadonlyMap<number, Block> => {
  const blocks = new Map<number, Block>()
  const ends = new Map<string, number>()
  for (let index = lines.length - 1; index >= 0; index--) {
    const [, name, kind] = marker.exec(lines[index]?.trim() ?? "") ?? []
    if (name === undefined) continue
    const end = ends.get(name)
    if (kind === "end") ends.set(name, index)
    else {
      if (end !== undefined) blocks.set(index, { name, end })
      ends.delete(name)
    }
  }
  return blocks
}

const dropHeading = (lines: Array<string>) => {
  let last = lines.length - 1
  while (last >= 0 && lines[last]?.trim() === "") last--
  if (/^#{1,6} \S/.test(lines[last]?.trim() ?? "")) lines.length = last
}
