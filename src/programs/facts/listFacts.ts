/** What is known: facts, newest first, by whom they are about, where they were said, or what they say. */
import { Effect, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { normalAlias } from "../../domain/Aliases.ts"
import { sameMeaning } from "../../domain/Fact.ts"
import { entitySlug } from "../../domain/EntityName.ts"
import { readQuestion } from "../../domain/search/Question.ts"
import { patternOf } from "../../domain/search/Spelling.ts"
import { livingFact } from "../../services/search/scope.ts"
import { sourceIdsFor } from "../../services/Sources.ts"
import { inspectIndex } from "../../services/search/WordIndex.ts"
import { unknownPage } from "../graph/page.ts"

/** A fact, as it is shown. */
export const ListedFact = Schema.Struct({
  id: Schema.String,
  source: Schema.String,
  entity: Schema.NullOr(Schema.String),
  fact: Schema.String,
  kind: Schema.String,
  notability: Schema.String,
  confidence: Schema.Finite,
  /** `YYYY-MM-DD`. */
  date: Schema.String,
  page: Schema.NullOr(Schema.String),
  /** Other pages that say the same of the same entity. */
  also_on: Schema.Array(Schema.String),
  context: Schema.NullOr(Schema.String),
  metric: Schema.NullOr(Schema.String),
  value: Schema.NullOr(Schema.Finite),
  unit: Schema.NullOr(Schema.String),
  period: Schema.NullOr(Schema.String)
})

/** A fact, as it is shown. */
export type ListedFact = typeof ListedFact.Type

const decode = Schema.decodeUnknownEffect(Schema.Array(ListedFact))

/** What to list. */
export interface FactQuery {
  /** One source; all when none. */
  readonly sourceId: Option.Option<string>
  /** A slug, a name or an alias. */
  readonly entity: Option.Option<string>
  /** The slug of the page they were said on. */
  readonly page: Option.Option<string>
  /** Words that a fact contains. */
  readonly query: Option.Option<string>
  readonly limit: number
}

// All of the words that tell anything, each in any form, as a part of another, or without its accents; of words that are
// everywhere all as they are written.
const saysWords = Effect.fnUntraced(function* (text: string) {
  const sql = yield* SqlClient.SqlClient
  const question = yield* Effect.fromResult(readQuestion(text))
  const { language } = yield* inspectIndex()
  const configuration = sql`${language}::regconfig`
  if (question.strict) {
    return sql`to_tsvector(${configuration}, fact.fact) @@ websearch_to_tsquery(${configuration}, ${question.text})`
  }
  const patterns = question.words.map(patternOf)
  return sql`(select case when bool_or(telling) then bool_and(said or not telling) else bool_and(said) end from (
    select numnode(query) > 0 as telling,
      to_tsvector(${configuration}, fact.fact) @@ query or fact.fact ~* asked.pattern as said
    from unnest(${question.words}::text[], ${patterns}::text[]) as asked(word, pattern)
    cross join lateral plainto_tsquery(${configuration}, asked.word) as query
  ) as words)`
})

/** Rows read beyond the limit, since some turn out to say what a newer one says. */
const repeatsExpected = 50

/**
 * Lists facts, the newest first: those that still hold. What marks pages as done is no fact and is left out. What several pages say of the same
 * entity, in the same words or in others that mean the same, is listed once, where it was said last; see decision 007.
 * Fails when the source that is named is not there, or the page.
 */
export const listFacts = Effect.fn("listFacts")(function* (query: FactQuery) {
  const sql = yield* SqlClient.SqlClient
  const all = sql`true`
  if (Option.isSome(query.sourceId)) yield* sourceIdsFor(query.sourceId)
  const from = Option.match(query.sourceId, {
    onNone: () => all,
    onSome: (id) => sql`source_id = ${id}`
  })
  const about = Option.match(query.entity, {
    onNone: () => all,
    onSome: (entity) => {
      const name = entity.trim()
      const slug = entitySlug(name)
      return sql`(entity_slug = ${name} or entity_slug = ${slug} or entity_slug like ${`%/${slug.replace(/[\\%_]/g, "\\$&")}`}
        or entity_slug in (select slug from page_aliases where alias_norm = ${normalAlias(name)})
        or entity_slug in (select slug from pages where lower(title) = ${name.toLowerCase()} and deleted_at is null)
        or context like ${`%; about "${name.replace(/[\\%_]/g, "\\$&")}", who has no page%`})`
    }
  })
  const on = Option.match(query.page, {
    onNone: () => all,
    onSome: (page) => sql`source_markdown_slug = ${page}`
  })
  const saying = Option.isSome(query.query) ? yield* saysWords(query.query.value) : all
  const rows = yield* sql`
    with found as (
      select fact.* from facts fact
      where ${livingFact(sql)} and ${from} and ${about} and ${on} and ${saying}
      order by valid_from desc, id limit ${query.limit * 2 + repeatsExpected}
    ), repeats as (
      select found.id, other.id as other_id, other.source_markdown_slug as page,
        (other.valid_from, found.id) > (found.valid_from, other.id) as comes_before
      from found join facts other on other.source_id = found.source_id and other.entity_slug = found.entity_slug
        and other.source_markdown_slug <> found.source_markdown_slug
        and exists (select 1 from facts fact where fact.id = other.id and ${livingFact(sql)})
        and other.claim_metric is not distinct from found.claim_metric
        and other.claim_value is not distinct from found.claim_value
        and regexp_replace(other.fact, '\\D+', ' ', 'g') = regexp_replace(found.fact, '\\D+', ' ', 'g')
        and (lower(other.fact) = lower(found.fact) or other.embedding <=> found.embedding <= ${1 - sameMeaning}::float8)
    )
    select id::text as id, source_id as source, entity_slug as entity, fact, kind, notability, confidence::float8 as confidence,
      to_char(valid_from at time zone 'UTC', 'YYYY-MM-DD') as date, source_markdown_slug as page,
      array(select distinct page from repeats where repeats.id = found.id order by page) as also_on, context,
      claim_metric as metric, claim_value as value, claim_unit as unit, claim_period as period
    from found
    where not exists (select 1 from repeats join found other on other.id = repeats.other_id
      where repeats.id = found.id and comes_before)
    order by valid_from desc, found.id limit ${query.limit}`
  if (rows.length === 0 && Option.isSome(query.page)) {
    // Nothing said on a page that is there is an answer; a page that is not there is a slip.
    const pages = yield* sql`
      select 1 from pages where slug = ${query.page.value} and deleted_at is null and ${from} limit 1`
    if (pages.length === 0) yield* unknownPage(query.page.value, query.sourceId)
  }
  return yield* Effect.orDie(decode(rows))
})
