/**
 * The vectors of chunks: which are missing or out of date, and how new ones are written.
 *
 * Out of date, by gbrain's marks: the text was changed since (`embedded_text_hash` is the md5 of the chunk's text when it was
 * embedded), or another model made it. Which model, the chunk itself tells (`model`) where it has a hash; older rows have a
 * doubtful one, and their page's `embedding_signature` tells. A page without a signature is taken to be in order.
 */
import { Context, Duration, Effect, Layer, Option, Schema, Stream } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import { embeddingSignature } from "../domain/EmbeddedText.ts"
import { parseModelId } from "../domain/ModelId.ts"
import { type BadSetting, readEmbeddingSettings } from "./BrainConfig.ts"
import { Database } from "./Database.ts"
import { resilient } from "./database/Resilience.ts"
import { vectorArrays } from "./database/vectorCodec.ts"
import { successesFor } from "./successesFor.ts"

/** The brain was given another embedding model while vectors of the old one were made. */
export class EmbeddingModelReplaced extends Schema.TaggedError<EmbeddingModelReplaced>()(
  "EmbeddingModelReplaced",
  { message: Schema.String }
) {}

/** Which chunks are meant. */
export interface ChunkScope {
  readonly sourceIds: ReadonlyArray<string>
  /** Pages by slug; all when none. */
  readonly slugs: Option.Option<ReadonlyArray<string>>
  /** Also those that are in order, unless they were embedded since this time, by the database's clock. */
  readonly all: Option.Option<string>
  readonly model: string
  readonly dimensions: number
}

/** A chunk to embed. */
export interface StaleChunk {
  readonly id: number
  readonly slug: string
  readonly index: number
  readonly text: string
  /** md5 of the text. */
  readonly hash: string
  readonly source: string
  readonly title: string
  readonly mode: string | null
}

/** How many chunks there are of each kind. */
export interface ChunkCounts {
  /** Chunks with a text, of pages that are not deleted or set aside by `embed_skip`. */
  readonly total: number
  readonly missing: number
  readonly otherText: number
  readonly otherModel: number
  /** Chunks without any text, which no provider embeds. */
  readonly empty: number
  /** Bytes of the texts that are to be embedded. */
  readonly bytes: number
  readonly toDo: number
}

/** A vector for a chunk. */
export interface ChunkVector {
  readonly id: number
  /** `StaleChunk.hash`: a chunk whose text is another by now is left alone. */
  readonly hash: string
  readonly vector: Float32Array
  /** Where it may be in the journal, from which it goes. */
  readonly key: string
}

/** Vectors of chunks. */
export class ChunkEmbeddings extends Context.Service<
  ChunkEmbeddings,
  {
    /** Counts the chunks of a scope. Reads every chunk once. */
    readonly count: (scope: ChunkScope) => Effect.Effect<ChunkCounts, SqlError.SqlError>
    /** The sources, among those of a scope, that have something to embed. */
    readonly sources: (scope: ChunkScope) => Effect.Effect<ReadonlyArray<string>, SqlError.SqlError>
    /** Which of the slugs no page has. */
    readonly unknownSlugs: (
      sourceIds: ReadonlyArray<string>,
      slugs: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<string>, SqlError.SqlError>
    /**
     * The chunks to embed: those without a vector first, by page, then those with an old one. Where `count` found none of
     * these they are not looked for again: it would read every chunk, while those that the first walk found are written.
     */
    readonly stale: (
      scope: ChunkScope,
      counted: Pick<ChunkCounts, "toDo" | "missing">
    ) => Stream.Stream<StaleChunk, SqlError.SqlError>
    /**
     * Writes vectors, and marks pages whose chunks are all embedded by this model now. Answers which chunks were written:
     * one that was edited or deleted meanwhile is not. Safe to repeat.
     */
    readonly write: (
      scope: Pick<ChunkScope, "model" | "dimensions">,
      vectors: ReadonlyArray<ChunkVector>
    ) => Effect.Effect<ReadonlySet<number>, SqlError.SqlError | EmbeddingModelReplaced | BadSetting>
  }
>()("gbrain/ChunkEmbeddings") {
  /** Chunks of the open brain. */
  static readonly layer = Layer.effect(
    ChunkEmbeddings,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const vectorArray = yield* Effect.cachedWithTTL(
        resilient(vectorArrays(sql, (yield* Database).types)),
        successesFor(Duration.infinity)
      )
      const vectorType = yield* Effect.cachedWithTTL(
        resilient(columnType(sql)),
        successesFor(Duration.infinity)
      )

      const otherText = sql`(chunk.embedding is not null and chunk.embedded_text_hash <> md5(chunk.chunk_text))`
      const otherModel = ({ dimensions, model }: ChunkScope) => sql`(chunk.embedding is not null and
        case when chunk.embedded_text_hash is not null then chunk.model <> all(${namesOf(model)}::text[])
          else page.embedding_signature <> ${embeddingSignature(model, dimensions)} end)`
      const hasText = sql`chunk.chunk_text ~ '[^[:space:]]'`

      // Not meant: deleted pages, those that gbrain marks as not to be embedded, and pictures, whose text is a name.
      const inScope = ({ slugs, sourceIds }: ChunkScope) => sql`
        chunk.modality = 'text' and page.deleted_at is null and page.source_id = any(${sourceIds}::text[])
        and not jsonb_exists(page.frontmatter, 'embed_skip')
        ${Option.match(slugs, { onNone: () => sql``, onSome: (some) => sql`and page.slug = any(${some}::text[])` })}`

      const old = (
        scope: ChunkScope
      ) => sql`(coalesce(${otherText}, false) or coalesce(${otherModel(scope)}, false)
        ${Option.match(scope.all, {
          onNone: () => sql``,
          onSome: (since) =>
            sql`or chunk.embedding is null or coalesce(chunk.embedded_at < ${since}::timestamptz, true)`
        })})`

      const columns = sql`chunk.id, page.slug, chunk.chunk_index as index, chunk.chunk_text as text,
        md5(chunk.chunk_text) as hash, chunk.chunk_source as source, page.title, page.contextual_retrieval_mode as mode`

      // Two walks, each along an index: what has no vector is found through the partial index that gbrain keeps for it.
      const missing = (scope: ChunkScope) =>
        keyset(
          { page: 0, index: -1 },
          (after) =>
            sql<StaleChunk & { readonly page: number }>`
            select ${columns}, chunk.page_id as page from content_chunks chunk join pages page on page.id = chunk.page_id
            where chunk.embedding is null and (chunk.page_id, chunk.chunk_index) > (${after.page}::int, ${after.index}::int)
              and ${hasText} and ${inScope(scope)}
            order by chunk.page_id, chunk.chunk_index limit ${rowsAtOnce}`
        )
      const replaced = (scope: ChunkScope, last: number) =>
        keyset(
          { id: 0 },
          (after) =>
            sql<StaleChunk>`
            select ${columns} from content_chunks chunk join pages page on page.id = chunk.page_id
            where chunk.id > ${after.id} and chunk.id <= ${last} and ${old(scope)} and ${hasText} and ${inScope(scope)}
            order by chunk.id limit ${rowsAtOnce}`
        )

      // Nobody changes the model between this look and the commit.
      const checkModel = Effect.fnUntraced(function* (scope: Pick<ChunkScope, "model" | "dimensions">) {
        const rows = yield* sql<{ readonly key: string; readonly value: string }>`
          select key, value from config where key in ('embedding_model', 'embedding_dimensions') for share`
        const now = yield* readEmbeddingSettings(new Map(rows.map((row) => [row.key, row.value])))
        if (now.model !== scope.model || now.dimensions !== scope.dimensions) {
          return yield* new EmbeddingModelReplaced({
            message:
              `The brain's embedding model became ${now.model} (${now.dimensions} dimensions) while vectors of ${scope.model} ` +
              `(${scope.dimensions}) were made. No more of those were written; run again with the new model.`
          })
        }
      })

      const write: ChunkEmbeddings["Service"]["write"] = Effect.fn("ChunkEmbeddings.write")(
        function* (scope, vectors) {
          const array = yield* (yield* vectorArray)(vectors.map((it) => it.vector))
          const type = sql.literal(yield* vectorType)
          const ids = vectors.map((it) => it.id)
          const names = namesOf(scope.model)
          const signature = embeddingSignature(scope.model, scope.dimensions)
          return yield* Effect.gen(function* () {
            yield* checkModel(scope)
            // Two requests may share a page: the later one sees what the earlier has done to it.
            yield* sql`
            select id from pages where id in (select page_id from content_chunks where id = any(${ids}::int[]))
            order by id for no key update`
            const rows = yield* sql<{ readonly id: number }>`
              with spent as (
                delete from gbrain_effect.journal_vectors where key = any(${vectors.map((it) => it.key)}::text[])
              ), written as (
                update content_chunks chunk set embedding = made.vector::${type}, model = ${scope.model}, embedded_at = now(),
                  embedded_text_hash = made.hash
                from unnest(${ids}::int[], ${vectors.map((it) => it.hash)}::text[], ${array}) as made(id, hash, vector)
                where chunk.id = made.id and md5(chunk.chunk_text) = made.hash
                returning chunk.id, chunk.page_id
              ), marked as (
                update pages page set embedding_signature = ${signature},
                  contextual_retrieval_mode = case when contextual_retrieval_mode = 'per_chunk_synopsis' then 'title'
                    else contextual_retrieval_mode end,
                  corpus_generation = case when contextual_retrieval_mode = 'per_chunk_synopsis' then null
                    else corpus_generation end
                where id in (select page_id from written) and embedding_signature is distinct from ${signature}
                  and not exists (select 1 from content_chunks chunk where chunk.page_id = page.id and chunk.modality = 'text'
                    and ${hasText} and (chunk.embedding is null or chunk.model <> all(${names}::text[]))
                    and chunk.id not in (select id from written))
              )
              select id from written`
            return new Set(rows.map((row) => row.id))
          }).pipe(sql.withTransaction, resilient)
        }
      )

      return ChunkEmbeddings.of({
        count: (scope) =>
          resilient(sql<{ [Key in keyof ChunkCounts]: number }>`
            select count(*) filter (where text)::int as total, count(*) filter (where text and missing)::int as missing,
              count(*) filter (where text and other_text)::int as "otherText",
              count(*) filter (where text and other_model and not other_text)::int as "otherModel",
              count(*) filter (where not text)::int as empty,
              count(*) filter (where text and to_do)::int as "toDo",
              coalesce(sum(bytes) filter (where text and to_do), 0)::float8 as bytes
            from (
              select octet_length(chunk.chunk_text) as bytes, ${hasText} as text, chunk.embedding is null as missing,
                coalesce(${otherText}, false) as other_text, coalesce(${otherModel(scope)}, false) as other_model,
                chunk.embedding is null or ${old(scope)} as to_do
              from content_chunks chunk join pages page on page.id = chunk.page_id where ${inScope(scope)}
            ) as chunks`).pipe(Effect.map(([row]) => row ?? noChunks)),
        sources: (scope) =>
          resilient(sql<{ readonly id: string }>`
            select id from unnest(${scope.sourceIds}::text[]) with ordinality as source(id, place)
            where exists (select 1 from content_chunks chunk join pages page on page.id = chunk.page_id
              where page.source_id = source.id and ${inScope(scope)} and ${hasText}
                and (chunk.embedding is null or ${old(scope)}))
            order by place`).pipe(Effect.map((rows) => rows.map((row) => row.id))),
        unknownSlugs: (sourceIds, slugs) =>
          resilient(sql<{ readonly slug: string }>`
            select slug from unnest(${slugs}::text[]) as asked(slug) where not exists (select 1 from pages
              where pages.slug = asked.slug and source_id = any(${sourceIds}::text[]) and deleted_at is null)`).pipe(
            Effect.map((rows) => rows.map((row) => row.slug))
          ),
        stale: (scope, counted) =>
          Stream.unwrap(
            Effect.map(lastChunk(sql), (last) => {
              // What the first walk has written is no longer old, unless everything is.
              if (Option.isSome(scope.all)) return replaced(scope, last)
              return counted.toDo > counted.missing
                ? Stream.concat(missing(scope), replaced(scope, last))
                : missing(scope)
            })
          ),
        write
      })
    })
  )
}

/** Rows that are read at a time. */
const rowsAtOnce = 1_000

const noChunks: ChunkCounts = {
  total: 0,
  missing: 0,
  otherText: 0,
  otherModel: 0,
  empty: 0,
  bytes: 0,
  toDo: 0
}

/** A model by gbrain's present and earlier name for it. */
const namesOf = (model: string): ReadonlyArray<string> => [model, parseModelId(model).name]

const keyset = <Cursor, Row extends Cursor>(
  from: Cursor,
  read: (after: Cursor) => Statement.Statement<Row>
): Stream.Stream<Row, SqlError.SqlError> =>
  Stream.paginate(from, (after) =>
    Effect.map(resilient(read(after)), (rows) => {
      const last = rows[rows.length - 1]
      return [
        rows,
        rows.length < rowsAtOnce || last === undefined ? Option.none() : Option.some<Cursor>(last)
      ] as const
    })
  )

const lastChunk = (sql: SqlClient.SqlClient) =>
  resilient(
    sql<{ readonly last: number }>`select coalesce(max(id), 0)::int as last from content_chunks`
  ).pipe(Effect.map(([row]) => row?.last ?? 0))

// `halfvec`, or `vector`; a literal in a statement, so it is one of two.
const columnType = (sql: SqlClient.SqlClient) =>
  sql<{ readonly type: string }>`
    select format_type(atttypid, null) as type from pg_attribute
    where attrelid = 'content_chunks'::regclass and attname = 'embedding' and not attisdropped`.pipe(
    Effect.map(([row]) => (row?.type === "halfvec" ? "halfvec" : "vector"))
  )
