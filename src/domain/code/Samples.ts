/**
 * Samples of code in a page of markdown: blocks between fences that name a language we know. They are chunks of their own, beside the
 * prose that they stand in, so that a question about a function finds the function and not only what is said about it.
 */
import { languageOfPath } from "./Languages.ts"

/** A sample of code. */
export interface CodeSample {
  /** The file it would be, such as `fence.ts`: gbrain's name for it, which is part of the chunk's text. */
  readonly path: string
  readonly text: string
}

/** Samples of a page that are read, gbrain's number: a page of ten thousand would cost ten thousand embeddings. */
const mostSamples = 100

/** Larger ones are no samples. */
const longestSample = 1_000_000

// Names that are no ending of a file's name. The others are taken as they are.
const endings: ReadonlyMap<string, string> = new Map([
  ["typescript", "ts"],
  ["javascript", "js"],
  ["python", "py"],
  ["ruby", "rb"],
  ["golang", "go"],
  ["rust", "rs"],
  ["c#", "cs"],
  ["csharp", "cs"],
  ["c++", "cpp"],
  ["kotlin", "kt"],
  ["elixir", "ex"],
  ["ocaml", "ml"],
  ["solidity", "sol"],
  ["bash", "sh"],
  ["shell", "sh"],
  ["zsh", "sh"],
  ["yml", "yaml"]
])

const tags = new Set(
  (
    "ts tsx js jsx py rb go rs java cs cpp c php swift kt scala lua ex elm ml dart zig sol sh css html vue json yaml toml " +
    [...endings.keys()].join(" ")
  ).split(" ")
)

/** The samples of a text, in order. Linear in the text; a fence that is never closed goes on to its end. */
export const samplesIn = (markdown: string): ReadonlyArray<CodeSample> => {
  if (!markdown.includes("```") && !markdown.includes("~~~")) return []
  const samples: Array<CodeSample> = []
  let open: { readonly fence: Fence; readonly lines: Array<string> } | undefined
  let found = 0
  const close = () => {
    const text = open === undefined ? "" : open.lines.join("\n").trim()
    if (text !== "") found++
    const path = open?.fence.path
    if (text !== "" && path !== undefined && text.length <= longestSample) samples.push({ path, text })
    open = undefined
  }
  for (const line of markdown.split(/\r\n|\r|\n/)) {
    if (open === undefined) {
      const fence = fenceIn(line)
      if (fence !== undefined) open = { fence, lines: [] }
    } else if (closes(line, open.fence)) close()
    else open.lines.push(outdented(line, open.fence.indent))
    if (found >= mostSamples) return samples
  }
  close()
  return samples
}

interface Fence {
  readonly indent: number
  readonly mark: string
  readonly path: string | undefined
}

const opening = /^( {0,3})(`{3,}|~{3,})(.*)$/
const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/

const fenceIn = (line: string): Fence | undefined => {
  const [, indent = "", mark = "", info = ""] = opening.exec(line) ?? []
  // Words between such marks in one line are code within a sentence.
  if (mark === "" || (mark.startsWith("`") && info.includes("`"))) return undefined
  return { indent: indent.length, mark, path: pathOf(info.trim().split(/\s/)[0] ?? "") }
}

const closes = (line: string, { mark }: Fence): boolean => {
  const end = closing.exec(line)?.[1] ?? ""
  return end.startsWith(mark)
}

const outdented = (line: string, indent: number): string => {
  let blanks = 0
  while (blanks < indent && line[blanks] === " ") blanks++
  return line.slice(blanks)
}

const pathOf = (tag: string): string | undefined => {
  const name = tag.toLowerCase()
  if (!tags.has(name)) return undefined
  const path = `fence.${endings.get(name) ?? name}`
  return languageOfPath(path) === undefined ? undefined : path
}
