/**
 * Pages that are pictures: a page for each image file and each PDF, with a chunk for each image to look at, as gbrain has them for
 * images. The bytes stay in the files; vectors come later, and a chunk without one is what there is to do.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { captionOf } from "../domain/Images.ts"
import { resilient } from "./database/Resilience.ts"
import type { Picture } from "./Pictures.ts"

/** A picture to have a page. */
export interface PicturePage {
  readonly slug: string
  /** Relative to the source's folder. */
  readonly path: string
  readonly picture: Picture
}

/** Where pictures are from. */
export interface PictureOrigin {
  readonly sourceId: string
  /** Absolute path of the folder. */
  readonly directory: string
}

/** How pages that came from here are signed; an import leaves them alone. */
const signature = "reindex-multimodal"

/** Pages that are pictures. */
export class PicturePages extends Context.Service<
  PicturePages,
  {
    /** The content hashes of picture pages that are there, by slug; null for one of another kind, which stays as it is. */
    readonly hashes: (
      sourceId: string,
      slugs: ReadonlyArray<string>
    ) => Effect.Effect<
      ReadonlyMap<string, { readonly id: number; readonly hash: string | null; readonly picture: boolean }>,
      SqlError.SqlError
    >
    /** Writes pages, new and changed, in one transaction; their chunks have no vectors then. */
    readonly write: (
      origin: PictureOrigin,
      pages: ReadonlyArray<PicturePage>
    ) => Effect.Effect<void, SqlError.SqlError>
    /** Marks the pages of the folder as deleted whose files are not among `slugs`; answers how many. They can come back. */
    readonly removeOthers: (
      origin: PictureOrigin,
      slugs: ReadonlyArray<string>
    ) => Effect.Effect<number, SqlError.SqlError>
  }
>()("gbrain/PicturePages") {
  /** Picture pages of the open brain. */
  static readonly layer = Layer.effect(
    PicturePages,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const upsertPages = (origin: PictureOrigin, pages: ReadonlyArray<PicturePage>) => {
        const rows = pages.map(({ path, picture, slug }) => ({
          slug,
          type: picture.kind,
          title: filenameOf(path),
          frontmatter: frontmatterOf(path, picture),
          content_hash: picture.hash,
          source_path: path
        }))
        return sql<{ readonly id: number; readonly slug: string }>`
          insert into pages (source_id, slug, type, page_kind, title, frontmatter, content_hash, source_path, import_filename,
            ingested_via, ingested_at, source_uri, source_kind)
          select ${origin.sourceId}, row.slug, row.type, 'image', row.title, row.frontmatter, row.content_hash,
            row.source_path, row.title, ${signature}, now(), ${origin.directory}, 'directory'
          from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(slug text, type text, title text,
            frontmatter jsonb, content_hash text, source_path text)
          on conflict (source_id, slug) do update set type = excluded.type, page_kind = excluded.page_kind,
            title = excluded.title, compiled_truth = '', frontmatter = excluded.frontmatter,
            content_hash = excluded.content_hash, source_path = excluded.source_path,
            import_filename = excluded.import_filename, ingested_via = excluded.ingested_via,
            ingested_at = excluded.ingested_at, source_uri = excluded.source_uri, source_kind = excluded.source_kind,
            deleted_at = null, updated_at = now(), generation = pages.generation + 1
          where pages.page_kind = 'image' or pages.deleted_at is not null
          returning id, slug`
      }

      // Vectors of what a file was before are worse than none.
      const writeChunks = Effect.fnUntraced(function* (
        entries: ReadonlyArray<{ readonly id: number; readonly page: PicturePage }>
      ) {
        const rows = entries.flatMap(({ id, page: { path, picture } }) =>
          Array.from({ length: picture.pages }, (_, index) => ({
            page_id: id,
            chunk_index: index,
            chunk_text: captionOf(
              filenameOf(path),
              picture.kind === "pdf" ? { number: index + 1, of: picture.pages } : null
            )
          }))
        )
        yield* sql`
          delete from content_chunks using unnest(${entries.map(({ id }) => id)}::int[],
            ${entries.map(({ page }) => page.picture.pages)}::int[]) as kept(page_id, chunks)
          where content_chunks.page_id = kept.page_id and content_chunks.chunk_index >= kept.chunks`
        yield* sql`
          insert into content_chunks (page_id, chunk_index, chunk_text, chunk_source, modality)
          select row.page_id, row.chunk_index, row.chunk_text, 'image_asset', 'image'
          from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
            as row(page_id int, chunk_index int, chunk_text text)
          on conflict (page_id, chunk_index) do update set chunk_text = excluded.chunk_text,
            chunk_source = excluded.chunk_source, modality = excluded.modality, embedding = null, embedded_at = null,
            embedded_text_hash = null, embedding_image = null, embedding_multimodal = null`
      })

      return PicturePages.of({
        hashes: (sourceId, slugs) =>
          resilient(sql<{ id: number; slug: string; hash: string | null; picture: boolean }>`
            select id, slug, content_hash as hash, page_kind = 'image' as picture from pages
            where source_id = ${sourceId} and slug = any(${slugs}::text[]) and deleted_at is null`).pipe(
            Effect.map((rows) => new Map(rows.map(({ slug, ...row }) => [slug, row])))
          ),
        write: (origin, pages) =>
          pages.length === 0
            ? Effect.void
            : resilient(
                sql.withTransaction(
                  Effect.gen(function* () {
                    const ids = new Map((yield* upsertPages(origin, pages)).map((row) => [row.slug, row.id]))
                    yield* writeChunks(
                      pages.flatMap((page) => {
                        const id = ids.get(page.slug)
                        return id === undefined ? [] : [{ id, page }]
                      })
                    )
                  })
                )
              ),
        removeOthers: ({ directory, sourceId }, slugs) =>
          resilient(
            sql`
                update pages set deleted_at = now() where source_id = ${sourceId} and ingested_via = ${signature}
                  and source_uri = ${directory} and deleted_at is null and slug <> all(${slugs}::text[])
                returning id`
          ).pipe(Effect.map((rows) => rows.length))
      })
    })
  )
}

const filenameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

// The keys are gbrain's where it has them.
const frontmatterOf = (path: string, { bytes, kind, mime, pages, size }: Picture) => ({
  type: kind,
  title: filenameOf(path),
  mime_type: mime,
  bytes,
  ...(size === null ? { pages } : { dims: { w: size.width, h: size.height } })
})
