/** The date that a page is about, from its front matter and its file's name: gbrain's order of precedence. */
import { isDay } from "./timeline/Dates.ts"

/** A date, as an ISO instant, and where it is from. */
export interface EffectiveDate {
  readonly date: string
  readonly source: "event_date" | "date" | "published" | "filename"
}

/** A page's slug, its front matter as plain JSON, and the name of its file, or the last part of the slug. */
export interface DatedFile {
  readonly slug: string
  readonly frontmatter: Readonly<Record<string, unknown>>
  readonly name: string
}

/** A page dated further ahead than this, in milliseconds, is taken to be misdated. */
export const furthestAhead = 365 * 24 * 60 * 60 * 1000

const earliest = Date.UTC(1990, 0, 1)

/** In these folders the name of the file says the date best. */
const namedByDate = /^(daily|meetings)\//

/**
 * The date of a page. There is none when nothing names one between 1990 and `latest`, an instant in milliseconds: what is
 * further off is a mistake of whoever wrote it.
 */
export const effectiveDateOf = (
  { frontmatter, name, slug }: DatedFile,
  latest: number
): EffectiveDate | undefined => {
  const fields = (["event_date", "date", "published"] as const).map((source) => ({
    source,
    at: instantOf(frontmatter[source])
  }))
  const named = { source: "filename", at: instantOf(/^\d{4}-\d{2}-\d{2}/.exec(name)?.[0]) } as const
  const candidates = namedByDate.test(slug) ? [named, ...fields] : [...fields, named]
  const found = candidates.find(({ at }) => at >= earliest && at <= latest)
  return found === undefined ? undefined : { date: new Date(found.at).toISOString(), source: found.source }
}

// JavaScript takes "Sprint 12" for a day in 2001, so what it is given has to look like a date first.
const month = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\\.?"
const looksLikeDate = new RegExp(
  String.raw`^(?:\d{4}(?:-\d{2}){0,2}(?:[T ][\d:.,]{4,18} ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}/\d{1,2}/\d{4}` +
    String.raw`|(?:[a-z]{3,9},? )?(?:\d{1,2} ${month}|${month} \d{1,2}),? \d{4}(?: [\d:]{4,8})?(?: (?:Z|UTC|GMT|[+-]\d{4}))?)$`,
  "i"
)

// What cannot be read is no number, and so fits in no range.
const instantOf = (value: unknown): number => {
  if (typeof value === "number") return Math.floor(value)
  if (typeof value !== "string") return NaN
  const text = value.trim()
  if (!looksLikeDate.test(text)) return NaN
  const day = /^\d{4}-\d{2}-\d{2}/.exec(text)?.[0]
  if (day !== undefined && !isDay(day)) return NaN
  // A time without a zone is read as UTC: the same page has the same date on every machine.
  const tries = hasZone.test(text) ? [text] : [`${text} UTC`, `${text}Z`]
  return tries.map((it) => Date.parse(it)).find((millis) => !Number.isNaN(millis)) ?? NaN
}

const hasZone = /(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$/i
