/** What symbols are called, and under what. */
import { childIn, childOf, childrenOf, type SyntaxNode, textIn } from "./SyntaxNode.ts"

/** A name, with what it says itself of where it belongs, such as the receiver of a method. */
export interface SymbolName {
  readonly name: string
  readonly within: ReadonlyArray<string>
}

/** Longer names are no names. */
const maxName = 300

const named = (text: string, within: ReadonlyArray<string> = []): SymbolName | undefined => {
  const name = text.replace(/\s+/g, " ").trim()
  return name === "" || name.length > maxName ? undefined : { name, within }
}

/** Names of what has none of its own. */
const fixedNames: Readonly<Record<string, string>> = {
  init_declaration: "init",
  deinit_declaration: "deinit",
  subscript_declaration: "subscript",
  secondary_constructor: "constructor",
  constructor_definition: "constructor"
}

/** The name of a symbol; nothing when it has none. */
export const nameOf = (source: string, node: SyntaxNode): SymbolName | undefined => {
  const fixed = fixedNames[node.type]
  if (fixed !== undefined) return named(fixed)
  switch (node.type) {
    case "impl_item":
      return named(bareType(source, childIn(node, "type")))
    case "method_declaration": {
      const receiver = childIn(node, "receiver")
      const within = receiver === undefined ? "" : bareType(source, receiver)
      const name = childIn(node, "name")
      return name === undefined ? undefined : named(textIn(source, name), within === "" ? [] : [within])
    }
    case "companion_object": {
      const name = childOf(node, "type_identifier")
      return named(name === undefined ? "Companion" : textIn(source, name))
    }
    case "assignment_expression": {
      const left = childIn(node, "left")
      const right = childIn(node, "right")
      const name =
        (right === undefined ? undefined : childIn(right, "name")) ??
        (left === undefined ? undefined : (childIn(left, "property") ?? left))
      return name === undefined ? undefined : simple(source, name)
    }
    case "lexical_declaration":
    case "variable_declaration":
    case "const_declaration":
    case "var_declaration":
      return ofDeclarator(source, node)
  }
  const name = childIn(node, "name")
  if (name !== undefined) return dotted(source, name)
  const declarator = childIn(node, "declarator")
  if (declarator !== undefined) return ofDeclared(source, declarator)
  if (node.type === "method_signature") {
    const inner = node.children[0]
    return inner === undefined ? undefined : nameOf(source, inner)
  }
  const first =
    childIn(node, "left") ??
    childIn(node, "property") ??
    childIn(node, "pattern") ??
    node.children.find((child) => /identifier$|^constant$|^name$/.test(child.type)) ??
    childOf(node, "variable_declaration")
  if (first === undefined) return undefined
  return first.type === "variable_declaration" ? nameOf(source, first) : simple(source, first)
}

// `const a = …`, `const ( a = 1; b = 2 )`: the first name, where it is one.
const ofDeclarator = (source: string, node: SyntaxNode): SymbolName | undefined => {
  const holder = childOf(
    node,
    "variable_declarator",
    "const_spec",
    "var_spec",
    "var_spec_list",
    "const_element",
    "assignment_statement"
  )
  if (holder === undefined) {
    const first = node.children.find((child) => child.type.endsWith("identifier"))
    return first === undefined ? undefined : simple(source, first)
  }
  const list = childOf(holder, "variable_list")
  const name = childIn(list ?? holder, "name") ?? holder.children[0]
  return name === undefined ? undefined : simple(source, name)
}

// What is no plain name, such as a pattern that takes an object apart, names nothing.
const simple = (source: string, node: SyntaxNode): SymbolName | undefined => {
  const text = textIn(source, node)
  return /^[\p{L}\p{N}_$@.:-]+$/u.test(text.slice(0, maxName + 1)) ? named(text) : undefined
}

// `M.foo` and `M:foo` of Lua belong to `M`.
const dotted = (source: string, node: SyntaxNode): SymbolName | undefined => {
  const last =
    childIn(node, "method") ?? (childIn(node, "table") === undefined ? undefined : childIn(node, "field"))
  const table = childIn(node, "table")
  if (last === undefined || table === undefined)
    return named(textIn(source, node).replace(/^["']|["']$/g, ""))
  return named(textIn(source, last), textIn(source, table).split(/[.:]/))
}

/** C and C++ wrap the name in what is declared of it: pointers, arguments, namespaces. */
const ofDeclared = (source: string, declarator: SyntaxNode): SymbolName | undefined => {
  let node = declarator
  const within: Array<string> = []
  for (let depth = 0; depth < 32; depth++) {
    if (node.type === "qualified_identifier") {
      const scope = childIn(node, "scope")
      const name = childIn(node, "name")
      if (name === undefined) return undefined
      if (scope !== undefined) within.push(textIn(source, scope).replace(/<.*$/s, ""))
      node = name
      continue
    }
    const inner =
      childIn(node, "declarator") ?? childOf(node, "parenthesized_declarator", "pointer_declarator")
    if (inner === undefined) break
    node = inner
  }
  const wrapped = node.type.endsWith("_declarator")
    ? node.children.find((child) => /identifier$|_name$/.test(child.type))
    : node
  return wrapped === undefined ? undefined : named(textIn(source, wrapped), within)
}

/** The name in a type, without what it is made of: `*Server`, `Vec<T>` and `a::Foo` are Server, Vec and Foo. */
const bareType = (source: string, node: SyntaxNode | undefined): string => {
  let current = node
  for (let depth = 0; depth < 16 && current !== undefined; depth++) {
    if (current.type.endsWith("identifier") && current.children.length === 0) return textIn(source, current)
    current =
      childIn(current, "name") !== undefined && current.type === "scoped_type_identifier"
        ? childIn(current, "name")
        : (childIn(current, "type") ?? current.children.find((child) => child.type !== "identifier"))
  }
  return ""
}

/** The name of an Elixir definition, a call like any other in its grammar. */
export const elixirDefinition = (
  source: string,
  node: SyntaxNode
): { readonly keyword: string; readonly name: string; readonly head: SyntaxNode } | undefined => {
  const target = childIn(node, "target")
  if (node.type !== "call" || target?.type !== "identifier") return undefined
  const keyword = textIn(source, target)
  const first = childOf(node, "arguments")?.children[0]
  if (first === undefined || !/^def(module|protocol|impl|p|macrop?)?$/.test(keyword)) return undefined
  const head = first.type === "binary_operator" ? (childIn(first, "left") ?? first) : first
  const name = head.type === "call" ? (childIn(head, "target") ?? head) : head
  return { keyword, name: textIn(source, name).slice(0, maxName), head }
}

/** Whether a declaration declares exactly one thing. */
export const declaresOne = (node: SyntaxNode): boolean =>
  childrenOf(node, "variable_declarator", "const_spec", "var_spec", "assignment_statement").length === 1
