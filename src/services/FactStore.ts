/**
 * Writes what was learnt from a page: the old rows go, the new rows and the mark come, in one transaction that commits
 * only while the lease is held and the page is what it was when it was read. So no crash leaves half a page, no process
 * that lost its lease writes, and no fact is there twice.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import {
  factSession,
  factSource,
  type Mark,
  markSession,
  markSource,
  markText
} from "../domain/ConversationPages.ts"
import type { FactKind, Notability } from "../domain/Fact.ts"
import { resilient } from "./database/Resilience.ts"
import { type Lease, type LeaseLost, PageLease } from "./PageLease.ts"

/** The page was edited, deleted or retyped while it was worked on: its outcome was not written. */
export class PageChanged extends Schema.TaggedError<PageChanged>()("PageChanged", {
  slug: Schema.String,
  message: Schema.String
}) {}

/** The brain was taken to another embedding model while a page was worked on: its vectors are not of that model. */
export class EmbeddingModelChanged extends Schema.TaggedError<EmbeddingModelChanged>()(
  "EmbeddingModelChanged",
  {
    from: Schema.String,
    to: Schema.String,
    message: Schema.String
  }
) {}

/** A row of `facts`, ready to be written. */
export interface FactRow {
  readonly fact: string
  readonly kind: typeof FactKind.Type
  readonly entitySlug: string | null
  readonly confidence: number
  readonly notability: typeof Notability.Type
  readonly context: string
  /** Epoch milliseconds; none when the conversation does not say, which stores the time of writing. */
  readonly validFrom: number | null
  readonly metric: string | null
  readonly value: number | null
  readonly unit: string | null
  readonly period: string | null
  /** Where the fact's vector is journaled; it is copied from there, and dropped there, in the commit. */
  readonly vectorKey: string
}

/** A mark to be set with the facts. */
export interface PageMark {
  readonly mark: Mark
  readonly versionToken: string
  /** Why, for a page that is not applicable. */
  readonly context: string | null
}

/** What a page's extraction came to. */
export interface PageOutcome {
  readonly lease: Lease
  readonly page: { readonly id: number; readonly sourceId: string; readonly slug: string }
  /** `PageFingerprint` of the page as it was read. */
  readonly fingerprint: string
  /** Whether the page's text has a `## Facts` fence, whose rows number themselves from 1. */
  readonly hasFactsFence: boolean
  readonly facts: ReadonlyArray<FactRow>
  /** The model and width that the facts' vectors are of. */
  readonly embedding: { readonly model: string; readonly dimensions: number }
  readonly mark: Option.Option<PageMark>
  /**
   * Which earlier facts of this command go: all of them, or those whose time is at or after an instant (epoch milliseconds).
   * Earlier marks go when a new one comes.
   */
  readonly replace: "all" | { readonly since: number }
}

/** What a commit did. */
export interface CommitReport {
  readonly inserted: number
  /** Earlier rows that went, marks included. */
  readonly cleaned: number
}

/**
 * Where numbering starts on a page that has rows of a `## Facts` fence. Those are numbered by their place in the fence,
 * from 1, and share the key with ours; a fence never grows this long.
 */
const fenceFreeBand = 1_000_000

/** A text that changes with everything about a page that an extraction depends on; computed by the database. */
export const fingerprintColumns = `md5(concat_ws(chr(31), slug, type, title, coalesce(content_hash,
  md5(compiled_truth || chr(31) || timeline || chr(31) || frontmatter::text)),
  coalesce(effective_date::text, 'none'), coalesce(deleted_at::text, 'live')))`

/** The facts that this command owns. */
export class FactStore extends Context.Service<
  FactStore,
  {
    /** Writes a page's outcome. Safe to repeat: the same outcome written twice is there once. */
    readonly commit: (
      outcome: PageOutcome
    ) => Effect.Effect<CommitReport, SqlError.SqlError | LeaseLost | PageChanged | EmbeddingModelChanged>
    /** Whether the page ever was marked complete, in this or an earlier version of its content. */
    readonly wasEverComplete: (sourceId: string, slug: string) => Effect.Effect<boolean, SqlError.SqlError>
  }
>()("gbrain/FactStore") {
  /** Facts of the open brain. */
  static readonly layer = Layer.effect(
    FactStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const leases = yield* PageLease
      const vectorType = yield* Effect.cached(resilient(columnType(sql)))

      const ours = sql`source like ${`${factSource}%`}`

      // Without a new mark the earlier ones stay: they are of another text, and say that the page was complete once.
      const goes = ({ mark, replace }: PageOutcome) => sql`
        (${ours} and case when source = ${factSource}
          then ${replace === "all" ? sql`true` : sql`valid_from >= ${instant(replace.since)}`}
          else ${Option.isSome(mark)} end)`

      // The page's rows, each part by an index that gbrain has: by the page, those with a number; by the session, facts of ours
      // without. Asked for in one condition, each page would read the rows of all.
      const rowsOf = (outcome: PageOutcome) => {
        const { slug, sourceId } = outcome.page
        const ofPage = sql`source_id = ${sourceId} and source_markdown_slug = ${slug}`
        return sql`
          select id, row_num, ${ours} as ours, ${goes(outcome)} as goes from facts
          where ${ofPage} and row_num is not null
          union all
          select id, row_num, true, ${goes(outcome)} from facts
          where ${ofPage} and row_num is null and ${ours} and source_session = ${factSession(slug)}`
      }

      // Is the page what was read, which rows go, and where does numbering go on.
      const look = Effect.fnUntraced(function* (outcome: PageOutcome) {
        const { page } = outcome
        const [row] = yield* sql<{
          readonly fingerprint: string | null
          readonly leaving: ReadonlyArray<string>
          readonly ours: number | null
          readonly theirs: number | null
          readonly transaction: string
          readonly model: string | null
          readonly dimensions: string | null
        }>`
          with page as (
            select ${sql.literal(fingerprintColumns)} as fingerprint from pages where id = ${page.id} for share
          )
          select (select fingerprint from page) as fingerprint, coalesce(array_agg(id::text) filter (where goes), '{}') as leaving,
            max(row_num) filter (where ours and not goes) as ours, max(row_num) filter (where not ours) as theirs,
            pg_current_xact_id()::text as transaction,
            (select value from config where key = 'embedding_model') as model,
            (select value from config where key = 'embedding_dimensions') as dimensions
          from (${rowsOf(outcome)}) as found`
        if (row === undefined || row.fingerprint !== outcome.fingerprint) {
          return yield* new PageChanged({
            slug: page.slug,
            message: `${page.slug} was changed while it was worked on; the next run takes it again`
          })
        }
        // From the first look at facts on, nobody exchanges their columns before this transaction ends.
        if (outcome.facts.length > 0) yield* checkModel(outcome.embedding, row)
        // Rows that are not ours share our key on pages with a fence.
        const shared = outcome.hasFactsFence || row.theirs !== null
        const start = shared ? Math.max(fenceFreeBand, (row.theirs ?? 0) + 1) : 0
        const rowNum = row.ours === null ? start : Math.max(start, row.ours + 1)
        return { leaving: row.leaving, rowNum, transaction: row.transaction }
      })

      // A fact that gbrain took one of them to be better than is let go of it: it has expired in any case.
      const remove = (leaving: ReadonlyArray<string>) =>
        leaving.length === 0
          ? Effect.void
          : sql`
              with freed as (
                update facts set superseded_by = null
                where superseded_by = any(${leaving}::bigint[]) and id <> all(${leaving}::bigint[])
              )
              delete from facts where id = any(${leaving}::bigint[])`

      // gbrain's setting; whatever else it says, nothing is shown to others by mistake.
      const defaultVisibility = sql`
        select case when exists (select 1 from config where key = 'facts.default_visibility'
          and lower(btrim(value)) = 'world') then 'world' else 'private' end as by_default`

      // One statement: the facts with their vectors from the journal, the mark, and the vectors' farewell.
      const write = Effect.fnUntraced(function* (outcome: PageOutcome, rowNum: number, type: string) {
        const { facts, page } = outcome
        const rows = facts.map((fact, index) => ({
          row_num: rowNum + index,
          vector_key: fact.vectorKey,
          source: factSource,
          source_session: factSession(page.slug),
          fact: fact.fact,
          kind: fact.kind,
          entity_slug: fact.entitySlug,
          confidence: fact.confidence,
          notability: fact.notability,
          context: fact.context,
          valid_from: fact.validFrom === null ? null : instant(fact.validFrom),
          claim_metric: fact.metric,
          claim_value: fact.value,
          claim_unit: fact.unit,
          claim_period: fact.period
        }))
        const marks = Option.toArray(outcome.mark).map(({ context, mark, versionToken }) => ({
          row_num: rowNum + facts.length,
          vector_key: null,
          source: markSource(mark),
          source_session: markSession(mark, page.slug, versionToken),
          fact: markText(mark),
          kind: "fact",
          entity_slug: null,
          confidence: 1,
          notability: "low",
          context
        }))
        if (rows.length + marks.length === 0) return
        const keys = facts.map((fact) => fact.vectorKey)
        const [written] = yield* sql<{ readonly embedded: number }>`
          with spent as (
            delete from gbrain_effect.journal_vectors where key = any(${keys}::text[]) returning key, vector
          ), unforced as (
            delete from gbrain_effect.pages_forced where page_id = ${page.id} and ${Option.isSome(outcome.mark)}
          ), written as (
            insert into facts (source_id, source, source_session, source_markdown_slug, row_num, fact, kind, entity_slug,
              confidence, notability, context, valid_from, claim_metric, claim_value, claim_unit, claim_period, visibility,
              embedding, embedded_at)
            select ${page.sourceId}, row.source, row.source_session, ${page.slug}, row.row_num, row.fact, row.kind,
              row.entity_slug, row.confidence, row.notability, row.context, coalesce(row.valid_from, now()),
              row.claim_metric, row.claim_value, row.claim_unit, row.claim_period,
              case when row.vector_key is not null then visible.by_default else 'private' end,
              spent.vector::${sql.literal(type)}, case when spent.key is not null then now() end
            from jsonb_to_recordset(${JSON.stringify([...rows, ...marks])}::jsonb) as row(row_num int, vector_key text,
              source text, source_session text, fact text, kind text, entity_slug text, confidence real,
              notability text, context text, valid_from timestamptz, claim_metric text, claim_value double precision,
              claim_unit text, claim_period text)
            cross join (${defaultVisibility}) as visible
            left join spent on spent.key = row.vector_key
            returning embedded_at
          )
          select count(embedded_at)::int as embedded from written`
        // A fact without its vector would be found by nobody: the page is left as it was.
        const missing = facts.length - (written?.embedded ?? 0)
        if (missing > 0)
          return yield* Effect.die(new Error(`${missing} vectors of ${page.slug} are not in the journal`))
      })

      const wasCommitted = (transaction: string) =>
        sql<{ readonly status: string | null }>`select pg_xact_status(${transaction}::xid8) as status`.pipe(
          Effect.map(([row]) => row?.status === "committed")
        )

      return FactStore.of({
        commit: Effect.fn("FactStore.commit")(function* (outcome) {
          const type = yield* vectorType
          // What an attempt did that may have been committed although its answer was lost.
          let before: { readonly transaction: string; readonly report: CommitReport } | undefined
          return yield* Effect.gen(function* () {
            // Waits for such an attempt, if it is still under way: it has the lease's row locked.
            yield* leases.confirm(outcome.lease)
            if (before !== undefined && (yield* wasCommitted(before.transaction))) return before.report
            const { leaving, rowNum, transaction } = yield* look(outcome)
            yield* remove(leaving)
            yield* write(outcome, rowNum, type)
            const report = { inserted: outcome.facts.length, cleaned: leaving.length }
            before = { transaction, report }
            return report
          }).pipe(sql.withTransaction, resilient)
        }),
        wasEverComplete: (sourceId, slug) =>
          resilient(
            sql`select 1 from facts where source_id = ${sourceId} and source_markdown_slug = ${slug}
              and row_num is not null and source = ${markSource("complete")} limit 1`
          ).pipe(Effect.map((rows) => rows.length > 0))
      })
    })
  )
}

// Of another width the database would refuse them; of another model at the same width it could not tell.
const checkModel = (
  made: PageOutcome["embedding"],
  now: { readonly model: string | null; readonly dimensions: string | null }
) => {
  const from = `${made.model} at ${made.dimensions} dimensions`
  const to = `${now.model ?? made.model} at ${now.dimensions ?? made.dimensions} dimensions`
  return from === to
    ? Effect.void
    : new EmbeddingModelChanged({
        from,
        to,
        message: `The brain was taken from ${from} to ${to} meanwhile; run again to embed with that`
      })
}

// The vector's type in this brain: halfvec, or vector where pgvector is old. A literal in a statement, so it is one of two.
const columnType = (sql: SqlClient.SqlClient) =>
  sql<{ readonly type: string }>`
    select format_type(atttypid, null) as type from pg_attribute
    where attrelid = 'facts'::regclass and attname = 'embedding'`.pipe(
    Effect.map(([row]) => (row?.type === "vector" ? "vector" : "halfvec"))
  )

const instant = (epochMillis: number): string => new Date(epochMillis).toISOString()
