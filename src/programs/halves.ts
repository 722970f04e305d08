/** Work on many things in one transaction, in which one bad thing takes no other along. */
import { Cause, Effect, Option } from "effect"
import { SqlError } from "effect/sql"
import { isDatabaseAway } from "../services/database/Resilience.ts"
import { reasonOf } from "../services/Database.ts"
import { isFatal } from "./extract-conversation-facts/fatal.ts"

/**
 * Does `work` for all items at once; when the database refuses them, or a bug of ours breaks on them, for each half, and so on, down
 * to the ones that fail alone: those are given to `refused` with the reason. Fails when the database is away or full, since no half
 * would fare better, and with any other error that `work` expects.
 */
export const inHalves = <Item, E, R>(
  items: ReadonlyArray<Item>,
  work: (items: ReadonlyArray<Item>) => Effect.Effect<void, E | SqlError.SqlError, R>,
  refused: (item: Item, reason: string) => void
): Effect.Effect<void, E | SqlError.SqlError, R> =>
  items.length === 0
    ? Effect.void
    : Effect.catchCause(work(items), (cause) => {
        const reason = reasonInItems(cause)
        if (reason === undefined) return Effect.failCause(cause)
        const [first] = items
        if (items.length === 1 && first !== undefined) return Effect.sync(() => refused(first, reason))
        const half = Math.ceil(items.length / 2)
        return Effect.andThen(
          inHalves(items.slice(0, half), work, refused),
          inHalves(items.slice(half), work, refused)
        )
      })

/** Why the items themselves failed, in words; nothing when something else did. */
const reasonInItems = (cause: Cause.Cause<unknown>): string | undefined => {
  if (Cause.hasInterrupts(cause)) return undefined
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (error !== undefined) {
    return SqlError.isSqlError(error) && !isFatal(error)
      ? `the database refused it: ${reasonOf(error)}`
      : undefined
  }
  const defect = Cause.squash(cause)
  if (isDatabaseAway(defect)) return undefined
  return `something unexpected happened: ${defect instanceof Error ? defect.message : String(defect)}; this is a bug`
}
