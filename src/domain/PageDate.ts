/**
 * The day that a page is about: what its front matter says, or the name of its file, or, when neither says anything, when it was
 * written last. The order and the bounds are gbrain's.
 */
import { isDay } from "./timeline/Dates.ts"

/** Where a date is from; `fallback` is no statement of anybody. */
export type DateSource = "event_date" | "date" | "published" | "filename" | "fallback"

/** A date, in epoch milliseconds. */
export interface EffectiveDate {
  readonly millis: number
  readonly source: DateSource
}

/** What a page says of its date. */
export interface DatedPage {
  readonly slug: string
  readonly frontmatter: Readonly<Record<string, unknown>>
  /** The name of the file, without its folder; the last part of the slug where there was none. */
  readonly filename: string
}

/** Folders whose files are named by the day: the name counts more there than any field. */
const namedByDay = ["daily/", "meetings/"]

const fields = ["event_date", "date", "published"] as const

/** Earlier dates, and ones more than a year from now, are mistakes of somebody or something. */
const earliest = Date.UTC(1990, 0, 1)
const latestAhead = 365 * 24 * 60 * 60 * 1000

/** The date that a page states; nothing when it states none that can be. `now` is in epoch milliseconds. */
export const statedDate = (page: DatedPage, now: number): EffectiveDate | undefined => {
  const inFields = fields.map((field) => ({ millis: instantOf(page.frontmatter[field]), source: field }))
  const inName = {
    millis: instantOf(/^\d{4}-\d{2}-\d{2}/.exec(page.filename)?.[0]),
    source: "filename" as const
  }
  const candidates = namedByDay.some((folder) => page.slug.startsWith(folder))
    ? [inName, ...inFields]
    : [...inFields, inName]
  for (const { millis, source } of candidates) {
    if (millis !== undefined && millis >= earliest && millis <= now + latestAhead) return { millis, source }
  }
  return undefined
}

/** The date of a page: what it states, else when it was written last. */
export const effectiveDate = (page: DatedPage & { readonly updatedAt: number }, now: number): EffectiveDate =>
  statedDate(page, now) ?? { millis: page.updatedAt, source: "fallback" }

// JavaScript takes "Sprint 12" for a day in 2001, so what it is given has to look like a date first.
const month = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\\.?"
const looksLikeDate = new RegExp(
  String.raw`^(?:\d{4}(?:-\d{2}){0,2}(?:[T ][\d:.,]{4,18} ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}/\d{1,2}/\d{4}` +
    String.raw`|(?:[a-z]{3,9},? )?(?:\d{1,2} ${month}|${month} \d{1,2}),? \d{4}(?: [\d:]{4,8})?(?: (?:Z|UTC|GMT|[+-]\d{4}))?)$`,
  "i"
)

const instantOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return Number.isFinite(value) ? Math.floor(value) : undefined
  if (typeof value !== "string") return undefined
  const text = value.trim()
  if (!looksLikeDate.test(text)) return undefined
  const day = /^\d{4}-\d{2}-\d{2}/.exec(text)?.[0]
  if (day !== undefined && !isDay(day)) return undefined
  // A time without a zone is read as UTC: the same page has the same date on every machine.
  const tries = hasZone.test(text) ? [text] : [`${text} UTC`, `${text}Z`]
  return tries.map((it) => Date.parse(it)).find((millis) => !Number.isNaN(millis))
}

const hasZone = /(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$/i
