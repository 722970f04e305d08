/** One list of hits from several ways of looking. */
import { Effect, Result } from "effect"
import { excerptOf } from "../../domain/search/Excerpt.ts"
import { type Fused, fuse, type RankedList, spread } from "../../domain/search/Fusion.ts"
import { readQuestion } from "../../domain/search/Question.ts"
import {
  type AskedVector,
  Search,
  type SearchScope,
  type SearchTerms,
  type ShownFact,
  type ShownPage
} from "../../services/Search.ts"
import { Sources } from "../../services/Sources.ts"
import type { SearchOptions } from "./options.ts"
import type { Hit } from "./report.ts"

/** Hits that each way gives, at least: what one way has far down may be first on another. */
const poolSize = 50

/** Fused hits that are looked at beyond the limit, since some say the same. */
const spare = 20

/** A question, understood. */
export interface Asked {
  readonly terms: SearchTerms
  readonly scope: SearchScope
  readonly limit: number
}

/** Reads the question and what it is limited to. Fails when there is nothing to look for, or no such source. */
export const ask = Effect.fn("ask")(function* (options: SearchOptions) {
  const question = yield* Result.match(readQuestion(options.text), {
    onSuccess: Effect.succeed,
    onFailure: Effect.fail
  })
  const sourceIds = yield* (yield* Sources).idsFor(options.sourceId)
  const scope: SearchScope = { sourceIds, types: options.types, visibility: options.visibility }
  const terms = yield* (yield* Search).terms(question)
  return { terms, scope, limit: options.limit } satisfies Asked
})

/** What was found in one way. */
interface Found extends RankedList {
  /** The chunk that each page was found by. */
  readonly chunks: ReadonlyMap<string, number>
}

const pageKey = (id: number) => `page ${id}`
const factKey = (id: string) => `fact ${id}`

const foundPages = (
  name: string,
  pages: ReadonlyArray<{ readonly page_id: number; readonly chunk_id: number }>
): Found => ({
  name,
  keys: pages.map((page) => pageKey(page.page_id)),
  chunks: new Map(pages.map((page) => [pageKey(page.page_id), page.chunk_id]))
})

const foundFacts = (name: string, facts: ReadonlyArray<{ readonly fact_id: string }>): Found => ({
  name,
  keys: facts.map((fact) => factKey(fact.fact_id)),
  chunks: new Map()
})

/** Looks by words and names. */
export const findByWords = Effect.fn("findByWords")(function* ({ limit, scope, terms }: Asked) {
  const search = yield* Search
  const pool = Math.max(poolSize, 2 * limit)
  const [pages, named, facts] = yield* Effect.all(
    [
      search.pagesByWords(terms, scope, pool),
      terms.question.strict ? Effect.succeed([]) : search.pagesByName(terms, scope, pool),
      search.factsByWords(terms, scope, pool)
    ],
    { concurrency: "unbounded" }
  )
  const names = (list: typeof named): Found => ({
    name: "name",
    keys: list.map((page) => pageKey(page.page_id)),
    chunks: new Map()
  })
  return [
    foundPages("words", pages),
    foundFacts("words", facts),
    names(named),
    // A question that is a page's name and nothing else asks for that page: it counts once more.
    names(named.filter((page) => page.called === 3))
  ]
})

/** Looks by nearness in meaning. */
export const findByMeaning = Effect.fn("findByMeaning")(function* (
  { limit, scope }: Asked,
  vector: AskedVector
) {
  const search = yield* Search
  const pool = Math.max(poolSize, 2 * limit)
  const [pages, facts] = yield* Effect.all(
    [search.pagesNear(vector, scope, pool), search.factsNear(vector, scope, pool)],
    { concurrency: "unbounded" }
  )
  return [foundPages("meaning", pages), foundFacts("meaning", facts)]
})

/** The hits of all lists together, ready to be shown. */
export const hitsOf = Effect.fn("hitsOf")(function* (asked: Asked, lists: ReadonlyArray<Found>) {
  const search = yield* Search
  const fused = fuse(lists).slice(0, asked.limit * 2 + spare)
  const chunkOf = (key: string) => lists.map((list) => list.chunks.get(key)).find((id) => id !== undefined)
  const keys = (prefix: string) =>
    fused.flatMap(({ key }) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []))
  const [pages, facts] = yield* Effect.all(
    [
      search.showPages(
        keys("page ").map((id) => ({ page_id: Number(id), chunk_id: chunkOf(`page ${id}`) ?? null }))
      ),
      search.showFacts(keys("fact "))
    ],
    { concurrency: "unbounded" }
  )
  const shown = new Map<string, ShownPage | ShownFact>([
    ...pages.map((page) => [pageKey(page.page_id), page] as const),
    ...facts.map((fact) => [factKey(fact.fact_id), fact] as const)
  ])
  const said = new Set<string>()
  const hits = fused.flatMap((entry) => {
    const item = shown.get(entry.key)
    if (item === undefined) return []
    const hit = hitOf(item, entry, asked.terms)
    // What several pages say in the same words is one answer.
    const saying = hit.kind === "fact" ? `${hit.entity ?? ""}\n${hit.fact.toLowerCase()}` : entry.key
    if (said.has(saying)) return []
    said.add(saying)
    return [hit]
  })
  return spread(hits, (hit) => (hit.slug === null ? null : `${hit.source}\n${hit.slug}`))
    .slice(0, asked.limit)
    .map((hit, index): Hit => ({ ...hit, rank: index + 1 }))
})

const hitOf = (item: ShownPage | ShownFact, { foundBy, score }: Fused, terms: SearchTerms): Hit => {
  const sought = { lexemes: terms.lexemes.map((it) => it.word), parts: terms.parts }
  const excerpt = excerptOf("fact" in item ? item.fact : item.text, sought)
  const common = {
    rank: 0,
    score: Number(score.toFixed(6)),
    found_by: (["words", "name", "meaning"] as const).filter((way) => foundBy.includes(way)),
    source: item.source,
    date: item.date,
    matched: excerpt.matched
  }
  return "fact" in item
    ? {
        kind: "fact",
        ...common,
        id: item.fact_id,
        fact: item.fact,
        fact_kind: item.kind,
        entity: item.entity,
        confidence: item.confidence,
        slug: item.slug,
        title: item.title,
        type: item.type
      }
    : {
        kind: "page",
        ...common,
        slug: item.slug,
        title: item.title,
        type: item.type,
        chunk_index: item.chunk_index,
        excerpt: excerpt.text
      }
}
