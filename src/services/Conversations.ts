/**
 * The conversation pages of a brain: which there are, which are done, and what each says. Enumerated by keyset pagination,
 * newest first, without their bodies; whether a page is done is decided by the database from its marks, so that a run over
 * a brain that is all done reads next to nothing.
 */
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { markSession, markSource, maxPageBytes } from "../domain/ConversationPages.ts"
import { hasOwnTable, hasOwnTables } from "./database/ownTables.ts"
import { resilient } from "./database/Resilience.ts"
import { fingerprintColumns } from "./facts/PageOutcome.ts"
import { joinCalls } from "./joinCalls.ts"

/** Which pages a run is about. */
export interface ConversationScope {
  readonly sourceIds: ReadonlyArray<string>
  /** Values of `pages.type`. */
  readonly pageTypes: ReadonlyArray<string>
  readonly slug: Option.Option<string>
  /** The chat model: what another one gave up is not set aside for this. */
  readonly model: string
}

/** Since when a page is being read again with `--force`: what was answered since then is not asked again. */
export interface Forced {
  readonly since: Date
  /** Whether that begins now. */
  readonly fresh: boolean
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

/** A page as it is now. Its texts are empty when it is larger than asked for. */
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

/** Rows fetched at a time. */
const batchSize = 200

/** Conversation pages. */
export class Conversations extends Context.Service<
  Conversations,
  {
    /** The pages of the scope that need work, or all of them with `includeDone`. */
    readonly candidates: (
      scope: ConversationScope,
      options: { readonly includeDone: boolean }
    ) => Stream.Stream<Candidate, SqlError.SqlError>
    readonly count: (scope: ConversationScope) => Effect.Effect<ConversationCounts, SqlError.SqlError>
    /** The page as it is now; none when it is gone. Bodies beyond `maxPageBytes` are not read. */
    readonly load: (id: number) => Effect.Effect<Option.Option<ConversationPage>, SqlError.SqlError>
    /** How this content of the page was marked, if it was, for a run of `model`. */
    readonly markOf: (
      page: { readonly sourceId: string; readonly slug: string },
      versionToken: string,
      model: string
    ) => Effect.Effect<Option.Option<VersionMark>, SqlError.SqlError>
    /**
     * Sets this content of the page aside, for `model` only when one is named, for a reason that is no property of the content.
     * Known to us only.
     */
    readonly setAside: (
      page: { readonly id: number; readonly sourceId: string; readonly slug: string },
      versionToken: string,
      reason: string,
      model: Option.Option<string>
    ) => Effect.Effect<void, SqlError.SqlError>
    /** Notes that a page is read again with `--force`, until it is marked or set aside. */
    readonly force: (id: number) => Effect.Effect<Forced, SqlError.SqlError>
    /** Whether it is, and since when. */
    readonly forced: (id: number) => Effect.Effect<Option.Option<Forced>, SqlError.SqlError>
  }
>()("gbrain/Conversations") {
  /** Conversations of the open brain. */
  static readonly layer = Layer.effect(
    Conversations,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ours = yield* hasOwnTables(sql)
      const forces = yield* hasOwnTable(sql, "pages_forced")

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
        ours
          ? sql`
        exists (select 1 from gbrain_effect.pages_set_aside aside where aside.source_id = page.source_id
          and aside.slug = page.slug and aside.version_token in (${token}, ${token} || ${forModel(model)}))`
          : sql`false`
      const forced = forces
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

      const setAsideAs = ours
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

      return Conversations.of({
        candidates: (scope, { includeDone }) =>
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
              const next =
                last === undefined || rows.length < batchSize ? Option.none() : Option.some(last.id)
              return [candidates, next] as const
            })
          ),
        count: Effect.fnUntraced(function* (scope) {
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
        }),
        load: (id) => Effect.map(pagesOf([id]), (pages) => Option.fromUndefinedOr(pages.get(id))),
        markOf: ({ slug, sourceId }, versionToken, model) => {
          const asked: VersionAsked = { sourceId, slug, versionToken, model }
          return Effect.map(marksOf([asked]), (marks) => Option.fromUndefinedOr(marks.get(asked)))
        },
        setAside: ({ id, slug, sourceId }, versionToken, reason, model) =>
          resilient(sql`
            with unforced as (delete from gbrain_effect.pages_forced where page_id = ${id})
            insert into gbrain_effect.pages_set_aside (source_id, slug, version_token, reason)
            values (${sourceId}, ${slug}, ${versionToken + Option.match(model, { onNone: () => "", onSome: forModel })}, ${reason})
            on conflict (source_id, slug) do update set version_token = excluded.version_token, reason = excluded.reason,
              created_at = clock_timestamp()`).pipe(Effect.asVoid),
        force: Effect.fnUntraced(function* (id) {
          const [row] = yield* resilient(sql<Forced>`
            with new as (
              insert into gbrain_effect.pages_forced (page_id) values (${id}) on conflict do nothing returning forced_at
            )
            select forced_at as since, true as fresh from new
            union all select forced_at, false from gbrain_effect.pages_forced where page_id = ${id}`)
          return yield* Effect.orDie(Effect.fromNullishOr(row))
        }),
        forced: (id) =>
          forces
            ? resilient(sql<Forced>`
                select forced_at as since, false as fresh from gbrain_effect.pages_forced where page_id = ${id}`).pipe(
                Effect.map((rows) => Option.fromUndefinedOr(rows[0]))
              )
            : Effect.succeed(Option.none())
      })
    })
  )
}

// What one model gives up another may answer: a version is then set aside together with the model.
const forModel = (model: string): string => ` for ${model}`

/** `pages.id` is a 32-bit integer. */
const maxPageId = 2_147_483_647

const noPages: ConversationCounts = {
  total: 0,
  complete: 0,
  notApplicable: 0,
  setAside: 0,
  optedOut: 0,
  toDo: 0,
  toDoBytes: 0
}
