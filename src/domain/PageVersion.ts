/**
 * The version of a page's content that a mark is about: gbrain's rule, to the byte, since both programs compare these
 * strings for equality. The digest is passed in, because this module only knows what is digested.
 */
import { DateTime, Option } from "effect"

/** What a version is made of. `frontmatter` keeps the order of keys that the database gives. */
export interface VersionedPage {
  readonly title: string
  readonly type: string
  readonly compiledTruth: string
  readonly timeline: string
  readonly frontmatter: Readonly<Record<string, unknown>>
  readonly contentHash: string | null
  readonly effectiveDate: Date | null
}

type Digest = (text: string) => string

/** The token of a page whose text is its own: `page-<content hash>-<date or none>`. */
export const pageVersionToken = (page: VersionedPage, sha256Hex: Digest): string => {
  const hash =
    page.contentHash ??
    sha256Hex(
      JSON.stringify({
        title: page.title,
        type: page.type,
        compiled_truth: page.compiledTruth,
        timeline: page.timeline,
        frontmatter: page.frontmatter
      })
    )
  return `page-${hash}-${Option.match(dateOf(page), { onNone: () => "none", onSome: DateTime.formatIsoDateUtc })}`
}

/** The token of a page whose text is a transcript file: `sidecar-<hash of the file's text and of what the page adds>`. */
export const transcriptVersionToken = (page: VersionedPage, body: string, sha256Hex: Digest): string =>
  `sidecar-${sha256Hex(
    JSON.stringify({
      body,
      title: page.title,
      type: page.type,
      frontmatter: page.frontmatter,
      effective_date: Option.match(dateOf(page), { onNone: () => null, onSome: DateTime.formatIso })
    })
  )}`

const dateOf = (page: VersionedPage) =>
  Option.flatMap(Option.fromNullishOr(page.effectiveDate), DateTime.make)
