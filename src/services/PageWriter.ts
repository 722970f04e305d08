/** Writes imported pages, many at a time: pages, their earlier versions, tags, aliases and chunks in one transaction. */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { aliasesOf } from "../domain/Aliases.ts"
import { planChunks, type StoredChunk } from "../domain/ChunkPlan.ts"
import { chunkerVersion, type PageChunk } from "../domain/Chunks.ts"
import { type CodeChunk, codeChunkerVersion } from "../domain/code/CodeChunks.ts"
import { fileName } from "../domain/Markdown.ts"
import { moveFacts } from "./database/moveFacts.ts"
import { noteChunked } from "./database/chunkedText.ts"
import { writeChunkPlans } from "./database/writeChunkPlans.ts"
import { type ChunkChanges, makeChunkRows } from "./code/chunkRows.ts"
import { resilient } from "./database/Resilience.ts"
import { keepStatistics } from "./database/statistics.ts"

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
  readonly chunks: ReadonlyArray<PageChunk>
  /** The chunks of a page of code, in place of `chunks`. */
  readonly code?: ReadonlyArray<CodeChunk>
}

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

/** What a write did to chunks and edges. */
export type WrittenChunks = ChunkChanges

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
      const codeRows = makeChunkRows(sql)
      // What the planner does not know costs time only.
      const wrote = keepStatistics(sql, {
        table: "pages",
        sampled: ["pages", "content_chunks", "gbrain_effect.pages_chunked"]
      })

      const upsertPages = (origin: ImportOrigin, pages: ReadonlyArray<ImportedPage>) => {
        const rows = pages.map((page) => ({
          page_kind: page.code === undefined ? "markdown" : "code",
          chunker_version: page.code === undefined ? chunkerVersion : codeChunkerVersion,
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
          insert into pages (source_id, slug, type, page_kind, title, compiled_truth, timeline, frontmatter, content_hash,
            effective_date, effective_date_source, source_path, import_filename, chunker_version, ingested_via,
            ingested_at, source_uri, source_kind, links_extracted_at)
          select ${origin.sourceId}, row.slug, row.type, row.page_kind, row.title, row.compiled_truth, row.timeline, row.frontmatter,
            row.content_hash, coalesce(row.effective_date, now()), coalesce(row.effective_date_source, ${undated}),
            row.source_path, row.import_filename, row.chunker_version, ${importer}, now(),
            ${origin.directory}, 'directory', case row.page_kind when 'code' then now() end
          from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(slug text, type text, page_kind text,
            chunker_version smallint, title text,
            compiled_truth text, timeline text, frontmatter jsonb, content_hash text, effective_date timestamptz,
            effective_date_source text, source_path text, import_filename text)
          on conflict (source_id, slug) do update set type = excluded.type, page_kind = excluded.page_kind, title = excluded.title,
            compiled_truth = excluded.compiled_truth, timeline = excluded.timeline, frontmatter = excluded.frontmatter,
            content_hash = excluded.content_hash,
            effective_date = case when excluded.effective_date_source = ${undated} then pages.updated_at
              else excluded.effective_date end,
            effective_date_source = excluded.effective_date_source, source_path = excluded.source_path,
            import_filename = excluded.import_filename, chunker_version = excluded.chunker_version,
            ingested_via = excluded.ingested_via, ingested_at = excluded.ingested_at, source_uri = excluded.source_uri,
            source_kind = excluded.source_kind, deleted_at = null, updated_at = now(),
            generation = pages.generation + 1, links_extracted_at = excluded.links_extracted_at
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

      // A chunk whose text is the same keeps its row, and with it its embedding, wherever it stands now.
      const writeChunks = Effect.fnUntraced(function* (
        entries: ReadonlyArray<{ readonly id: number; readonly page: ImportedPage }>
      ) {
        const stored = yield* sql<StoredChunk & { readonly page: number }>`
          select id, page_id as page, chunk_index as index, chunk_text as text, chunk_source as source
          from content_chunks where page_id = any(${entries.map((entry) => entry.id)}::int[])`
        const chunksOf = new Map<number, Array<StoredChunk>>()
        for (const { page, ...chunk } of stored) {
          const there = chunksOf.get(page)
          if (there === undefined) chunksOf.set(page, [chunk])
          else there.push(chunk)
        }
        const plans = entries.map(({ id, page }) => ({
          pageId: id,
          plan: planChunks(chunksOf.get(id) ?? [], page.chunks)
        }))
        yield* writeChunkPlans(sql, plans)
        return {
          chunks: entries.reduce((sum, { page }) => sum + page.chunks.length, 0),
          kept: plans.reduce((sum, { plan }) => sum + plan.kept + plan.moved.length, 0)
        }
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
                      return id === undefined ? [] : [{ id, page }]
                    })
                    yield* writeTags(entries.map(({ id, page }) => ({ id, tags: page.tags })))
                    yield* writeAliases(
                      origin.sourceId,
                      pages.filter((page) => page.code === undefined)
                    )
                    const text = entries.filter(({ page }) => page.code === undefined)
                    const markdown = yield* writeChunks(text)
                    const code = yield* codeRows.replace(
                      entries.flatMap(({ id, page }) =>
                        page.code === undefined
                          ? []
                          : [{ pageId: id, sourceId: origin.sourceId, chunks: page.code }]
                      )
                    )
                    yield* noteChunked(
                      sql,
                      text.map(({ id }) => id)
                    )
                    return { ...code, chunks: code.chunks + markdown.chunks, kept: code.kept + markdown.kept }
                  })
                )
              ).pipe(Effect.tap(() => Effect.ignore(wrote(pages.length)))),
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
