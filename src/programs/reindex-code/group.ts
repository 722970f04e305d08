/** A group of pages of code: those that are out of date are cut again. */
import { Effect, Option, Result } from "effect"
import { codeChunkerVersion } from "../../domain/code/CodeChunks.ts"
import { codePageOf, hashedCode } from "../../domain/code/CodePage.ts"
import { CodePages, type NewChunks, type StoredCode } from "../../services/CodePages.ts"
import { CodeParser } from "../../services/CodeParser.ts"
import { Progress } from "../../services/Progress.ts"
import { sha256Hex } from "../../services/Sha256.ts"
import { inHalves } from "../halves.ts"
import type { ReindexCodeTally } from "./report.ts"

/** What to do with pages. */
export interface ReindexGroupOptions {
  /** Pages that are up to date too. */
  readonly force: boolean
  readonly dryRun: boolean
  /** How many pages may be cut in the whole run. */
  readonly limit: Option.Option<number>
}

/** Failures kept by name. */
const failuresKept = 1000

/** The chunks and edges of a page's text, and the hash that goes with them; fails with what is wrong, in words. */
export const cutCodePage = Effect.fn("cutCodePage")(function* (page: {
  readonly path: string | null
  readonly text: string
}) {
  const code = page.path === null ? undefined : codePageOf(page.path)
  if (page.path === null || code === undefined) {
    return yield* Effect.fail("does not say which file of code it is; import it again")
  }
  const chunks = yield* (yield* CodeParser)
    .chunks({ path: page.path, text: page.text })
    .pipe(Effect.mapError((error) => error.message))
  return { chunks, contentHash: hashOf(page.path, page.text) ?? "" }
})

/** How often a page that is edited meanwhile is taken again. */
const rounds = 3

/** Brings the pages of a group up to date. */
export const reindexGroup = Effect.fn("reindexGroup")(function* (
  ids: ReadonlyArray<number>,
  options: ReindexGroupOptions,
  tally: ReindexCodeTally
) {
  const store = yield* CodePages
  const progress = yield* Progress
  const pages = yield* store.load(ids)
  const stale = options.force ? pages : pages.filter(isStale)
  tally.upToDate += pages.length - stale.length
  const taken = take(stale, options.limit, tally)
  yield* progress.count({ done: pages.length - taken.length })

  let left = yield* cutAndCommit(taken, options, tally)
  for (let round = 1; round < rounds && left.length > 0; round++) {
    left = yield* cutAndCommit(yield* store.load(left), options, tally)
  }
  tally.edited += left.length
  yield* progress.count({ skipped: left.length })
})

/** Cuts pages and writes them; answers those that were edited meanwhile. */
const cutAndCommit = Effect.fnUntraced(function* (
  pages: ReadonlyArray<StoredCode>,
  options: ReindexGroupOptions,
  tally: ReindexCodeTally
) {
  const store = yield* CodePages
  const progress = yield* Progress
  const fail = (page: { readonly slug: string }, reason: string) => {
    tally.failed++
    if (tally.failures.length < failuresKept) tally.failures.push({ item: page.slug, reason })
  }
  const cut = yield* Effect.forEach(
    pages,
    (page) => Effect.map(Effect.result(cutCodePage(page)), (result) => ({ page, result })),
    { concurrency: "unbounded" }
  )
  const made: Array<NewChunks & { readonly slug: string }> = []
  for (const { page, result } of cut) {
    if (Result.isFailure(result)) fail(page, result.failure)
    else {
      const { id, slug, sourceId, version } = page
      made.push({ pageId: id, slug, sourceId, version, ...result.success })
    }
  }
  yield* progress.count({ failed: pages.length - made.length })
  const edited: Array<number> = []
  yield* inHalves(
    made,
    Effect.fnUntraced(function* (some) {
      const done = options.dryRun ? foreseen(some) : yield* store.commit(some)
      edited.push(...done.edited)
      tally.reindexed += some.length - done.edited.length
      tally.chunks += done.chunks
      tally.kept += done.kept
      tally.added += done.added
      tally.removed += done.removed
      tally.edges += done.edges
      yield* progress.count({ done: some.length - done.edited.length })
    }),
    fail
  )
  return edited
})

const foreseen = (pages: ReadonlyArray<NewChunks>) => ({
  edited: [],
  chunks: pages.reduce((sum, page) => sum + page.chunks.length, 0),
  kept: 0,
  added: 0,
  removed: 0,
  edges: 0
})

const hashOf = (path: string | null, text: string): string | undefined => {
  const code = path === null ? undefined : codePageOf(path)
  return code === undefined ? undefined : sha256Hex(hashedCode(code, text))
}

const isStale = (page: StoredCode): boolean =>
  page.chunkerVersion !== codeChunkerVersion ||
  page.contentHash !== hashOf(page.path, page.text) ||
  (page.chunks === 0 && page.text.trim() !== "")

/** As many as the limit leaves; groups that run beside this one take from the same. */
const take = (
  stale: ReadonlyArray<StoredCode>,
  limit: Option.Option<number>,
  tally: ReindexCodeTally
): ReadonlyArray<StoredCode> => {
  const room = Option.match(limit, {
    onNone: () => stale.length,
    onSome: (most) => Math.max(0, most - tally.taken)
  })
  const taken = stale.slice(0, room)
  tally.taken += taken.length
  tally.left += stale.length - taken.length
  return taken
}
