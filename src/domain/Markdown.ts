/**
 * A markdown file as a page: front matter, what is known (compiled truth), and the timeline below it. The rules are
 * gbrain's, so that both programs make the same page, with the same content hash, of the same file.
 */
import { Result } from "effect"
import matter from "gray-matter"
import { bareFrontMatter, isBare } from "./BareFiles.ts"
import { type EffectiveDate, effectiveDateOf } from "./EffectiveDate.ts"
import { hasWideGap, tooMuchForJson } from "./FrontMatterBounds.ts"
import { firstHeading, titleOfSlug } from "./PageTitles.ts"
import { typeOfSlug } from "./PageTypes.ts"
import { slugOfPath } from "./Slug.ts"
import { splitBody } from "./TimelineSplit.ts"

/** A parsed file. */
export interface ParsedPage {
  /** The path's, in the spelling of the front matter when it has one that comes to the same. */
  readonly slug: string
  readonly title: string
  readonly type: string
  /** Whether the file says its type. One that does not leaves a page the type it has. */
  readonly typeIsExplicit: boolean
  readonly compiledTruth: string
  readonly timeline: string
  /** Without the fields that have columns of their own. Plain JSON: dates are ISO strings. */
  readonly frontmatter: Readonly<Record<string, unknown>>
  /** As written: one may be there twice. */
  readonly tags: ReadonlyArray<string>
  readonly effectiveDate: EffectiveDate | undefined
}

const refuse = () => {
  throw new Error("front matter must be YAML")
}

// Front matter can ask gray-matter to run it as JavaScript. An options object also keeps it from caching every file.
const options = {
  language: "yaml",
  engines: { js: refuse, javascript: refuse, coffee: refuse, coffeescript: refuse, cson: refuse }
}

/**
 * Parses a file. Fails, with what is wrong, when its front matter is no YAML or claims the slug of another page. `path` is
 * relative to the brain; a date after `latest`, in milliseconds, is taken for a mistake.
 */
export const parsePage = (
  content: string,
  path: string,
  latest = Number.POSITIVE_INFINITY
): Result.Result<ParsedPage, string> => {
  const read = isBare(content)
    ? Result.succeed({ data: bareFrontMatter(content, path), body: content })
    : readFrontMatter(content)
  return Result.flatMap(read, ({ body, data }) => {
    const { slug: declared, tags, title, type, ...rest } = data
    const pathSlug = slugOfPath(path)
    const slug = asText(declared).toLowerCase() || pathSlug
    if (slug !== pathSlug && slugOfPath(slug) !== pathSlug) {
      return Result.fail(
        `says that its slug is ${slug}, but its path makes it ${pathSlug}; remove the slug or move the file`
      )
    }
    const frontmatter = toJson(rest)
    const { compiledTruth, timeline } = splitBody(body)
    const explicitType = asText(type)
    return Result.succeed({
      slug,
      title: asText(title).trim() || firstHeading(body) || titleOfSlug(slug),
      type: explicitType || typeOfSlug(slug),
      typeIsExplicit: explicitType !== "",
      compiledTruth: compiledTruth.trim(),
      timeline: timeline.trim(),
      frontmatter,
      tags: tagsOf(tags),
      effectiveDate: effectiveDateOf({ slug, frontmatter, name: fileName(path) }, latest)
    })
  })
}

/** The name of a page's file, without its ending. */
export const fileName = (path: string): string => (path.split("/").pop() ?? path).replace(/\.md$/, "")

interface ReadFile {
  readonly data: Readonly<Record<string, unknown>>
  readonly body: string
}

const readFrontMatter = (content: string): Result.Result<ReadFile, string> => {
  try {
    if (hasWideGap(content)) throw new Error("it is mostly empty lines")
    const parsed = matter(content, options)
    const tooMuch = tooMuchForJson(parsed.data)
    if (tooMuch !== undefined) return Result.fail(`the front matter cannot be read: ${tooMuch}`)
    return Result.succeed({ data: isRecord(parsed.data) ? parsed.data : {}, body: parsed.content })
  } catch (error) {
    // Between two rules at the top there may also be a motto.
    return looksLikeFields(content)
      ? Result.fail(`the front matter cannot be read: ${firstLine(error)}`)
      : Result.succeed({ data: {}, body: content })
  }
}

const looksLikeFields = (content: string): boolean => {
  const [, ...lines] = content.trimStart().split("\n")
  const end = lines.findIndex((line) => line.trim() === "---")
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .some((line) => /^(?:['"][^'"]+['"]|[A-Za-z_][\w.-]*)\s*:/.test(line.trim()))
}

// The reader of YAML shows the lines that it means below its first; without them its colon announces nothing.
const firstLine = (error: unknown): string =>
  ((error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "").replace(/[:\s]+$/, "")

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// YAML knows dates; the database and the hash know JSON.
const toJson = (data: unknown): Record<string, unknown> => {
  const json: unknown = JSON.parse(JSON.stringify(data))
  return isRecord(json) ? json : {}
}

const asText = (value: unknown): string => {
  if (value === null || value === undefined) return ""
  if (value instanceof Date) return value.toISOString().slice(0, 10)
  if (Array.isArray(value)) return value.map(asText).join(",")
  return typeof value === "string" ? value : JSON.stringify(value)
}

const tagsOf = (tags: unknown): ReadonlyArray<string> => {
  if (Array.isArray(tags)) return tags.map(String)
  if (typeof tags !== "string") return []
  return tags
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "")
}

/** Front matter that programs put in and that says nothing new about a page. */
const passing: ReadonlySet<string> = new Set([
  "captured_at",
  "ingested_at",
  "quarantine",
  "content_flag",
  "embed_skip"
])

/** What the content hash is made of: gbrain's rule, to the byte. Front matter counts in the order of the file. */
export const hashedContent = (page: ParsedPage): string =>
  JSON.stringify({
    title: page.title,
    type: page.type,
    compiled_truth: page.compiledTruth,
    timeline: page.timeline,
    frontmatter: Object.fromEntries(Object.entries(page.frontmatter).filter(([key]) => !passing.has(key))),
    tags: [...page.tags].sort()
  })
