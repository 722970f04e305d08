/**
 * Which conversation pages there are and which are done: decided by the database from their marks, so that a run over a brain that
 * is all done reads next to nothing. Listed by keyset pagination, newest first, without their bodies.
 */
import { Effect, Option, Stream } from "effect"
import type { SqlClient } from "effect/sql"
import { markSource } from "../../domain/ConversationPages.ts"
import { resilient } from "../database/Resilience.ts"
import { forModel } from "./readPages.ts"

/** Which pages a run is about. */
export interface ConversationScope {
  readonly sourceIds: ReadonlyArray<string>
  /** Values of `pages.type`. */
  readonly pageTypes: ReadonlyArray<string>
  readonly slug: Option.Option<string>
  /** The chat model: what another one gave up is not set aside for this. */
  readonly model: string
}

/** A page that may need work. */
export interface Candidate {
  readonly id: number
  readonly sourceId: string
  readonly slug: string
  /** Whether only the page's body or its transcript file can tell if it is done. */
  readonly versionUnknown: boolean
  /** Whether a run with `--force` has begun it and not finished. */
  readonly forced: boolean
}

/** How many pages of a scope are in which state. Pages whose version the database cannot tell count as to do. */
export interface ConversationCounts {
  readonly total: number
  readonly complete: number
  readonly notApplicable: number
  /** Set aside by us for their present content: declined, or given up. */
  readonly setAside: number
  readonly optedOut: number
  readonly toDo: number
  /** Bytes of text in the pages to do. */
  readonly toDoBytes: number
}

/** Rows fetched at a time. */
const batchSize = 200

/** `pages.id` is a 32-bit integer. */
const maxPageId = 2_147_483_647

/** Lists and counts, with what tables of our own there are. */
export const makeListPages = (
  sql: SqlClient.SqlClient,
  tables: { readonly setAside: boolean; readonly forced: boolean }
) => {
  const token = sql.literal(
    `'page-' || page.content_hash || '-' || coalesce(to_char(page.effective_date at time zone 'UTC', 'YYYY-MM-DD'), 'none')`
  )
  const versionUnknown = sql.literal(
    `(page.content_hash is null or coalesce(btrim(page.frontmatter->>'raw_transcript'), '') <> '')`
  )
  const optedOut = sql.literal(
    `(coalesce(page.frontmatter->>'fact_extraction', '') = 'false' or coalesce(page.frontmatter->>'dream_generated', '') = 'true')`
  )
  // The predicate on source is what lets the partial index on (source_id, source_session) serve.
  const marked = (mark: "complete" | "not-applicable") => sql`
    exists (select 1 from facts mark where mark.source_id = page.source_id
      and mark.source like 'cli:extract-conversation-facts%'
      and mark.source_session = ${`${markSource(mark)}:`} || page.slug || ':' || ${token})`
  const setAside = ({ model }: ConversationScope) =>
    tables.setAside
      ? sql`
    exists (select 1 from gbrain_effect.pages_set_aside aside where aside.source_id = page.source_id
      and aside.slug = page.slug and aside.version_token in (${token}, ${token} || ${forModel(model)}))`
      : sql`false`
  const forced = tables.forced
    ? sql`exists (select 1 from gbrain_effect.pages_forced forced where forced.page_id = page.id)`
    : sql`false`
  const inScope = (scope: ConversationScope) => sql`
    page.deleted_at is null and page.source_id = any(${scope.sourceIds}::text[])
    and page.type = any(${scope.pageTypes}::text[])
    and ${Option.match(scope.slug, { onNone: () => sql`true`, onSome: (slug) => sql`page.slug = ${slug}` })}`
  const needsWork = (scope: ConversationScope) => sql`
    not ${optedOut} and (${versionUnknown} or ${forced}
      or not (${marked("complete")} or ${marked("not-applicable")} or ${setAside(scope)}))`

  const page = (scope: ConversationScope, includeDone: boolean, before: number) =>
    resilient(sql<{
      id: number
      source_id: string
      slug: string
      version_unknown: boolean
      forced: boolean
    }>`
      select page.id, page.source_id, page.slug, ${versionUnknown} as version_unknown, ${forced} as forced from pages page
      where ${inScope(scope)} and page.id < ${before} and ${includeDone ? sql`not ${optedOut}` : needsWork(scope)}
      order by page.id desc limit ${batchSize}`)

  return {
    candidates: (scope: ConversationScope, { includeDone }: { readonly includeDone: boolean }) =>
      Stream.paginate(Number.MAX_SAFE_INTEGER, (before) =>
        Effect.map(page(scope, includeDone, Math.min(before, maxPageId)), (rows) => {
          const last = rows[rows.length - 1]
          const candidates = rows.map((row): Candidate => ({
            id: row.id,
            sourceId: row.source_id,
            slug: row.slug,
            versionUnknown: row.version_unknown,
            forced: row.forced
          }))
          const next = last === undefined || rows.length < batchSize ? Option.none() : Option.some(last.id)
          return [candidates, next] as const
        })
      ),
    count: Effect.fnUntraced(function* (scope: ConversationScope) {
      const rows = yield* resilient(sql<Record<keyof ConversationCounts, number>>`
        select count(*)::int as total,
          count(*) filter (where state = 'complete')::int as "complete",
          count(*) filter (where state = 'not-applicable')::int as "notApplicable",
          count(*) filter (where state = 'set-aside')::int as "setAside",
          count(*) filter (where state = 'opted-out')::int as "optedOut",
          count(*) filter (where state = 'to-do')::int as "toDo",
          coalesce(sum(bytes) filter (where state = 'to-do'), 0)::float8 as "toDoBytes"
        from (
          select octet_length(page.compiled_truth) + octet_length(page.timeline) as bytes,
            case when ${optedOut} then 'opted-out'
              when ${versionUnknown} or ${forced} then 'to-do'
              when ${marked("complete")} then 'complete'
              when ${marked("not-applicable")} then 'not-applicable'
              when ${setAside(scope)} then 'set-aside'
              else 'to-do' end as state
          from pages page where ${inScope(scope)}
        ) as states`)
      return rows[0] ?? noPages
    })
  }
}

const noPages: ConversationCounts = {
  total: 0,
  complete: 0,
  notApplicable: 0,
  setAside: 0,
  optedOut: 0,
  toDo: 0,
  toDoBytes: 0
}
