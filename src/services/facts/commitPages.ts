/**
 * The transaction that writes what pages came to: the old rows go, the new rows and the marks come. It writes a page only
 * while the page's lease is held and the page is what it was when it was read; the others are written without it.
 */
import { Effect, Option, Result } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { factSession, factSource, markSession, markSource, markText } from "../../domain/ConversationPages.ts"
import { resilient } from "../database/Resilience.ts"
import type { PageLease } from "../PageLease.ts"
import {
  type CommitError,
  type CommitReport,
  EmbeddingModelChanged,
  fingerprintColumns,
  PageChanged,
  type PageOutcome
} from "./PageOutcome.ts"

/** What became of each outcome. */
export type Committed = ReadonlyMap<PageOutcome, Result.Result<CommitReport, CommitError>>

/**
 * Where numbering starts on a page that has rows of a `## Facts` fence. Those are numbered by their place in the fence,
 * from 1, and share the key with ours; a fence never grows this long.
 */
const fenceFreeBand = 1_000_000

/** A page as the transaction finds it. */
interface Found {
  readonly fingerprint: string | null
  /** Ids of the rows that go. */
  readonly leaving: ReadonlyArray<string>
  /** The highest number among our rows that stay, and among others'. */
  readonly ours: number | null
  readonly theirs: number | null
  readonly transaction: string
  /** What the brain's vectors are made with now. */
  readonly model: string | null
  readonly dimensions: string | null
}

/** An outcome that may be written, with the number of its first row. */
interface Writable {
  readonly outcome: PageOutcome
  readonly rowNum: number
}

/** Commits outcomes of different pages in one transaction. Safe to repeat: an outcome written twice is there once. */
export const makeCommitPages = (sql: SqlClient.SqlClient, leases: PageLease["Service"]) => {
  const find = lookAtPages(sql)
  const write = writeFacts(sql)

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

  const wasCommitted = (transaction: string) =>
    sql<{ readonly status: string | null }>`select pg_xact_status(${transaction}::xid8) as status`.pipe(
      Effect.map(([row]) => row?.status === "committed")
    )

  return (
    outcomes: ReadonlyArray<PageOutcome>,
    /** The type of the column of the facts' vectors. */
    type: VectorType
  ): Effect.Effect<Committed, SqlError.SqlError> => {
    // What an attempt did that may have been committed although its answer was lost.
    let before: { readonly transaction: string; readonly committed: Committed } | undefined
    return Effect.gen(function* () {
      // Waits for such an attempt, if it is still under way: it has the leases' rows locked.
      const lost = yield* leases.confirmEach(outcomes.map(({ lease }) => lease))
      if (before !== undefined && (yield* wasCommitted(before.transaction))) return before.committed
      const found = yield* find(outcomes.filter(({ lease }) => !lost.has(lease)))
      const committed = new Map<PageOutcome, Result.Result<CommitReport, CommitError>>()
      const writable: Array<Writable> = []
      const leaving: Array<string> = []
      for (const outcome of outcomes) {
        const page = lost.get(outcome.lease) ?? writableAs(outcome, found.get(outcome))
        if (!("leaving" in page)) {
          committed.set(outcome, Result.fail(page))
          continue
        }
        leaving.push(...page.leaving)
        writable.push({ outcome, rowNum: firstNumber(outcome, page) })
        const report = { inserted: outcome.facts.length, cleaned: page.leaving.length }
        committed.set(outcome, Result.succeed(report))
      }
      yield* remove(leaving)
      yield* write(writable, type)
      const [first] = found.values()
      if (first !== undefined) before = { transaction: first.transaction, committed }
      return committed
    }).pipe(sql.withTransaction, resilient)
  }
}

// The page as it is found, or why it may not be written so.
const writableAs = (outcome: PageOutcome, found: Found | undefined): Found | CommitError => {
  const { slug } = outcome.page
  if (found === undefined || found.fingerprint !== outcome.fingerprint) {
    return new PageChanged({
      slug,
      message: `${slug} was changed while it was worked on; the next run takes it again`
    })
  }
  // Of another width the database would refuse them; of another model at the same width it could not tell.
  const made = outcome.embedding
  const from = `${made.model} at ${made.dimensions} dimensions`
  const to = `${found.model ?? made.model} at ${found.dimensions ?? made.dimensions} dimensions`
  return from === to || outcome.facts.length === 0
    ? found
    : new EmbeddingModelChanged({
        from,
        to,
        message: `The brain was taken from ${from} to ${to} meanwhile; run again to embed with that`
      })
}

// Rows that are not ours share our key on pages with a fence.
const firstNumber = (outcome: PageOutcome, found: Found): number => {
  const shared = outcome.hasFactsFence || found.theirs !== null
  const start = shared ? Math.max(fenceFreeBand, (found.theirs ?? 0) + 1) : 0
  return found.ours === null ? start : Math.max(start, found.ours + 1)
}

/**
 * Is a page what was read, which of its rows go, and where does numbering go on. From this look at facts on, nobody exchanges
 * their columns before the transaction ends.
 */
const lookAtPages = (sql: SqlClient.SqlClient) => {
  const ours = sql`source like ${`${factSource}%`}`
  // Without a new mark the earlier ones stay: they are of another text, and say that the page was complete once.
  const goes = sql`
    (${ours} and case when source = ${factSource} then asked.since is null or valid_from >= asked.since else asked.marked end)`
  // The page's rows, each part by an index that gbrain has: by the page, those with a number; by the session, facts of ours
  // without. Asked for in one condition, each page would read the rows of all.
  const rowsOfPage = sql`
    select id, row_num, ${ours} as ours, ${goes} as goes from facts
    where source_id = asked.source_id and source_markdown_slug = asked.slug and row_num is not null
    union all
    select id, row_num, true, ${goes} from facts
    where source_id = asked.source_id and source_markdown_slug = asked.slug and row_num is null
      and ${ours} and source_session = asked.session`

  return Effect.fnUntraced(function* (outcomes: ReadonlyArray<PageOutcome>) {
    if (outcomes.length === 0) return new Map<PageOutcome, Found>()
    const asked = outcomes.map(({ mark, page, replace }, place) => ({
      place,
      page_id: page.id,
      source_id: page.sourceId,
      slug: page.slug,
      session: factSession(page.slug),
      since: replace === "all" ? null : instant(replace.since),
      marked: Option.isSome(mark)
    }))
    const rows = yield* sql<Found & { readonly place: number }>`
      with asked as (
        select * from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) as asked(place int, page_id int, source_id text,
          slug text, session text, since timestamptz, marked boolean)
      ), page as (
        select id, ${sql.literal(fingerprintColumns)} as fingerprint from pages
        where id = any(${outcomes.map(({ page }) => page.id)}::int[]) order by id for share
      )
      select asked.place, page.fingerprint, found.leaving, found.ours, found.theirs,
        pg_current_xact_id()::text as transaction,
        (select value from config where key = 'embedding_model') as model,
        (select value from config where key = 'embedding_dimensions') as dimensions
      from asked left join page on page.id = asked.page_id
      cross join lateral (
        select coalesce(array_agg(id::text) filter (where goes), '{}') as leaving,
          max(row_num) filter (where ours and not goes) as ours, max(row_num) filter (where not ours) as theirs
        from (${rowsOfPage}) as rows
      ) as found`
    return new Map(
      rows.flatMap((row) => {
        const outcome = outcomes[row.place]
        return outcome === undefined ? [] : [[outcome, row] as const]
      })
    )
  })
}

/** pgvector's types of `facts.embedding`: `halfvec`, or `vector` where pgvector is old. */
export type VectorType = "halfvec" | "vector"

// One statement: the facts with their vectors from the journal, the marks, and the vectors' farewell.
const writeFacts = (sql: SqlClient.SqlClient) => {
  // gbrain's setting; whatever else it says, nothing is shown to others by mistake.
  const defaultVisibility = sql`
    select case when exists (select 1 from config where key = 'facts.default_visibility'
      and lower(btrim(value)) = 'world') then 'world' else 'private' end as by_default`

  return Effect.fnUntraced(function* (pages: ReadonlyArray<Writable>, type: VectorType) {
    const rows = pages.flatMap(rowsOf)
    if (rows.length === 0) return
    const keys = pages.flatMap(({ outcome }) => outcome.facts.map(({ vectorKey }) => vectorKey))
    const marked = pages.flatMap(({ outcome }) => (Option.isSome(outcome.mark) ? [outcome.page.id] : []))
    const [written] = yield* sql<{ readonly embedded: number }>`
      with spent as (
        delete from gbrain_effect.journal_vectors where key = any(${keys}::text[]) returning key, vector
      ), unforced as (
        delete from gbrain_effect.pages_forced where page_id = any(${marked}::int[])
      ), written as (
        insert into facts (source_id, source, source_session, source_markdown_slug, row_num, fact, kind, entity_slug,
          confidence, notability, context, valid_from, claim_metric, claim_value, claim_unit, claim_period, visibility,
          embedding, embedded_at)
        select row.source_id, row.source, row.source_session, row.slug, row.row_num, row.fact, row.kind,
          row.entity_slug, row.confidence, row.notability, row.context, coalesce(row.valid_from, now()),
          row.claim_metric, row.claim_value, row.claim_unit, row.claim_period,
          case when row.vector_key is not null then visible.by_default else 'private' end,
          spent.vector::${sql.literal(type)}, case when spent.key is not null then now() end
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row(source_id text, slug text, row_num int, vector_key text,
          source text, source_session text, fact text, kind text, entity_slug text, confidence real,
          notability text, context text, valid_from timestamptz, claim_metric text, claim_value double precision,
          claim_unit text, claim_period text)
        cross join (${defaultVisibility}) as visible
        left join spent on spent.key = row.vector_key
        returning embedded_at
      )
      select count(embedded_at)::int as embedded from written`
    // A fact without its vector would be found by nobody: its page is left as it was.
    const missing = keys.length - (written?.embedded ?? 0)
    if (missing > 0) {
      const slugs = pages.map(({ outcome }) => outcome.page.slug).join(", ")
      return yield* Effect.die(new Error(`${missing} vectors of ${slugs} are not in the journal`))
    }
  })
}

const rowsOf = ({ outcome: { facts, mark, page }, rowNum }: Writable) => {
  const ofPage = { source_id: page.sourceId, slug: page.slug }
  return [
    ...facts.map((fact, index) => ({
      ...ofPage,
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
    })),
    ...Option.toArray(mark).map(({ context, mark, versionToken }) => ({
      ...ofPage,
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
  ]
}

const instant = (epochMillis: number): string => new Date(epochMillis).toISOString()
