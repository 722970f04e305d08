/** Vectors for the chunks of a test's brain. */
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../src/domain/Money.ts"
import { extractionLayer } from "../../src/programs/extract-conversation-facts/layer.ts"
import { EmbeddingModel } from "../../src/services/EmbeddingModel.ts"
import { environment } from "./extraction.ts"

/** Embeds every chunk that has no vector. */
export const embedChunks = (url: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const model = yield* EmbeddingModel
    const chunks = yield* sql<{ readonly id: number; readonly text: string }>`
      select id, chunk_text as text from content_chunks where embedding is null order by id`
    const vectors = yield* model.embed(chunks.map((chunk) => chunk.text))
    yield* sql`
      update content_chunks set embedding = made.vector::vector, embedded_at = now()
      from unnest(${chunks.map((chunk) => chunk.id)}::int[], ${vectors.map((vector) => `[${vector.join(",")}]`)}::text[])
        as made(id, vector) where content_chunks.id = made.id`
  }).pipe(
    Effect.provide(
      extractionLayer({ workers: 4, cap: Money.parseUsd("1"), model: Option.none() }).pipe(
        Layer.provide(environment({ OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-test" }))
      )
    )
  )
