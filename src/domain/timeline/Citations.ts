/** Citations with a date: `Tidewell closed its seed round. [Source: Board minutes, 2024-03-15]`. The paragraph is what happened. */
import { blankCode } from "../links/CodeSpans.ts"
import { isDay } from "./Dates.ts"
import { sourceName, type TimelineEntry } from "./Entry.ts"

const citation = /\[Source:([^[\]]*)\]/g

/** More of a paragraph is no summary. */
const longestSummary = 300

/** The entries of a text's citations. Lines that `isTold` knows were read before. */
export const citedDays = (text: string, isTold: (line: string) => boolean): ReadonlyArray<TimelineEntry> =>
  text.includes("[Source:") ? paragraphs(blankCode(text), isTold).flatMap(cited) : []

const cited = (paragraph: string): ReadonlyArray<TimelineEntry> => {
  const found = [...paragraph.matchAll(citation)].flatMap(([, inner = ""]) => {
    const comma = inner.lastIndexOf(",")
    const date = inner.slice(comma + 1).trim()
    const source = sourceName(inner.slice(0, Math.max(0, comma)))
    return source !== "" && isDay(date) ? [{ date, source }] : []
  })
  if (found.length === 0) return []
  const summary = paragraph
    .replace(citation, "")
    .replace(/^[-*>#\s]+/, "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, longestSummary)
    .toWellFormed()
  return summary === ""
    ? []
    : found.map(({ date, source }) => ({ date, source, summary, detail: `Source: ${source}` }))
}

/** Paragraphs on one line each: an empty line ends one, a heading or a bullet begins one. */
const paragraphs = (text: string, isTold: (line: string) => boolean): ReadonlyArray<string> => {
  const all: Array<string> = []
  let lines: Array<string> = []
  const finish = () => {
    if (lines.length > 0) all.push(lines.join(" "))
    lines = []
  }
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim()
    if (line === "" || isTold(raw)) {
      finish()
      continue
    }
    if (/^(?:#{1,6}|[-*+]|\d{1,9}\.)\s/.test(line)) finish()
    lines.push(line)
  }
  finish()
  return all
}
