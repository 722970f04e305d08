/** Extracts pages by their ids: loads them, takes pages that were edited meanwhile again, and finds the one that fails. */
import { Effect } from "effect"
import { ExtractPages } from "../../services/ExtractPages.ts"
import { inHalves } from "../halves.ts"
import { extractGroup, type GroupOptions } from "./group.ts"
import { addFailure, addOutcome, type ExtractTally } from "./report.ts"
import { type PageText, textOf } from "./text.ts"

/** How often a page that is edited while it is read is taken again. */
const rounds = 3

/** Extracts pages from what the brain has of them; answers the pages that are not done. */
export const extractPages = Effect.fn("extractPages")(function* (
  ids: ReadonlyArray<number>,
  options: GroupOptions,
  tally: ExtractTally
) {
  const store = yield* ExtractPages
  const failed: Array<number> = []
  let left = ids
  for (let round = 0; round < rounds && left.length > 0; round++) {
    const there = yield* store.load(left)
    tally.gone += left.length - there.length
    const undone = yield* extractTexts(there.map(textOf), options, tally)
    failed.push(...undone.failed)
    left = undone.edited
  }
  tally.edited += left.length
  return [...failed, ...left]
})

/** Pages that are not done, and why not. */
export interface Undone {
  readonly edited: ReadonlyArray<number>
  readonly failed: ReadonlyArray<number>
}

/** Extracts pages from texts. When a group fails its halves are tried, and so on: one bad page takes no other along. */
export const extractTexts = Effect.fn("extractTexts")(function* (
  pages: ReadonlyArray<PageText>,
  options: GroupOptions,
  tally: ExtractTally
) {
  const edited: Array<number> = []
  const failed: Array<number> = []
  yield* inHalves(
    pages,
    Effect.fnUntraced(function* (some) {
      const outcome = yield* extractGroup(some, options)
      addOutcome(tally, outcome)
      edited.push(...outcome.edited)
    }),
    ({ id, slug }, reason) => {
      failed.push(id)
      addFailure(tally, slug, reason)
    }
  )
  return { edited, failed } satisfies Undone
})
