/** Runs of `extract` for tests, and what they leave, by slugs. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { extract } from "../../src/programs/extract/extract.ts"
import { extractLayer } from "../../src/programs/extract/layer.ts"
import { defaultExtractOptions, type ExtractOptions } from "../../src/programs/extract/options.ts"

/** Runs an extraction. */
export const runExtract = (options: Partial<ExtractOptions> & { readonly workers?: number } = {}) => {
  const { workers = 2, ...rest } = options
  return extract({ ...defaultExtractOptions, ...rest }).pipe(Effect.provide(extractLayer({ workers })))
}

/** All links as `from type to`, with the source where it is not the text. */
export const allLinks = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ line: string }>`
    select a.slug || ' ' || link_type || ' ' || b.slug || case when link_source = 'markdown' then '' else coalesce(' [' || link_source || ']', ' [nobody]') end
      as line
    from links join pages a on a.id = from_page_id join pages b on b.id = to_page_id order by 1`
  return rows.map((row) => row.line)
})

/** All timeline entries as `slug date source: summary`. */
export const allEntries = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ line: string }>`
    select slug || ' ' || date || ' ' || source || ': ' || summary as line
    from timeline_entries join pages on pages.id = page_id order by 1`
  return rows.map((row) => row.line)
})
