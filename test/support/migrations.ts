/** Brains with vectors in them for tests of embedding migrations, and whether every vector is that of its row's text. */
import { Duration, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../src/domain/Money.ts"
import { migrationLayer } from "../../src/programs/migrate-embeddings/layer.ts"
import { migrateEmbeddings, undoMigration } from "../../src/programs/migrate-embeddings/migrateEmbeddings.ts"
import {
  defaultMigrationOptions,
  type MigrationOptions,
  MigrationPolicy
} from "../../src/programs/migrate-embeddings/options.ts"
import type { EmbeddingSpace } from "../../src/services/EmbeddingMigrations.ts"
import { environment } from "./extraction.ts"
import { standInVector } from "./stand-in/vectors.ts"

/** What the brains of tests are made for. */
export const oldSpace: EmbeddingSpace = { model: "openai:text-embedding-3-small", dimensions: 64 }

/** What they are migrated to. */
export const newSpace: EmbeddingSpace = { model: "openai:text-embedding-3-large", dimensions: 32 }

/** The vector that a model makes of a text, as text of SQL. Models make different ones. */
export const vectorOf = (space: EmbeddingSpace, text: string): string =>
  `[${standInVector(text, space.dimensions).join(",")}]`

/** Puts a page into the brain; answers its id. */
export const putPage = Effect.fnUntraced(function* (slug: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ id: number }>`
    insert into pages (slug, type, title, embedding_signature)
    values (${slug}, 'note', ${slug}, ${`${oldSpace.model}:${oldSpace.dimensions}`}) returning id`
  return row?.id ?? 0
})

/** Puts chunks with these texts on a page, with vectors as the old model makes them, or without. */
export const putChunks = Effect.fnUntraced(function* (
  page: number,
  texts: ReadonlyArray<string>,
  space: EmbeddingSpace | null = oldSpace
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(
    `insert into content_chunks (page_id, chunk_index, chunk_text, embedding, model, embedded_at, embedded_text_hash)
    select $1::int, (select coalesce(max(chunk_index), -1) from content_chunks where page_id = $1::int) + place::int, text,
      vector::vector, 'openai:text-embedding-3-small',
      case when vector is not null then now() end, case when vector is not null then md5(text) end
    from (select text, nullif(vector, '') as vector, place
      from unnest($2::text[], $3::text[]) with ordinality as row(text, vector, place)) as row`,
    [page, texts, texts.map((text) => (space === null ? "" : vectorOf(space, text)))]
  )
})

/** Puts facts with these texts into the brain, with vectors as the old model makes them, or without. */
export const putFacts = Effect.fnUntraced(function* (
  texts: ReadonlyArray<string>,
  space: EmbeddingSpace | null = oldSpace
) {
  const sql = yield* SqlClient.SqlClient
  const [column] = yield* sql<{ type: string }>`
    select format_type(atttypid, null) as type from pg_attribute
    where attrelid = 'facts'::regclass and attname = 'embedding'`
  yield* sql.unsafe(
    `insert into facts (fact, source, embedding, embedded_at)
    select text, 'test', vector::${column?.type ?? "vector"}, case when vector is not null then now() end
    from (select text, nullif(vector, '') as vector from unnest($1::text[], $2::text[]) as row(text, vector)) as row`,
    [texts, texts.map((text) => (space === null ? "" : vectorOf(space, text)))]
  )
})

interface Row {
  readonly table: string
  readonly text: string
  readonly vector: string | null
}

/** The rows whose vector is not the one that `space` makes of their text. */
export const wrongRows = Effect.fnUntraced(function* (space: EmbeddingSpace) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Row>`
    select 'facts' as table, fact as text, embedding::text as vector from facts
    union all select 'content_chunks', chunk_text, embedding::text from content_chunks`
  return rows.filter(({ text, vector }) => {
    if (vector === null) return true
    const found = vector.slice(1, -1).split(",").map(Number)
    const expected = standInVector(text, space.dimensions)
    // Half-precision floats have three digits.
    return (
      found.length !== expected.length || found.some((it, at) => Math.abs(it - (expected[at] ?? 0)) > 2e-3)
    )
  })
})

/** Everything about the tables' columns and indexes that gbrain could see, in words. */
export const shapeOf = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const columns = yield* sql<{ line: string }>`
    select table_name || '.' || column_name || ' ' || format_type(atttypid, atttypmod) || ' ' || is_nullable as line
    from information_schema.columns join pg_attribute on attrelid = table_name::regclass and attname = column_name
    where table_schema = 'public' and table_name in ('facts', 'content_chunks', 'takes', 'pages') order by 1`
  const indexes = yield* sql<{ line: string }>`
    select pg_get_indexdef(indexrelid) || case when indisvalid then '' else ' invalid' end as line from pg_index
    where indrelid in ('facts'::regclass, 'content_chunks'::regclass, 'takes'::regclass, 'pages'::regclass) order by 1`
  const triggers = yield* sql<{ line: string }>`
    select tgname as line from pg_trigger where not tgisinternal order by 1`
  return [...columns, ...indexes, ...triggers].map(({ line }) => line)
})

/** Where the tables' rows are stored: another place after they were written anew as a whole. */
export const filesOf = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql`
    select pg_relation_filenode('facts') as facts, pg_relation_filenode('content_chunks') as content_chunks,
      pg_relation_filenode('takes') as takes, pg_relation_filenode('pages') as pages`
  return row
})

/** Runs a migration against a server. */
export const migrate = (
  url: string,
  options: Partial<MigrationOptions> & {
    readonly to?: EmbeddingSpace
    readonly cap?: string
    readonly undo?: boolean
    /** Inputs in a request; 5 unless told, so that there are several. */
    readonly requestInputs?: Option.Option<number>
  } = {}
) => {
  const { cap = "5", to = newSpace, undo = false, requestInputs = Option.some(5), ...rest } = options
  const asked = { ...defaultMigrationOptions, ...rest }
  return (undo ? undoMigration(asked) : migrateEmbeddings(asked)).pipe(
    Effect.provide(
      migrationLayer({ to, workers: 3, cap: Money.parseUsd(cap) }).pipe(
        Layer.provide(environment({ OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-test" }))
      )
    ),
    Effect.provideService(MigrationPolicy, {
      read: { limit: 7, bytes: 10_000 },
      requestInputs,
      swapWithin: Duration.seconds(20)
    })
  )
}
