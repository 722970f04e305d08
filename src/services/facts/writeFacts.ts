/** Writing what pages came to: one statement, whatever their number. */
import { Effect, Option } from "effect"
import type { SqlClient } from "effect/sql"
import { factSession, factSource, markSession, markSource, markText } from "../../domain/ConversationPages.ts"
import { instant } from "./lookAtPages.ts"
import type { PageOutcome } from "./PageOutcome.ts"

/** An outcome that may be written, with the number of its first row. */
export interface Writable {
  readonly outcome: PageOutcome
  readonly rowNum: number
}

/** pgvector's types of `facts.embedding`: `halfvec`, or `vector` where pgvector is old. */
export type VectorType = "halfvec" | "vector"

// One statement: the facts with their vectors from the journal, the marks, and the vectors' farewell.
export const writeFacts = (sql: SqlClient.SqlClient) => {
  // gbrain's setting; whatever else it says, nothing is shown to others by mistake.
  const defaultVisibility = sql`
    select case when exists (select 1 from config where key = 'facts.default_visibility'
      and lower(btrim(value)) = 'world') then 'world' else 'private' end as by_default`

  return Effect.fnUntraced(function* (pages: ReadonlyArray<Writable>, type: VectorType) {
    const rows = pages.flatMap(rowsOf)
    if (rows.length === 0) return
    const keys = pages.flatMap(({ outcome }) => outcome.facts.map(({ vectorKey }) => vectorKey))
    const spare = pages.flatMap(({ outcome }) => outcome.spareVectors ?? [])
    const marked = pages.flatMap(({ outcome }) => (Option.isSome(outcome.mark) ? [outcome.page.id] : []))
    const [written] = yield* sql<{ readonly embedded: number }>`
      with spent as (
        delete from gbrain_effect.journal_vectors where key = any(${[...keys, ...spare]}::text[]) returning key, vector
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
