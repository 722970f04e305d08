/**
 * The brain's index of words, and a question in its terms. Words are stemmed as the index stems them, in the language that the
 * brain's triggers are made for. What the index does not know is looked for as a part of the text instead: names in other
 * languages, scripts without spaces, the beginning of a word.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Question } from "../../domain/search/Question.ts"
import { isUnspaced, patternOf, piecesOf, stemOf } from "../../domain/search/Spelling.ts"
import { enoughCandidates, estimated, rarity, selective, type Weighted } from "../../domain/search/Terms.ts"

/** A question in terms of the index. */
export interface SearchTerms {
  readonly question: Question
  /** The text search configuration, such as `english`. */
  readonly language: string
  /** Stemmed words, with what each is worth. */
  readonly lexemes: ReadonlyArray<Weighted>
  /** Those of them by which chunks are looked up: the index has them, and not too often. */
  readonly selective: ReadonlyArray<string>
  /** Those of them by which titles are looked up: the same, and those that no chunk has. */
  readonly telling: ReadonlyArray<string>
  /** Regular expressions of what the index does not have, with what each is worth. */
  readonly pieces: ReadonlyArray<Weighted>
  /** Words that were looked for as parts of others. */
  readonly parts: ReadonlyArray<string>
  /** Words that are everywhere and tell nothing, such as "the". */
  readonly common: ReadonlyArray<string>
}

/** What there is to know of the index before it is asked anything. */
export interface IndexFacts {
  readonly language: string
  /** Whether some chunks have no entry: rows that were written before gbrain had the index. */
  readonly holes: boolean
}

/** Looks at the index. */
export const inspectIndex = Effect.fn("inspectIndex")(function* () {
  const sql = yield* SqlClient.SqlClient
  // What the planner knows answers at once; where it knows nothing, the table is small or new, and is looked through.
  const [row] = yield* sql<{ readonly trigger: string | null; readonly holes: boolean }>`
    select (
      select prosrc from pg_trigger join pg_proc on pg_proc.oid = tgfoid
      where tgrelid = 'content_chunks'::regclass and prosrc like '%to_tsvector(%' limit 1
    ) as trigger, coalesce(
      (select null_frac > 0 from pg_stats where schemaname = any(current_schemas(false))
        and tablename = 'content_chunks' and attname = 'search_vector'),
      exists (select 1 from content_chunks where search_vector is null)
    ) as holes`
  const language = /to_tsvector\(\s*'(\w+)'/.exec(row?.trigger ?? "")?.[1] ?? "english"
  return { language, holes: row?.holes ?? false } satisfies IndexFacts
})

/** Looks up the words of a question. */
export const lookUpWords = Effect.fn("lookUpWords")(function* (question: Question, language: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{
    readonly word: string
    readonly lexeme: string | null
    readonly documents: number
    readonly total: number
  }>`
    select asked.word, lexeme, documents, total
    from unnest(${question.words}::text[]) as asked(word)
    left join lateral unnest(tsvector_to_array(to_tsvector(${language}::regconfig, asked.word))) as lexeme on true
    cross join lateral (
      select count(*)::int as documents from (
        select 1 from content_chunks where search_vector @@ ${sql.literal(quotedLexeme)}::tsquery
        limit ${enoughCandidates}) as counted
    ) as counts
    cross join (
      select case when reltuples > 0 then reltuples::int else (select count(*)::int from content_chunks) end as total
      from pg_class where oid = 'content_chunks'::regclass
    ) as size`
  const total = rows[0]?.total ?? 0
  const lexemes = [
    ...new Map(
      rows.flatMap(({ documents, lexeme }) =>
        lexeme === null ? [] : [[lexeme, { lexeme, documents: estimated(total, documents) }] as const]
      )
    ).values()
  ]
  const chosen = selective(lexemes).map((it) => it.lexeme)
  // A word without a stem is one that is everywhere, such as "the".
  const unknown = rows.filter((row) => row.lexeme !== null && (row.documents === 0 || isUnspaced(row.word)))
  return {
    question,
    language,
    lexemes: lexemes.map(({ documents, lexeme }) => ({ word: lexeme, weight: rarity(total, documents) })),
    selective: chosen,
    telling: [...chosen, ...lexemes.filter((it) => it.documents === 0).map((it) => it.lexeme)],
    pieces: unknown.flatMap(({ lexeme, word }) => weighPieces(word, lexeme ?? "", total)),
    parts: [...new Set(unknown.map((row) => row.word))],
    common: rows.flatMap((row) => (row.lexeme === null ? [row.word] : []))
  } satisfies SearchTerms
})

/** A stem this long is hardly the beginning of another word. */
const tellingStem = 5

// The pieces of one word together are worth what a word is that nothing has.
const weighPieces = (word: string, lexeme: string, total: number): ReadonlyArray<Weighted> => {
  const stem = stemOf(lexeme)
  const other =
    stem.length >= tellingStem && /^[\p{L}\p{N}]+$/u.test(stem) && !isUnspaced(stem)
      ? `|\\m${patternOf(stem)}`
      : ""
  const patterns = piecesOf(word)
    .map(patternOf)
    .filter((pattern) => pattern !== "")
    .map((pattern) => `${pattern}${other}`)
  return patterns.map((pattern) => ({ word: pattern, weight: rarity(total, 0) / patterns.length }))
}

/** In a statement: the text of a query for exactly the lexeme in the column `lexeme`. */
const quotedLexeme = `('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''')`

/** The text of a query for exactly this lexeme. */
export const exactly = (lexeme: string): string =>
  `'${lexeme.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`

/** A regular expression for any of the words that candidates are looked up by, in texts that no index covers. */
export const anyWord = (terms: SearchTerms): string => {
  const stems = terms.selective.map((lexeme) => patternOf(stemOf(lexeme))).filter((it) => it !== "")
  return [...stems.map((stem) => `\\m${stem}`), ...terms.pieces.map((it) => it.word)].join("|")
}
