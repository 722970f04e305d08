/** The date that a page is about, from its front matter and its file's name: gbrain's order of precedence. */

/** A date, as an ISO instant, and where it is from. */
export interface EffectiveDate {
  readonly date: string
  readonly source: "event_date" | "date" | "published" | "filename"
}

/** A page's slug, its front matter as plain JSON, and the name of its file without `.md`. */
export interface DatedFile {
  readonly slug: string
  readonly frontmatter: Readonly<Record<string, unknown>>
  readonly name: string
}

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

// A date that cannot be read is no number, and so fits in no range.
const instantOf = (value: unknown): number => {
  if (typeof value === "number") return value
  return typeof value === "string" ? Date.parse(value.trim()) : NaN
}
