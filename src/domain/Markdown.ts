/**
 * A markdown file as a page: front matter, what is known (compiled truth), and the timeline below it. The rules are
 * gbrain's, so that both programs make the same page, with the same content hash, of the same file.
 */
import { Result } from "effect"
import matter from "gray-matter"

/** A parsed file. */
export interface ParsedPage {
  readonly title: string
  readonly type: string
  readonly compiledTruth: string
  readonly timeline: string
  /** Without the fields that have columns of their own. Plain JSON: dates are ISO strings. */
  readonly frontmatter: Readonly<Record<string, unknown>>
  readonly tags: ReadonlyArray<string>
  /** `YYYY-MM-DD` or an ISO instant, and where it is from. */
  readonly effectiveDate: { readonly date: string; readonly source: string } | undefined
}

const refuse = () => {
  throw new Error("front matter must be YAML")
}

// Front matter can ask gray-matter to run it as JavaScript. An options object also keeps it from caching every file.
const options = {
  language: "yaml",
  engines: { js: refuse, javascript: refuse, coffee: refuse, coffeescript: refuse, cson: refuse }
}

/** Parses a file. Fails, with what is wrong, when its front matter is no YAML. `path` is relative to the brain. */
export const parsePage = (content: string, path: string): Result.Result<ParsedPage, string> => {
  try {
    const parsed = matter(content.replace(/^\ufeff/, ""), options)
    const { slug: _slug, tags, title, type, ...rest } = toJson(parsed.data)
    const { compiledTruth, timeline } = splitBody(parsed.content)
    return Result.succeed({
      title: asText(title).trim() || titleOf(path),
      type: asText(type) || typeOf(path),
      compiledTruth: compiledTruth.trim(),
      timeline: timeline.trim(),
      frontmatter: rest,
      tags: tagsOf(tags),
      effectiveDate: effectiveDateOf(rest, path)
    })
  } catch (error) {
    return Result.fail(`the front matter cannot be read: ${firstLine(error)}`)
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? ""

// YAML knows dates; the database and the hash know JSON.
const toJson = (data: unknown): Record<string, unknown> => {
  const json: unknown = JSON.parse(JSON.stringify(data))
  return typeof json === "object" && json !== null && !Array.isArray(json) ? { ...json } : {}
}

const isoMidnight = /^(\d{4}-\d{2}-\d{2})T00:00:00\.000Z$/

const asText = (value: unknown): string => {
  if (value === null || value === undefined) return ""
  if (typeof value === "string") return isoMidnight.exec(value)?.[1] ?? value
  return JSON.stringify(value)
}

const tagsOf = (tags: unknown): ReadonlyArray<string> => {
  const list = Array.isArray(tags) ? tags.map(asText) : asText(tags).split(",")
  return [...new Set(list.map((tag) => tag.trim()).filter((tag) => tag !== ""))]
}

/** The last part of the path as words: `people/ana-ruiz.md` is Ana Ruiz. */
const titleOf = (path: string): string =>
  (path.split("/").pop() ?? path)
    .replace(/\.mdx?$/i, "")
    .replace(/[-_]+/g, " ")
    .trim()
    .replace(/(^|\s)(\p{L})/gu, (_, space: string, letter: string) => space + letter.toUpperCase())

const typesByFolder: Readonly<Record<string, string>> = {
  people: "person",
  companies: "company",
  deals: "deal",
  projects: "project",
  concepts: "concept",
  meetings: "meeting",
  conversations: "conversation",
  sources: "source",
  media: "media",
  notes: "note",
  writing: "writing"
}

const typeOf = (path: string): string =>
  path
    .toLowerCase()
    .split("/")
    .slice(0, -1)
    .flatMap((folder) => typesByFolder[folder] ?? [])[0] ?? "concept"

/** What is known, and what happened: split at the first sign of a timeline. A bare rule is a rule. */
const splitBody = (body: string): { readonly compiledTruth: string; readonly timeline: string } => {
  const lines = body.split("\n")
  let seenText = false
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    const marked = /^<!-- ?timeline ?-->$/.test(line) || /^---\s+timeline\s+---$/i.test(line)
    const ruled = line === "---" && seenText && /^##\s+(timeline|history)\b/i.test(nextText(lines, index))
    if (marked || ruled) {
      return { compiledTruth: lines.slice(0, index).join("\n"), timeline: lines.slice(index + 1).join("\n") }
    }
    if (line !== "") seenText = true
  }
  return { compiledTruth: body, timeline: "" }
}

const nextText = (lines: ReadonlyArray<string>, after: number): string => {
  for (let index = after + 1; index < lines.length; index++) {
    const line = lines[index]?.trim() ?? ""
    if (line !== "") return line
  }
  return ""
}

const dateFields = ["event_date", "date", "published"]

const effectiveDateOf = (
  frontmatter: Readonly<Record<string, unknown>>,
  path: string
): ParsedPage["effectiveDate"] => {
  for (const field of dateFields) {
    const value = frontmatter[field]
    if (typeof value === "string" && /^\d{4}-\d{2}-\d{2}/.test(value) && !Number.isNaN(Date.parse(value))) {
      return { date: value, source: field }
    }
  }
  const inName = /(?:^|\D)(\d{4}-\d{2}-\d{2})(?:\D|$)/.exec(path.split("/").pop() ?? "")?.[1]
  return inName === undefined || Number.isNaN(Date.parse(inName))
    ? undefined
    : { date: inName, source: "filename" }
}

/** What the content hash is made of: gbrain's rule. Equal pages have equal texts. */
export const hashedContent = (page: ParsedPage): string =>
  JSON.stringify({
    title: page.title,
    type: page.type,
    compiled_truth: page.compiledTruth,
    timeline: page.timeline,
    frontmatter: canonical(page.frontmatter),
    tags: [...page.tags].sort()
  })

const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => left.localeCompare(right))
      .map(([key, nested]) => [key, canonical(nested)])
  )
}
