/** Something that happened on a day. */
export interface TimelineEntry {
  /** `YYYY-MM-DD`. */
  readonly date: string
  /** Who says so; `markdown` when the page itself does. */
  readonly source: string
  readonly summary: string
  readonly detail: string
}

/** The source of what a page says itself. */
export const thePage = "markdown"

/** No source has a longer name, and the database's index would not take one of thousands of characters. */
const longestSource = 200

/** A source's name as it is kept. */
export const sourceName = (text: string): string => {
  const name = text.trim()
  return name.length <= longestSource ? name : name.slice(0, longestSource).toWellFormed()
}
