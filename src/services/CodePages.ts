/** The brain's pages of code, for bringing their chunks up to date. */
import { Context, Effect, Layer, Option, Stream } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { codeChunkerVersion } from "../domain/code/CodeChunks.ts"
import { type ChunkChanges, makeChunkRows, type PageChunks } from "./code/chunkRows.ts"
import { resilient } from "./database/Resilience.ts"

/** A page of code with its text. */
export interface StoredCode {
  readonly id: number
  readonly sourceId: string
  readonly slug: string
  /** The file it is from, as the page says; nothing when it does not. */
  readonly path: string | null
  readonly text: string
  readonly contentHash: string | null
  readonly chunkerVersion: number
  readonly chunks: number
  /** Which edit of the page this is. */
  readonly version: string
}

/** A page with its new chunks. */
export interface NewChunks extends PageChunks {
  readonly version: string
  readonly contentHash: string
}

/** What a commit did; pages that were edited since they were read are left. */
export interface CodeCommit extends ChunkChanges {
  readonly edited: ReadonlyArray<number>
}

/** Pages of code. */
export class CodePages extends Context.Service<
  CodePages,
  {
    readonly count: (sourceIds: ReadonlyArray<string>) => Effect.Effect<number, SqlError.SqlError>
    /** The ids of all pages of code, in groups, in order. */
    readonly groups: (
      sourceIds: ReadonlyArray<string>
    ) => Stream.Stream<ReadonlyArray<number>, SqlError.SqlError>
    readonly load: (ids: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<StoredCode>, SqlError.SqlError>
    /** One transaction: chunks and edges are replaced, the pages marked as cut by the present rules, and nothing else touched. */
    readonly commit: (pages: ReadonlyArray<NewChunks>) => Effect.Effect<CodeCommit, SqlError.SqlError>
  }
>()("gbrain/CodePages") {
  /** Pages of the open brain. */
  static readonly layer = Layer.effect(
    CodePages,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const rows = makeChunkRows(sql)
      const inScope = (sourceIds: ReadonlyArray<string>) => sql`
        page.page_kind = 'code' and page.deleted_at is null and page.source_id = any(${sourceIds}::text[])`

      return CodePages.of({
        count: (sourceIds) =>
          resilient(sql<{ readonly count: number }>`
            select count(*)::int as count from pages page where ${inScope(sourceIds)}`).pipe(
            Effect.map(([row]) => row?.count ?? 0)
          ),
        groups: (sourceIds) =>
          Stream.paginate(0, (after) =>
            resilient(sql<{ readonly id: number }>`
              select page.id from pages page where ${inScope(sourceIds)} and page.id > ${after}
              order by page.id limit ${groupPages}`).pipe(
              Effect.map((found) => {
                const ids = found.map((row) => row.id)
                const last = ids[ids.length - 1]
                const next = last === undefined || ids.length < groupPages ? Option.none() : Option.some(last)
                return [ids.length === 0 ? [] : [ids], next] as const
              })
            )
          ),
        load: (ids) =>
          resilient(sql<StoredCode>`
            select page.id, page.source_id as "sourceId", page.slug, page.compiled_truth as text,
              coalesce(page.frontmatter ->> 'file', page.source_path) as path, page.content_hash as "contentHash",
              page.chunker_version as "chunkerVersion", page.updated_at::text as version,
              (select count(*)::int from content_chunks chunk where chunk.page_id = page.id) as chunks
            from pages page where page.id = any(${ids}::int[]) order by page.id`),
        commit: (pages) =>
          Effect.gen(function* () {
            const held = yield* sql<{ readonly id: number }>`
              select page.id from pages page
              join unnest(${pages.map((page) => page.pageId)}::int[], ${pages.map((page) => page.version)}::text[])
                as read(id, version) on read.id = page.id and page.updated_at = read.version::timestamptz
              where page.deleted_at is null order by page.id for no key update of page`
            const ids = new Set(held.map((row) => row.id))
            const unchanged = pages.filter((page) => ids.has(page.pageId))
            const changes = yield* rows.replace(unchanged)
            yield* sql`
              update pages set chunker_version = ${codeChunkerVersion}::smallint, content_hash = cut.hash
              from unnest(${unchanged.map((page) => page.pageId)}::int[],
                ${unchanged.map((page) => page.contentHash)}::text[]) as cut(id, hash)
              where pages.id = cut.id`
            const edited = pages.map((page) => page.pageId).filter((id) => !ids.has(id))
            return { ...changes, edited }
          }).pipe(sql.withTransaction, resilient)
      })
    })
  )
}

/** Pages that are read and written together. */
const groupPages = 50
