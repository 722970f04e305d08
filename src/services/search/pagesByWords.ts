/** Pages by the words of their chunks. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { enoughCandidates } from "../../domain/search/Terms.ts"
import { type SearchScope, visiblePage } from "./scope.ts"
import { anyWord, exactly, type IndexFacts, type SearchTerms } from "./WordIndex.ts"

/** A page that was found, by its best chunk. */
export interface FoundPage {
  readonly page_id: number
  readonly chunk_id: number
}

/** Candidates that are weighed word by word; the rest has too few of the question's words to come near the top. */
const weighed = 300

/** The pages that say most of what is asked, each by the chunk that says most; the best first. */
export const pagesByWords = Effect.fn("pagesByWords")(function* (
  terms: SearchTerms,
  scope: SearchScope,
  options: { readonly limit: number; readonly index: IndexFacts }
) {
  const sql = yield* SqlClient.SqlClient
  const { language, lexemes, pieces, question } = terms
  const { strict } = question
  const queries = lexemes.map((it) => exactly(it.word))
  const narrow = new Set(terms.selective)
  const chosen = lexemes.filter((it) => narrow.has(it.word))
  const asked = sql`websearch_to_tsquery(${language}::regconfig, ${question.text})`
  const ofText = sql`chunk.modality = 'text'`
  // Of a picture's chunk the first line is what it is called; a page of a PDF has its own words below that.
  const own = sql`case when ${ofText} then chunk.chunk_text else coalesce(substring(chunk.chunk_text from ${"\n(.*)"}), '') end`
  const vector = sql`case when ${ofText} and chunk.search_vector is not null then chunk.search_vector
    else to_tsvector(${language}::regconfig, left(${own}, ${indexedCharacters})) end`
  const readable = sql`(${ofText} or (page.type = ${"pdf"} and chunk.modality = 'image'))`
  const visible = visiblePage(sql, scope)
  const searchParts = !strict && pieces.length > 0
  const parts = pieces.map((it) => it.word).join("|")

  // Three ways to a candidate; those that are not needed are a constant `false`, and cost nothing.
  return yield* sql<FoundPage>`
    with matched as (
      select found.id, sum(term.weight) as cover
      from unnest(${chosen.map((it) => exactly(it.word))}::text[], ${chosen.map((it) => it.weight)}::float8[]) as term(query, weight)
      cross join lateral (
        select chunk.id from content_chunks chunk join pages page on page.id = chunk.page_id and ${visible}
        where not ${strict}::boolean and chunk.search_vector @@ term.query::tsquery and ${readable}
        limit ${enoughCandidates}
      ) as found
      group by found.id order by cover desc, found.id limit ${weighed}
    ), to_the_letter as (
      select chunk.id from content_chunks chunk join pages page on page.id = chunk.page_id and ${visible}
      where ${strict}::boolean and chunk.search_vector @@ ${asked} and ${readable}
        and (${ofText} or ${vector} @@ ${asked})
      order by ts_rank(chunk.search_vector, ${asked}) desc, chunk.id limit ${weighed}
    ), by_text as (
      select chunk.id from content_chunks chunk join pages page on page.id = chunk.page_id and ${visible}
      where ${searchParts}::boolean and chunk.chunk_text ~* ${parts} and ${readable}
      limit ${weighed}
    ), unindexed as (
      select chunk.id from content_chunks chunk join pages page on page.id = chunk.page_id and ${visible}
      where ${options.index.holes}::boolean and chunk.search_vector is null and ${readable}
        and case when ${strict}::boolean then ${vector} @@ ${asked} else ${own} ~* ${anyWord(terms)} end
      limit ${weighed}
    ), scored as (
      select chunk.page_id, chunk.id as chunk_id, coalesce((
          select sum(term.weight * ts_rank(${sql.literal(wordWeights)}, ${vector}, term.query::tsquery, ${byLength}))
          from unnest(${queries}::text[], ${lexemes.map((it) => it.weight)}::float8[]) as term(query, weight)
        ), 0) + coalesce((
          select sum(piece.weight * ${partWeight}::float8 / (1 + ln(2 + length(chunk.chunk_text) / 8.0)))
          from unnest(${pieces.map((it) => it.word)}::text[], ${pieces.map((it) => it.weight)}::float8[]) as piece(pattern, weight)
          where ${own} ~* piece.pattern
        ), 0) as score, ${ofText} as of_text
      from content_chunks chunk
      where chunk.id in (select id from matched union select id from to_the_letter union select id from by_text
        union select id from unindexed)
    ), best as (
      select distinct on (page_id) page_id, chunk_id, score from scored where of_text or score > 0 order by page_id, score desc, chunk_id
    )
    select page_id, chunk_id from best order by score desc, page_id limit ${options.limit}`
})

/** What the index takes of a chunk, in characters. */
const indexedCharacters = 200_000

/** What a word is worth by its place, from D to A: `A` is what a chunk of code is called, `B` its text. */
const wordWeights = `'{0.1,0.2,0.4,1}'`

/** Divides by the logarithm of the chunk's length: of two chunks with a word, the shorter is more about it. */
const byLength = 1

/** What `ts_rank` makes of a word that a text has once. */
const partWeight = 0.24
