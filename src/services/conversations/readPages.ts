/** Reading conversation pages and the marks of their versions; what is asked for at the same time is read together. */
import { Effect, Option, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { markSession, maxPageBytes } from "../../domain/ConversationPages.ts"
import { resilient } from "../database/Resilience.ts"
import { fingerprintColumns } from "../facts/PageOutcome.ts"
import { joinCalls } from "../joinCalls.ts"

const PageRow = Schema.Struct({
  id: Schema.Int,
  source_id: Schema.String,
  slug: Schema.String,
  type: Schema.String,
  title: Schema.String,
  compiled_truth: Schema.String,
  timeline: Schema.String,
  frontmatter: Schema.Record(Schema.String, Schema.Unknown),
  content_hash: Schema.NullOr(Schema.String),
  effective_date: Schema.NullOr(Schema.Date),
  effective_date_source: Schema.NullOr(Schema.String),
  fingerprint: Schema.String,
  bytes: Schema.Int,
  local_path: Schema.NullOr(Schema.String),
  deleted: Schema.Boolean
})

/** A page as it is now. Its texts are empty when it is larger than `maxPageBytes`. */
export type ConversationPage = typeof PageRow.Type

const decodePages = Schema.decodeUnknownEffect(Schema.Array(PageRow))

/** How a version of a page is marked. */
export type VersionMark = "complete" | "not-applicable" | "set-aside"

interface VersionAsked {
  readonly sourceId: string
  readonly slug: string
  readonly versionToken: string
  readonly model: string
}

/** What one model gives up another may answer: a version is then set aside together with the model. */
export const forModel = (model: string): string => ` for ${model}`

/** Reads pages and marks; `setAside` tells whether there is a record of what was set aside. */
export const makeReadPages = (sql: SqlClient.SqlClient, tables: { readonly setAside: boolean }) => {
  const pagesOf = joinCalls({
    rowsAtMost: 16,
    run: Effect.fnUntraced(function* (ids: ReadonlyArray<number>) {
      const bytes = sql.literal("octet_length(page.compiled_truth) + octet_length(page.timeline)")
      const rows = yield* resilient(sql`
        select page.id, page.source_id, page.slug, page.type, page.title, page.content_hash, page.effective_date, page.effective_date_source,
          case when ${bytes} <= ${maxPageBytes} then page.compiled_truth else '' end as compiled_truth,
          case when ${bytes} <= ${maxPageBytes} then page.timeline else '' end as timeline,
          page.frontmatter, page.deleted_at is not null as deleted, ${bytes} as bytes, source.local_path,
          print.fingerprint
        from pages page join sources source on source.id = page.source_id,
          lateral (select ${sql.literal(fingerprintColumns)} as fingerprint) as print
        where page.id = any(${ids}::int[])`)
      const pages = yield* Effect.orDie(decodePages(rows))
      return new Map(pages.map((page) => [page.id, page]))
    })
  })

  const setAsideAs = tables.setAside
    ? sql`union all select 'set-aside' from gbrain_effect.pages_set_aside
        where source_id = asked.source_id and slug = asked.slug and version_token in (asked.token, asked.token_of_model)`
    : sql``
  const marksOf = joinCalls({
    rowsAtMost: 64,
    run: Effect.fnUntraced(function* (asked: ReadonlyArray<VersionAsked>) {
      const column = (of: (version: VersionAsked) => string) => sql`${asked.map(of)}::text[]`
      const rows = yield* resilient(sql<{ readonly place: number; readonly state: VersionMark }>`
        select (asked.place - 1)::int as place, found.state
        from unnest(${column((it) => it.sourceId)}, ${column((it) => it.slug)},
          ${column((it) => markSession("complete", it.slug, it.versionToken))},
          ${column((it) => markSession("not-applicable", it.slug, it.versionToken))},
          ${column((it) => it.versionToken)}, ${column((it) => it.versionToken + forModel(it.model))})
          with ordinality as asked(source_id, slug, complete, not_applicable, token, token_of_model, place)
        cross join lateral (
          select case when source_session = asked.complete then 'complete' else 'not-applicable' end as state
            from facts where source_id = asked.source_id and source like 'cli:extract-conversation-facts%'
              and source_session = any(array[asked.complete, asked.not_applicable])
          ${setAsideAs}
          order by state limit 1
        ) as found`)
      const states = new Map(rows.map(({ place, state }) => [place, state]))
      return new Map(
        asked.flatMap((version, place) => {
          const state = states.get(place)
          return state === undefined ? [] : [[version, state] as const]
        })
      )
    })
  })

  return {
    load: (id: number) => Effect.map(pagesOf([id]), (pages) => Option.fromUndefinedOr(pages.get(id))),
    markOf: (page: Pick<VersionAsked, "sourceId" | "slug">, versionToken: string, model: string) => {
      const asked: VersionAsked = { sourceId: page.sourceId, slug: page.slug, versionToken, model }
      return Effect.map(marksOf([asked]), (marks) => Option.fromUndefinedOr(marks.get(asked)))
    }
  }
}
