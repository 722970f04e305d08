/**
 * The references in a page's text, as they are written: `[Ana](../people/ana-ruiz.md)`, `[[people/ana-ruiz|Ana]]`,
 * `[[work:people/ana-ruiz#Now]]`, `[[Ana Ruiz]]`, and a plain `people/ana-ruiz` in a sentence. Where they lead is the
 * business of `Leads`. Each rule reads the text once: no page, however made, takes longer than its length.
 */
import { blankCode } from "./CodeSpans.ts"

/** A reference in a text. */
export interface Reference {
  readonly kind: "markdown" | "wikilink" | "plain"
  /** The path or name that is referred to, without heading, alias and `.md`. */
  readonly target: string
  /** The source that a wikilink names, as in `[[source:slug]]`. */
  readonly sourceId: string | undefined
  /** What it is called in the text: the first place where that stands tells what kind of link it is. */
  readonly label: string
  /** Where in the text it begins. */
  readonly at: number
}

/** Longer ones are no references that anybody wrote. */
const longestTarget = 300

// Every part ends at the next bracket or line, which is where the next match can begin: one pass over the text.
const bracketed = /\[\[([^[\]\n]{1,1000})\]\]|\]\(((?:[^()[\]\n]|\([^()[\]\n]{0,200}\)){1,1000})\)/g

const restOfLabel = /[^[\]\n]{0,200}\]\(/y

/** All references of a text, in the order of their places; the same target may be referred to many times. */
export const referencesIn = (text: string): ReadonlyArray<Reference> => {
  const shown = blankCode(text)
  const found: Array<Reference> = []
  const spans: Array<Span> = []
  for (const match of shown.matchAll(bracketed)) {
    const [whole, wiki, path] = match
    const end = match.index + whole.length
    spans.push({ start: match.index, end })
    if (wiki !== undefined) {
      // A wikilink in the label of a markdown link is part of its words.
      restOfLabel.lastIndex = end
      if (restOfLabel.test(shown)) continue
      const reference = wikilink(wiki, match.index)
      if (reference !== undefined) found.push(reference)
    } else if (path !== undefined) {
      const target = markdownTarget(path)
      if (target !== undefined) {
        const at = labelStart(shown, match.index)
        found.push({
          kind: "markdown",
          target,
          sourceId: undefined,
          label: text.slice(at + 1, match.index),
          at
        })
      }
    }
  }
  // There may be more of them than a call takes arguments.
  for (const reference of plainPaths(shown, spans)) found.push(reference)
  return found.sort((a, b) => a.at - b.at)
}

interface Span {
  readonly start: number
  readonly end: number
}

const longestLabel = 200

const labelStart = (text: string, end: number): number => {
  const from = Math.max(0, end - longestLabel)
  const start = text.slice(from, end).lastIndexOf("[")
  return start === -1 ? end : from + start
}

const qualified = /^([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?):(?!\/\/)(.+)$/

const wikilink = (inner: string, at: number): Reference | undefined => {
  // In a table the bar before an alias is written `\|`.
  const [path = "", alias = ""] = inner.split("|", 2)
  const written = path.replace(/\\{1,9}$/, "").trim()
  const named = qualified.exec(written)
  const target = withoutExtension(withoutHeading(named?.[2] ?? written)).trim()
  if (target === "" || target.includes(":") || target.length > longestTarget) return undefined
  const label = alias.trim() !== "" && (named !== null || isFiled(target)) ? alias.trim() : target
  return { kind: "wikilink", target, sourceId: named?.[1], label, at }
}

// gbrain looks for the alias of a link into one of these folders, for the path of any other.
const isFiled = (target: string): boolean =>
  /^(?:people|companies|meetings|concepts|deal|civic|projects?|source|media|yc|tech|finance|personal|openclaw|entities|reference)\//.test(
    target
  )

const withoutHeading = (target: string): string => target.split(/[#^]/, 1)[0] ?? ""

const withoutExtension = (target: string): string => target.replace(/\.mdx?$/i, "")

/** The path in a markdown link; none when it is no page of the brain: an address, a heading, a word in parentheses. */
const markdownTarget = (written: string): string | undefined => {
  // `(path "title")` and `(<path with spaces>)` are the two things that may be around a path.
  const bare = written
    .trim()
    .replace(/ +"[^"]*"$/, "")
    .replace(/^<(.*)>$/, "$1")
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(bare)) return undefined
  const path = decoded(bare.split(/[#?]/, 1)[0] ?? "")
  const target = withoutExtension(path)
  if (target === "" || target.length > longestTarget || /\s{2}/.test(target)) return undefined
  return path.includes("/") || target !== path ? target : undefined
}

const decoded = (text: string): string => {
  if (!text.includes("%")) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Paths that stand in the text as they are, such as `people/ana-ruiz`. What has brackets around it was read before. */
const plainPaths = (text: string, spans: ReadonlyArray<Span>): ReadonlyArray<Reference> => {
  const found: Array<Reference> = []
  let span = 0
  for (const run of pathRuns(text)) {
    while (span < spans.length && (spans[span]?.end ?? 0) <= run.at) span++
    const inside = spans[span]
    if (inside !== undefined && inside.start < run.at + run.text.length) continue
    const target = run.text.replace(/^[.-]{1,9}|[./-]{1,9}$/g, "")
    // An absolute path or an address begins with a slash.
    if (target.startsWith("/") || !target.includes("/")) continue
    found.push({ kind: "plain", target, sourceId: undefined, label: target, at: run.at })
  }
  return found
}

/** The stretches of a text that are made like paths: letters of any script, digits, `_`, `.`, `-`, and a slash among them. */
export const pathRuns = (text: string): ReadonlyArray<{ readonly text: string; readonly at: number }> => {
  const runs: Array<{ readonly text: string; readonly at: number }> = []
  let from = 0
  for (let slash = text.indexOf("/"); slash !== -1; slash = text.indexOf("/", from)) {
    let start = slash
    while (start > from && isPathCharacter(text, start - 1)) start--
    let end = slash + 1
    while (end < text.length && isPathCharacter(text, end)) end++
    if (end - start <= longestTarget) runs.push({ text: text.slice(start, end), at: start })
    from = end
  }
  return runs
}

const otherLetter = /[\p{L}\p{M}\p{N}]/u

const isPathCharacter = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  if (code < 128) {
    return (
      (code >= 97 && code <= 122) ||
      (code >= 65 && code <= 90) ||
      // From the hyphen to nine: `-`, `.`, `/` and the digits.
      (code >= 45 && code <= 57) ||
      code === 95
    )
  }
  // Halves of a pair are letters of rarer scripts, or emoji, which no page is named by.
  return (code >= 0xd800 && code <= 0xdfff) || otherLetter.test(text.charAt(at))
}
