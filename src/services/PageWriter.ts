/** The pages that an import finds, renames, writes and removes, many at a time. */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { moveFacts } from "./database/moveFacts.ts"
import { resilient } from "./database/Resilience.ts"
import { keepStatistics } from "./database/statistics.ts"
import {
  importer,
  type ImportedPage,
  type ImportOrigin,
  makeWritePages,
  type WrittenChunks
} from "./pages/writePages.ts"

export type { ImportedPage, ImportOrigin, WrittenChunks } from "./pages/writePages.ts"

/** A page that an earlier import of the same folder brought in. */
export interface KnownPage {
  readonly id: number
  readonly slug: string
  readonly contentHash: string | null
  readonly path: string | null
  readonly kind: string
}

/** A page that has a slug, wherever it is from. */
export interface StandingPage {
  readonly contentHash: string | null
  readonly kind: string
  /** The file it was imported from, in which folder; none when it was not. */
  readonly path: string | null
  readonly directory: string | null
}

/** Writes imported pages. */
export class PageWriter extends Context.Service<
  PageWriter,
  {
    /** Pages that are there, by slug. Deleted pages are not. */
    readonly standing: (
      sourceId: string,
      slugs: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, StandingPage>, SqlError.SqlError>
    /** The types of pages that are there, by slug. Deleted pages have none. */
    readonly types: (
      sourceId: string,
      slugs: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, string>, SqlError.SqlError>
    /** Pages that this folder brought in. */
    readonly fromDirectory: (
      origin: ImportOrigin
    ) => Effect.Effect<ReadonlyArray<KnownPage>, SqlError.SqlError>
    /** Gives pages new slugs and paths; what is attached to them stays. */
    readonly rename: (
      renames: ReadonlyArray<{ readonly id: number; readonly slug: string; readonly path: string }>
    ) => Effect.Effect<void, SqlError.SqlError>
    /** SHA-256 of the texts of pages, by page: a file that moved is found by it. */
    readonly textHashes: (
      ids: ReadonlyArray<number>
    ) => Effect.Effect<ReadonlyMap<number, string>, SqlError.SqlError>
    /** Writes pages, new and changed; answers what that made of chunks. */
    readonly write: (
      origin: ImportOrigin,
      pages: ReadonlyArray<ImportedPage>
    ) => Effect.Effect<WrittenChunks, SqlError.SqlError>
    /** Marks pages as deleted. They can come back with their file. */
    readonly remove: (ids: ReadonlyArray<number>) => Effect.Effect<void, SqlError.SqlError>
    /** Notes where a source's files are: transcripts are found there. What somebody else noted stays, gbrain syncs from it. */
    readonly setLocalPath: (origin: ImportOrigin) => Effect.Effect<void, SqlError.SqlError>
  }
>()("gbrain/PageWriter") {
  /** Pages of the open brain. */
  static readonly layer = Layer.effect(
    PageWriter,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const writePages = makeWritePages(sql)
      // What the planner does not know costs time only.
      const wrote = keepStatistics(sql, {
        table: "pages",
        sampled: ["pages", "content_chunks", "gbrain_effect.pages_chunked"]
      })

      return PageWriter.of({
        standing: (sourceId, slugs) =>
          resilient(sql<StandingPage & { readonly slug: string }>`
            select slug, content_hash as "contentHash", page_kind as kind, source_path as path,
              case when ingested_via = ${importer} then source_uri end as directory from pages
            where source_id = ${sourceId} and slug = any(${slugs}::text[]) and deleted_at is null`).pipe(
            Effect.map((rows) => new Map(rows.map((row) => [row.slug, row])))
          ),
        types: (sourceId, slugs) =>
          slugs.length === 0
            ? Effect.succeed(new Map())
            : resilient(sql<{ readonly slug: string; readonly type: string }>`
                select slug, type from pages where source_id = ${sourceId} and slug = any(${slugs}::text[])
                  and deleted_at is null`).pipe(
                Effect.map((rows) => new Map(rows.map((row) => [row.slug, row.type])))
              ),
        fromDirectory: ({ directory, sourceId }) =>
          resilient(sql<{
            id: number
            slug: string
            content_hash: string | null
            source_path: string | null
            page_kind: string
          }>`
            select id, slug, content_hash, source_path, page_kind from pages
            where source_id = ${sourceId} and ingested_via = ${importer} and source_uri = ${directory}
              and deleted_at is null`).pipe(
            Effect.map((rows) =>
              rows.map((row) => ({
                id: row.id,
                slug: row.slug,
                contentHash: row.content_hash,
                path: row.source_path,
                kind: row.page_kind
              }))
            )
          ),
        textHashes: (ids) =>
          ids.length === 0
            ? Effect.succeed(new Map())
            : resilient(sql<{ readonly id: number; readonly hash: string }>`
                select id, encode(sha256(convert_to(compiled_truth, 'UTF8')), 'hex') as hash from pages where id = any(${ids}::int[])`).pipe(
                Effect.map((rows) => new Map(rows.map((row) => [row.id, row.hash])))
              ),
        rename: (renames) =>
          renames.length === 0
            ? Effect.void
            : resilient(
                sql.withTransaction(
                  Effect.gen(function* () {
                    const slugs = renames.map((it) => it.slug)
                    // A deleted page may still stand in the way of the new name.
                    yield* sql`delete from pages where slug = any(${slugs}::text[]) and deleted_at is not null
                      and source_id = (select source_id from pages where id = ${renames[0]?.id ?? 0})`
                    yield* sql`
                      update page_aliases alias set slug = new.slug
                      from unnest(${renames.map((it) => it.id)}::int[], ${slugs}::text[]) as new(id, slug)
                      join pages page on page.id = new.id
                      where alias.source_id = page.source_id and alias.slug = page.slug`
                    yield* moveFacts(sql, renames)
                    yield* sql`
                      update pages set slug = new.slug, source_path = new.path,
                        import_filename = regexp_replace(new.path, '^.*/|[.]md$', '', 'g'), updated_at = now()
                      from unnest(${renames.map((it) => it.id)}::int[], ${slugs}::text[],
                        ${renames.map((it) => it.path)}::text[]) as new(id, slug, path)
                      where pages.id = new.id`
                  })
                )
              ),
        write: (origin, pages) =>
          pages.length === 0
            ? Effect.succeed({ chunks: 0, kept: 0, added: 0, removed: 0, edges: 0 })
            : resilient(writePages(origin, pages)).pipe(Effect.tap(() => Effect.ignore(wrote(pages.length)))),
        remove: (ids) =>
          ids.length === 0
            ? Effect.void
            : resilient(
                sql`update pages set deleted_at = now() where id = any(${ids}::int[]) and deleted_at is null`
              ).pipe(Effect.asVoid),
        setLocalPath: ({ directory, sourceId }) =>
          resilient(
            sql`
                update sources set local_path = ${directory}
                where id = ${sourceId} and local_path is distinct from ${directory} and (local_path is null or exists (
                  select 1 from pages where source_id = ${sourceId} and ingested_via = ${importer}
                    and source_uri = sources.local_path))`
          ).pipe(Effect.asVoid)
      })
    })
  )
}
