/** Where a reference may lead, in the order in which the places are tried. */
import { slugOfPath, slugSegment } from "../Slug.ts"
import type { Reference } from "./References.ts"

/** The places that a reference may mean. */
export interface Leads {
  /** Slugs; the first that is a page is meant. */
  readonly slugs: ReadonlyArray<string>
  /** When no slug is a page: pages that have one of these names. */
  readonly names: ReadonlyArray<string>
  /** What the slug of a page that is found by its name must end with. */
  readonly suffix: string
}

/** Where a reference on the page `from` may lead. */
export const leadsOf = (reference: Reference, from: string): Leads => {
  const { kind, target } = reference
  if (kind === "plain") return { slugs: distinct([target, asciiPart(target)]), names: [], suffix: "" }
  const slugs = distinct(placesOf(target, from).flatMap((path) => [path, slugOfPath(path)]))
  if (kind === "markdown") return { slugs, names: [], suffix: "" }
  const plain = withoutDots(target)
  const last = plain.split("/").pop() ?? ""
  return {
    slugs,
    names: namesFor(last),
    suffix: plain.includes("/") ? `/${slugOfPath(plain)}` : ""
  }
}

/** The forms in which a name is looked up: as it is written, in small letters, and as part of a slug. */
export const namesFor = (name: string): ReadonlyArray<string> =>
  distinct([name.trim().toLowerCase(), slugSegment(name.trim())])

const placesOf = (target: string, from: string): ReadonlyArray<string> => {
  const folders = from.split("/").slice(0, -1)
  const climb = /^(?:\.\.?\/)+/.exec(target)?.[0]
  if (climb !== undefined) {
    const levels = climb.split("/").filter((step) => step === "..").length
    return [[...folders.slice(0, Math.max(0, folders.length - levels)), target.slice(climb.length)].join("/")]
  }
  const path = target.replace(/^\/+/, "")
  // From the root, then beside the page, then in the folders above it.
  const above = folders.map((_, depth) => [...folders.slice(0, folders.length - depth), path].join("/"))
  return [path, ...above]
}

const withoutDots = (target: string): string => target.replace(/^(?:\.{0,2}\/)+/, "")

// In scripts without spaces a path stands in the middle of a sentence: 参见people/alice的页面.
const asciiPart = (target: string): string =>
  /[a-z0-9][a-z0-9_-]*\/[a-z0-9][a-z0-9/-]*[a-z0-9]/.exec(target)?.[0] ?? target

const distinct = (texts: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(texts.filter((text) => text !== ""))
]
