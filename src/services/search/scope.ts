/** What may be shown: conditions that every way of searching has. */
import { SqlClient, type Statement } from "effect/sql"
import { markSources } from "../../domain/ConversationPages.ts"

/** Where to search. */
export interface SearchScope {
  /** Sources, by id. */
  readonly sourceIds: ReadonlyArray<string>
  /** Types of pages; all when empty. A fact is of the type of the page that it was said on. */
  readonly types: ReadonlyArray<string>
  /** `world` leaves out pages and facts that are private: for whoever shows the brain to others. */
  readonly visibility: "all" | "world"
}

/** gbrain's marker, in the front matter, of pages that it took for rubbish. */
const quarantine = "quarantine"

/** The condition on `pages as page`: neither deleted nor set aside, and within the scope. */
export const visiblePage = (sql: SqlClient.SqlClient, scope: SearchScope): Statement.Fragment => sql`
  page.deleted_at is null and page.source_id = any(${scope.sourceIds}::text[]) and not page.frontmatter ? ${quarantine}
  and ${scope.types.length === 0 ? sql`true` : sql`page.type = any(${scope.types}::text[])`}
  and ${scope.visibility === "all" ? sql`true` : sql`coalesce(page.frontmatter ->> 'visibility', 'world') <> 'private'`}`

/**
 * The condition on `facts as fact`: a fact and no mark of a page, that still holds, was not said better since, and not said on a page
 * that is gone.
 */
export const livingFact = (sql: SqlClient.SqlClient): Statement.Fragment => sql`
  fact.expired_at is null and fact.superseded_by is null and (fact.valid_until is null or fact.valid_until > now())
  and fact.source <> all(${markSources}::text[])
  and not exists (select 1 from pages gone where gone.source_id = fact.source_id
    and gone.slug = fact.source_markdown_slug and gone.deleted_at is not null)`

/** The same, within the scope. */
export const visibleFact = (sql: SqlClient.SqlClient, scope: SearchScope): Statement.Fragment => sql`
  ${livingFact(sql)} and fact.source_id = any(${scope.sourceIds}::text[])
  and ${scope.visibility === "all" ? sql`true` : sql`fact.visibility = 'world'`}
  and ${
    scope.types.length === 0
      ? sql`true`
      : sql`exists (select 1 from pages page where page.source_id = fact.source_id
          and page.slug = fact.source_markdown_slug and page.type = any(${scope.types}::text[]))`
  }`
