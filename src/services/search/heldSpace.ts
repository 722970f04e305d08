/**
 * Of which model the vectors of the brain are, held still. A migration of embeddings may exchange columns and settings at any
 * moment: between a look at the settings and a look at the vectors too.
 */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { type EmbeddingSpace, sameSpace } from "../../domain/EmbeddingSpace.ts"
import { BrainConfig, embeddingSettings } from "../BrainConfig.ts"

/** The brain has gone over to another embedding model since a question's vector was made. */
export class SpaceChanged extends Schema.TaggedError<SpaceChanged>()("SpaceChanged", {
  message: Schema.String
}) {}

/** The model and width that the brain is configured for. In a transaction they stay, with the vectors, until its end. */
export const heldSpace = Effect.fnUntraced(function* () {
  const sql = yield* SqlClient.SqlClient
  // What exchanges columns needs these tables to itself, in this order, and changes the settings while it has them.
  yield* sql`lock table pages, content_chunks, facts in access share mode`
  return yield* embeddingSettings(yield* BrainConfig)
})

/** The same; fails when it is another than `asked`. */
export const holdSpace = Effect.fnUntraced(function* (asked: EmbeddingSpace) {
  const now = yield* heldSpace()
  if (sameSpace(now, asked)) return
  return yield* new SpaceChanged({
    message:
      `The brain went over to another embedding model, ${now.model} at ${now.dimensions} dimensions, while the question was ` +
      `embedded by ${asked.model} at ${asked.dimensions}. Ask again.`
  })
})
