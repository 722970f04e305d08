/** The same for callers who just wrote some pages and want what is derived from them to be fresh. */
import { Effect, Stream } from "effect"
import type { SqlError } from "effect/sql"
import { ExtractPages } from "../../services/ExtractPages.ts"
import { PageNames } from "../../services/PageNames.ts"
import { nameRule } from "./group.ts"
import type { ExtractKind } from "./options.ts"
import { extractPages } from "./pages.ts"
import { type ExtractTally, makeTally } from "./report.ts"

/** Pages that were written. */
export interface WrittenPages {
  readonly sourceId: string
  readonly slugs: ReadonlyArray<string>
  /** Groups of pages at once; 1 unless told. */
  readonly workers?: number
  /** Links of the front matter too; they are, unless told otherwise. */
  readonly includeFrontmatter?: boolean
  /** Hears which pages are done, a group at a time. */
  readonly onDone?: (pageIds: ReadonlyArray<number>) => Effect.Effect<void, SqlError.SqlError>
}

/** What was derived. */
export type SlugsOutcome = Pick<
  ExtractTally,
  "processed" | "edited" | "failed" | "failures" | "links" | "timeline"
>

/** Pages in a group. */
const groupPages = 200

/**
 * Extracts links and timeline of some pages, and of pages that waited for one of them to exist; they are marked as done.
 */
export const extractForSlugs = Effect.fn("extractForSlugs")(function* (
  written: WrittenPages,
  kind: ExtractKind
) {
  const store = yield* ExtractPages
  const woken = kind === "timeline" ? [] : yield* (yield* PageNames).refresh
  const options = {
    kind,
    rule: yield* nameRule,
    includeFrontmatter: written.includeFrontmatter ?? true,
    dryRun: false
  }
  const tally = makeTally()
  yield* Stream.fromIterable(written.slugs).pipe(
    Stream.grouped(groupPages),
    Stream.mapEffect((slugs) => store.idsOf(written.sourceId, slugs)),
    Stream.concat(Stream.grouped(Stream.fromIterable(woken), groupPages)),
    Stream.mapEffect(
      Effect.fnUntraced(function* (ids) {
        const undone = new Set(yield* extractPages(ids, options, tally))
        yield* written.onDone?.(ids.filter((id) => !undone.has(id))) ?? Effect.void
      }),
      { concurrency: written.workers ?? 1, unordered: true }
    ),
    Stream.runDrain
  )
  return tally satisfies SlugsOutcome
})

/** Extracts the links of some pages, such as ones that were just written. */
export const extractLinksForSlugs = (written: WrittenPages) => extractForSlugs(written, "links")

/** Extracts the timeline of some pages. */
export const extractTimelineForSlugs = (written: WrittenPages) => extractForSlugs(written, "timeline")
