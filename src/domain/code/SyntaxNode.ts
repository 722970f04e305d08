/** What a grammar makes of a text, as plain data: rules are written for this, and know no parser. */

/** A node of a syntax tree. Only nodes that have names of their own are kept: no commas, no brackets. */
export interface SyntaxNode {
  readonly type: string
  /** What the node is to its parent, such as `name` or `body`. */
  readonly field: string | undefined
  /** Where it begins and ends in the text, in UTF-16 units. */
  readonly start: number
  readonly end: number
  /** Lines, from 0. */
  readonly row: number
  readonly endRow: number
  readonly children: ReadonlyArray<SyntaxNode>
}

/** The child that a field holds. */
export const childIn = (node: SyntaxNode, field: string): SyntaxNode | undefined =>
  node.children.find((child) => child.field === field)

/** The first child of one of some types. */
export const childOf = (node: SyntaxNode, ...types: ReadonlyArray<string>): SyntaxNode | undefined =>
  node.children.find((child) => types.includes(child.type))

/** The children of one of some types. */
export const childrenOf = (node: SyntaxNode, ...types: ReadonlyArray<string>): ReadonlyArray<SyntaxNode> =>
  node.children.filter((child) => types.includes(child.type))

/** The text of a node. */
export const textIn = (source: string, node: SyntaxNode): string => source.slice(node.start, node.end)

/**
 * Every node in the order of the text with the node it is in, the root first. Trees of generated code are deep: nothing here
 * calls itself.
 */
export function* everyNode(root: SyntaxNode): Generator<readonly [node: SyntaxNode, parent: SyntaxNode]> {
  const stack: Array<readonly [SyntaxNode, SyntaxNode]> = [[root, root]]
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    yield pair
    const [node] = pair
    for (let index = node.children.length - 1; index >= 0; index--) {
      const child = node.children[index]
      if (child !== undefined) stack.push([child, node])
    }
  }
}
