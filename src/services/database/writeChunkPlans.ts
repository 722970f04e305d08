/** Writes chunks as planned, those of many pages by a few statements. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { ChunkPlan } from "../../domain/ChunkPlan.ts"

/** The plan of a page. */
export interface PagePlan {
  readonly pageId: number
  readonly plan: ChunkPlan
}

/**
 * Writes plans. For use inside a transaction. Two chunks of a page may not stand at the same place even for a moment, so those
 * that move step aside first.
 */
export const writeChunkPlans = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  plans: ReadonlyArray<PagePlan>
) {
  const removed = plans.flatMap(({ plan }) => plan.removed)
  if (removed.length > 0) yield* sql`delete from content_chunks where id = any(${removed}::int[])`

  const moved = plans.flatMap(({ plan }) => plan.moved)
  if (moved.length > 0) {
    const ids = moved.map((chunk) => chunk.id)
    yield* sql`update content_chunks set chunk_index = -1 - chunk_index where id = any(${ids}::int[])`
    yield* sql`
      update content_chunks set chunk_index = new.index, chunk_source = new.source
      from unnest(${ids}::int[], ${moved.map((chunk) => chunk.index)}::int[], ${moved.map((chunk) => chunk.source)}::text[])
        as new(id, index, source)
      where content_chunks.id = new.id`
  }

  const added = plans.flatMap(({ pageId, plan }) =>
    plan.added.map(({ index, source, symbol, text }) => ({
      page_id: pageId,
      index,
      text,
      source,
      language: symbol?.language,
      symbol_name: symbol?.symbolName,
      symbol_type: symbol?.symbolType,
      start_line: symbol?.startLine,
      end_line: symbol?.endLine
    }))
  )
  for (let start = 0; start < added.length; start += rowsAtOnce) {
    yield* sql`
      insert into content_chunks (page_id, chunk_index, chunk_text, chunk_source, token_count, language, symbol_name, symbol_type,
        start_line, end_line)
      select row.page_id, row.index, row.text, row.source, ceil(length(row.text) / 4.0)::int, row.language, row.symbol_name,
        row.symbol_type, row.start_line, row.end_line
      from jsonb_to_recordset(${JSON.stringify(added.slice(start, start + rowsAtOnce))}::jsonb)
        as row(page_id int, index int, text text, source text, language text, symbol_name text, symbol_type text, start_line int,
          end_line int)`
  }
})

const rowsAtOnce = 5000
