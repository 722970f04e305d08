/**
 * What happened when, as a page tells it: in dated bullets, under headings that are dates, and in citations. The three are
 * read apart; what two of them say the same way counts once.
 */
import { datedBullets, isBullet } from "./Bullets.ts"
import { citedDays } from "./Citations.ts"
import type { TimelineEntry } from "./Entry.ts"
import { datedHeadings } from "./Headings.ts"

/** The entries of a text, each once. */
export const timelineOf = (text: string): ReadonlyArray<TimelineEntry> => {
  // Nearly every page without a date is told by this alone.
  if (!/\d{4}[-年]/.test(text)) return []
  const lines = text.split(/\r?\n/)
  const entries = new Map<string, TimelineEntry>()
  for (const entry of [...datedBullets(lines), ...datedHeadings(lines), ...citedDays(text, isBullet)]) {
    const key = entryKey(entry)
    if (!entries.has(key)) entries.set(key, entry)
  }
  return [...entries.values()]
}

/** What makes two entries of one page the same: the database has each once. */
export const entryKey = (entry: Pick<TimelineEntry, "date" | "source" | "summary">): string =>
  `${entry.date}\n${entry.source}\n${entry.summary}`
