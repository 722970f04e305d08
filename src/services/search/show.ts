/** What was found, as it is shown: where it stands, and in which words. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** A page that is shown, with the text of the chunk that it was found by. */
export interface ShownPage {
  readonly page_id: number
  readonly source: string
  readonly slug: string
  readonly title: string
  readonly type: string
  /** `YYYY-MM-DD` of what the page is about, else of its last change. */
  readonly date: string
  /** None for a page without text. */
  readonly chunk_index: number | null
  readonly text: string
}

/** A fact that is shown. */
export interface ShownFact {
  readonly fact_id: string
  readonly source: string
  readonly fact: string
  readonly kind: string
  readonly entity: string | null
  readonly confidence: number
  /** `YYYY-MM-DD`. */
  readonly date: string
  /** The page it was said on, with its title and type where there still is one. */
  readonly slug: string | null
  readonly title: string | null
  readonly type: string | null
}

/** No chunk has this id. */
const anyChunk = -1

/** The pages with these ids, each with a chunk: the one that is named, else its first. */
export const showPages = Effect.fn("showPages")(function* (
  pages: ReadonlyArray<{ readonly page_id: number; readonly chunk_id: number | null }>
) {
  const sql = yield* SqlClient.SqlClient
  if (pages.length === 0) return []
  return yield* sql<ShownPage>`
    select page.id as page_id, page.source_id as source, page.slug, page.title, page.type,
      to_char(coalesce(page.effective_date, page.updated_at) at time zone 'UTC', 'YYYY-MM-DD') as date,
      chunk.chunk_index, coalesce(chunk.chunk_text, '') as text
    from unnest(${pages.map((it) => it.page_id)}::int[], ${pages.map((it) => it.chunk_id ?? anyChunk)}::int[]) as found(page_id, chunk_id)
    join pages page on page.id = found.page_id
    left join lateral (
      select chunk_index, chunk_text from content_chunks
      where content_chunks.page_id = page.id and (found.chunk_id = ${anyChunk} or id = found.chunk_id)
      order by chunk_index limit 1
    ) as chunk on true`
})

/** The facts with these ids. */
export const showFacts = Effect.fn("showFacts")(function* (ids: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  if (ids.length === 0) return []
  return yield* sql<ShownFact>`
    select fact.id::text as fact_id, fact.source_id as source, fact.fact, fact.kind, fact.entity_slug as entity,
      fact.confidence::float8 as confidence, to_char(fact.valid_from at time zone 'UTC', 'YYYY-MM-DD') as date,
      fact.source_markdown_slug as slug, page.title, page.type
    from facts fact left join pages page on page.source_id = fact.source_id and page.slug = fact.source_markdown_slug
      and page.deleted_at is null
    where fact.id = any(${ids}::bigint[])`
})
