/** The symbols of a text, one inside the other, each with the part of the text that belongs to it. */
import { wordsOfComment } from "./Comments.ts"
import { lastAtMost, sizeOf, type TextPart } from "./CodeText.ts"
import { qualifiedName } from "./QualifiedNames.ts"
import { declaresOne, elixirDefinition, nameOf, type SymbolName } from "./SymbolNames.ts"
import { functionTypes, isLead, roleOf, symbolTypeOf } from "./SymbolRules.ts"
import { childIn, childOf, everyNode, type SyntaxNode, textIn } from "./SyntaxNode.ts"

/** A symbol: what it is called, where it is, and what is in it. */
export interface OutlineSymbol extends TextPart {
  readonly name: string
  readonly type: string
  readonly within: ReadonlyArray<string>
  readonly qualified: string
  readonly docComment: string | undefined
  readonly members: ReadonlyArray<OutlineSymbol>
  /** The node that the symbol is. */
  readonly node: SyntaxNode
}

/** Values smaller than this are no chunks of their own. */
const smallestValue = 180

/** Symbols deeper than this are part of the one they are in: nobody writes so, only programs that were told to break others. */
const deepest = 40

/** The symbols of a text in order. */
export const outlineOf = (
  source: string,
  language: string,
  root: SyntaxNode
): ReadonlyArray<OutlineSymbol> => {
  const leads = leadsOf(source, root)

  const find = (
    parent: SyntaxNode,
    within: ReadonlyArray<string>,
    from: number,
    depth: number
  ): ReadonlyArray<OutlineSymbol> => {
    const found: Array<OutlineSymbol> = []
    let scope = within
    const free = () => Math.max(from, found[found.length - 1]?.end ?? from)
    for (let index = 0; index < parent.children.length; index++) {
      const node = parent.children[index]
      if (node === undefined || node.end <= free()) continue
      // A namespace without braces holds for the rest of the file.
      if (node.type === "file_scoped_namespace_declaration") {
        const name = nameOf(source, node)
        if (name !== undefined) scope = [...within, name.name]
      }
      const inner = symbolIn(source, language, node)
      if (inner === undefined) {
        if (depth < deepest && isOpen(node)) {
          for (const symbol of find(node, scope, free(), depth + 1)) found.push(symbol)
        }
        continue
      }
      const body = bodyBeside(parent.children, index)
      if (body !== undefined) index++
      else if (bodiless.has(inner.node.type)) continue
      const lead = leads.before(node.start, free())
      const start = lineStart(source, lead.start, free())
      const path = [...scope, ...inner.name.within]
      const qualified = qualifiedName(language, inner.name.name, inner.type, path)
      const members =
        inner.scope && depth < deepest
          ? find(inner.node, [...path, inner.name.name], Math.max(start, nameEnd(inner.node)), depth + 1)
          : []
      found.push({
        start,
        end: lineEnd(source, (body ?? node).end),
        name: inner.name.name,
        type: inner.type,
        within: path,
        qualified,
        docComment: lead.comment ?? docString(source, inner.node),
        members,
        node: inner.node
      })
    }
    return found
  }
  return find(root, [], 0, 0)
}

interface FoundSymbol {
  readonly node: SyntaxNode
  readonly name: SymbolName
  readonly type: string
  readonly scope: boolean
}

/** The symbol that a node is, or is wrapped around. */
const symbolIn = (source: string, language: string, node: SyntaxNode, wraps = 0): FoundSymbol | undefined => {
  if (language === "elixir") return elixirSymbol(source, node)
  const role = roleOf(node.type)
  if (role === "wrapper") return wraps < mostWraps ? wrapped(source, language, node, wraps) : undefined
  if (role === "value") return valueSymbol(source, node)
  if (role !== "scope" && role !== "symbol") return undefined
  // `struct point p;`, `mod other;` and the like speak of something and do not make it.
  if (withBody.test(node.type) && childIn(node, "body") === undefined) return undefined
  const name = nameOf(source, node)
  return name === undefined
    ? undefined
    : { node, name, type: symbolTypeOf(node.type), scope: role === "scope" }
}

/** Wrappers around wrappers. */
const mostWraps = 8

const withBody = /_specifier$|^namespace_definition$|^mod_item$/

const wrapped = (
  source: string,
  language: string,
  node: SyntaxNode,
  wraps: number
): FoundSymbol | undefined => {
  const inside = node.children.flatMap((child) => symbolIn(source, language, child, wraps + 1) ?? [])
  if (inside.length === 1) return inside[0]
  const value = childIn(node, "value")
  return node.type === "export_statement" && value !== undefined && functionTypes.has(value.type)
    ? { node: value, name: { name: "default", within: [] }, type: symbolTypeOf(value.type), scope: false }
    : undefined
}

// Constants of some length have a name worth finding; functions that are values always do.
const valueSymbol = (source: string, node: SyntaxNode): FoundSymbol | undefined => {
  if (bodiless.has(node.type)) {
    const name = nameOf(source, node)
    return name === undefined ? undefined : { node, name, type: "function", scope: false }
  }
  const held = heldFunction(node)
  if (held === undefined && sizeOf(source, node.start, node.end) < smallestValue) return undefined
  const name = nameOf(source, node)
  return name === undefined
    ? undefined
    : {
        node,
        name,
        type: held === undefined ? symbolTypeOf(node.type) : symbolTypeOf(held.type),
        scope: false
      }
}

const heldFunction = (node: SyntaxNode): SyntaxNode | undefined => {
  const holder =
    childOf(node, "variable_declarator") ??
    childOf(childOf(node, "assignment_statement") ?? node, "expression_list") ??
    node
  if (holder !== node && !declaresOne(node)) return undefined
  const value =
    childIn(holder, "value") ?? (node.type === "assignment_expression" ? childIn(node, "right") : undefined)
  return value !== undefined && functionTypes.has(value.type) ? value : undefined
}

const elixirSymbol = (source: string, node: SyntaxNode): FoundSymbol | undefined => {
  const definition = elixirDefinition(source, node)
  if (definition === undefined) return undefined
  const scope = /module|protocol|impl/.test(definition.keyword)
  return { node, name: { name: definition.name, within: [] }, type: scope ? "module" : "function", scope }
}

/** Signatures that are symbols when a body follows, as Dart has them. */
const bodiless: ReadonlySet<string> = new Set([
  "function_signature",
  "method_signature",
  "getter_signature",
  "setter_signature"
])

const bodyBeside = (siblings: ReadonlyArray<SyntaxNode>, index: number): SyntaxNode | undefined => {
  const next = siblings[index + 1]
  return bodiless.has(siblings[index]?.type ?? "") && next?.type === "function_body" ? next : undefined
}

// Several symbols under one wrapper, as in `type ( A int; B int )`, are symbols each.
const isOpen = (node: SyntaxNode): boolean => {
  const role = roleOf(node.type)
  return role === "body" || role === "wrapper"
}

/** Members come after the name of what they are in. */
const nameEnd = (node: SyntaxNode): number => childIn(node, "name")?.end ?? node.start

/** A Python function's first statement can be its documentation. */
const docString = (source: string, node: SyntaxNode): string | undefined => {
  const first = childIn(node, "body")?.children[0]
  const text = first?.type === "expression_statement" ? first.children[0] : first
  if (text?.type !== "string" || !/^[rRuUbB]?("""|''')/.test(source.slice(text.start, text.start + 4)))
    return undefined
  return wordsOfComment(textIn(source, text)) || undefined
}

interface Lead {
  readonly start: number
  readonly comment: string | undefined
}

/** Comments and attributes that stand right before a place belong to what begins there. */
const leadsOf = (source: string, root: SyntaxNode) => {
  const all: Array<SyntaxNode> = []
  let last = 0
  for (const [node] of everyNode(root)) {
    if (node.end > last && isLead(node.type)) {
      all.push(node)
      last = node.end
    }
  }
  return {
    before: (place: number, from: number): Lead => {
      let start = place
      const words: Array<string> = []
      let end = place
      for (let index = lastAtMost(all, place - 1, (node) => node.start); index >= 0; index--) {
        const node = all[index]
        if (node === undefined || node.start < from || node.end > end) break
        if (!/^[^\S\n]*\n?[^\S\n]*$/.test(source.slice(node.end, Math.min(end, node.end + 1000)))) break
        // A comment at the end of a line is about that line.
        const line = lineStart(source, node.start, from)
        if (line !== from && source[line - 1] !== "\n") break
        start = node.start
        end = node.start
        if (node.type.includes("comment")) words.push(textIn(source, node).trimEnd())
      }
      return { start, comment: wordsOfComment(words.toReversed().join("\n")) || undefined }
    }
  }
}

const lineStart = (source: string, place: number, from: number): number => {
  let start = place
  while (start > from && /[^\S\n]/.test(source[start - 1] ?? "")) start--
  return start === from || source[start - 1] === "\n" ? start : place
}

const longestRemark = 400

// A semicolon or a comma after a symbol is its own, and so is what a comment says on the same line.
const lineEnd = (source: string, place: number): number => {
  let end = place
  while (end < source.length && /[;,]/.test(source[end] ?? "")) end++
  const remark = /^[ \t]*(?:\/\/|#|--)[^\n]*/.exec(source.slice(end, end + longestRemark))?.[0] ?? ""
  return remark.length === longestRemark ? end : end + remark.length
}
