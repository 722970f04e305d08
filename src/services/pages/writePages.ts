/** The transaction that writes imported pages: their earlier versions, the pages, tags, aliases and chunks. */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { aliasesOf } from "../../domain/Aliases.ts"
import { planChunks, type StoredChunk } from "../../domain/ChunkPlan.ts"
import { chunkerVersion, type PageChunk } from "../../domain/Chunks.ts"
import { type CodeChunk, codeChunkerVersion } from "../../domain/code/CodeChunks.ts"
import { fileName } from "../../domain/Markdown.ts"
import { type ChunkChanges, makeChunkRows } from "../code/chunkRows.ts"
import { noteChunked } from "../database/chunkedText.ts"
import { writeChunkPlans } from "../database/writeChunkPlans.ts"

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

/** What a write did to chunks and edges. */
export type WrittenChunks = ChunkChanges

/** Where imported pages are from. */
export interface ImportOrigin {
  readonly sourceId: string
  /** Absolute path of the folder. */
  readonly directory: string
}

/** How pages that came from a folder are signed. */
export const importer = "import"

/** How the date of a page is signed that names none. */
const undated = "fallback"

/** Writes pages, new and changed; answers what that made of chunks. */
export const makeWritePages = (sql: SqlClient.SqlClient) => {
  const codeRows = makeChunkRows(sql)

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

  const writeAliases = Effect.fnUntraced(function* (sourceId: string, pages: ReadonlyArray<ImportedPage>) {
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

  return (
    origin: ImportOrigin,
    pages: ReadonlyArray<ImportedPage>
  ): Effect.Effect<WrittenChunks, SqlError.SqlError> =>
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
            page.code === undefined ? [] : [{ pageId: id, sourceId: origin.sourceId, chunks: page.code }]
          )
        )
        yield* noteChunked(
          sql,
          text.map(({ id }) => id)
        )
        return { ...code, chunks: code.chunks + markdown.chunks, kept: code.kept + markdown.kept }
      })
    )
}
