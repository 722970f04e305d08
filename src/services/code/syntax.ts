/** Reads a text with a grammar, and hands over the tree as plain data. For threads of their own: it computes all the time. */
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { Language, Parser, type Tree, type TreeCursor } from "web-tree-sitter"
import type { SyntaxNode } from "../../domain/code/SyntaxNode.ts"

const newer = "@repomix/tree-sitter-wasms"
const wider = "@cursorless/tree-sitter-wasms"

/** Which package has a language's grammar: the one with newer grammars where it has the language, else the one with more of them. */
const packages: Readonly<Record<string, string>> = {
  typescript: newer,
  tsx: newer,
  javascript: newer,
  python: newer,
  ruby: newer,
  go: newer,
  rust: newer,
  java: newer,
  c_sharp: newer,
  cpp: newer,
  c: newer,
  php: newer,
  swift: newer,
  dart: newer,
  solidity: newer,
  kotlin: wider,
  scala: wider,
  lua: wider,
  bash: wider,
  elixir: wider
}

const resolve = createRequire(import.meta.url).resolve

let started: Promise<void> | undefined
const parsers = new Map<string, Promise<Parser>>()

const makeParser = async (language: string): Promise<Parser> => {
  await (started ??= Parser.init())
  const from = packages[language]
  if (from === undefined) throw new Error(`there is no grammar for ${language}`)
  const file = resolve(`${from}/package.json`).replace(/package\.json$/, `out/tree-sitter-${language}.wasm`)
  const parser = new Parser()
  parser.setLanguage(await Language.load(await readFile(file)))
  return parser
}

const parserFor = (language: string): Promise<Parser> => {
  const there = parsers.get(language)
  if (there !== undefined) return there
  const made = makeParser(language)
  parsers.set(language, made)
  return made
}

/** The tree of a text. What a grammar cannot read is part of the tree too, as nodes of the type ERROR. */
export const parseSyntax = async (source: string, language: string): Promise<SyntaxNode> => {
  const parser = await parserFor(language)
  let tree: Tree | null = null
  let cursor: TreeCursor | undefined
  try {
    tree = parser.parse(source)
    if (tree === null) throw new Error(`the grammar of ${language} gave up`)
    cursor = tree.walk()
    return copyTree(cursor)
  } finally {
    cursor?.delete()
    tree?.delete()
  }
}

interface Copied extends SyntaxNode {
  readonly children: Array<SyntaxNode>
}

const copyNode = (cursor: TreeCursor): Copied => ({
  type: cursor.nodeType,
  field: cursor.currentFieldName ?? undefined,
  start: cursor.startIndex,
  end: cursor.endIndex,
  row: cursor.startPosition.row,
  endRow: cursor.endPosition.row,
  children: []
})

const copyTree = (cursor: TreeCursor): SyntaxNode => {
  const root = copyNode(cursor)
  const path = [root]
  let down = cursor.gotoFirstChild()
  while (path.length > 0) {
    if (down) {
      const parent = path[path.length - 1]
      const node = cursor.nodeIsNamed ? copyNode(cursor) : undefined
      if (node !== undefined) parent?.children.push(node)
      // What has no name of its own has nothing inside either.
      if (node !== undefined && cursor.gotoFirstChild()) {
        path.push(node)
        continue
      }
      down = cursor.gotoNextSibling()
      continue
    }
    path.pop()
    if (path.length > 0) {
      cursor.gotoParent()
      down = cursor.gotoNextSibling()
    }
  }
  return root
}
