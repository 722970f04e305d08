/** The text of a page, wherever it was read. */
import type { ExtractPage } from "../../services/ExtractPages.ts"

/** A page and what it says. */
export interface PageText {
  readonly id: number
  readonly sourceId: string
  readonly slug: string
  readonly type: string
  /** What is known, and below it what happened. */
  readonly text: string
  readonly frontmatter: Readonly<Record<string, unknown>>
  /** Which edit of the page this is. */
  readonly version: string
  /** Whether the page is to be marked as done when both links and timeline were taken from this text. */
  readonly marks: boolean
  /** Whether the text can link anything: that of code and of images cannot. */
  readonly speaks: boolean
}

/** The page as the brain has it. */
export const textOf = (page: ExtractPage): PageText => ({
  id: page.id,
  sourceId: page.source_id,
  slug: page.slug,
  type: page.type,
  text: `${page.compiled_truth}\n${page.timeline}`,
  frontmatter: recordOf(page.frontmatter),
  version: page.version,
  marks: page.stale,
  speaks: page.page_kind === "markdown"
})

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {}
