/** A group of pages, extracted together: read, compared with what is there, and written in one transaction. */
import { Effect, Option } from "effect"
import { SqlError } from "effect/sql"
import { entryKey, timelineOf } from "../../domain/timeline/Timeline.ts"
import { BrainConfig } from "../../services/BrainConfig.ts"
import { codeOf } from "../../services/database/Resilience.ts"
import { ExtractPages } from "../../services/ExtractPages.ts"
import { type Link, linkKey, Links, type StoredLink } from "../../services/Links.ts"
import { PageNames } from "../../services/PageNames.ts"
import { type PageEntry, type StoredEntry, Timeline } from "../../services/Timeline.ts"
import { linksOf, type MadeLinks } from "./linksOf.ts"
import type { ExtractKind } from "./options.ts"
import type { NameRule } from "./resolve.ts"
import type { PageText } from "./text.ts"
import { readInTurns } from "./turns.ts"

/** What is extracted, and by which rules. */
export interface GroupOptions {
  readonly kind: ExtractKind
  readonly rule: NameRule
  readonly includeFrontmatter: boolean
  readonly dryRun: boolean
}

/** What came of some pages. Counts add up. */
export interface GroupOutcome {
  readonly pages: number
  readonly links: Changes
  readonly entries: Changes
  readonly unresolved: number
  readonly unresolvedNames: ReadonlyArray<string>
  /** Pages that were edited while they were worked on, of which nothing was written. */
  readonly edited: ReadonlyArray<number>
  /** The links that were or would be made. */
  readonly made: ReadonlyArray<Link>
}

/** How many rows were found in texts, and what became of them. */
export interface Changes {
  readonly found: number
  readonly created: number
  readonly updated: number
  readonly removed: number
}

/** How bare names are looked up in this brain: gbrain's setting, and the page that is meant beyond doubt when it is not set. */
export const nameRule = Effect.gen(function* () {
  const value = yield* (yield* BrainConfig).get("link_resolution.global_basename")
  return Option.match(value, {
    onNone: (): NameRule => "unique",
    onSome: (text): NameRule =>
      ["1", "true", "yes", "on"].includes(text.trim().toLowerCase()) ? "all" : "off"
  })
})

/** Extracts a group of pages. */
export const extractGroup = Effect.fn("extractGroup")(function* (
  all: ReadonlyArray<PageText>,
  options: GroupOptions
) {
  // What code and images are linked by is somebody else's business; they are only marked as done.
  const pages = all.filter((page) => page.speaks)
  const store = yield* ExtractPages
  const links = yield* Links
  const timeline = yield* Timeline
  const names = yield* PageNames
  const ids = pages.map((page) => page.id)
  const withLinks = options.kind !== "timeline"
  const withTimeline = options.kind !== "links"

  const made: MadeLinks = withLinks
    ? yield* linksOf(pages, { rule: options.rule, frontmatter: options.includeFrontmatter })
    : nothingMade
  const told = withTimeline ? yield* entriesOf(pages) : []
  const storedLinks = withLinks ? yield* links.madeBy(ids, { frontmatter: options.includeFrontmatter }) : []
  const storedEntries = withTimeline ? yield* timeline.of(ids) : []

  const outcomeFor = (among: ReadonlySet<number>, edited: ReadonlyArray<number>) => {
    const linkChanges = compareLinks(made, storedLinks, among)
    const entryChanges = compareEntries(told, storedEntries, among)
    const outcome: GroupOutcome = {
      pages: all.length - edited.length,
      links: linkChanges.counts,
      entries: entryChanges.counts,
      unresolved: made.unresolved,
      unresolvedNames: made.unresolvedNames,
      edited,
      made: linkChanges.created
    }
    return { linkChanges, entryChanges, outcome }
  }

  const whole = outcomeFor(new Set(ids), [])
  const done = options.kind === "all" ? all.filter((page) => page.marks).map((page) => page.id) : []
  const nothingToWrite =
    done.length === 0 && !hasChanges(whole.outcome.links) && !hasChanges(whole.outcome.entries)
  if (options.dryRun || nothingToWrite) return whole.outcome

  const commit = (how: { readonly retaken: boolean }) =>
    store.commit({
      pages: all,
      done: new Set(done),
      write: (unchanged) => {
        const edited = all.map((page) => page.id).filter((id) => !unchanged.has(id))
        const now = edited.length === 0 ? whole : outcomeFor(unchanged, edited)
        const waits = withLinks
          ? names.waits(
              ids.filter((id) => unchanged.has(id)),
              made.waiting.filter((it) => unchanged.has(it.pageId))
            )
          : []
        return {
          writes: [
            ...links.writes(now.linkChanges, how),
            ...timeline.writes(now.entryChanges, how),
            ...waits
          ],
          answer: now.outcome
        }
      }
    })
  // Rows are inserted on the strength of what was read; only when that proves outdated is each looked up again.
  const written = yield* Effect.catchIf(commit({ retaken: false }), isOutdated, () =>
    commit({ retaken: true })
  )
  yield* store.wrote({ links: written.links.created, entries: written.entries.created })
  return written
})

/** Somebody else wrote one of the rows, or removed a page that they lead to. */
const isOutdated = (error: unknown): boolean =>
  SqlError.isSqlError(error) &&
  (error.reason._tag === "UniqueViolation" || codeOf(error.reason.cause) === foreignKeyViolation)

const foreignKeyViolation = "23503"

const nothingMade: MadeLinks = { links: new Map(), waiting: [], unresolved: 0, unresolvedNames: [] }

const entriesOf = (pages: ReadonlyArray<PageText>) =>
  readInTurns(pages, (page) =>
    timelineOf(page.text).map((entry): PageEntry => ({ ...entry, pageId: page.id }))
  )

const hasChanges = ({ created, removed, updated }: Changes): boolean => created + removed + updated > 0

const compareLinks = (made: MadeLinks, stored: ReadonlyArray<StoredLink>, among: ReadonlySet<number>) =>
  compare({
    wanted: [...made.links].flatMap(([id, ofPage]) => (among.has(id) ? ofPage : [])),
    stored: stored.filter((link) => among.has(link.madeBy)),
    key: linkKey,
    isOurs: () => true,
    isSame: (old, link) =>
      old.context === link.context && old.field === link.field && old.resolution === link.resolution
  })

// An entry that somebody else made is theirs, whatever its detail.
const compareEntries = (
  told: ReadonlyArray<PageEntry>,
  stored: ReadonlyArray<StoredEntry>,
  among: ReadonlySet<number>
) =>
  compare({
    wanted: told.filter((entry) => among.has(entry.pageId)),
    stored: stored.filter((entry) => among.has(entry.pageId)),
    key: (entry: PageEntry) => `${entry.pageId}\n${entryKey(entry)}`,
    isOurs: (entry) => entry.extracted,
    isSame: (old, entry) => old.detail === entry.detail
  })

/** What is to be done so that there is what is wanted: rows that are missing, that differ, and that nobody wants any more. */
const compare = <Row, Stored extends Row & { readonly id: number }>(rows: {
  readonly wanted: ReadonlyArray<Row>
  readonly stored: ReadonlyArray<Stored>
  readonly key: (row: Row) => string
  /** Whether a stored row may be changed and removed. */
  readonly isOurs: (row: Stored) => boolean
  readonly isSame: (old: Stored, row: Row) => boolean
}) => {
  const { isOurs, isSame, key, stored, wanted } = rows
  const left = new Map(stored.map((row) => [key(row), row]))
  const created: Array<Row> = []
  const updated: Array<Row> = []
  for (const row of wanted) {
    const name = left.size === 0 ? "" : key(row)
    const old = left.get(name)
    if (old === undefined) created.push(row)
    else {
      left.delete(name)
      if (isOurs(old) && !isSame(old, row)) updated.push(row)
    }
  }
  const removed = [...left.values()].filter(isOurs)
  return {
    created,
    updated,
    removed: removed.map((row) => row.id),
    counts: {
      found: wanted.length,
      created: created.length,
      updated: updated.length,
      removed: removed.length
    } satisfies Changes
  }
}
