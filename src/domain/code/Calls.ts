/** What code calls: the name that is written last before the arguments, and whose it is where the text says so. */
import { childIn, childOf, type SyntaxNode, textIn } from "./SyntaxNode.ts"

/** Which child of a call says what is called; the first one when there is no such field. */
const calleeFields: Readonly<Record<string, ReadonlyArray<string>>> = {
  call_expression: ["function"],
  call: ["function", "method", "target"],
  method_invocation: ["name"],
  invocation_expression: ["function"],
  function_call_expression: ["function"],
  member_call_expression: ["name"],
  nullsafe_member_call_expression: ["name"],
  scoped_call_expression: ["name"],
  function_call: ["name"],
  command: ["name"],
  new_expression: ["constructor", "type"],
  object_creation_expression: ["type"],
  instance_expression: [],
  constructor_invocation: []
}

/** Languages that have these nodes and mean something else by them. */
const notCalls: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["kotlin", new Set(["constructor_invocation"])]
])

/** What a node calls, if it is a call. */
export const calleeIn = (language: string, node: SyntaxNode): SyntaxNode | undefined => {
  const fields = calleeFields[node.type]
  if (fields === undefined || notCalls.get(language)?.has(node.type) === true) return undefined
  for (const field of fields) {
    const child = childIn(node, field)
    if (child !== undefined) return child
  }
  return node.children[0]
}

const identifier = /^[\p{L}_$@][\p{L}\p{M}\p{N}_$]*[?!]?$/u

/** A text as a name; nothing when it is none. */
export const asName = (text: string): string | undefined =>
  text.length <= 200 && identifier.test(text) ? text : undefined

/** Fields that lead to what is named last. */
const lastFields = ["property", "field", "attribute", "method", "suffix", "name", "right", "function"]

/** The last name in an expression: `a.b.c` is c, `std::io::println` println, `Vec<T>` Vec. */
export const lastName = (source: string, expression: SyntaxNode): string | undefined => {
  let node = expression
  for (let depth = 0; depth < 24; depth++) {
    if (node.children.length === 0) return asName(textIn(source, node).replace(/^#/, ""))
    const next =
      lastFields.map((field) => childIn(node, field)).find((child) => child !== undefined) ?? onlyPath(node)
    if (next === undefined) return undefined
    node = next
  }
  return undefined
}

const onlyPath = (node: SyntaxNode): SyntaxNode | undefined => {
  switch (node.type) {
    case "navigation_expression":
    case "navigation_suffix":
    case "qualified_name":
      return node.children[node.children.length - 1]
    case "expression":
    case "command_name":
    case "generic_type":
    case "generic_name":
    case "user_type":
    case "type":
      return node.children[0]
    default:
      return undefined
  }
}

/** What a method is called on, where that is a name or `this`. */
export const receiverOf = (source: string, callee: SyntaxNode): string | undefined => {
  if (callee.type !== "member_expression" && callee.type !== "attribute") return undefined
  const object = childIn(callee, "object")
  return object === undefined || object.children.length > 0 ? undefined : textIn(source, object)
}

/** Calls of Dart, whose grammar has no node for them: arguments that follow a name. */
export const dartCallees = (node: SyntaxNode): ReadonlyArray<SyntaxNode> =>
  node.children.flatMap((child, index) => {
    if (child.type !== "selector" || childOf(child, "argument_part") === undefined) return []
    const before = node.children[index - 1]
    if (before === undefined) return []
    const named = before.type === "selector" ? before.children[0]?.children[0] : before
    return named?.type === "identifier" ? [named] : []
  })
