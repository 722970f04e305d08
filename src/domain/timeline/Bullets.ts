/**
 * Dated bullets: `- **2024-03-15** | Board minutes — Seed round closed`, `**2024-03-15** - Founded`, `- 2020年1月2日 | 成立`. Indented
 * or plain lines that follow are the entry's detail, up to an empty line, a heading or the next bullet.
 */
import { isDay } from "./Dates.ts"
import { sourceName, thePage, type TimelineEntry } from "./Entry.ts"

const dated = /^(?:-\s*)?\*\*(\d{4}-\d{2}-\d{2})\*\*\s*([|\-–—]+)\s*(\S.*)$/s
const datedInChinese = /^(?:-\s*)?(?:\*\*)?(\d{4})年(\d{1,2})月(\d{1,2})日?(?:\*\*)?\s*([|\-–—]+)\s*(\S.*)$/s

interface Bullet {
  readonly date: string
  readonly separator: string
  readonly rest: string
}

const bullet = (line: string): Bullet | undefined => {
  const trimmed = line.trim()
  const latin = dated.exec(trimmed)
  if (latin !== null) {
    const [, date = "", separator = "", rest = ""] = latin
    return { date, separator, rest }
  }
  const chinese = datedInChinese.exec(trimmed)
  if (chinese === null) return undefined
  const [, year = "", month = "", day = "", separator = "", rest = ""] = chinese
  return { date: `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`, separator, rest }
}

/** Whether a line is a dated bullet, with a day that exists or not. */
export const isBullet = (line: string): boolean => bullet(line) !== undefined

/** The entries of a page's dated bullets. */
export const datedBullets = (lines: ReadonlyArray<string>): ReadonlyArray<TimelineEntry> => {
  const entries: Array<TimelineEntry> = []
  for (let index = 0; index < lines.length; index++) {
    const found = bullet(lines[index] ?? "")
    if (found === undefined || !isDay(found.date)) continue
    const { source, summary } = said(found)
    if (summary === "") continue
    const detail = detailAfter(lines, index)
    entries.push({ date: found.date, source, summary, detail: detail.join(" ").trim() })
  }
  return entries
}

// Only a bar says that a source follows: after a dash, another dash is part of the sentence.
const said = ({ rest, separator }: Bullet): { readonly source: string; readonly summary: string } => {
  const at = separator.includes("|") ? dashBetweenWords(rest) : -1
  return at === -1
    ? { source: thePage, summary: rest }
    : { source: sourceName(rest.slice(0, at)), summary: rest.slice(at + 1).trim() }
}

/** Where the first dash with blanks on both sides stands, outside of links and parentheses. */
const dashBetweenWords = (text: string): number => {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === "[" || character === "(") depth++
    else if (character === "]" || character === ")") depth = Math.max(0, depth - 1)
    else if (depth === 0 && isDash(character) && isBlank(text, at - 1) && isBlank(text, at + 1)) return at
  }
  return -1
}

const isDash = (character: string): boolean => character === "—" || character === "–" || character === "-"

const isBlank = (text: string, at: number): boolean =>
  at >= 0 && at < text.length && text.charAt(at).trim() === ""

const detailAfter = (lines: ReadonlyArray<string>, index: number): ReadonlyArray<string> => {
  const detail: Array<string> = []
  for (let next = index + 1; next < lines.length; next++) {
    const line = lines[next] ?? ""
    if (line.trim() === "") {
      if (detail.length > 0) break
      continue
    }
    const begins = line.charAt(0)
    if (/^#{1,6}\s/.test(line) || isBullet(line)) break
    if (begins === "-" || begins === "*" || begins === "#") break
    detail.push(line.trim())
  }
  return detail
}
