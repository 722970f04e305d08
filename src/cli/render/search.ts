/** The words of `search` and `query`. */
import { styleText } from "node:util"
import type { Hit } from "../../programs/search/report.ts"
import { outputWidth, printable } from "./text.ts"

/** Hits as paragraphs: where each was found, then in which words. */
export const hitsText = (hits: ReadonlyArray<Hit>): string => {
  const margin = " ".repeat(String(hits.length).length + 2)
  return hits
    .map((hit) => {
      const number = `${hit.rank}. `.padStart(margin.length)
      const text = hit.kind === "page" ? hit.excerpt : hit.fact
      const body = text === "" ? [] : wrap(printable(text), outputWidth() - margin.length)
      return [
        `${number}${heading(hit)}`,
        ...body.map((line) => `${margin}${emphasised(line, hit.matched)}`)
      ].join("\n")
    })
    .join("\n\n")
}

const heading = (hit: Hit): string => {
  const place = hit.slug === null ? "" : hit.title === null ? hit.slug : `${hit.title} · ${hit.slug}`
  const about = hit.kind === "fact" ? [`fact${hit.entity === null ? "" : ` about ${hit.entity}`}`] : []
  const source = hit.source === "default" ? [] : [`source ${hit.source}`]
  return printable(
    [...about, place, hit.type ?? "", hit.date, ...source].filter((it) => it !== "").join(" · ")
  )
}

const wrap = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let open = ""
  for (const word of text.split(/\s+/)) {
    if (open !== "" && open.length + 1 + word.length > width) {
      lines.push(open)
      open = word
    } else open = open === "" ? word : `${open} ${word}`
  }
  return [...lines, open]
}

// On a terminal only, and not where NO_COLOR says so: `styleText` looks at both.
const emphasised = (line: string, words: ReadonlyArray<string>): string => {
  if (words.length === 0) return line
  // Letters and digits only, so that nothing in them means anything to the expression.
  const any = [...words].sort((a, b) => b.length - a.length).join("|")
  return line.replace(new RegExp(any, "gu"), (word) => styleText("bold", word, { stream: process.stdout }))
}
