/** A brain on a pgvector from before `halfvec`: everything works on it, with what it has. */
import { expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../../src/domain/Money.ts"
import { examine } from "../../../src/programs/doctor/examine.ts"
import { migrationBrainLayer } from "../../../src/programs/migrate-embeddings/layer.ts"
import { queryLayer } from "../../../src/programs/search/layer.ts"
import { defaultSearch } from "../../../src/programs/search/options.ts"
import { query } from "../../../src/programs/search/search.ts"
import { initBrain } from "../../../src/services/Brain.ts"
import { OpenAi } from "../../../src/services/OpenAi.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { conversation, environment, extract, putPages, standIn } from "../../support/extraction.ts"
import { migrate, newSpace, oldSpace, putChunks, putPage, shapeOf } from "../../support/migrations.ts"

/** The brain made anew, as `init` makes it where it finds pgvector 0.6.2. */
const onOldPgvector = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`drop schema gbrain_effect cascade`
  yield* sql`drop schema public cascade`
  yield* sql`create schema public`
  yield* sql`create extension vector`
  yield* sql`update pg_extension set extversion = '0.6.2' where extname = 'vector'`
  yield* initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.some(oldSpace.dimensions) })
})

const columns = Effect.map(shapeOf, (shape) =>
  shape.filter((line) => /^(content_chunks|facts)\.embedding /.test(line))
)
const nearest = Effect.map(
  shapeOf,
  (shape) => shape.filter((line) => line.includes("USING hnsw (embedding ")).length
)

onBothDatabases("a brain on a pgvector without halfvec", (brain) => {
  it.live(
    "is made, examined, filled, asked and migrated, with vectors and no index where there is none",
    () =>
      Effect.gen(function* () {
        const env = environment({ OPENAI_API_KEY: "sk-test" })
        const api = yield* standIn()
        expect(yield* columns).toEqual([
          "content_chunks.embedding vector(64) YES",
          "facts.embedding vector(64) YES"
        ])
        const indexes = yield* nearest
        const { checks } = yield* examine().pipe(Effect.provide(OpenAi.layer.pipe(Layer.provide(env))))
        const said = (name: string) => checks.find((check) => check.name === name)
        expect(said("pgvector")).toMatchObject({ status: "warn", message: "0.6.2 has no halfvec" })
        expect(said("facts_embedding_width_consistency")).toMatchObject({ status: "ok" })

        yield* putPages([{ slug: "talk", body: conversation("winch") }])
        expect(yield* extract(api.url)).toMatchObject({ status: "completed" })
        yield* putChunks(yield* putPage("boat"), ["The boat needs a new winch."])
        const asked = query({ ...defaultSearch, text: "winch" }).pipe(
          Effect.provide(
            queryLayer({ cap: Money.parseUsd("0.01") }).pipe(
              Layer.provide(environment({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test" }))
            )
          )
        )
        expect(yield* asked).toMatchObject({ method: "hybrid" })

        expect(
          yield* migrate(api.url, { to: { ...newSpace, dimensions: 1280 }, finish: true })
        ).toMatchObject({
          status: "completed"
        })
        expect(yield* columns).toEqual([
          "content_chunks.embedding vector(1280) YES",
          "facts.embedding vector(1280) YES"
        ])
        expect(yield* nearest).toBe(indexes)
        expect(
          yield* migrate(api.url, { to: { ...newSpace, dimensions: 2500 }, finish: true })
        ).toMatchObject({
          status: "completed"
        })
        expect(yield* columns).toEqual([
          "content_chunks.embedding vector(2500) YES",
          "facts.embedding vector(2500) YES"
        ])
        expect(yield* nearest).toBe(0)
        expect(yield* asked).toMatchObject({ method: "hybrid" })
      }).pipe(
        Effect.scoped,
        // What knows the database's types is made after the extension.
        Effect.provide(migrationBrainLayer),
        (use) => Effect.andThen(onOldPgvector, use),
        Effect.provide(brain)
      )
  )
})
