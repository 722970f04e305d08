/** Who calls a symbol, and what a symbol calls. */
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { formsOf, plainName, targetName } from "../../domain/symbols/Names.ts"
import { Sources } from "../../services/Sources.ts"

/** An edge of code as it is shown. Names of fields are gbrain's where it has them. */
export interface ShownEdge {
  readonly edge_type: string
  readonly from_symbol_qualified: string
  /** The file of the symbol that the edge is from, and the line where that symbol begins. */
  readonly from_file: string
  readonly from_line: number | null
  readonly to_symbol_qualified: string
  /** The same for what it leads to; nothing when that is not known, or not known for sure. */
  readonly to_file: string | null
  readonly to_line: number | null
  readonly from_chunk_id: number
  readonly to_chunk_id: number | null
  readonly resolved: boolean
  /** How many symbols it may lead to, where it is not known which. */
  readonly candidates: number
  readonly source_id: string
}

/** The answer to a question about a symbol. */
export interface SymbolEdges {
  readonly symbol: string
  readonly sources: ReadonlyArray<string>
  readonly edges: ReadonlyArray<ShownEdge>
  /** Whether there were more than are shown. */
  readonly cut: boolean
}

/** What is asked. */
export interface SymbolQuery {
  readonly direction: "callers" | "callees"
  /** One source; all that are not archived unless told. */
  readonly sourceId: Option.Option<string>
  readonly limit: number
}

/**
 * The edges that lead to a symbol, or those from it. A name is found however its separators are written; an edge counts as leading to a
 * symbol when it was resolved to it, or when it names it and nothing better is known.
 */
export const edgesOfSymbol = Effect.fn("edgesOfSymbol")(function* (symbol: string, query: SymbolQuery) {
  const sql = yield* SqlClient.SqlClient
  const sources = yield* (yield* Sources).idsFor(query.sourceId)
  const forms = namesOf(symbol)
  const bare = targetName(symbol).owner === undefined
  const suffix = `%::${symbol.replace(/[\\%_]/g, "\\$&")}`
  const wanted =
    query.direction === "callees"
      ? sql`edge.from_symbol_qualified = any(${forms}::text[])`
      : sql`(target.symbol_name_qualified = any(${forms}::text[])
          or edge.to_chunk_id is null and edge.to_symbol_qualified = any(${forms}::text[])
          or ${bare} and edge.to_chunk_id is null and edge.to_symbol_qualified like ${suffix})`
  const rows = yield* sql<ShownEdge>`
    with edge as (
      select id, from_chunk_id, to_chunk_id, from_symbol_qualified, to_symbol_qualified, edge_type, 0 as candidates
      from code_edges_chunk
      union all
      select id, from_chunk_id, (edge_metadata->>'resolved_chunk_id')::int, from_symbol_qualified, to_symbol_qualified, edge_type,
        case when jsonb_typeof(edge_metadata->'candidates') = 'array' then jsonb_array_length(edge_metadata->'candidates') else 0 end
      from code_edges_symbol
    )
    select edge.edge_type, edge.from_symbol_qualified, ${fileOf(sql, "page")} as from_file, chunk.start_line as from_line,
      edge.to_symbol_qualified, case when target.id is not null then ${fileOf(sql, "other")} end as to_file,
      target.start_line as to_line, edge.from_chunk_id, target.id as to_chunk_id, target.id is not null as resolved,
      edge.candidates, page.source_id
    from edge
    join content_chunks chunk on chunk.id = edge.from_chunk_id
    join pages page on page.id = chunk.page_id and page.deleted_at is null
    left join content_chunks target on target.id = edge.to_chunk_id
    left join pages other on other.id = target.page_id
    where page.source_id = any(${sources}::text[]) and ${wanted}
    order by page.source_id, from_file, chunk.start_line, edge.id limit ${query.limit + 1}`
  return {
    symbol,
    sources,
    edges: rows.slice(0, query.limit),
    cut: rows.length > query.limit
  } satisfies SymbolEdges
})

const fileOf = (sql: SqlClient.SqlClient, page: string) =>
  sql.literal(`coalesce(${page}.frontmatter->>'file', ${page}.source_path, ${page}.slug)`)

/** The ways in which a name that a person gives may be written in the brain. */
const namesOf = (symbol: string): ReadonlyArray<string> => {
  const parts = plainName(symbol).split(".")
  const owner = parts.slice(0, -1).join(".")
  const inBrain = owner === "" ? [] : formsOf({ owner, name: parts[parts.length - 1] ?? "" })
  return [...new Set([symbol, ...formsOf(targetName(symbol)), ...inBrain])]
}
