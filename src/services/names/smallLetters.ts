/**
 * Small letters in the database as they are here: names of pages are made there, and looked up by what `toLowerCase` makes of a
 * reference. A database of the locale C knows no letters but those of English, and others write the last sigma of a word like any other.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"

/** Collations that know the letters of every script, the one that knows most first. */
const collations = ["und-x-icu", "pg_c_utf8"]

/** How to write the small letters of an expression for the open database. */
export const smallLetters = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const rows = yield* sql<{ readonly name: string }>`
    select collname as name from pg_collation where collname = any(${collations}::text[])
      and collencoding in (-1, (select encoding from pg_database where datname = current_database()))`
  const known = collations.find((collation) => rows.some((row) => row.name === collation))
  return (expression: string): string =>
    known === undefined ? `lower(${expression})` : `lower(${expression} collate "${known}")`
})
