/** Headings that are dates: `### 2024-03-15 — Seed round closed`, with what happened told below. */
import { isDay } from "./Dates.ts"
import { thePage, type TimelineEntry } from "./Entry.ts"

const dated = /^###\s+(\d{4}-\d{2}-\d{2})(?:\s*[—–-]\s*(\S.*)|\s*)$/s

/** The entries of a page's dated headings. One without a title is told by the first line below it. */
export const datedHeadings = (lines: ReadonlyArray<string>): ReadonlyArray<TimelineEntry> => {
  const entries: Array<TimelineEntry> = []
  for (let index = 0; index < lines.length; index++) {
    const found = dated.exec((lines[index] ?? "").trimEnd())
    const [, date = "", title = ""] = found ?? []
    if (!isDay(date)) continue
    const below: Array<string> = []
    for (let next = index + 1; next < lines.length && !/^#{2,3} /.test(lines[next] ?? ""); next++) {
      below.push(lines[next] ?? "")
    }
    const told = below.join("\n").trim()
    const [first = "", ...rest] = told.split("\n")
    const summary = title === "" ? first.trim() : title.trim()
    if (summary === "") continue
    entries.push({ date, source: thePage, summary, detail: title === "" ? rest.join("\n").trim() : told })
    index += below.length
  }
  return entries
}
