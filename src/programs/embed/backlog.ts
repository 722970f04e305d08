/** How many chunks are found by words only, because they have no vector yet. Cheap: vectors of other models are `embed`'s to find. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** The texts of pages that are to be embedded, and those of them without a vector. Pictures have vectors of their own. */
export const chunksWithoutVectors = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [column] = yield* sql`select 1 from pg_attribute
    where attrelid = 'content_chunks'::regclass and attname = 'embedding' and not attisdropped`
  const bare = column === undefined ? sql`true` : sql`chunk.embedding is null`
  const [row] = yield* sql<{ readonly chunks: number; readonly bare: number }>`
    select count(*)::int as chunks, (count(*) filter (where ${bare}))::int as bare
    from content_chunks chunk join pages page on page.id = chunk.page_id
    where chunk.modality = 'text' and page.deleted_at is null and not jsonb_exists(page.frontmatter, 'embed_skip')
      and chunk.chunk_text ~ '[^[:space:]]'`
  return row ?? { chunks: 0, bare: 0 }
})

/** Indexes that a run set aside and nobody has built again yet, and those that an interrupted build left invalid. */
export const indexesToBuild = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ readonly name: string }>`
    select name from gbrain_effect.indexes_set_aside
    union select relname from pg_index join pg_class on pg_class.oid = indexrelid
    where indrelid = 'content_chunks'::regclass and not indisvalid
      and not exists (select 1 from pg_stat_progress_create_index where index_relid = indexrelid)
    order by name`
  return rows.map((row) => row.name)
})
