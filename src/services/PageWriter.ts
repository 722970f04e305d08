/** Writes imported pages, many at a time: pages, their earlier versions, tags, aliases and chunks in one transaction. */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { aliasesOf } from "../domain/Aliases.ts"
import { chunkerVersion } from "../domain/Chunks.ts"
import { fileName } from "../domain/Markdown.ts"
import { resilient } from "./database/Resilience.ts"

/** A page to write. */
export interface ImportedPage {
  readonly slug: string
  readonly type: string
  readonly title: string
  readonly compiledTruth: string
  readonly timeline: string
  readonly frontmatter: Readonly<Record<string, unknown>>
  readonly contentHash: string
  /** Null when the page names none: it is then the time of the import, or of the last change before it. */
  readonly effectiveDate: string | null
  readonly effectiveDateSource: string | null
  readonly path: string
  readonly tags: ReadonlyArray<string>
  readonly chunks: ReadonlyArray<{ readonly text: string; readonly source: string }>
}

/** A page that an earlier import of the same folder brought in. */
export interface KnownPage {
  readonly id: number
  readonly slug: string
  readonly contentHash: string | null
  readonly path: string | null
}

/** Where imported pages are from. */
export interface ImportOrigin {
  readonly sourceId: string
  /** Absolute path of the folder. */
  readonly directory: string
}

/** How pages that came from a folder are signed. */
const importer = "import"

/** How the date of a page is signed that names none. */
const undated = "fallback"

/** Writes imported pages. */
export class PageWriter extends Context.Service<
  PageWriter,
  {
    /** The content hashes of pages that are there, by slug. Deleted pages have none. */
    readonly hashes: (
      sourceId: string,
      slugs: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, string | null>, SqlError.SqlError>
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
    /** Writes pages, new and changed; answers how many chunks they have. */
    readonly write: (
      origin: ImportOrigin,
      pages: ReadonlyArray<ImportedPage>
    ) => Effect.Effect<number, SqlError.SqlError>
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

      const upsertPages = (origin: ImportOrigin, pages: ReadonlyArray<ImportedPage>) => {
        const rows = pages.map(({ chunks: _chunks, tags: _tags, ...page }) => ({
          slug: page.slug,
          type: page.type,
          title: page.title,
          compiled_truth: page.compiledTruth,
          timeline: page.timeline,
          frontmatter: page.frontmatter,
          content_hash: page.contentHash,
          effective_date: page.effectiveDate,
          effective_date_source: page.effectiveDateSource,
          source_path: page.path,
          import_filename: fileName(page.path)
        }))
        return sql<{ readonly id: number; readonly slug: string }>`
          insert into pages (source_id, slug, type, title, compiled_truth, timeline, frontmatter, content_hash,
            effective_date, effective_date_source, source_path, import_filename, chunker_version, ingested_via,
            ingested_at, source_uri, source_kind)
          select ${origin.sourceId}, row.slug, row.type, row.title, row.compiled_truth, row.timeline, row.frontmatter,
            row.content_hash, coalesce(row.effective_date, now()), coalesce(row.effective_date_source, ${undated}),
            row.source_path, row.import_filename, ${chunkerVersion}::smallint, ${importer}, now(),
            ${origin.directory}, 'directory'
          from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(slug text, type text, title text,
            compiled_truth text, timeline text, frontmatter jsonb, content_hash text, effective_date timestamptz,
            effective_date_source text, source_path text, import_filename text)
          on conflict (source_id, slug) do update set type = excluded.type, title = excluded.title,
            compiled_truth = excluded.compiled_truth, timeline = excluded.timeline, frontmatter = excluded.frontmatter,
            content_hash = excluded.content_hash,
            effective_date = case when excluded.effective_date_source = ${undated} then pages.updated_at
              else excluded.effective_date end,
            effective_date_source = excluded.effective_date_source, source_path = excluded.source_path,
            import_filename = excluded.import_filename, chunker_version = excluded.chunker_version,
            ingested_via = excluded.ingested_via, ingested_at = excluded.ingested_at, source_uri = excluded.source_uri,
            source_kind = excluded.source_kind, deleted_at = null, updated_at = now(),
            generation = pages.generation + 1, links_extracted_at = null
          returning id, slug`
      }

      // Nobody knows which tags of a page are from its file and which were given to it since, so none is taken away.
      const writeTags = (
        entries: ReadonlyArray<{ readonly id: number; readonly tags: ReadonlyArray<string> }>
      ) => {
        const pairs = entries.flatMap(({ id, tags }) => tags.map((tag) => ({ id, tag })))
        return pairs.length === 0
          ? Effect.void
          : sql`
              insert into tags (page_id, tag)
              select * from unnest(${pairs.map((pair) => pair.id)}::int[], ${pairs.map((pair) => pair.tag)}::text[])
              on conflict do nothing`
      }

      const writeAliases = Effect.fnUntraced(function* (
        sourceId: string,
        pages: ReadonlyArray<ImportedPage>
      ) {
        const pairs = pages.flatMap(({ frontmatter, slug }) =>
          aliasesOf(frontmatter).map((alias) => ({ slug, alias }))
        )
        yield* sql`
          delete from page_aliases
          where source_id = ${sourceId} and slug = any(${pages.map((page) => page.slug)}::text[])`
        if (pairs.length === 0) return
        yield* sql`
          insert into page_aliases (source_id, alias_norm, slug)
          select ${sourceId}, * from unnest(${pairs.map((pair) => pair.alias)}::text[],
            ${pairs.map((pair) => pair.slug)}::text[])
          on conflict do nothing`
      })

      // A chunk whose text is the same keeps its row, and with it its embedding.
      const writeChunks = Effect.fnUntraced(function* (
        entries: ReadonlyArray<{ readonly id: number; readonly chunks: ImportedPage["chunks"] }>
      ) {
        const rows = entries.flatMap(({ chunks, id }) =>
          chunks.map((chunk, index) => ({
            page_id: id,
            chunk_index: index,
            chunk_text: chunk.text,
            chunk_source: chunk.source
          }))
        )
        yield* sql`
          delete from content_chunks using unnest(${entries.map((entry) => entry.id)}::int[],
            ${entries.map((entry) => entry.chunks.length)}::int[]) as kept(page_id, chunks)
          where content_chunks.page_id = kept.page_id and content_chunks.chunk_index >= kept.chunks`
        if (rows.length === 0) return 0
        yield* sql`
          insert into content_chunks as chunk (page_id, chunk_index, chunk_text, chunk_source, token_count)
          select row.page_id, row.chunk_index, row.chunk_text, row.chunk_source, ceil(length(row.chunk_text) / 4.0)::int
          from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
            as row(page_id int, chunk_index int, chunk_text text, chunk_source text)
          on conflict (page_id, chunk_index) do update set chunk_text = excluded.chunk_text,
            chunk_source = excluded.chunk_source, token_count = excluded.token_count, embedding = null,
            embedded_at = null, embedded_text_hash = null
          where chunk.chunk_text is distinct from excluded.chunk_text`
        return rows.length
      })

      return PageWriter.of({
        hashes: (sourceId, slugs) =>
          resilient(sql<{ readonly slug: string; readonly content_hash: string | null }>`
            select slug, content_hash from pages
            where source_id = ${sourceId} and slug = any(${slugs}::text[]) and deleted_at is null`).pipe(
            Effect.map((rows) => new Map(rows.map((row) => [row.slug, row.content_hash])))
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
          }>`
            select id, slug, content_hash, source_path from pages
            where source_id = ${sourceId} and ingested_via = ${importer} and source_uri = ${directory}
              and deleted_at is null`).pipe(
            Effect.map((rows) =>
              rows.map((row) => ({
                id: row.id,
                slug: row.slug,
                contentHash: row.content_hash,
                path: row.source_path
              }))
            )
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
            ? Effect.succeed(0)
            : resilient(
                sql.withTransaction(
                  Effect.gen(function* () {
                    yield* sql`
                      insert into page_versions (page_id, compiled_truth, frontmatter)
                      select id, compiled_truth, frontmatter from pages
                      where source_id = ${origin.sourceId} and slug = any(${pages.map((page) => page.slug)}::text[])`
                    const ids = new Map((yield* upsertPages(origin, pages)).map((row) => [row.slug, row.id]))
                    const entries = pages.flatMap((page) => {
                      const id = ids.get(page.slug)
                      return id === undefined ? [] : [{ id, tags: page.tags, chunks: page.chunks }]
                    })
                    yield* writeTags(entries)
                    yield* writeAliases(origin.sourceId, pages)
                    return yield* writeChunks(entries)
                  })
                )
              ),
        remove: (ids) =>
          ids.length === 0
            ? Effect.void
            : resilient(
                sql`update pages set deleted_at = now() where id = any(${ids}::int[]) and deleted_at is null`
              ).pipe(Effect.asVoid),
        setLocalPath: ({ directory, sourceId }) =>
          resilient(sql`
            update sources set local_path = ${directory}
            where id = ${sourceId} and local_path is distinct from ${directory} and (local_path is null or exists (
              select 1 from pages where source_id = ${sourceId} and ingested_via = ${importer}
                and source_uri = sources.local_path))`).pipe(Effect.asVoid)
      })
    })
  )
}
