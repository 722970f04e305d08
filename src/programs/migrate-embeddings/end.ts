/** The ends of a migration that ask no model: giving up what is not swapped yet, and dropping the old vectors of what is. */
import { Effect, Option } from "effect"
import { EmbeddingMigrations, type Migration, migrationLease } from "../../services/EmbeddingMigrations.ts"
import { PageLease } from "../../services/PageLease.ts"
import { nothingOpen } from "./migrateEmbeddings.ts"
import { inWords, refuse } from "./target.ts"

/** Whether undoing what is open needs a model: then which, else it only drops what was made. */
export const undoing = Effect.fn("undoing")(function* () {
  const open = yield* (yield* EmbeddingMigrations).open
  if (Option.isNone(open)) return yield* refuse(nothingOpen)
  const { from, isReturn, phase, to } = open.value
  if (isReturn) return Option.some(to)
  if (phase === "swapped") return Option.some(from)
  if (phase === "finishing") {
    return yield* refuse(
      `The old vectors are being dropped, so there is no way back but another migration. Finish first: gbrain migrate embeddings --finish`
    )
  }
  return Option.none()
})

/** Gives up a migration that was not swapped: the new columns are dropped. Answers what was given up. */
export const giveUp = dropWhen(
  ({ isReturn, phase }) => !isReturn && (phase === "filling" || phase === "undoing"),
  "The migration moved on meanwhile; look at it: gbrain migrate embeddings --status"
)

/** Drops the old vectors of a migration that was swapped. Answers the migration. */
export const finishMigration = Effect.fn("finishMigration")(function* () {
  const open = yield* (yield* EmbeddingMigrations).open
  if (Option.isSome(open) && (open.value.isReturn || open.value.phase === "undoing")) {
    return yield* refuse("A migration is being undone. Continue that: gbrain migrate embeddings --undo")
  }
  if (Option.isSome(open) && open.value.phase === "filling") {
    return yield* refuse(
      `The migration to ${inWords(open.value.to)} is half way. Continue it: gbrain migrate embeddings --to ${open.value.to.model} --dimensions ${open.value.to.dimensions}`
    )
  }
  return yield* finishSwapped()
})

const finishSwapped = dropWhen(
  ({ phase }) => phase === "swapped" || phase === "finishing",
  "The migration moved on meanwhile; look at it: gbrain migrate embeddings --status"
)

function dropWhen(fits: (open: Migration) => boolean, otherwise: string) {
  return Effect.fnUntraced(function* () {
    const migrations = yield* EmbeddingMigrations
    const leases = yield* PageLease
    return yield* leases.withLease(migrationLease, () =>
      Effect.gen(function* () {
        const open = yield* migrations.open
        if (Option.isNone(open)) return yield* refuse(nothingOpen)
        if (!fits(open.value)) return yield* refuse(otherwise)
        yield* migrations.drop(open.value)
        return open.value
      })
    )
  })
}
