/** Blocks of code in a text: what stands in them is quoted, whatever it looks like. */

const opening = /(?:^|\s)(`{3,}|~{3,})[\w+#.-]*$/
const closing = /(`{3,}|~{3,})$/

/** Which lines stand between the two fences of a block, the closing one included. A fence that is never closed begins none. */
export const codeLines = (lines: ReadonlyArray<string>): ReadonlyArray<boolean> => {
  const code = lines.map(() => false)
  let open: { readonly at: number; readonly fence: string } | undefined
  for (const [at, raw] of lines.entries()) {
    if (!raw.includes("```") && !raw.includes("~~~")) continue
    const line = raw.trimEnd()
    if (open === undefined) {
      const fence = opening.exec(line)?.[1]
      if (fence !== undefined) open = { at, fence }
    } else if (closing.exec(line)?.[1]?.startsWith(open.fence) === true) {
      code.fill(true, open.at + 1, at + 1)
      open = undefined
    }
  }
  return code
}
