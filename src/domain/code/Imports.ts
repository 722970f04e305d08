/** What code imports, as `module::name`, `module::default` and `module::*`, and by which names it then knows it. */
import { childIn, childOf, childrenOf, type SyntaxNode, textIn } from "./SyntaxNode.ts"

/** One imported thing. */
export interface Import {
  readonly module: string
  /** `*` for the whole of it. */
  readonly name: string
  /** What it is called here, if it has a name here. */
  readonly local?: string
}

/** The imports that a node makes; none when it is none. */
export const importsIn = (source: string, language: string, node: SyntaxNode): ReadonlyArray<Import> => {
  const text = (it: SyntaxNode | undefined) => (it === undefined ? "" : textIn(source, it))
  switch (node.type) {
    case "import_statement":
      return language === "python" ? pythonImport(source, node) : scriptImport(source, node)
    case "export_statement":
      return childIn(node, "source") === undefined ? [] : scriptImport(source, node)
    case "import_from_statement":
      return pythonFrom(source, node)
    case "import_spec":
      return whole(unquoted(text(childIn(node, "path"))))
    case "use_declaration":
      return language === "rust" ? rustUse(source, childIn(node, "argument"), "") : []
    case "import_declaration":
      return declared(source, language, node)
    case "import_header": {
      const path = text(childOf(node, "identifier"))
      return childOf(node, "wildcard_import") === undefined ? lastOf(path, ".") : whole(path)
    }
    case "using_directive":
      return whole(text(node.children[node.children.length - 1]))
    case "preproc_include":
    case "import_directive":
    case "import_specification":
      return whole(unquoted(text(childIn(node, "path") ?? childIn(node, "source") ?? node.children[0])))
    case "namespace_use_declaration":
      return phpUse(source, node)
    case "call":
    case "call_expression":
    case "function_call":
    case "command":
      return calledImport(source, language, node)
    default:
      return []
  }
}

const whole = (module: string): ReadonlyArray<Import> => (module === "" ? [] : [{ module, name: "*" }])

const unquoted = (text: string): string => text.replace(/^["'`<]+|["'`>]+$/g, "")

const lastOf = (path: string, separator: string): ReadonlyArray<Import> => {
  const at = path.lastIndexOf(separator)
  return at < 0 ? whole(path) : [{ module: path.slice(0, at), name: path.slice(at + separator.length) }]
}

const scriptImport = (source: string, node: SyntaxNode): ReadonlyArray<Import> => {
  const module = unquoted(textIn(source, childIn(node, "source") ?? node))
  const clause = childOf(node, "import_clause") ?? node
  const found = clause.children.flatMap((child): ReadonlyArray<Import> => {
    switch (child.type) {
      case "identifier":
        return [{ module, name: "default", local: textIn(source, child) }]
      case "namespace_import":
        return [{ module, name: "*", local: child.children.map((it) => textIn(source, it)).join("") }]
      case "named_imports":
      case "export_clause":
        return child.children.map((specifier) => {
          const name = textIn(source, childIn(specifier, "name") ?? specifier)
          const alias = childIn(specifier, "alias")
          return { module, name, local: alias === undefined ? name : textIn(source, alias) }
        })
      default:
        return []
    }
  })
  return found.length === 0 ? whole(module) : found
}

const pythonImport = (source: string, node: SyntaxNode): ReadonlyArray<Import> =>
  node.children.map((child) => {
    const module = textIn(source, childIn(child, "name") ?? child)
    const alias = childIn(child, "alias")
    return { module, name: "*", local: alias === undefined ? module : textIn(source, alias) }
  })

const pythonFrom = (source: string, node: SyntaxNode): ReadonlyArray<Import> => {
  const from = childIn(node, "module_name")
  if (from === undefined) return []
  const module = textIn(source, from)
  if (childOf(node, "wildcard_import") !== undefined) return whole(module)
  return node.children
    .filter((child) => child.field === "name")
    .map((child) => {
      const name = textIn(source, childIn(child, "name") ?? child)
      const alias = childIn(child, "alias")
      return { module, name, local: alias === undefined ? name : textIn(source, alias) }
    })
}

// `use a::{b, c::{self, d}}` is a::b, a::c and a::c::d.
const rustUse = (
  source: string,
  node: SyntaxNode | undefined,
  prefix: string,
  depth = 0
): ReadonlyArray<Import> => {
  if (node === undefined || depth > 32 || prefix.length > 500) return []
  const join = (path: string) => (prefix === "" ? path : `${prefix}::${path}`)
  const path = childIn(node, "path")
  switch (node.type) {
    case "scoped_use_list": {
      const inside = path === undefined ? prefix : join(textIn(source, path))
      return (childIn(node, "list")?.children ?? []).flatMap((it) => rustUse(source, it, inside, depth + 1))
    }
    case "use_list":
      return node.children.flatMap((it) => rustUse(source, it, prefix, depth + 1))
    case "use_as_clause":
      return rustUse(source, path, prefix, depth + 1)
    case "use_wildcard":
      return whole(join(textIn(source, node.children[0] ?? node)))
    case "self":
      return lastOf(prefix, "::")
    default:
      return lastOf(join(textIn(source, node)), "::")
  }
}

const declared = (source: string, language: string, node: SyntaxNode): ReadonlyArray<Import> => {
  if (language === "go" || language === "c_sharp") return []
  if (language === "scala") return scalaImport(source, node)
  const path = node.children.find((child) => child.type.endsWith("identifier"))
  if (path === undefined) return []
  const text = textIn(source, path)
  return language === "swift" || childOf(node, "asterisk") !== undefined ? whole(text) : lastOf(text, ".")
}

const scalaImport = (source: string, node: SyntaxNode): ReadonlyArray<Import> => {
  const path = node.children.filter((child) => child.field === "path").map((child) => textIn(source, child))
  const selectors = childOf(node, "namespace_selectors")
  if (selectors === undefined) {
    return childOf(node, "namespace_wildcard") === undefined
      ? lastOf(path.join("."), ".")
      : whole(path.join("."))
  }
  return selectors.children.map((child) => ({
    module: path.join("."),
    name: textIn(source, childIn(child, "name") ?? child)
  }))
}

const phpUse = (source: string, node: SyntaxNode): ReadonlyArray<Import> => {
  const group = childIn(node, "body")
  const prefix = childOf(node, "namespace_name")
  return childrenOf(group ?? node, "namespace_use_clause").flatMap((clause) => {
    const name = textIn(source, clause.children[0] ?? clause).replace(/^\\/, "")
    return lastOf(
      group === undefined || prefix === undefined ? name : `${textIn(source, prefix)}\\${name}`,
      "\\"
    )
  })
}

const longestImporter = 20

/** Functions that import what they are called with. */
const importers: Readonly<Record<string, ReadonlySet<string>>> = {
  javascript: new Set(["require", "import"]),
  typescript: new Set(["require", "import"]),
  tsx: new Set(["require", "import"]),
  ruby: new Set(["require", "require_relative", "load"]),
  lua: new Set(["require"]),
  elixir: new Set(["alias", "import", "require"]),
  bash: new Set(["source", "."])
}

const calledImport = (source: string, language: string, node: SyntaxNode): ReadonlyArray<Import> => {
  const names = importers[language]
  const callee =
    childIn(node, "function") ?? childIn(node, "method") ?? childIn(node, "target") ?? childIn(node, "name")
  // A callee can be a chain of a million calls: it is not to be read for each of them.
  if (names === undefined || callee === undefined || callee.end - callee.start > longestImporter) return []
  if (!names.has(textIn(source, callee))) return []
  const argument =
    childIn(node, "argument") ?? (childIn(node, "arguments") ?? childOf(node, "arguments"))?.children[0]
  if (argument === undefined || !/^(string|alias|word|raw_string)$/.test(argument.type)) return []
  return whole(unquoted(textIn(source, argument)))
}

/** Whether a function imports what it is called with. */
export const isImporter = (language: string, name: string): boolean => importers[language]?.has(name) ?? false
