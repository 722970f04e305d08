/** Pages that the question calls by name: title, alias, or the last part of the slug. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { entitySlug } from "../../domain/EntityName.ts"
import { calls, possibleNames } from "../../domain/search/Names.ts"
import { type SearchScope, visiblePage } from "./scope.ts"
import { exactly, type SearchTerms } from "./WordIndex.ts"

/** A page that a question calls. */
export interface NamedPage {
  readonly page_id: number
  /** How well, as `calls` says. */
  readonly called: number
}

/** Pages whose names are compared with the question. */
const compared = 300

/** The pages that a question names, the surest first. */
export const pagesByName = Effect.fn("pagesByName")(function* (
  terms: SearchTerms,
  scope: SearchScope,
  limit: number
) {
  const sql = yield* SqlClient.SqlClient
  const names = possibleNames(terms.question.text)
  const small = names.map((name) => name.toLowerCase())
  const slugs = names.map(entitySlug)
  const aliases = names.map((name) => JSON.stringify({ aliases: [name] }))
  const likeNames = names.map((name) => name.replace(/[\\%_]/g, "\\$&"))
  const narrow = new Set(terms.telling)
  const chosen = terms.lexemes.filter((it) => narrow.has(it.word))
  // Names in other scripts and with accents, of which the index has another form, or none.
  const parts = terms.pieces.map((it) => it.word).join("|")
  const rows = yield* sql<{
    readonly page_id: number
    readonly title: string
    readonly slug: string
    readonly aliases: ReadonlyArray<string>
  }>`
    with by_title as (
      select page.id, sum(term.weight) as cover
      from unnest(${chosen.map((it) => `${exactly(it.word)}:A`)}::text[], ${chosen.map((it) => it.weight)}::float8[]) as term(query, weight)
      join pages page on page.search_vector @@ term.query::tsquery and ${visiblePage(sql, scope)}
      group by page.id order by cover desc, page.id limit ${compared}
    ), named as (
      select page_id as id from gbrain_effect.page_names
        where source_id = any(${scope.sourceIds}::text[]) and name = any(${[...small, ...slugs]}::text[])
      union select page.id from page_aliases alias
        join pages page on page.source_id = alias.source_id and page.slug = alias.slug
        where alias.source_id = any(${scope.sourceIds}::text[]) and alias.alias_norm = any(${small}::text[])
      union select id from pages where source_id = any(${scope.sourceIds}::text[]) and slug = any(${[...names, ...slugs]}::text[])
      union select id from pages where title ilike any(${likeNames}::text[])
      union select id from pages where frontmatter @> any(${aliases}::jsonb[])
      union (select id from pages where ${parts !== ""}::boolean and (title ~* ${parts} or slug ~* ${parts}) limit ${compared})
      union select id from by_title
    )
    select page.id as page_id, page.title, page.slug, array(
      select alias_norm from page_aliases alias where alias.source_id = page.source_id and alias.slug = page.slug
      union select value #>> '{}' from jsonb_array_elements(
        case jsonb_typeof(page.frontmatter -> 'aliases') when 'array' then page.frontmatter -> 'aliases' else '[]' end)
    ) as aliases
    from named join pages page on page.id = named.id and ${visiblePage(sql, scope)}`
  return rows
    .map((page): NamedPage & { readonly slug: string } => ({
      page_id: page.page_id,
      called: calls(terms.question.text, page, terms.common),
      slug: page.slug
    }))
    .filter((page) => page.called > 0)
    .sort((a, b) => b.called - a.called || a.slug.length - b.slug.length || a.page_id - b.page_id)
    .slice(0, limit)
})
