/** Makes the indexes of the new columns, and tells how far it is. */
import { Effect, Option, Schedule } from "effect"
import { EmbeddingMigrations, type Migration } from "../../services/EmbeddingMigrations.ts"
import { Progress } from "../../services/Progress.ts"
import type { MigrationTally } from "./report.ts"

const lookEvery = "1 second"

/** Makes those that are not there yet, one after the other: each may use several processes of the database. */
export const makeIndexes = Effect.fn("makeIndexes")(function* (migration: Migration, tally: MigrationTally) {
  const migrations = yield* EmbeddingMigrations
  const progress = yield* Progress
  const indexes = yield* migrations.indexes(migration)
  for (const [at, index] of indexes.entries()) {
    const stage = (share: Option.Option<number>) =>
      progress.stage(
        Option.some(
          `making index ${at + 1} of ${indexes.length}, ${index.name}` +
            Option.match(share, { onNone: () => "", onSome: (it) => `, ${Math.floor(it * 100)}%` })
        )
      )
    yield* stage(Option.none())
    // Only for the eye: a look that fails is no reason to stop.
    const watch = Effect.flatMap(migrations.indexProgress, stage).pipe(
      Effect.ignore,
      Effect.delay(lookEvery),
      Effect.repeat(Schedule.spaced(lookEvery))
    )
    const made = yield* Effect.raceFirst(migrations.makeIndex(index), Effect.andThen(watch, Effect.never))
    if (made) tally.indexes++
  }
  yield* progress.stage(Option.none())
})
