/** Extracts pages by their ids: loads them, takes pages that were edited meanwhile again, and finds the one that fails. */
import { Effect } from "effect"
import { SqlError } from "effect/sql"
import { isDatabaseAway } from "../../services/database/Resilience.ts"
import { reasonOf } from "../../services/Database.ts"
import { ExtractPages } from "../../services/ExtractPages.ts"
import { extractGroup, type GroupOptions } from "./group.ts"
import { addFailure, addOutcome, type ExtractTally } from "./report.ts"
import { type PageText, textOf } from "./text.ts"

/** How often a page that is edited while it is read is taken again. */
const rounds = 3

/** Extracts pages from what the brain has of them. */
export const extractPages = Effect.fn("extractPages")(function* (
  ids: ReadonlyArray<number>,
  options: GroupOptions,
  tally: ExtractTally
) {
  const store = yield* ExtractPages
  let left = ids
  for (let round = 0; round < rounds && left.length > 0; round++) {
    left = yield* extractTexts((yield* store.load(left)).map(textOf), options, tally)
  }
  tally.edited += left.length
})

/**
 * Extracts pages from texts; answers the pages that were edited. When a group fails its halves are tried, and so on: one bad
 * page takes no other along.
 */
export const extractTexts = (
  pages: ReadonlyArray<PageText>,
  options: GroupOptions,
  tally: ExtractTally
): Effect.Effect<
  ReadonlyArray<number>,
  SqlError.SqlError,
  Effect.Services<ReturnType<typeof extractGroup>>
> =>
  pages.length === 0
    ? Effect.succeed([])
    : extractGroup(pages, options).pipe(
        Effect.map((outcome) => {
          addOutcome(tally, outcome)
          return outcome.edited
        }),
        Effect.catch((error) => {
          // When the database is away no half fares better.
          if (!SqlError.isSqlError(error) || isDatabaseAway(error)) return Effect.fail(error)
          const [first] = pages
          if (pages.length === 1 && first !== undefined) {
            addFailure(tally, first.slug, `the database failed: ${reasonOf(error)}`)
            return Effect.succeed([])
          }
          const half = Math.ceil(pages.length / 2)
          return Effect.zipWith(
            extractTexts(pages.slice(0, half), options, tally),
            extractTexts(pages.slice(half), options, tally),
            (a, b) => [...a, ...b]
          )
        })
      )
