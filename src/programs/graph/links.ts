/** What a page links, what links it, and what can be reached from it. */
import { Effect, type Option } from "effect"
import { SqlClient } from "effect/sql"
import { pageBySlug, type ShownPage } from "./page.ts"

/** A link, seen from one of its ends. */
export interface ShownLink {
  /** The page at the other end. */
  readonly slug: string
  readonly page_source: string
  readonly title: string
  readonly type: string
  /** How the link came to be: `markdown`, `frontmatter`, `manual`, ... */
  readonly link_source: string | null
  /** The field of the front matter, and the page that has it. */
  readonly origin_field: string | null
  readonly origin: string | null
  readonly context: string
}

/** The links that begin at a page, or those that end there. */
export const linksOfPage = Effect.fn("linksOfPage")(function* (
  slug: string,
  options: { readonly direction: "out" | "in"; readonly sourceId: Option.Option<string> }
) {
  const sql = yield* SqlClient.SqlClient
  const page = yield* pageBySlug(slug, options.sourceId)
  const [here, there] =
    options.direction === "out" ? ["from_page_id", "to_page_id"] : ["to_page_id", "from_page_id"]
  return yield* sql<ShownLink>`
    select other.slug, other.source_id as page_source, other.title, link.link_type as type, link.link_source,
      link.origin_field, origin.slug as origin, link.context
    from links link join pages other on other.id = link.${sql(there ?? "")} and other.deleted_at is null
    left join pages origin on origin.id = link.origin_page_id
    where link.${sql(here ?? "")} = ${page.id}
    order by link.link_type, other.slug, other.source_id, link.link_source`
})

/** A page that can be reached, and how it was reached first. */
export interface GraphNode {
  readonly slug: string
  readonly source: string
  readonly title: string
  /** Links between here and the start. */
  readonly depth: number
  /** The page it was reached from; none for the start. */
  readonly from: string | null
  /** The types of the links from there. */
  readonly types: ReadonlyArray<string>
}

/** The pages that can be reached from one. */
export interface Graph {
  readonly slug: string
  readonly depth: number
  readonly nodes: ReadonlyArray<GraphNode>
  /** Whether there were more than are shown. */
  readonly cut: boolean
}

/** Pages shown at most: a graph of more is no answer to anybody. */
const mostNodes = 1000

/** Follows links from a page, level by level; a page is shown where it is reached first, so circles end. */
export const graphFrom = Effect.fn("graphFrom")(function* (
  slug: string,
  options: { readonly depth: number; readonly sourceId: Option.Option<string> }
) {
  const sql = yield* SqlClient.SqlClient
  const start = yield* pageBySlug(slug, options.sourceId)
  const seen = new Set([start.id])
  const nodes: Array<GraphNode> = [nodeOf(start, 0, null, [])]
  let level: ReadonlyArray<ShownPage> = [start]
  let cut = false
  for (let depth = 1; depth <= options.depth && level.length > 0 && !cut; depth++) {
    const next: Array<ShownPage> = []
    const reached = yield* sql<ShownPage & { readonly from: string; readonly types: ReadonlyArray<string> }>`
      select distinct on (page.id) page.id, page.source_id as source, page.slug, page.title, parent.slug as "from", link.types
      from (
        select from_page_id, to_page_id, array_agg(distinct link_type order by link_type) as types from links
        where from_page_id = any(${level.map((page) => page.id)}::int[]) group by from_page_id, to_page_id
      ) as link
      join pages page on page.id = link.to_page_id and page.deleted_at is null
      join pages parent on parent.id = link.from_page_id
      where page.id <> all(${[...seen]}::int[])
      order by page.id, parent.slug limit ${mostNodes + 1}`
    for (const page of reached) {
      if (nodes.length >= mostNodes) {
        cut = true
        break
      }
      seen.add(page.id)
      nodes.push(nodeOf(page, depth, page.from, page.types))
      next.push(page)
    }
    level = next
  }
  return { slug: start.slug, depth: options.depth, nodes, cut } satisfies Graph
})

const nodeOf = (
  page: ShownPage,
  depth: number,
  from: string | null,
  types: ReadonlyArray<string>
): GraphNode => ({ slug: page.slug, source: page.source, title: page.title, depth, from, types })
