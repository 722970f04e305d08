/**
 * What code says of other code: calls, imports, ancestors, types. Names are those written there; where the text says whose a
 * method is (`this.run()`, a variable made with `new`, an imported module), it is `Owner::method`, as the original writes it.
 */
import { asName, calleeIn, dartCallees, lastName, receiverOf } from "./Calls.ts"
import { type Import, importsIn, isImporter } from "./Imports.ts"
import { ancestorsIn, baseName } from "./Inheritance.ts"
import { elixirDefinition } from "./SymbolNames.ts"
import { childIn, everyNode, type SyntaxNode, textIn } from "./SyntaxNode.ts"

/** Kinds of edges, the original's. */
export type EdgeType = "calls" | "imports" | "extends" | "implements" | "mixes_in" | "references"

/** An edge from a symbol, or from a file where the code is in none, to a name. */
export interface CodeEdge {
  readonly from: string
  readonly to: string
  readonly type: EdgeType
}

/** An edge by the place in the text that it is from. */
export interface EdgeSite {
  readonly place: number
  readonly to: string
  readonly type: EdgeType
}

/** Longer names come from generated code, and nobody looks for them. */
const maxTarget = 500

/** Every edge of a text, in its order. */
export const edgesIn = (source: string, language: string, root: SyntaxNode): ReadonlyArray<EdgeSite> => {
  const sites: Array<EdgeSite> = []
  const known = makeBindings(source, language)
  const heads = new Set<SyntaxNode>()
  const add = (node: SyntaxNode, type: EdgeType, to: string | undefined) => {
    if (to !== undefined && to !== "" && to.length <= maxTarget) sites.push({ place: node.start, to, type })
  }
  for (const [node, parent] of everyNode(root)) {
    known.enter(node)
    const imports = importsIn(source, language, node)
    for (const it of imports) {
      add(node, "imports", `${it.module}::${it.name}`)
      if (it.local !== undefined) known.imported(it.local, it)
    }
    const ancestors = ancestorsIn(source, language, node, parent)
    for (const it of ancestors) add(node, it.type, known.unaliased(it.name))
    const callee = calleeIn(language, node)
    const isCall = language !== "elixir" || isElixirCall(source, node, parent, heads)
    if (callee !== undefined && isCall && imports.length + ancestors.length === 0) {
      add(node, "calls", known.owned(callee, nameOfCallee(source, language, node, callee)))
    }
    if (language === "dart") for (const it of dartCallees(node)) add(it, "calls", textIn(source, it))
    if (isReference(language, node, parent)) add(node, "references", asName(textIn(source, node)))
  }
  return sites
}

const nameOfCallee = (
  source: string,
  language: string,
  node: SyntaxNode,
  callee: SyntaxNode
): string | undefined => {
  if (callee.type === "super" || callee.type === "import") return undefined
  const isNew = node.type === "new_expression" || /creation|instance/.test(node.type)
  return isNew
    ? asName(baseName(textIn(source, callee)))
    : language === "bash"
      ? command(source, callee)
      : lastName(source, callee)
}

// Functions of a shell may have hyphens in their names.
const command = (source: string, callee: SyntaxNode): string | undefined => {
  const text = textIn(source, callee)
  return text.length > 200 || asName(text.replaceAll("-", "_")) === undefined ? undefined : text
}

/** Elixir writes definitions, their heads, attributes and imports as calls. */
const isElixirCall = (
  source: string,
  node: SyntaxNode,
  parent: SyntaxNode,
  heads: Set<SyntaxNode>
): boolean => {
  const definition = elixirDefinition(source, node)
  if (definition !== undefined) heads.add(definition.head)
  const target = childIn(node, "target")
  return (
    definition === undefined &&
    !heads.has(node) &&
    parent.type !== "unary_operator" &&
    !(target?.type === "identifier" && isImporter("elixir", textIn(source, target)))
  )
}

const declares = /^(class|abstract_class|interface|type_alias|enum)_declaration$|^type_parameter$/

const isReference = (language: string, node: SyntaxNode, parent: SyntaxNode): boolean =>
  (language === "typescript" || language === "tsx") &&
  node.type === "type_identifier" &&
  !(node.field === "name" && declares.test(parent.type)) &&
  !/^(extends|implements|extends_type)_clause$/.test(parent.type)

interface Frame {
  readonly end: number
  /** The class that begins here, and what names stand for: a module, or a class that the value was made from. */
  readonly owner: string | undefined
  readonly names: Map<string, string>
}

/** Functions inside functions; what is deeper is looked up in those. */
const deepest = 50

const scripts: ReadonlySet<string> = new Set(["typescript", "tsx", "javascript", "python"])

/** What names stand for, from place to place, in languages where the text tells. */
const makeBindings = (source: string, language: string) => {
  const tells = scripts.has(language)
  const file = new Map<string, string>()
  const aliases = new Map<string, string>()
  const frames: Array<Frame> = [{ end: Number.MAX_SAFE_INTEGER, owner: undefined, names: file }]
  const set = (name: SyntaxNode | undefined, value: string | undefined) => {
    if (name?.type === "identifier" && value !== undefined)
      frames[frames.length - 1]?.names.set(textIn(source, name), value)
  }
  return {
    enter: (node: SyntaxNode) => {
      if (!tells) return
      while ((frames[frames.length - 1]?.end ?? 0) <= node.start && frames.length > 1) frames.pop()
      if (frames.length > deepest) return
      if (/^(abstract_)?class(_declaration|_definition)?$/.test(node.type) && node.children.length > 0) {
        const name = childIn(node, "name")
        frames.push({ end: node.end, owner: name && textIn(source, name), names: new Map() })
      } else if (/function|^method_definition$/.test(node.type) && node.children.length > 0) {
        frames.push({ end: node.end, owner: undefined, names: new Map() })
      } else if (node.type === "variable_declarator") {
        const made = childIn(node, "value")
        const maker = made?.type === "new_expression" ? childIn(made, "constructor") : undefined
        set(childIn(node, "name"), maker && asName(textIn(source, maker)))
      } else if (node.type === "assignment" && language === "python") {
        const made = childIn(node, "right")
        const maker = made?.type === "call" ? childIn(made, "function") : undefined
        const name = maker && asName(textIn(source, maker))
        set(childIn(node, "left"), name !== undefined && /^\p{Lu}/u.test(name) ? name : undefined)
      }
    },
    imported: (local: string, { module, name }: Import) => {
      file.set(local, module)
      if (name !== local && name !== "*" && name !== "default") aliases.set(local, `${module}::${name}`)
    },
    /** What a name was called where it was imported from, with its module, if it was given another here. */
    unaliased: (name: string): string => aliases.get(name) ?? name,
    /** A method with its owner, where that is known. */
    owned: (callee: SyntaxNode, name: string | undefined): string | undefined => {
      if (name === undefined || !tells) return name
      const receiver = receiverOf(source, callee)
      if (receiver === undefined) return callee.type === "identifier" ? (aliases.get(name) ?? name) : name
      if (receiver === "this" || (language === "python" && receiver === "self")) {
        const owner = frames.findLast((frame) => frame.owner !== undefined)?.owner
        return owner === undefined ? name : `${owner}::${name}`
      }
      const owner = frames.findLast((frame) => frame.names.has(receiver))?.names.get(receiver)
      return owner === undefined ? name : `${owner}::${name}`
    }
  }
}
