/**
 * Cuts a text of code into chunks for search, by symbol: a function, a class without its members, each member, and what stands between
 * them. Every line that is not blank is in a chunk; large symbols are cut into several, and small change of a file or
 * a class stays together.
 */
import { packParts, type TextPart, lastAtMost, lineFinder, trimPart } from "./CodeText.ts"
import { type CodeEdge, edgesIn, type EdgeSite } from "./Edges.ts"
import type { CodeLanguage } from "./Languages.ts"
import { type OutlineSymbol, outlineOf } from "./Outline.ts"
import type { SyntaxNode } from "./SyntaxNode.ts"

/** Raised when the rules change, so that pages cut by older ones, or by the original's five, can be found. */
export const codeChunkerVersion = 7

/** A chunk of code, as the brain keeps it. */
export interface CodeChunk {
  readonly text: string
  readonly language: string
  readonly symbolName: string | null
  readonly symbolType: string
  readonly qualifiedName: string | null
  readonly parents: ReadonlyArray<string>
  readonly docComment: string | null
  /** From 1. */
  readonly startLine: number
  readonly endLine: number
  /** What the code in the chunk calls, imports, extends and so on, as it is written there. */
  readonly edges: ReadonlyArray<CodeEdge>
}

/** The chunks of a file. `root` is what the grammar made of the text; without it the text is cut as it is. */
export const chunkCode = (
  source: string,
  path: string,
  language: CodeLanguage,
  root: SyntaxNode | undefined
): ReadonlyArray<CodeChunk> => {
  const symbols = root === undefined ? [] : outlineOf(source, language.id, root)
  const lineOf = lineFinder(source)
  const drafts = [...ownDrafts(source, undefined, symbols, { start: 0, end: source.length })]
  drafts.sort((a, b) => (a.parts[0]?.start ?? 0) - (b.parts[0]?.start ?? 0))
  const edges = root === undefined ? undefined : shareOut(drafts, edgesIn(source, language.id, root))
  return drafts.map((draft, index) => {
    const { first, parts, symbol } = draft
    const whole = symbol !== undefined && draft.alone ? symbol : undefined
    const last = parts[parts.length - 1]
    return {
      text: `[${language.name}] ${path} ${titleOf(symbol)}\n\n${bodyOf(source, draft)}`,
      language: language.id,
      symbolName: symbol?.name ?? null,
      symbolType: symbol?.type ?? "module",
      // One row a symbol has the full name: what refers to it refers to its beginning.
      qualifiedName:
        symbol === undefined || !first || symbol.node.type === "impl_item" ? null : symbol.qualified,
      parents: symbol?.within ?? [],
      docComment: (first ? symbol?.docComment : undefined) ?? null,
      startLine: lineOf(parts[0]?.start ?? 0),
      endLine: lineOf(Math.max((whole?.end ?? last?.end ?? 1) - 1, 0)),
      edges: edgesOf(edges?.[index] ?? [], symbol?.qualified ?? path)
    }
  })
}

interface Draft {
  readonly symbol: OutlineSymbol | undefined
  readonly parts: ReadonlyArray<TextPart>
  /** The first of the chunks of its symbol. */
  readonly first: boolean
  /** The only one. */
  readonly alone: boolean
}

/** The chunks of a symbol, or of the file: its own text first, then its members'. */
function* ownDrafts(
  source: string,
  symbol: OutlineSymbol | undefined,
  members: ReadonlyArray<OutlineSymbol>,
  range: TextPart
): Generator<Draft> {
  const packs = packParts(source, gapsIn(source, members, range))
  for (const [index, parts] of packs.entries()) {
    yield { symbol, parts, first: index === 0, alone: packs.length === 1 }
  }
  for (const member of members) yield* ownDrafts(source, member, member.members, member)
}

/** What is left of a range without the symbols in it. */
const gapsIn = (
  source: string,
  symbols: ReadonlyArray<OutlineSymbol>,
  range: TextPart
): ReadonlyArray<TextPart> => {
  const gaps: Array<TextPart> = []
  let start = range.start
  for (const symbol of [...symbols, { start: range.end, end: range.end }]) {
    const gap = trimPart(source, { start, end: symbol.start })
    if (gap !== undefined) gaps.push(gap)
    start = symbol.end
  }
  return gaps
}

const membersShown = 20

const bodyOf = (source: string, { first, parts, symbol }: Draft): string => {
  const text = parts.map((part) => source.slice(part.start, part.end)).join("\n")
  const members = first ? (symbol?.members ?? []) : []
  if (members.length === 0) return text
  const more = members.length > membersShown ? ", …" : ""
  return `${text}\n\nMembers: ${members
    .slice(0, membersShown)
    .map((member) => member.name)
    .join(", ")}${more}`
}

const titleOf = (symbol: OutlineSymbol | undefined): string =>
  symbol === undefined
    ? "module"
    : `${symbol.type} ${symbol.name}${symbol.within.length === 0 ? "" : ` (in ${symbol.within.join(".")})`}`

/** Gives each edge to the chunk that has the place it is from. */
const shareOut = (
  drafts: ReadonlyArray<Draft>,
  sites: ReadonlyArray<EdgeSite>
): ReadonlyArray<ReadonlyArray<EdgeSite>> => {
  const shares = drafts.map((): Array<EdgeSite> => [])
  const parts = drafts
    .flatMap((draft, index) => draft.parts.map((part) => ({ ...part, index })))
    .sort((a, b) => a.start - b.start)
  for (const site of sites) {
    const part = parts[lastAtMost(parts, site.place, (it) => it.start)]
    if (part !== undefined && site.place < part.end) shares[part.index]?.push(site)
  }
  return shares
}

/** The brain keeps an edge of a kind once for a chunk. */
const edgesOf = (sites: ReadonlyArray<EdgeSite>, from: string): ReadonlyArray<CodeEdge> => {
  const distinct = new Map(sites.map(({ to, type }) => [`${type}\n${to}`, { from, to, type }]))
  return [...distinct.values()]
}
