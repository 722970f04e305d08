/** Facts by their words, and by whom they are about. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type SearchScope, visibleFact } from "./scope.ts"
import { anyWord, exactly, type SearchTerms } from "./WordIndex.ts"

/** A fact that was found. */
export interface FoundFact {
  readonly fact_id: string
}

/** The facts that say most of what is asked, the best first; of facts that say as much, the shortest, then the latest. */
export const factsByWords = Effect.fn("factsByWords")(function* (
  terms: SearchTerms,
  scope: SearchScope,
  limit: number
) {
  const sql = yield* SqlClient.SqlClient
  const { language, lexemes, pieces, question } = terms
  // No index covers facts: one pass with a regular expression finds the candidates, and only those are stemmed.
  const any = anyWord(terms)
  if (any === "" && !question.strict) return []
  const asked = sql`websearch_to_tsquery(${language}::regconfig, ${question.text})`
  return yield* sql<FoundFact>`
    with candidates as materialized (
      select fact.id, fact.valid_from, words.text, to_tsvector(${language}::regconfig, words.text) as vector
      from facts fact cross join lateral (
        select fact.fact || ' ' || replace(split_part(coalesce(fact.entity_slug, ''), '/', -1), '-', ' ') as text
      ) as words
      where (${question.strict}::boolean or words.text ~* ${any}) and ${visibleFact(sql, scope)}
    ), scored as (
      select id, valid_from, length(text) as length, coalesce((
          select sum(term.weight)
          from unnest(${lexemes.map((it) => exactly(it.word))}::text[], ${lexemes.map((it) => it.weight)}::float8[]) as term(query, weight)
          where vector @@ term.query::tsquery
        ), 0) + coalesce((
          select sum(piece.weight)
          from unnest(${pieces.map((it) => it.word)}::text[], ${pieces.map((it) => it.weight)}::float8[]) as piece(pattern, weight)
          where text ~* piece.pattern
        ), 0) as score
      from candidates where not ${question.strict}::boolean or vector @@ ${asked}
    )
    select id::text as fact_id from scored where ${question.strict}::boolean or score > 0
    order by score / ln(20 + length) desc, length, valid_from desc, id limit ${limit}`
})
