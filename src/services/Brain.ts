/**
 * The brain in the database: made by `init`, or by gbrain, and recognised when opened. gbrain's tables are left exactly as
 * they are; our own are added beside them when a brain is opened for the first time.
 */
import { Context, Effect, Layer, Option, Result, Schema, SemVer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Database, reasonOf } from "./Database.ts"
import type { EmbeddingColumns } from "./database/gbrainTables/EmbeddingColumns.ts"
import { vectorIndexes } from "./database/gbrainTables/EmbeddingColumns.ts"
import { derivedTables } from "./database/gbrainTables/derivedTables.ts"
import { operationTables } from "./database/gbrainTables/operationTables.ts"
import { pageTables } from "./database/gbrainTables/pageTables.ts"
import { searchTriggers } from "./database/gbrainTables/searchTriggers.ts"
import { checkPossible } from "./EmbeddingWidth.ts"
import { ensureOwnTables } from "./database/ownTables.ts"
import { takeTurn, turns } from "./database/turns.ts"

/** There is no brain in the database, or none that we can work on. */
export class NoBrain extends Schema.TaggedError<NoBrain>()("NoBrain", {
  brain: Schema.String,
  message: Schema.String
}) {}

/** What was asked of `init` contradicts the brain that is there. */
export class BrainExists extends Schema.TaggedError<BrainExists>()("BrainExists", {
  brain: Schema.String,
  message: Schema.String
}) {}

/** The embedding model of a new brain, unless told otherwise: gbrain's name for it, and its dimensions. */
export const defaultEmbedding = { model: "openai:text-embedding-3-small", dimensions: 1536 }

/** The oldest pgvector that has `halfvec`. */
export const halfvecSince = SemVer.parseUnsafe("0.7.0")

/** That the open database holds a brain. Everything that reads or writes one asks for this. */
export class Brain extends Context.Service<
  Brain,
  {
    readonly label: string
    readonly kind: Database["Service"]["kind"]
  }
>()("gbrain/Brain") {
  /** Recognises the brain in the open database, and adds our own tables to it. */
  static readonly layer = Layer.effect(
    Brain,
    Effect.suspend(() => recognise).pipe(
      Effect.tap(() => Effect.flatMap(SqlClient.SqlClient, ensureOwnTables))
    )
  )

  /** Recognises the brain and writes nothing to it, our own tables neither: for dry runs. */
  static readonly layerLooking = Layer.effect(
    Brain,
    Effect.suspend(() => recognise)
  )
}

const recognise = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const database = yield* Database
  const missing = yield* missingTables(sql)
  if (missing.length > 0) {
    return yield* new NoBrain({
      brain: database.label,
      message:
        missing.length === neededTables.length
          ? `There is no brain in ${database.label} yet. Make one with: gbrain init ${database.kind === "postgres" ? "--url URL" : "--path DIR"}`
          : `${database.label} is no brain we can work on: it has no table ${missing.join(", ")}. ` +
            `A brain of gbrain's must be of schema version 140 or later; open it with gbrain once to upgrade it.`
    })
  }
  return Brain.of({ label: database.label, kind: database.kind })
})

/** What `init` did. */
export interface InitReport {
  readonly brain: string
  readonly created: boolean
  readonly embeddingModel: string
  readonly embeddingDimensions: number
}

/**
 * Makes a brain in the open database, or finds the one that is there. Nothing of an existing brain is changed; asking
 * for another model or width than it has is refused.
 */
export const initBrain = Effect.fn("initBrain")(function* (options: {
  readonly embeddingModel: Option.Option<string>
  readonly embeddingDimensions: Option.Option<number>
}) {
  const sql = yield* SqlClient.SqlClient
  const database = yield* Database
  const missing = yield* missingTables(sql)
  const created = missing.length === neededTables.length
  if (created) {
    const model = Option.getOrElse(options.embeddingModel, () => defaultEmbedding.model)
    const dimensions = Option.getOrElse(options.embeddingDimensions, () => defaultEmbedding.dimensions)
    yield* checkPossible(dimensions, model)
    yield* createBrain(sql, database, model, dimensions)
  } else if (missing.length > 0) {
    return yield* new BrainExists({
      brain: database.label,
      message: `${database.label} holds other tables than a brain's (no ${missing.join(", ")}). Name an empty database.`
    })
  }
  yield* ensureOwnTables(sql)
  const rows = yield* sql<{ readonly key: string; readonly value: string }>`
    select key, value from config where key in ('embedding_model', 'embedding_dimensions')`
  const config = new Map(rows.map((row) => [row.key, row.value]))
  const model = config.get("embedding_model") ?? defaultEmbedding.model
  const dimensions = Number(config.get("embedding_dimensions") ?? defaultEmbedding.dimensions)
  const differs =
    Option.exists(options.embeddingModel, (asked) => asked !== model) ||
    Option.exists(options.embeddingDimensions, (asked) => asked !== dimensions)
  if (differs) {
    return yield* new BrainExists({
      brain: database.label,
      message:
        `${database.label} already is a brain, with ${model} at ${dimensions} dimensions. Its vectors cannot be those of ` +
        `another model; leave out --embedding-model and --embedding-dimensions, or make a new brain.`
    })
  }
  return {
    brain: database.label,
    created,
    embeddingModel: model,
    embeddingDimensions: dimensions
  } satisfies InitReport
})

const neededTables = ["pages", "sources", "config", "facts", "content_chunks", "gbrain_cycle_locks"]

const missingTables = (sql: SqlClient.SqlClient) =>
  sql<{ readonly name: string }>`
    select name from unnest(${neededTables}::text[]) as name where to_regclass(name) is null`.pipe(
    Effect.map((rows) => rows.map((row) => row.name))
  )

const createBrain = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { kind, label }: Database["Service"],
  model: string,
  dimensions: number
) {
  const extension = (name: string) =>
    sql`create extension if not exists ${sql.literal(name)}`.pipe(
      Effect.mapError(
        (error) =>
          new NoBrain({
            brain: label,
            message:
              `The extension ${name} is missing in ${label} and cannot be made: ${reasonOf(error)}. ` +
              `Install pgvector (Debian: postgresql-17-pgvector; Docker: pgvector/pgvector:pg17), or have an ` +
              `administrator run: create extension ${name}`
          })
      )
    )
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* takeTurn(sql, turns.migration)
      yield* extension("vector")
      yield* extension("pg_trgm")
      const columns: EmbeddingColumns = { model, dimensions, halfvec: yield* halfvecOf(sql) }
      const statements = [
        ...pageTables(columns),
        ...derivedTables(columns),
        ...operationTables(),
        // In WebAssembly an HNSW index costs some fourteen milliseconds a row; an exact scan is the better bargain there.
        ...(kind === "postgres" ? vectorIndexes(columns) : []),
        ...searchTriggers()
      ]
      yield* Effect.forEach(statements, (statement) => sql.unsafe(statement), { discard: true })
      yield* sql`insert into sources (id, name) values ('default', 'default')`
      yield* sql`insert into config (key, value)
        values ('embedding_model', ${model}), ('embedding_dimensions', ${String(dimensions)})`
    })
  )
})

const halfvecOf = (sql: SqlClient.SqlClient): Effect.Effect<"halfvec" | "vector", SqlError.SqlError> =>
  Effect.map(pgvectorVersion(sql), (version) =>
    Option.exists(version, (it) => SemVer.isGreaterThanOrEqualTo(it, halfvecSince)) ? "halfvec" : "vector"
  )

/** The version of pgvector in the open database; none when it is not there. */
export const pgvectorVersion = (sql: SqlClient.SqlClient) =>
  sql<{
    readonly version: string
  }>`select extversion as version from pg_extension where extname = 'vector'`.pipe(
    Effect.map(([row]) =>
      Option.flatMap(Option.fromUndefinedOr(row), ({ version }) => Result.getSuccess(SemVer.parse(version)))
    )
  )
