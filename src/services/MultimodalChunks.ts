/**
 * Chunks as the multimodal model sees them: which have no vector of what they are now, and their vectors written. A vector of an
 * image is in `embedding_image` and `embedding_multimodal`, one of a text in `embedding_multimodal` only; these are gbrain's columns
 * for a search over images, and for one over everything.
 */
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { fewestPixels, mostPixels } from "../domain/Images.ts"
import { Database } from "./Database.ts"
import { resilient } from "./database/Resilience.ts"
import { vectorArrays } from "./database/vectorCodec.ts"
import { type Lease, type LeaseLost, PageLease } from "./PageLease.ts"

/** Which chunks. */
export interface ChunkScope {
  readonly sourceIds: ReadonlyArray<string>
  readonly model: string
  /** Chunks that have a vector of what they are, too. */
  readonly includeDone: boolean
}

/** What a chunk stands for. */
export type Modality = "image" | "text"

const ChunkRow = Schema.Struct({
  id: Schema.Int,
  page_id: Schema.Int,
  source_id: Schema.String,
  slug: Schema.String,
  index: Schema.Int,
  modality: Schema.Literals(["image", "text"]),
  /** Empty for an image. */
  text: Schema.String,
  /** Tells this content of the chunk from every other. */
  fingerprint: Schema.String,
  /** Of the page. */
  content_hash: Schema.NullOr(Schema.String),
  /** Of an image: where its file is, below the source's folder. */
  path: Schema.String,
  root: Schema.NullOr(Schema.String)
})

/** A chunk to embed. */
export type MultimodalChunk = typeof ChunkRow.Type

const decodeChunks = Schema.decodeUnknownEffect(Schema.Array(ChunkRow))

/** How much there is to do. */
export interface ChunkCounts {
  readonly images: number
  /** Pixels that the images are paid for. */
  readonly pixels: number
  readonly texts: number
  readonly characters: number
  readonly bytes: number
}

/** A vector to write. */
export interface NewVector {
  readonly chunk: Pick<MultimodalChunk, "id" | "fingerprint">
  /** The journal's key for it. */
  readonly key: string
  readonly vector: Float32Array
  /** What the chunk says from now on; as before when it is empty. */
  readonly text: string
}

/** The brain has no columns for vectors of images, or no two of the same width. */
export class NoImageColumns extends Schema.TaggedError<NoImageColumns>()("NoImageColumns", {
  message: Schema.String
}) {}

/** Rows listed by one statement. */
const listed = 200

/** Chunks with multimodal vectors. */
export class MultimodalChunks extends Context.Service<
  MultimodalChunks,
  {
    /** How wide the vectors must be. */
    readonly width: Effect.Effect<number, NoImageColumns | SqlError.SqlError>
    /** Counts what is to do, leaving out the pages of `except`. */
    readonly count: (
      scope: ChunkScope,
      except: ReadonlyArray<number>
    ) => Effect.Effect<ChunkCounts, SqlError.SqlError>
    /** The chunks to do, by id. */
    readonly pending: (
      scope: ChunkScope,
      modality: Modality
    ) => Stream.Stream<MultimodalChunk, SqlError.SqlError>
    /**
     * Writes vectors in one transaction, only while the lease is held; answers which chunks were still what they had been. The
     * journal's entries go with it.
     */
    readonly commit: (
      lease: Lease,
      model: string,
      vectors: ReadonlyArray<NewVector>
    ) => Effect.Effect<ReadonlySet<number>, LeaseLost | SqlError.SqlError>
    /** Forgets what was noted of chunks that are gone. */
    readonly tidy: Effect.Effect<void, SqlError.SqlError>
  }
>()("gbrain/MultimodalChunks") {
  /** Chunks of the open brain. */
  static readonly layer = Layer.effect(
    MultimodalChunks,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const leases = yield* PageLease
      const vectorArray = yield* vectorArrays(sql, (yield* Database).types)
      // gbrain notes where an image's file is in a table that not every brain has.
      const [files] = yield* sql<{ readonly there: boolean }>`
        select to_regclass('files') is not null as there`

      const fingerprint = sql.literal(`(case when chunk.modality = 'image'
        then coalesce(page.content_hash, '') || ':' || chunk.chunk_index else md5(chunk.chunk_text) end)`)
      const path = sql.literal(
        `coalesce(page.source_path, ${
          files?.there === true
            ? "(select storage_path from files where files.page_id = page.id order by files.id limit 1), "
            : ""
        }page.slug)`
      )
      const from = sql.literal(`content_chunks chunk join pages page on page.id = chunk.page_id
        join sources source on source.id = page.source_id
        left join gbrain_effect.multimodal_chunks made on made.chunk_id = chunk.id`)
      const toDo = ({ includeDone, model, sourceIds }: ChunkScope) => sql`
        page.deleted_at is null and page.source_id = any(${sourceIds}::text[])
        and (chunk.modality = 'image' or (chunk.modality = 'text' and btrim(chunk.chunk_text) <> ''))
        and (${includeDone} or chunk.embedding_multimodal is null
          or (chunk.modality = 'image' and chunk.embedding_image is null)
          or made.model <> ${model} or made.fingerprint <> ${fingerprint})`
      const pixels = sql.literal(`(case when page.frontmatter->'dims'->>'w' ~ '^[0-9]{1,9}$'
          and page.frontmatter->'dims'->>'h' ~ '^[0-9]{1,9}$'
        then least(${mostPixels}, greatest(${fewestPixels},
          (page.frontmatter->'dims'->>'w')::float8 * (page.frontmatter->'dims'->>'h')::float8))
        else ${mostPixels} end)`)

      const list = (scope: ChunkScope, modality: Modality, after: number) =>
        Effect.flatMap(
          resilient(sql`
            select chunk.id, chunk.page_id, page.source_id, page.slug, chunk.chunk_index as index, chunk.modality,
              case when chunk.modality = 'text' then chunk.chunk_text else '' end as text,
              ${fingerprint} as fingerprint, page.content_hash, ${path} as path,
              coalesce(source.local_path, case when source.id = 'default'
                then (select value from config where key = 'sync.repo_path') end) as root
            from ${from} where ${toDo(scope)} and chunk.modality = ${modality} and chunk.id > ${after}
            order by chunk.id limit ${listed}`),
          (rows) => Effect.orDie(decodeChunks(rows))
        )

      return MultimodalChunks.of({
        width: Effect.gen(function* () {
          const rows = yield* resilient(sql<{ readonly type: string }>`
            select format_type(atttypid, atttypmod) as type from pg_attribute
            where attrelid = 'content_chunks'::regclass and attname in ('embedding_image', 'embedding_multimodal')
              and not attisdropped`)
          const widths = rows.map(({ type }) =>
            Number(/^(?:vector|halfvec)\((\d+)\)$/.exec(type)?.[1] ?? NaN)
          )
          const [first = NaN, second = NaN] = widths
          if (first === second) return first
          return yield* new NoImageColumns({
            message:
              "content_chunks of this brain has no two columns embedding_image and embedding_multimodal of the same width " +
              `(${rows.map(({ type }) => type).join(", ") || "none of them"}). Open it with gbrain once to upgrade it.`
          })
        }),
        count: Effect.fnUntraced(function* (scope, except) {
          const [row] = yield* resilient(sql<ChunkCounts>`
            select (count(*) filter (where chunk.modality = 'image'))::int as images,
              coalesce(sum(${pixels}) filter (where chunk.modality = 'image'), 0)::float8 as pixels,
              (count(*) filter (where chunk.modality = 'text'))::int as texts,
              coalesce(sum(length(chunk.chunk_text)) filter (where chunk.modality = 'text'), 0)::float8 as characters,
              coalesce(sum(octet_length(chunk.chunk_text)) filter (where chunk.modality = 'text'), 0)::float8 as bytes
            from ${from} where ${toDo(scope)} and page.id <> all(${except}::int[])`)
          return row ?? { images: 0, pixels: 0, texts: 0, characters: 0, bytes: 0 }
        }),
        pending: (scope, modality) =>
          Stream.paginate(0, (after) =>
            Effect.map(list(scope, modality, after), (rows) => {
              const last = rows[rows.length - 1]
              return [
                rows,
                last === undefined || rows.length < listed ? Option.none<number>() : Option.some(last.id)
              ] as const
            })
          ),
        commit: (lease, model, entries) =>
          Effect.gen(function* () {
            const ids = entries.map(({ chunk }) => chunk.id)
            const prints = entries.map(({ chunk }) => chunk.fingerprint)
            const vectors = yield* vectorArray(entries.map(({ vector }) => vector))
            yield* leases.confirm(lease)
            const written = yield* sql<{ readonly id: number }>`
              update content_chunks chunk set embedding_multimodal = new.vector,
                embedding_image = case when chunk.modality = 'image' then new.vector else chunk.embedding_image end
              from unnest(${ids}::int[], ${prints}::text[], ${vectors}) as new(id, fingerprint, vector), pages page
              where chunk.id = new.id and page.id = chunk.page_id and ${fingerprint} = new.fingerprint
              returning chunk.id`
            const there = new Set(written.map(({ id }) => id))
            const told = entries.filter(({ chunk, text }) => text !== "" && there.has(chunk.id))
            // Told apart from the vectors: whoever writes a text has its words indexed anew.
            if (told.length > 0) {
              yield* sql`
                update content_chunks chunk set chunk_text = new.text
                from unnest(${told.map(({ chunk }) => chunk.id)}::int[], ${told.map(({ text }) => text)}::text[])
                  as new(id, text) where chunk.id = new.id and chunk.chunk_text is distinct from new.text`
            }
            yield* sql`
              insert into gbrain_effect.multimodal_chunks (chunk_id, model, fingerprint)
              select new.id, ${model}, new.fingerprint
              from unnest(${ids}::int[], ${prints}::text[]) as new(id, fingerprint)
              where new.id = any(${[...there]}::int[])
              on conflict (chunk_id) do update set model = excluded.model, fingerprint = excluded.fingerprint`
            yield* sql`
              delete from gbrain_effect.journal_vectors where key = any(${entries.map(({ key }) => key)}::text[])`
            return there
          }).pipe(sql.withTransaction, resilient),
        tidy: resilient(sql`
          delete from gbrain_effect.multimodal_chunks made
          where not exists (select 1 from content_chunks chunk where chunk.id = made.chunk_id)`).pipe(
          Effect.asVoid
        )
      })
    })
  )
}
