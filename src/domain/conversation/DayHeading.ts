/** Lines that say which day what follows was said on. */
import { isDay, monthOf } from "./Stamp.ts"

const month = String.raw`(?<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?`
const weekday = String.raw`(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? )`
const day = String.raw`(?<day>\d{1,2})(?:st|nd|rd|th)?`

const iso = String.raw`(?<iso>\d{4}-\d{2}-\d{2})`
const written = String.raw`(?:${month} ${day},? (?<year>\d{4})|${day.replace("day", "day2")}\.? ${month.replace("month", "month2")},? (?<year2>\d{4}))`

// A date that stands alone may be what somebody said: it is a heading when it is marked as one, or names its weekday.
const patterns = [
  new RegExp(`^#{1,6} ${weekday}?(?:${iso}|${written})$`, "i"),
  new RegExp(`^[-–—*_=]{2,20} ?${weekday}?(?:${iso}|${written}) ?[-–—*_=]{2,20}$`, "i"),
  new RegExp(`^${weekday}(?:${iso}|${written})$`, "i")
]

/** Longer lines are no headings. */
const longest = 80

/** The day, `YYYY-MM-DD`, that a trimmed line says everything below it was said on. */
export const dayHeading = (line: string): string | undefined => {
  if (line.length > longest || !/\d{4}/.test(line)) return undefined
  for (const pattern of patterns) {
    const found = pattern.exec(line)?.groups
    if (found !== undefined) return found["iso"] ?? dayOf(found)
  }
  return undefined
}

const dayOf = (found: Readonly<Record<string, string | undefined>>): string | undefined => {
  const year = Number(found["year"] ?? found["year2"])
  const inYear = monthOf(found["month"] ?? found["month2"] ?? "")
  const inMonth = Number(found["day"] ?? found["day2"])
  const two = (number: number) => String(number).padStart(2, "0")
  return isDay(year, inYear, inMonth) ? `${year}-${two(inYear)}-${two(inMonth)}` : undefined
}
