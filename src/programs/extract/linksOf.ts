/** The links that a group of pages makes: by their texts, by the code they cite, by their front matter. */
import { Effect } from "effect"
import { blankLinks } from "../../domain/links/CodeSpans.ts"
import { codePathsIn, slugOfCode } from "../../domain/links/CodePaths.ts"
import { wordsAround } from "../../domain/links/Context.ts"
import { linkType, roleOf } from "../../domain/links/LinkTypes.ts"
import { slugSegment } from "../../domain/Slug.ts"
import { type Link, linkKey } from "../../services/Links.ts"
import { PageNames, type PageRef } from "../../services/PageNames.ts"
import { frontMatterLinks, lastPart } from "./frontMatter.ts"
import { type Answer, asksOf, distinct, keyed, type NameRule, resolveAsks } from "./resolve.ts"
import type { PageText } from "./text.ts"
import { readInTurns } from "./turns.ts"

/** What pages make. */
export interface MadeLinks {
  /** By the page that makes them; each link once. */
  readonly links: ReadonlyMap<number, ReadonlyArray<Link>>
  /** Names that are referred to and that nothing has. */
  readonly waiting: ReadonlyArray<{ readonly pageId: number; readonly name: string }>
  /** References that lead nowhere. */
  readonly unresolved: number
  /** Front matter that names nobody, as `field: name`. */
  readonly unresolvedNames: ReadonlyArray<string>
}

/** The type of a link that was found by a name, whose words may be about another page of that name; gbrain's. */
const byNameType = "wikilink_basename"

/** Names that a page may wait for: a list of thousands of words is not waiting for each of them. */
const mostWaiting = 200

/** Extracts the links of a group of pages. */
export const linksOf = Effect.fn("linksOf")(function* (
  pages: ReadonlyArray<PageText>,
  options: { readonly rule: NameRule; readonly frontmatter: boolean }
) {
  const links = new Map<number, Map<string, Link>>(pages.map((page) => [page.id, new Map()]))
  const waiting = new Map<number, Set<string>>(pages.map((page) => [page.id, new Set()]))
  const add = (page: PageText, link: Link) => {
    const ofPage = links.get(page.id)
    const key = linkKey(link)
    if (ofPage !== undefined && !ofPage.has(key)) ofPage.set(key, link)
  }
  const wait = (page: PageText, names: ReadonlyArray<string>) => {
    const ofPage = waiting.get(page.id)
    for (const name of names) {
      if (ofPage !== undefined && ofPage.size < mostWaiting && name !== "") ofPage.add(name)
    }
  }

  let unresolved = 0
  const about = new Map(pages.map((page) => [page.id, aboutPage(page)]))
  for (const answer of yield* resolveAsks(yield* readInTurns(pages, asksOf), options.rule)) {
    const { page, reference } = answer.ask
    if (answer.pages.length === 0) {
      // A slash in a sentence is not always a path: "and/or" is not missed.
      if (reference.kind !== "plain") unresolved++
      wait(page, waitingFor(answer))
    }
    for (const target of answer.pages) {
      if (target.id === page.id) continue
      for (const link of said(answer, target, about.get(page.id) ?? aboutPage(page))) add(page, link)
    }
  }

  const cited = yield* readInTurns(pages, (page) => codePathsIn(page.text).map((code) => ({ page, code })))
  const codePages = yield* codePagesOf(cited)
  for (const { code, page } of cited) {
    const slug = slugOfCode(code.path)
    const target = codePages.get(`${page.sourceId}\n${slug}`)?.[0]
    if (target === undefined) wait(page, [slug])
    else if (target.id !== page.id) {
      const at = code.line === undefined ? code.path : `cited at ${code.path}:${code.line}`
      add(page, documents(page.id, page.id, target.id, "documents", at))
      add(page, documents(page.id, target.id, page.id, "documented_by", code.path))
    }
  }

  const named = options.frontmatter ? yield* frontMatterLinks(pages, options.rule) : undefined
  for (const { link, page } of named?.links ?? []) add(page, link)
  for (const { named: one, page } of named?.unresolved ?? []) wait(page, waitingNames(lastPart(one.target)))

  return {
    links: new Map([...links].map(([id, ofPage]) => [id, [...ofPage.values()]])),
    waiting: [...waiting].flatMap(([pageId, names]) => [...names].map((name) => ({ pageId, name }))),
    unresolved,
    unresolvedNames: (named?.unresolved ?? []).map(({ named: one }) => `${one.field}: ${one.name}`)
  } satisfies MadeLinks
})

/** What is found out about a page when it is first asked for. */
interface AboutPage {
  readonly role: () => string | undefined
  readonly plain: () => string
}

const aboutPage = (page: PageText): AboutPage => ({
  role: once(() => roleOf(page.text)),
  plain: once(() => blankLinks(page.text))
})

const said = (
  { ask: { page, places, reference }, by }: Answer,
  target: PageRef,
  { plain, role }: AboutPage
): ReadonlyArray<Link> => {
  const link = (at: number, type: (words: string) => string): Link => {
    const words = wordsAround(reference.kind === "plain" ? plain() : page.text, at)
    return {
      from: page.id,
      to: target.id,
      type: type(words),
      source: by === "path" ? "markdown" : "wikilink-resolved",
      context: words,
      origin: null,
      field: null,
      resolution: reference.sourceId === undefined ? null : "qualified"
    }
  }
  return by === "name"
    ? places.slice(0, 1).map((at) => link(at, () => byNameType))
    : places.map((at) => link(at, (words) => linkType(page.type, words, target.slug, role)))
}

const documents = (origin: number, from: number, to: number, type: string, context: string): Link => ({
  from,
  to,
  type,
  source: "markdown",
  context,
  origin,
  field: "compiled_truth",
  resolution: null
})

const codePagesOf = Effect.fnUntraced(function* (
  cited: ReadonlyArray<{ readonly page: PageText; readonly code: { readonly path: string } }>
) {
  const names = yield* PageNames
  return keyed(
    yield* names.bySlug(
      distinct(cited.map(({ page }) => page.sourceId)),
      distinct(cited.map(({ code }) => slugOfCode(code.path)))
    ),
    (row) => `${row.sourceId}\n${row.asked}`
  )
})

const waitingFor = ({ leads }: Answer): ReadonlyArray<string> =>
  distinct(leads.slugs.map(lastPart)).flatMap(waitingNames)

const waitingNames = (name: string): ReadonlyArray<string> =>
  distinct([name.trim().toLowerCase(), slugSegment(name)])

const once = <A>(compute: () => A): (() => A) => {
  let computed: { readonly value: A } | undefined
  return () => (computed ??= { value: compute() }).value
}
