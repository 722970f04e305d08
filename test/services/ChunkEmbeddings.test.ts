import { expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { ChunkEmbeddings } from "../../src/services/ChunkEmbeddings.ts"
import { onBothDatabases } from "../support/brains.ts"
import { putPages } from "../support/extraction.ts"

onBothDatabases("ChunkEmbeddings", (brain) => {
  for (const [what, kind, name] of [
    ["a vector is in this database", "type", "vector"],
    ["the column of chunks holds", "table", "content_chunks"]
  ] as const) {
    it.live(`writes after it could not learn what ${what}`, () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const chunks = yield* ChunkEmbeddings
        yield* putPages([{ slug: "notes/one", body: "text" }])
        const written = yield* sql<{ readonly id: number; readonly hash: string }>`
          insert into content_chunks (page_id, chunk_index, chunk_text)
          select id, 0, 'text' from pages returning id, md5(chunk_text) as hash`
        const write = chunks.write(
          { model: "openai:text-embedding-3-small", dimensions: 64 },
          written.map((row) => ({ ...row, vector: new Float32Array(64).fill(0.1), key: "k" }))
        )
        yield* sql`alter ${sql.literal(kind)} ${sql(name)} rename to moved_away`
        expect((yield* Effect.flip(write))._tag).toBe("SqlError")
        yield* sql`alter ${sql.literal(kind)} moved_away rename to ${sql(name)}`
        expect(yield* write).toEqual(new Set(written.map(({ id }) => id)))
      }).pipe(Effect.provide(ChunkEmbeddings.layer.pipe(Layer.provideMerge(brain))))
    )
  }
})
