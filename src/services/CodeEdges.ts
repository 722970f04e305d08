/**
 * Edges of code that are to be resolved, by the chunks they are from. gbrain marks a chunk as done in
 * `content_chunks.edges_backfilled_at`; a note of ours remembers which of those marks are ours, since gbrain looks within one file only.
 */
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { mostCandidates, type Resolution } from "../domain/symbols/Resolve.ts"
import { lookingAt } from "./database/lookingAtOwnTables.ts"
import { resilient } from "./database/Resilience.ts"

/** Raised when the rules by which edges are resolved change. */
const resolverRules = 2

const ChunkRow = Schema.Struct({
  id: Schema.Int,
  page_id: Schema.Int,
  source_id: Schema.String,
  /** Of the file; a page that is no file of code has its slug. */
  path: Schema.String,
  language: Schema.NullOr(Schema.String),
  /** The time of the page's last edit, to the microsecond. */
  version: Schema.String
})

/** A chunk whose edges are to be resolved. */
export type EdgeChunk = typeof ChunkRow.Type

const EdgeRow = Schema.Struct({
  id: Schema.Int,
  from_chunk_id: Schema.Int,
  from: Schema.String,
  to: Schema.String,
  type: Schema.String,
  /** What was found before, as it is stored. */
  resolved: Schema.NullOr(Schema.Int),
  ambiguous: Schema.NullOr(Schema.Array(Schema.Int))
})

/** An edge, and what was found of it before. */
export type EdgeRow = typeof EdgeRow.Type

const SymbolRow = Schema.Struct({
  chunkId: Schema.Int,
  page_id: Schema.Int,
  source_id: Schema.String,
  qualified: Schema.String,
  language: Schema.NullOr(Schema.String)
})

/** A symbol, by its chunk and page. */
export type SymbolRow = typeof SymbolRow.Type

const decodeChunks = Schema.decodeUnknownEffect(Schema.Array(ChunkRow))
const decodeEdges = Schema.decodeUnknownEffect(Schema.Array(EdgeRow))
const decodeSymbols = Schema.decodeUnknownEffect(Schema.Array(SymbolRow))

/** What was found of an edge, where it is not what was found before. */
export interface EdgeChange {
  readonly id: number
  readonly resolution: Resolution
}

/** Which chunks are to be done. */
export interface EdgeScope {
  readonly sourceIds: ReadonlyArray<string>
  /** Chunks that are done, and are to be looked at all the same. */
  readonly woken: ReadonlyArray<number>
}

/** Edges of code. */
export class CodeEdges extends Context.Service<
  CodeEdges,
  {
    /**
     * Chunks that were done and have to be looked at again: something they lead to came, went or was told apart from something
     * else. Answers how many those are.
     */
    readonly wake: (sourceIds: ReadonlyArray<string>) => Effect.Effect<number, SqlError.SqlError>
    /** The same for a run that writes nothing: which chunks those would be. */
    readonly wouldWake: (
      sourceIds: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<number>, SqlError.SqlError>
    readonly count: (scope: EdgeScope) => Effect.Effect<number, SqlError.SqlError>
    /** Chunks to be done, in groups, by id; no more than `limit`. */
    readonly groups: (
      scope: EdgeScope,
      limit: Option.Option<number>
    ) => Stream.Stream<ReadonlyArray<EdgeChunk>, SqlError.SqlError>
    /** The same chunks as they are now. */
    readonly load: (ids: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<EdgeChunk>, SqlError.SqlError>
    readonly edgesOf: (
      chunkIds: ReadonlyArray<number>
    ) => Effect.Effect<ReadonlyArray<EdgeRow>, SqlError.SqlError>
    /** What pages import, as `module::name`. */
    readonly importsOf: (
      pageIds: ReadonlyArray<number>
    ) => Effect.Effect<ReadonlyArray<{ readonly page_id: number; readonly to: string }>, SqlError.SqlError>
    readonly symbolsOf: (
      pageIds: ReadonlyArray<number>
    ) => Effect.Effect<ReadonlyArray<SymbolRow>, SqlError.SqlError>
    /** Symbols with one of these full names; of a name that very many have, no more than are told. */
    readonly called: (
      sourceIds: ReadonlyArray<string>,
      names: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<SymbolRow>, SqlError.SqlError>
    /** Pages of code by slug. */
    readonly pagesBySlug: (
      sourceIds: ReadonlyArray<string>,
      slugs: ReadonlyArray<string>
    ) => Effect.Effect<
      ReadonlyArray<{ readonly id: number; readonly source_id: string; readonly slug: string }>,
      SqlError.SqlError
    >
    /** Writes what was found and marks the chunks, in one transaction; answers the chunks whose pages were still as they were read. */
    readonly commit: (
      chunks: ReadonlyArray<EdgeChunk>,
      changes: ReadonlyArray<EdgeChange & { readonly chunkId: number }>
    ) => Effect.Effect<ReadonlySet<number>, SqlError.SqlError>
  }
>()("gbrain/CodeEdges") {
  /** Edges of the open brain. */
  static readonly layer = Layer.effect(
    CodeEdges,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const table = yield* lookingAt(sql)

      const chunks = sql`content_chunks chunk join pages page on page.id = chunk.page_id and page.deleted_at is null
        left join ${table("edges_walked")} walked on walked.chunk_id = chunk.id`
      const isDue = ({ sourceIds, woken }: EdgeScope) => sql`
        page.source_id = any(${sourceIds}::text[])
        and (page.page_kind = 'code' or exists (select 1 from code_edges_symbol where from_chunk_id = chunk.id))
        and (chunk.edges_backfilled_at is null or walked.walked_at is distinct from chunk.edges_backfilled_at
          or walked.rules <> ${resolverRules} or chunk.id = any(${woken}::int[]))`
      const columns = sql.literal(`chunk.id, chunk.page_id, page.source_id, chunk.language,
        coalesce(page.frontmatter->>'file', page.source_path, page.slug) as path,
        to_char(page.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as version`)
      const symbols = sql.literal(`chunk.id as "chunkId", chunk.page_id, page.source_id,
        chunk.symbol_name_qualified as qualified, chunk.language`)
      const lastPart = (column: string) => sql.literal(`regexp_replace(${column}, '^.*(::|[.#])', '')`)

      const list = (scope: EdgeScope, after: number, most: number) =>
        Effect.flatMap(
          resilient(sql`
            select ${columns} from ${chunks} where ${isDue(scope)} and chunk.id > ${after}
            order by chunk.id limit ${most}`),
          (rows) => Effect.orDie(decodeChunks(rows))
        )

      // Chunks that were done and lead to something that came, went or was told apart.
      const outdated = (sourceIds: ReadonlyArray<string>) => sql`
        with fresh as materialized (
          select page.source_id, ${lastPart("chunk.symbol_name_qualified")} as name,
            max(greatest(chunk.created_at, page.updated_at)) as since from ${chunks}
          where ${isDue({ sourceIds, woken: [] })} and chunk.symbol_name_qualified is not null group by 1, 2
        ), live as (
          select chunk.id from content_chunks chunk join pages page on page.id = chunk.page_id and page.deleted_at is null
        ), done as (
          select edge.from_chunk_id, edge.to_symbol_qualified, edge.edge_metadata, page.source_id, walked.walked_at
          from ${table("edges_walked")} walked
          join code_edges_symbol edge on edge.from_chunk_id = walked.chunk_id
          join content_chunks chunk on chunk.id = walked.chunk_id
          join pages page on page.id = chunk.page_id and page.source_id = any(${sourceIds}::text[])
        )
        select done.from_chunk_id from done join fresh on fresh.source_id = done.source_id
            and fresh.name = ${lastPart("done.to_symbol_qualified")}
          where fresh.since > done.walked_at - ${longestImport}::interval
          union
          select done.from_chunk_id from done
          left join live on live.id = (done.edge_metadata->>'resolved_chunk_id')::int
          where done.edge_metadata ? 'resolved_chunk_id' and live.id is null
          union
          select done.from_chunk_id from done cross join lateral jsonb_array_elements_text(
            case when jsonb_typeof(done.edge_metadata->'candidates') = 'array' then done.edge_metadata->'candidates'
              else '[]'::jsonb end) as candidate(id)
          left join live on live.id = candidate.id::int where live.id is null`

      return CodeEdges.of({
        wake: (sourceIds) =>
          resilient(sql<{ readonly id: number }>`
            delete from gbrain_effect.edges_walked where chunk_id in (${outdated(sourceIds)})
            returning chunk_id as id`).pipe(Effect.map((rows) => rows.length)),
        wouldWake: (sourceIds) =>
          resilient(sql<{ readonly from_chunk_id: number }>`${outdated(sourceIds)}`).pipe(
            Effect.map((rows) => rows.map((row) => row.from_chunk_id))
          ),
        count: (scope) =>
          resilient(
            sql<{
              readonly chunks: number
            }>`select count(*)::int as chunks from ${chunks} where ${isDue(scope)}`
          ).pipe(Effect.map((rows) => rows[0]?.chunks ?? 0)),
        groups: (scope, limit) =>
          Stream.paginate({ after: 0, left: Option.getOrElse(limit, () => Infinity) }, ({ after, left }) =>
            Effect.map(list(scope, after, Math.min(groupChunks, left)), (rows) => {
              const last = rows[rows.length - 1]
              const next =
                last === undefined || rows.length < groupChunks || left <= groupChunks
                  ? Option.none<{ after: number; left: number }>()
                  : Option.some({ after: last.id, left: left - rows.length })
              return [rows.length === 0 ? [] : [rows], next] as const
            })
          ),
        load: (ids) =>
          Effect.flatMap(
            resilient(
              sql`select ${columns} from ${chunks} where chunk.id = any(${ids}::int[]) order by chunk.id`
            ),
            (rows) => Effect.orDie(decodeChunks(rows))
          ),
        edgesOf: (chunkIds) =>
          Effect.flatMap(
            resilient(sql`
              select id, from_chunk_id, from_symbol_qualified as "from", to_symbol_qualified as "to", edge_type as type,
                (edge_metadata->>'resolved_chunk_id')::int as resolved,
                case when jsonb_typeof(edge_metadata->'candidates') = 'array' then edge_metadata->'candidates' end as ambiguous
              from code_edges_symbol where from_chunk_id = any(${chunkIds}::int[]) order by id`),
            (rows) => Effect.orDie(decodeEdges(rows))
          ),
        importsOf: (pageIds) =>
          resilient(sql<{ readonly page_id: number; readonly to: string }>`
            select distinct chunk.page_id, edge.to_symbol_qualified as "to" from content_chunks chunk
            join code_edges_symbol edge on edge.from_chunk_id = chunk.id and edge.edge_type = 'imports'
            where chunk.page_id = any(${pageIds}::int[])`),
        symbolsOf: (pageIds) =>
          Effect.flatMap(
            resilient(sql`
              select ${symbols} from content_chunks chunk join pages page on page.id = chunk.page_id and page.deleted_at is null
              where chunk.page_id = any(${pageIds}::int[]) and chunk.symbol_name_qualified is not null order by chunk.id`),
            (rows) => Effect.orDie(decodeSymbols(rows))
          ),
        called: (sourceIds, names) =>
          Effect.flatMap(
            resilient(sql`
              select found.* from unnest(${names}::text[]) as asked(name) cross join lateral (
                select ${symbols} from content_chunks chunk join pages page on page.id = chunk.page_id and page.deleted_at is null
                where chunk.symbol_name_qualified = asked.name and page.source_id = any(${sourceIds}::text[])
                order by chunk.id limit ${mostCandidates + 1}
              ) as found`),
            (rows) => Effect.orDie(decodeSymbols(rows))
          ),
        pagesBySlug: (sourceIds, slugs) =>
          resilient(sql<{ readonly id: number; readonly source_id: string; readonly slug: string }>`
            select id, source_id, slug from pages
            where source_id = any(${sourceIds}::text[]) and slug = any(${slugs}::text[]) and page_kind = 'code'
              and deleted_at is null`),
        commit: (read, changes) =>
          Effect.gen(function* () {
            const held = yield* sql<{ readonly id: number }>`
              select page.id from pages page
              join unnest(${read.map((chunk) => chunk.page_id)}::int[], ${read.map((chunk) => chunk.version)}::text[])
                as read(id, version) on read.id = page.id and page.updated_at = read.version::timestamptz
              where page.deleted_at is null order by page.id for no key update of page`
            const pages = new Set(held.map((row) => row.id))
            const done = read.filter((chunk) => pages.has(chunk.page_id)).map((chunk) => chunk.id)
            const unchanged = new Set(done)
            const rows = changes
              .filter((change) => unchanged.has(change.chunkId))
              .map(({ id, resolution }) => ({ id, found: metadataOf(resolution) }))
            for (let start = 0; start < rows.length; start += rowsAtOnce) {
              yield* sql`
                update code_edges_symbol edge set edge_metadata =
                  (case when jsonb_typeof(edge.edge_metadata) = 'object' then edge.edge_metadata else '{}'::jsonb end
                    - 'resolved_chunk_id' - 'ambiguous' - 'candidates') || new.found
                from jsonb_to_recordset(${JSON.stringify(rows.slice(start, start + rowsAtOnce))}::jsonb) as new(id int, found jsonb)
                where edge.id = new.id`
            }
            yield* sql`
              with marked as (
                update content_chunks set edges_backfilled_at = now() where id = any(${done}::int[])
                returning id, edges_backfilled_at
              )
              insert into gbrain_effect.edges_walked (chunk_id, walked_at, rules)
              select id, edges_backfilled_at, ${resolverRules}::smallint from marked
              on conflict (chunk_id) do update set walked_at = excluded.walked_at, rules = excluded.rules`
            return unchanged
          }).pipe(sql.withTransaction, resilient)
      })
    })
  )
}

/** What gbrain writes down of an edge that it resolved, or found to be ambiguous. */
const metadataOf = (resolution: Resolution): Readonly<Record<string, unknown>> => {
  switch (resolution.kind) {
    case "resolved":
      return { resolved_chunk_id: resolution.chunkId }
    case "ambiguous":
      return { ambiguous: true, candidates: resolution.chunkIds }
    case "unmatched":
      return {}
  }
}

/** Chunks in a group: gbrain's number. */
const groupChunks = 200

const rowsAtOnce = 5000

/**
 * What an import writes has the time at which its transaction began, and is seen only when that has ended. No transaction of fifty
 * files is longer; what was looked at within this time of an import is looked at once more.
 */
const longestImport = "1 minute"
