/** Where the references of a group of pages lead: a few statements for all of them. */
import { Effect } from "effect"
import { type Leads, leadsOf } from "../../domain/links/Leads.ts"
import { type Reference, referencesIn } from "../../domain/links/References.ts"
import { type NamedRef, PageNames, type PageRef, ways } from "../../services/PageNames.ts"
import { slugOfPath } from "../../domain/Slug.ts"
import type { PageText } from "./text.ts"

/**
 * How bare names are looked up when no path leads anywhere: `unique`, the one page that has the name; `all`, every page whose
 * slug ends with it; `off`, not at all.
 */
export type NameRule = "unique" | "all" | "off"

/** A reference of a page, at all the places that tell what it says: where it is first called so, and where it is made. */
export interface Ask {
  readonly page: PageText
  readonly reference: Reference
  readonly places: Array<number>
}

/** A reference and the pages it leads to; none when it waits for a page. */
export interface Answer {
  readonly ask: Ask
  readonly leads: Leads
  /** Whether the pages were found by what is written as a path, or by a name. */
  readonly by: "path" | "name"
  readonly pages: ReadonlyArray<PageRef>
}

/** Places of one reference that are looked at: what a page says of another a hundred times, it has said. */
const mostPlaces = 100

/** Labels that are looked for in one page. Of a page with more of them each tells of itself where it stands. */
const mostLabels = 1_000

/** References resolved by one statement. */
const atOnce = 10_000

/** The source whose pages every other may link without naming it. */
export const commonSource = "default"

/** The distinct references of a page. */
export const asksOf = (page: PageText): ReadonlyArray<Ask> => {
  const asks = new Map<string, Ask>()
  const labels = new Map<string, number>()
  const firstPlace = ({ at, kind, label }: Reference): number => {
    if (kind === "plain" || label === "") return at
    const known = labels.get(label) ?? (labels.size < mostLabels ? page.text.indexOf(label) : -1)
    if (labels.size < mostLabels) labels.set(label, known)
    return known < 0 ? at : known
  }
  for (const reference of referencesIn(page.text)) {
    const key = `${reference.kind} ${reference.sourceId ?? ""} ${reference.target}`
    const ask = asks.get(key) ?? { page, reference, places: [] }
    asks.set(key, ask)
    for (const at of [firstPlace(reference), reference.at]) {
      if (ask.places.length < mostPlaces && !ask.places.includes(at)) ask.places.push(at)
    }
  }
  return [...asks.values()]
}

/** Resolves references, each to the pages it leads to. */
export const resolveAsks = Effect.fn("resolveAsks")(function* (asks: ReadonlyArray<Ask>, rule: NameRule) {
  const answers: Array<Answer> = []
  for (let start = 0; start < asks.length; start += atOnce) {
    answers.push(...(yield* resolveSome(asks.slice(start, start + atOnce), rule)))
  }
  return answers
})

const resolveSome = Effect.fnUntraced(function* (asks: ReadonlyArray<Ask>, rule: NameRule) {
  const names = yield* PageNames
  const open = asks.map((ask) => ({
    ask,
    leads: leadsOf(ask.reference, ask.page.slug),
    sources: sourcesOf(ask)
  }))
  // A source's pages in a map of their own: a key of two texts would be made, and hashed, for every place that is tried.
  const pages = new Map<string, Map<string, PageRef>>()
  for (const row of yield* names.bySlug(
    distinct(open.flatMap(({ sources }) => sources)),
    distinct(open.flatMap(({ leads }) => leads.slugs))
  )) {
    const ofSource = pages.get(row.sourceId) ?? new Map<string, PageRef>()
    pages.set(row.sourceId, ofSource)
    if (!ofSource.has(row.asked)) ofSource.set(row.asked, row)
  }
  const answers: Array<Answer> = []
  const unanswered: typeof open = []
  for (const one of open) {
    const { ask, leads, sources } = one
    const page = firstOf(sources, (source) => {
      const ofSource = pages.get(source)
      return ofSource === undefined ? undefined : firstOf(leads.slugs, (slug) => ofSource.get(slug))
    })
    if (page !== undefined) answers.push({ ask, leads, by: wayTo(page, ask), pages: [page] })
    else unanswered.push(one)
  }
  const byName = keyed(
    yield* names.byName(
      distinct(unanswered.map(({ ask }) => ownSource(ask))),
      distinct(unanswered.flatMap(({ leads }) => (rule === "off" && leads.suffix === "" ? [] : leads.names)))
    ),
    (row) => `${row.sourceId}\n${row.name}`
  )
  for (const { ask, leads } of unanswered) {
    const called = firstOf(leads.names, (name) => byName.get(`${ownSource(ask)}\n${name}`)) ?? []
    answers.push({ ask, leads, by: "name", pages: meant(called, leads.suffix, rule) })
  }
  return answers
})

/** Of the pages that have a name those that are meant by it. */
export const meant = (
  called: ReadonlyArray<NamedRef>,
  suffix: string,
  rule: NameRule
): ReadonlyArray<PageRef> => {
  const parts = called.filter((page) => page.way === ways.slugPart)
  // The end of a path says more than a name: all pages whose slugs end so are meant.
  if (suffix !== "") return parts.filter((page) => page.slug.endsWith(suffix))
  if (rule === "off") return []
  if (rule === "all" && parts.length > 0) return parts
  const surest = called.filter((page) => page.way === called[0]?.way)
  return new Set(surest.map((page) => page.id)).size === 1 ? surest.slice(0, 1) : []
}

// A path that is not spelled as the slug is, such as `People/Ana Ruiz`, is to gbrain a name.
const wayTo = (page: PageRef, { reference: { kind, target } }: Ask): Answer["by"] =>
  kind === "wikilink" && target.includes("/") && page.slug !== target && slugOfPath(target) !== target
    ? "name"
    : "path"

const ownSource = ({ page, reference }: Ask): string => reference.sourceId ?? page.sourceId

// A source that is named comes first. Where it has no such page, gbrain takes the one that stands nearer.
const sourcesOf = ({ page, reference }: Ask): ReadonlyArray<string> => {
  if (reference.sourceId !== undefined) return distinct([reference.sourceId, page.sourceId, commonSource])
  return page.sourceId === commonSource ? onlyCommon : [page.sourceId, commonSource]
}

const onlyCommon = [commonSource]

/** Rows by key. */
export const keyed = <A>(rows: ReadonlyArray<A>, key: (row: A) => string): Map<string, Array<A>> => {
  const map = new Map<string, Array<A>>()
  for (const row of rows) {
    const one = key(row)
    const there = map.get(one)
    if (there === undefined) map.set(one, [row])
    else there.push(row)
  }
  return map
}

/** The texts, each once. */
export const distinct = (texts: ReadonlyArray<string>): ReadonlyArray<string> => [...new Set(texts)]

/** The first answer there is. */
export const firstOf = <A, B>(items: ReadonlyArray<A>, answer: (item: A) => B | undefined): B | undefined => {
  for (const item of items) {
    const found = answer(item)
    if (found !== undefined) return found
  }
  return undefined
}
