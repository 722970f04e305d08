/**
 * Pages of markdown and their chunks: which are to be looked at, what they say, and that their chunks are right. A note of ours
 * remembers of which text the chunks are a cut, so that a page which did not change is passed over without being read.
 */
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { ChunkPlan } from "../domain/ChunkPlan.ts"
import { chunkerVersion, chunkRules } from "../domain/Chunks.ts"
import { chunkCount, isLeftOut, textDigest } from "./database/chunkedText.ts"
import { lookingAt } from "./database/lookingAtOwnTables.ts"
import { groupsOf } from "./database/pageGroups.ts"
import { resilient } from "./database/Resilience.ts"
import { writeChunkPlans } from "./database/writeChunkPlans.ts"

/** Which pages. */
export interface ChunkScope {
  readonly sourceIds: ReadonlyArray<string>
  readonly type: Option.Option<string>
}

/** A page that is to be looked at. */
export interface ListedPage {
  readonly id: number
  readonly slug: string
  readonly bytes: number
}

const PageRow = Schema.Struct({
  id: Schema.Int,
  slug: Schema.String,
  compiled_truth: Schema.String,
  timeline: Schema.String,
  /** Whether the page is kept out of search. */
  left_out: Schema.Boolean,
  chunker_version: Schema.Int,
  /** By which of our rules the chunks of this text were cut; none when by another program, or when nobody looked yet. */
  rules: Schema.NullOr(Schema.Int),
  version: Schema.String,
  digest: Schema.String
})

const ChunkRow = Schema.Struct({
  id: Schema.Int,
  page_id: Schema.Int,
  index: Schema.Int,
  text: Schema.String,
  source: Schema.String
})

/** A page as it is now, with its chunks in order. `version` is the time of its last edit, to the microsecond. */
export type ChunkedPage = typeof PageRow.Type & { readonly chunks: ReadonlyArray<typeof ChunkRow.Type> }

const decodePages = Schema.decodeUnknownEffect(Schema.Array(PageRow))
const decodeChunks = Schema.decodeUnknownEffect(Schema.Array(ChunkRow))

/** What becomes of the chunks of a page. */
export interface ChunkedOutcome {
  readonly page: Pick<ChunkedPage, "id" | "version" | "digest">
  readonly plan: ChunkPlan
  /** The rules by which the chunks are cut then; none when they are another program's. */
  readonly rules: number | null
}

/** Pages and their chunks. */
export class ChunkPages extends Context.Service<
  ChunkPages,
  {
    readonly count: (
      scope: ChunkScope
    ) => Effect.Effect<{ readonly total: number; readonly toDo: number }, SqlError.SqlError>
    /** The pages of the scope that are to be looked at, in groups, by id; no more than `limit`. */
    readonly groups: (
      scope: ChunkScope,
      limit: Option.Option<number>
    ) => Stream.Stream<ReadonlyArray<ListedPage>, SqlError.SqlError>
    readonly load: (
      ids: ReadonlyArray<number>
    ) => Effect.Effect<ReadonlyArray<ChunkedPage>, SqlError.SqlError>
    /** Writes what is planned, in one transaction; answers the pages that were still as they were read. */
    readonly commit: (
      outcomes: ReadonlyArray<ChunkedOutcome>
    ) => Effect.Effect<ReadonlySet<number>, SqlError.SqlError>
    /** Forgets the notes about pages that are gone. */
    readonly tidy: Effect.Effect<void, SqlError.SqlError>
  }
>()("gbrain/ChunkPages") {
  /** Pages of the open brain. */
  static readonly layer = Layer.effect(
    ChunkPages,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const table = yield* lookingAt(sql)

      const digest = textDigest(sql)
      const isDue = sql`(page.chunker_version < ${chunkerVersion} or noted.page_id is null or noted.rules < ${chunkRules}
        or noted.digest <> ${digest} or noted.chunks <> ${chunkCount(sql)})`
      const inScope = ({ sourceIds, type }: ChunkScope) => sql`
        page.page_kind = 'markdown' and page.deleted_at is null and page.source_id = any(${sourceIds}::text[])
        and ${Option.match(type, { onNone: () => sql`true`, onSome: (it) => sql`page.type = ${it}` })}`
      const noted = sql`left join ${table("pages_chunked")} noted on noted.page_id = page.id`

      const list = (scope: ChunkScope, after: number, most: number) =>
        resilient(sql<ListedPage>`
          select page.id, page.slug, octet_length(page.compiled_truth) + octet_length(page.timeline) as bytes
          from pages page ${noted} where ${inScope(scope)} and page.id > ${after} and ${isDue}
          order by page.id limit ${most}`)

      return ChunkPages.of({
        count: Effect.fnUntraced(function* (scope) {
          const [row] = yield* resilient(sql<{ readonly total: number; readonly toDo: number }>`
            select count(*)::int as total, (count(*) filter (where ${isDue}))::int as "toDo"
            from pages page ${noted} where ${inScope(scope)}`)
          return row ?? { total: 0, toDo: 0 }
        }),
        groups: (scope, limit) =>
          Stream.paginate({ after: 0, left: Option.getOrElse(limit, () => Infinity) }, ({ after, left }) => {
            const most = Math.min(listed, left)
            return Effect.map(list(scope, after, most), (rows) => {
              const last = rows[rows.length - 1]
              const next =
                last === undefined || rows.length < listed || left <= listed
                  ? Option.none<{ after: number; left: number }>()
                  : Option.some({ after: last.id, left: left - rows.length })
              return [groupsOf(rows), next] as const
            })
          }),
        load: Effect.fnUntraced(function* (ids) {
          const pages = yield* resilient(sql`
            select page.id, page.slug, page.compiled_truth, page.timeline, ${isLeftOut(sql)} as left_out, page.chunker_version,
              case when noted.digest = ${digest} then noted.rules end as rules, to_char(page.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as version, ${digest} as digest
            from pages page ${noted} where page.id = any(${ids}::int[]) and page.deleted_at is null order by page.id`)
          const chunks = yield* resilient(sql`
            select id, page_id, chunk_index as index, chunk_text as text, chunk_source as source from content_chunks
            where page_id = any(${ids}::int[]) order by page_id, chunk_index`)
          const byPage = new Map<number, Array<typeof ChunkRow.Type>>()
          for (const chunk of yield* Effect.orDie(decodeChunks(chunks))) {
            const ofPage = byPage.get(chunk.page_id)
            if (ofPage === undefined) byPage.set(chunk.page_id, [chunk])
            else ofPage.push(chunk)
          }
          return (yield* Effect.orDie(decodePages(pages))).map((page) => ({
            ...page,
            chunks: byPage.get(page.id) ?? []
          }))
        }),
        commit: (outcomes) =>
          Effect.gen(function* () {
            const held = yield* sql<{ readonly id: number }>`
              select page.id from pages page
              join unnest(${outcomes.map(({ page }) => page.id)}::int[], ${outcomes.map(({ page }) => page.version)}::text[])
                as read(id, version) on read.id = page.id and page.updated_at = read.version::timestamptz
              where page.deleted_at is null order by page.id for no key update of page`
            const unchanged = new Set(held.map((row) => row.id))
            const written = outcomes.filter(({ page }) => unchanged.has(page.id))
            const ids = written.map(({ page }) => page.id)
            yield* writeChunkPlans(
              sql,
              written.map(({ page, plan }) => ({ pageId: page.id, plan }))
            )
            yield* sql`
              update pages set chunker_version = ${chunkerVersion}
              where id = any(${ids}::int[]) and chunker_version < ${chunkerVersion}`
            yield* sql`
              insert into gbrain_effect.pages_chunked (page_id, digest, rules, chunks)
              select page.id, read.digest, nullif(read.rules, 0), ${chunkCount(sql)} from pages page
              join unnest(${ids}::int[], ${written.map(({ page }) => page.digest)}::text[],
                ${written.map(({ rules }) => rules ?? 0)}::smallint[]) as read(id, digest, rules) on read.id = page.id
              on conflict (page_id) do update set digest = excluded.digest, rules = excluded.rules, chunks = excluded.chunks`
            return unchanged
          }).pipe(sql.withTransaction, resilient),
        tidy: resilient(sql`
          delete from gbrain_effect.pages_chunked noted where not exists (select 1 from pages where id = noted.page_id)`).pipe(
          Effect.asVoid
        )
      })
    })
  )
}

/** Rows listed by one statement. */
const listed = 2000
