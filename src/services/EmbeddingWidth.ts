/**
 * Whether the vectors that would be written fit the columns they go to. Found out before the first paid call, and by
 * `doctor`, in the same words: on gbrain's embedded database a mismatch shows only when everything has been paid for.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { widthProblem } from "../domain/EmbeddingDimensions.ts"
import { widestIndexed } from "./database/gbrainTables/EmbeddingColumns.ts"

/** A vector column has another width than the configured model. */
export class WidthMismatch extends Schema.TaggedError<WidthMismatch>()("WidthMismatch", {
  column: Schema.String,
  actual: Schema.Int,
  configured: Schema.Int,
  /** The statements that mend it, in order. */
  statements: Schema.Array(Schema.String),
  message: Schema.String
}) {}

/** A model that never makes vectors of the configured width. */
export class ImpossibleWidth extends Schema.TaggedError<ImpossibleWidth>()("ImpossibleWidth", {
  model: Schema.String,
  dimensions: Schema.Int,
  message: Schema.String
}) {}

/** Fails when a model is known never to make vectors of `dimensions`. */
export const checkPossible = (dimensions: number, model: string) =>
  Option.match(widthProblem(model, dimensions), {
    onNone: () => Effect.void,
    onSome: (message) => Effect.fail(new ImpossibleWidth({ model, dimensions, message }))
  })

/** A vector column as it is. */
export interface VectorColumn {
  readonly table: "facts" | "content_chunks"
  /** `halfvec` or `vector`. */
  readonly type: "halfvec" | "vector"
  readonly dimensions: number
}

/** The types of the columns that are for vectors, as the database writes them, of whatever type they are. */
export const vectorColumnTypes = Effect.fn("vectorColumnTypes")(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ readonly table: VectorColumn["table"]; readonly type: string }>`
    select relname as table, format_type(atttypid, atttypmod) as type
    from pg_attribute join pg_class on pg_class.oid = attrelid
    where attrelid in ('facts'::regclass, 'content_chunks'::regclass) and attname = 'embedding' and not attisdropped
    order by relname desc`
})

/** The vector columns of the open brain that exist and are of a type we know. */
export const vectorColumns = Effect.fn("vectorColumns")(function* () {
  return (yield* vectorColumnTypes()).flatMap((row): ReadonlyArray<VectorColumn> => {
    // With the schema of the extension before it, where that is not on the search path.
    const match = /^(?:[^.()]+\.)?(halfvec|vector)\((\d+)\)$/.exec(row.type)
    return match === null
      ? []
      : [
          {
            table: row.table,
            type: match[1] === "vector" ? "vector" : "halfvec",
            dimensions: Number(match[2])
          }
        ]
  })
})

/** The vector columns, for programs that may not talk SQL themselves. */
export class VectorColumns extends Context.Service<
  VectorColumns,
  { readonly all: Effect.Effect<ReadonlyArray<VectorColumn>, SqlError.SqlError> }
>()("gbrain/VectorColumns") {
  /** Those of the open brain, looked at each time. */
  static readonly layer = Layer.effect(
    VectorColumns,
    Effect.map(SqlClient.SqlClient, (sql) =>
      VectorColumns.of({ all: Effect.provideService(vectorColumns(), SqlClient.SqlClient, sql) })
    )
  )
}

/** Fails with `WidthMismatch`, or `ImpossibleWidth`, when facts' vectors have another width than `dimensions`. */
export const checkFactsWidth = Effect.fn("checkFactsWidth")(function* (dimensions: number, model: string) {
  yield* checkPossible(dimensions, model)
  const columns = yield* (yield* VectorColumns).all
  const facts = columns.find((column) => column.table === "facts")
  if (facts !== undefined && facts.dimensions !== dimensions)
    return yield* widthMismatch(facts, dimensions, model)
})

/** There is nowhere to put vectors: pgvector or the column that needs it is gone. */
export class NoVectorColumn extends Schema.TaggedError<NoVectorColumn>()("NoVectorColumn", {
  message: Schema.String
}) {}

/** Fails when vectors of chunks have another width than `dimensions`, or there is no column for them. */
export const checkChunksWidth = Effect.fn("checkChunksWidth")(function* (dimensions: number, model: string) {
  yield* checkPossible(dimensions, model)
  const columns = yield* (yield* VectorColumns).all
  const chunks = columns.find((column) => column.table === "content_chunks")
  if (chunks === undefined) {
    return yield* new NoVectorColumn({
      message:
        "content_chunks has no column for vectors: pgvector is missing in this database, or was removed with everything that needed it. " +
        `Install pgvector (Debian: postgresql-17-pgvector; Docker: pgvector/pgvector:pg17) and mend the brain:\n` +
        `  create extension if not exists vector;\n` +
        `  alter table content_chunks add column if not exists embedding vector(${dimensions});\n` +
        "See: gbrain doctor"
    })
  }
  if (chunks.dimensions !== dimensions) return yield* widthMismatch(chunks, dimensions, model)
})

/** The error for a column, with the statements that mend it. */
export const widthMismatch = (column: VectorColumn, dimensions: number, model: string): WidthMismatch => {
  const name = `${column.table}.embedding`
  const statements = mendingStatements(column, dimensions)
  return new WidthMismatch({
    column: name,
    actual: column.dimensions,
    configured: dimensions,
    statements,
    message:
      `${name} is ${column.type}(${column.dimensions}), the configured embedding model makes ${dimensions} dimensions. ` +
      `Configure the model that the brain was made with (gbrain config set embedding_dimensions ${column.dimensions}); ` +
      `or embed again for this one, while the brain is in use: ${migrationCommand(model, dimensions)}; ` +
      `or change the column, which drops the vectors it has:\n  ${statements.join("\n  ")}`
  })
}

/** The command that takes a brain to a model and width. */
export const migrationCommand = (model: string, dimensions: number): string =>
  `gbrain migrate embeddings --to ${model} --dimensions ${dimensions}`

const mendingStatements = ({ table, type }: VectorColumn, dimensions: number): ReadonlyArray<string> => {
  const index = table === "facts" ? "idx_facts_embedding_hnsw" : "idx_chunks_embedding"
  const where = table === "facts" ? " where (embedding is not null) and (expired_at is null)" : ""
  return [
    `drop index if exists ${index};`,
    `update ${table} set embedding = null, embedded_at = null where embedding is not null;`,
    `alter table ${table} alter column embedding type ${type}(${dimensions}) using embedding::${type}(${dimensions});`,
    ...(dimensions > widestIndexed(type)
      ? []
      : [`create index ${index} on ${table} using hnsw (embedding ${type}_cosine_ops)${where};`])
  ]
}
