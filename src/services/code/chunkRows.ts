/** Brings the rows of code pages' chunks and edges up to date: in batches, inside the caller's transaction. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { placeChunks } from "../../domain/code/ChunkRows.ts"
import type { CodeChunk } from "../../domain/code/CodeChunks.ts"

/** A code page and what it is to have. */
export interface PageChunks {
  readonly pageId: number
  readonly sourceId: string
  readonly chunks: ReadonlyArray<CodeChunk>
}

/** What was changed. */
export interface ChunkChanges {
  readonly chunks: number
  readonly kept: number
  readonly added: number
  readonly removed: number
  readonly edges: number
}

const columns = (chunk: CodeChunk) => ({
  chunk_text: chunk.text,
  language: chunk.language,
  symbol_name: chunk.symbolName,
  symbol_type: chunk.symbolType,
  symbol_name_qualified: chunk.qualifiedName,
  parent_symbol_path: chunk.parents.length === 0 ? null : chunk.parents,
  doc_comment: chunk.docComment,
  start_line: chunk.startLine,
  end_line: chunk.endLine
})

/** The writer of chunks and edges on a connection. */
export const makeChunkRows = (sql: SqlClient.SqlClient) => {
  const recordColumns = sql.literal(`chunk_index int, chunk_text text, language text, symbol_name text,
    symbol_type text, symbol_name_qualified text, parent_symbol_path text[], doc_comment text, start_line int, end_line int`)

  /**
   * Edges that are no longer there go, new ones come; those that stay keep what was found out of them. Where anything changed,
   * all of the page is to be resolved again: what its edges lead to may have moved.
   */
  const writeEdges = Effect.fnUntraced(function* (
    pages: ReadonlyArray<PageChunks>,
    ids: ReadonlyMap<number, ReadonlyMap<number, number>>,
    changed: ReadonlySet<number>
  ) {
    const edges = pages.flatMap((page) =>
      page.chunks.flatMap((chunk, index) => {
        const id = ids.get(page.pageId)?.get(index)
        return id === undefined
          ? []
          : chunk.edges.map((edge) => ({
              page_id: page.pageId,
              from_chunk_id: id,
              from_symbol_qualified: edge.from,
              to_symbol_qualified: edge.to,
              edge_type: edge.type,
              source_id: page.sourceId
            }))
      })
    )
    const wanted = sql`jsonb_to_recordset(${JSON.stringify(edges)}::jsonb) as wanted(page_id int, from_chunk_id int,
      from_symbol_qualified text, to_symbol_qualified text, edge_type text, source_id text)`
    const deleted = yield* sql<{ readonly page_id: number }>`
      delete from code_edges_symbol edge using content_chunks chunk
      where chunk.id = edge.from_chunk_id and chunk.page_id = any(${pages.map((page) => page.pageId)}::int[])
        and (edge.from_chunk_id, edge.from_symbol_qualified, edge.to_symbol_qualified, edge.edge_type) not in (
          select from_chunk_id, from_symbol_qualified, to_symbol_qualified, edge_type from ${wanted})
      returning chunk.page_id`
    const inserted =
      edges.length === 0
        ? []
        : yield* sql<{ readonly from_chunk_id: number }>`
            insert into code_edges_symbol (from_chunk_id, from_symbol_qualified, to_symbol_qualified, edge_type, source_id)
            select from_chunk_id, from_symbol_qualified, to_symbol_qualified, edge_type, source_id from ${wanted}
            on conflict (from_chunk_id, to_symbol_qualified, edge_type) do nothing
            returning from_chunk_id`
    const pageOf = new Map(edges.map((edge) => [edge.from_chunk_id, edge.page_id]))
    const resolveAgain = new Set([
      ...changed,
      ...deleted.map((row) => row.page_id),
      ...inserted.flatMap((row) => pageOf.get(row.from_chunk_id) ?? [])
    ])
    if (resolveAgain.size === 0) return edges.length
    yield* sql`
      delete from code_edges_chunk edge using content_chunks chunk
      where chunk.id = edge.from_chunk_id and chunk.page_id = any(${[...resolveAgain]}::int[])`
    yield* sql`
      update content_chunks set edges_backfilled_at = null
      where page_id = any(${[...resolveAgain]}::int[]) and edges_backfilled_at is not null`
    return edges.length
  })

  /** Replaces the chunks of pages by those wanted. */
  const replace = Effect.fn("replaceCodeChunks")(function* (pages: ReadonlyArray<PageChunks>) {
    const none: ChunkChanges = { chunks: 0, kept: 0, added: 0, removed: 0, edges: 0 }
    if (pages.length === 0) return none
    const there = yield* sql<{ id: number; page_id: number; chunk_index: number; chunk_text: string }>`
      select id, page_id, chunk_index, chunk_text from content_chunks
      where page_id = any(${pages.map((page) => page.pageId)}::int[])`
    const rowsOf = new Map<number, Array<(typeof there)[number]>>(pages.map((page) => [page.pageId, []]))
    for (const row of there) rowsOf.get(row.page_id)?.push(row)
    const planned = pages.map((page) => ({
      page,
      plan: placeChunks(
        (rowsOf.get(page.pageId) ?? []).map((row) => ({
          id: row.id,
          index: row.chunk_index,
          text: row.chunk_text
        })),
        page.chunks.map((chunk) => chunk.text)
      )
    }))
    const removed = planned.flatMap(({ plan }) => plan.removed)
    const moved = planned.flatMap(({ plan }) => plan.kept.filter((it) => it.moved).map((it) => it.id))
    const kept = planned.flatMap(({ page, plan }) =>
      plan.kept.flatMap(({ id, index }) => {
        const chunk = page.chunks[index]
        return chunk === undefined ? [] : [{ id, chunk_index: index, ...columns(chunk) }]
      })
    )
    const added = planned.flatMap(({ page, plan }) =>
      plan.added.flatMap((index) => {
        const chunk = page.chunks[index]
        return chunk === undefined ? [] : [{ page_id: page.pageId, chunk_index: index, ...columns(chunk) }]
      })
    )
    const changed = new Set(
      planned.flatMap(({ page, plan }) =>
        plan.added.length + plan.removed.length === 0 ? [] : [page.pageId]
      )
    )
    const ids = new Map(
      planned.map(({ page, plan }) => [page.pageId, new Map(plan.kept.map((it) => [it.index, it.id]))])
    )

    if (removed.length > 0) yield* sql`delete from content_chunks where id = any(${removed}::int[])`
    // Rows change places: no two may be in one at any moment.
    if (moved.length > 0) {
      yield* sql`update content_chunks set chunk_index = -id where id = any(${moved}::int[])`
    }
    if (kept.length > 0) {
      yield* sql`
        update content_chunks chunk set chunk_index = row.chunk_index, chunk_text = row.chunk_text,
          chunk_source = 'compiled_truth', language = row.language, symbol_name = row.symbol_name,
          symbol_type = row.symbol_type, symbol_name_qualified = row.symbol_name_qualified,
          parent_symbol_path = row.parent_symbol_path, doc_comment = row.doc_comment, start_line = row.start_line,
          end_line = row.end_line, token_count = ceil(length(row.chunk_text) / 4.0)::int
        from jsonb_to_recordset(${JSON.stringify(kept)}::jsonb) as row(id int, ${recordColumns})
        where chunk.id = row.id and (chunk.chunk_index, chunk.chunk_text, chunk.language, chunk.symbol_name,
            chunk.symbol_type, chunk.symbol_name_qualified, chunk.parent_symbol_path, chunk.doc_comment, chunk.start_line,
            chunk.end_line)
          is distinct from (row.chunk_index, row.chunk_text, row.language, row.symbol_name, row.symbol_type,
            row.symbol_name_qualified, row.parent_symbol_path, row.doc_comment, row.start_line, row.end_line)`
    }
    if (added.length > 0) {
      const rows = yield* sql<{ id: number; page_id: number; chunk_index: number }>`
        insert into content_chunks (page_id, chunk_index, chunk_text, chunk_source, language, symbol_name, symbol_type,
          symbol_name_qualified, parent_symbol_path, doc_comment, start_line, end_line, token_count)
        select page_id, chunk_index, chunk_text, 'compiled_truth', language, symbol_name, symbol_type,
          symbol_name_qualified, parent_symbol_path, doc_comment, start_line, end_line, ceil(length(chunk_text) / 4.0)::int
        from jsonb_to_recordset(${JSON.stringify(added)}::jsonb) as row(page_id int, ${recordColumns})
        returning id, page_id, chunk_index`
      for (const row of rows) ids.get(row.page_id)?.set(row.chunk_index, row.id)
    }
    return {
      chunks: kept.length + added.length,
      kept: kept.length,
      added: added.length,
      removed: removed.length,
      edges: yield* writeEdges(pages, ids, changed)
    } satisfies ChunkChanges
  })
  return { replace }
}
