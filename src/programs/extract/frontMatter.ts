/** Which pages the front matter of a group of pages names. */
import { Effect } from "effect"
import { type NamedPage, namedPages } from "../../domain/links/FrontMatterLinks.ts"
import { namesFor } from "../../domain/links/Leads.ts"
import { slugOfPath } from "../../domain/Slug.ts"
import type { Link } from "../../services/Links.ts"
import { PageNames, type PageRef } from "../../services/PageNames.ts"
import { distinct, firstOf, keyed, meant, type NameRule } from "./resolve.ts"
import type { PageText } from "./text.ts"

/** What the front matter of pages makes of them. */
export interface FrontMatterLinks {
  readonly links: ReadonlyArray<{ readonly page: PageText; readonly link: Link }>
  /** Names that nothing has. */
  readonly unresolved: ReadonlyArray<{ readonly page: PageText; readonly named: NamedPage }>
}

interface Naming {
  readonly page: PageText
  readonly named: NamedPage
}

/** Resolves the names in the front matter: as a slug, in the folders that the field speaks of, by a title that is alike, by name. */
export const frontMatterLinks = Effect.fn("frontMatterLinks")(function* (
  pages: ReadonlyArray<PageText>,
  rule: NameRule
) {
  const names = yield* PageNames
  const namings = pages.flatMap((page) =>
    namedPages(page.frontmatter, page.type).map((named): Naming => ({ page, named }))
  )
  if (namings.length === 0) return { links: [], unresolved: [] } satisfies FrontMatterLinks
  const found = new Map<Naming, PageRef>()
  const left = () => namings.filter((naming) => !found.has(naming))
  const sources = distinct(namings.map(({ page }) => page.sourceId))

  const bySlug = keyed(
    yield* names.bySlug(sources, distinct(namings.flatMap(({ named }) => slugsOf(named)))),
    (row) => `${row.sourceId}\n${row.asked}`
  )
  for (const naming of left()) {
    const page = firstOf(slugsOf(naming.named), (slug) => bySlug.get(`${naming.page.sourceId}\n${slug}`)?.[0])
    if (page !== undefined) found.set(naming, page)
  }

  const similar = distinct(left().flatMap((naming) => similarKeys(naming)))
  const alike = new Map<string, PageRef>()
  for (const row of yield* names.similar(similar.map(fromKey))) alike.set(similar[row.asked] ?? "", row)
  for (const naming of left()) {
    const page = firstOf(similarKeys(naming), (key) => alike.get(key))
    if (page !== undefined) found.set(naming, page)
  }

  if (rule !== "off") {
    const byName = keyed(
      yield* names.byName(sources, distinct(left().flatMap(({ named }) => namesFor(lastPart(named.target))))),
      (row) => `${row.sourceId}\n${row.name}`
    )
    for (const naming of left()) {
      const called =
        firstOf(namesFor(lastPart(naming.named.target)), (name) =>
          byName.get(`${naming.page.sourceId}\n${name}`)
        ) ?? []
      const [page, ...others] = meant(called, "", rule)
      if (page !== undefined && others.length === 0) found.set(naming, page)
    }
  }

  return {
    links: namings.flatMap((naming) => {
      const other = found.get(naming)
      return other === undefined || other.id === naming.page.id
        ? []
        : [{ page: naming.page, link: linkOf(naming, other) }]
    }),
    unresolved: left()
  } satisfies FrontMatterLinks
})

const linkOf = ({ named, page }: Naming, other: PageRef): Link => ({
  from: named.direction === "outgoing" ? page.id : other.id,
  to: named.direction === "outgoing" ? other.id : page.id,
  type: named.type,
  source: "frontmatter",
  context: named.context,
  origin: page.id,
  field: named.field,
  resolution: null
})

const slugsOf = ({ folders, target }: NamedPage): ReadonlyArray<string> => {
  const slug = slugOfPath(target)
  const asPath = target.includes("/") ? [target, slug] : []
  return [...asPath, ...(slug === "" ? [] : folders.map((folder) => `${folder}/${slug}`))]
}

const similarKeys = ({ named, page }: Naming): ReadonlyArray<string> =>
  (named.folders.length === 0 ? [""] : named.folders).map(
    (folder) => `${page.sourceId}\n${folder}\n${named.target}`
  )

const fromKey = (key: string) => {
  const [sourceId = "", folder = "", ...name] = key.split("\n")
  return { sourceId, folder, name: name.join("\n") }
}

/** The last part of a path, which is the page's own name. */
export const lastPart = (path: string): string => path.split("/").pop() ?? path
