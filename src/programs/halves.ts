/** Work on many things in one statement, in which one bad thing takes no other along. */
import { Effect } from "effect"
import { SqlError } from "effect/sql"
import { isDatabaseAway } from "../services/database/Resilience.ts"
import { reasonOf } from "../services/Database.ts"

/**
 * Does `work` for all items at once; when the database refuses them, for each half, and so on, down to the ones that are refused
 * alone: those are given to `refused` with the reason. Fails when the database is away, since no half would fare better.
 */
export const inHalves = <Item, E, R>(
  items: ReadonlyArray<Item>,
  work: (items: ReadonlyArray<Item>) => Effect.Effect<void, E | SqlError.SqlError, R>,
  refused: (item: Item, reason: string) => void
): Effect.Effect<void, E | SqlError.SqlError, R> =>
  items.length === 0
    ? Effect.void
    : Effect.catch(work(items), (error) => {
        if (!SqlError.isSqlError(error) || isDatabaseAway(error)) return Effect.fail(error)
        const [first] = items
        if (items.length === 1 && first !== undefined) {
          return Effect.sync(() => refused(first, `the database refused it: ${reasonOf(error)}`))
        }
        const half = Math.ceil(items.length / 2)
        return Effect.andThen(
          inHalves(items.slice(0, half), work, refused),
          inHalves(items.slice(half), work, refused)
        )
      })
