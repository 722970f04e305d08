/** The words of `links`, `backlinks`, `graph` and `timeline`. */
import type { Graph, GraphNode, ShownLink } from "../../programs/graph/links.ts"
import type { ShownEntry } from "../../programs/graph/timeline.ts"
import { outputWidth, table } from "./text.ts"

const widest = (title: string, texts: ReadonlyArray<string>, most: number): number =>
  Math.min(most, Math.max(title.length, ...texts.map((text) => text.length)))

/** What is left of a line beside columns of these widths. */
const room = (widths: ReadonlyArray<number>): number =>
  Math.max(24, outputWidth() - widths.reduce((sum, width) => sum + width + 2, 0))

/** Links as a table. */
export const linksText = (links: ReadonlyArray<ShownLink>): string => {
  const shown = links.slice(0, linksShown)
  const page = widest(
    "page",
    shown.map((link) => link.slug),
    44
  )
  const type = widest(
    "says",
    shown.map((link) => link.type),
    20
  )
  const from = widest("from", shown.map(origin), 24)
  return [
    table(
      ["says", "page", "from", "in words"],
      shown.map((link) => [link.type, link.slug, origin(link), link.context]),
      [type, page, from, room([type, page, from])]
    ),
    ...(links.length > linksShown ? [`… and ${links.length - linksShown} more (--json has them all)`] : [])
  ].join("\n")
}

const linksShown = 200

const origin = (link: ShownLink): string => link.origin_field ?? link.link_source ?? ""

/** A graph as a tree: every page under the one it was reached from. */
export const graphText = (graph: Graph): string => {
  const below = new Map<string, Array<GraphNode>>()
  for (const node of graph.nodes) {
    if (node.from !== null) below.set(node.from, [...(below.get(node.from) ?? []), node])
  }
  const [start] = graph.nodes
  const lines: Array<string> = []
  // A stack of our own: a chain of a thousand pages is deeper than it is wise to call.
  const open: Array<GraphNode> = start === undefined ? [] : [start]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const types = node.types.length === 0 ? "" : `${node.types.join(", ")}: `
    lines.push(`${"  ".repeat(node.depth)}${types}${node.slug}${node.title === "" ? "" : ` (${node.title})`}`)
    open.push(
      ...(below.get(node.slug) ?? []).filter((it) => it.depth === (node?.depth ?? 0) + 1).toReversed()
    )
  }
  if (graph.nodes.length === 1) lines.push("  links nothing that is known")
  if (graph.cut)
    lines.push(`… and more; only ${graph.nodes.length} pages are shown. A smaller --depth helps.`)
  return lines.join("\n")
}

/** A timeline as a table. */
export const entriesText = (entries: ReadonlyArray<ShownEntry>): string => {
  const source = widest(
    "source",
    entries.map((entry) => entry.source),
    30
  )
  return table(
    ["date", "what happened", "source"],
    entries.map((entry) => [
      entry.date,
      entry.detail === "" || entry.detail === `Source: ${entry.source}`
        ? entry.summary
        : `${entry.summary}\n${entry.detail}`,
      entry.source
    ]),
    [10, room([10, source]), source]
  )
}
