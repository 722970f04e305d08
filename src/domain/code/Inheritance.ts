/** What types are made from: what they extend, implement and mix in. */
import { childIn, childOf, childrenOf, type SyntaxNode, textIn } from "./SyntaxNode.ts"

/** How a type uses another. */
export type Kinship = "extends" | "implements" | "mixes_in"

/** A type that another is made from. */
export interface Ancestor {
  readonly type: Kinship
  readonly name: string
}

/** The last name of a type without what it is made of: `a.b.Foo<T>` is Foo. */
export const baseName = (text: string): string =>
  /^[^<({[\s]*/
    .exec(text.trim())?.[0]
    .split(/::|[.\\]/)
    .filter((part) => part !== "")
    .pop() ?? ""

/** The ancestors that a node names. `parent` is the node it is in. */
export const ancestorsIn = (
  source: string,
  language: string,
  node: SyntaxNode,
  parent: SyntaxNode
): ReadonlyArray<Ancestor> => {
  const all = (type: Kinship, nodes: ReadonlyArray<SyntaxNode | undefined>): ReadonlyArray<Ancestor> =>
    nodes.flatMap((it) => {
      const name = it === undefined ? "" : baseName(textIn(source, it))
      return name === "" ? [] : [{ type, name }]
    })
  const before = (word: string) =>
    new RegExp(`\\b${word}\\b`).test(source.slice(parent.start, Math.min(node.start, parent.start + 500)))

  switch (node.type) {
    case "extends_clause": {
      const types = node.children.filter((child) => child.field === "type")
      return types.length > 0
        ? [...all("extends", types.slice(0, 1)), ...all("mixes_in", types.slice(1))]
        : all(
            "extends",
            node.children.filter((child) => child.field === "value")
          )
    }
    case "class_heritage":
      return all(
        "extends",
        node.children.filter((child) => !child.type.endsWith("_clause"))
      )
    case "extends_type_clause":
      return all("extends", node.children)
    case "implements_clause":
    case "interfaces":
    case "class_interface_clause":
      return all("implements", node.children)
    case "super_interfaces":
      return all("implements", childOf(node, "type_list")?.children ?? [])
    case "extends_interfaces":
      return all("extends", childOf(node, "type_list")?.children ?? [])
    case "superclass":
      return [
        ...all("extends", node.children.filter((child) => child.type !== "mixins").slice(0, 1)),
        ...all("mixes_in", childOf(node, "mixins")?.children ?? [])
      ]
    case "base_clause":
      return all("extends", node.children)
    case "use_declaration":
      return language === "php" ? all("mixes_in", childrenOf(node, "name", "qualified_name")) : []
    case "base_class_clause":
      return all(
        "extends",
        node.children.filter((child) => !/specifier$|^virtual$/.test(child.type))
      )
    case "base_list":
      return baseList(all, node, parent)
    case "argument_list":
      return node.field === "superclasses"
        ? all(
            "extends",
            node.children.filter((child) => child.type !== "keyword_argument")
          )
        : []
    case "impl_item":
      return all("implements", [childIn(node, "trait")])
    case "trait_bounds":
      return parent.type === "trait_item" ? all("extends", node.children) : []
    case "inheritance_specifier": {
      if (language === "solidity") return all("extends", node.children.slice(0, 1))
      const extending = parent.type === "protocol_declaration" || (before("class") && isFirst(parent, node))
      return all(extending ? "extends" : "implements", node.children.slice(0, 1))
    }
    case "delegation_specifier":
      return all(
        node.children[0]?.type === "constructor_invocation" || before("interface") ? "extends" : "implements",
        node.children.slice(0, 1)
      )
    case "call":
      return mixin(source, language, node, all)
    default:
      return []
  }
}

type All = (type: Kinship, nodes: ReadonlyArray<SyntaxNode | undefined>) => ReadonlyArray<Ancestor>

// The grammar of C# cannot tell a class from an interface; people can, by the capital I.
const baseList = (all: All, node: SyntaxNode, parent: SyntaxNode): ReadonlyArray<Ancestor> => {
  if (parent.type === "interface_declaration") return all("extends", node.children)
  const isClass = /^(class|record)_declaration$/.test(parent.type)
  return all("implements", node.children).map((ancestor, index) =>
    isClass && index === 0 && !/^I\p{Lu}/u.test(ancestor.name) ? { ...ancestor, type: "extends" } : ancestor
  )
}

const isFirst = (parent: SyntaxNode, node: SyntaxNode): boolean => childOf(parent, node.type) === node

const mixers: Readonly<Record<string, ReadonlySet<string>>> = {
  ruby: new Set(["include", "extend", "prepend"]),
  elixir: new Set(["use"])
}

const mixin = (source: string, language: string, node: SyntaxNode, all: All): ReadonlyArray<Ancestor> => {
  const callee = childIn(node, "method") ?? childIn(node, "target")
  if (callee === undefined || callee.children.length > 0 || childIn(node, "receiver") !== undefined) return []
  if (mixers[language]?.has(textIn(source, callee)) !== true) return []
  const given = (childIn(node, "arguments") ?? childOf(node, "arguments"))?.children ?? []
  return all(
    "mixes_in",
    given.filter((it) => /^(constant|scope_resolution|alias)$/.test(it.type))
  )
}
