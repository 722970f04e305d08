/** The words of `edges-backfill`, `code-callers` and `code-callees`. */
import type { ShownEdge, SymbolEdges } from "../../programs/code/callers.ts"
import type { EdgesReport } from "../../programs/edges/report.ts"
import { ifAny, line, number, plural, sweepText } from "./sweep.ts"
import { outputWidth, table } from "./text.ts"

/** The report of a run of `edges-backfill`. */
export const edgesText = (report: EdgesReport): string =>
  sweepText(report, {
    did: `${plural(report.edges_examined, "edge")} of ${plural(report.chunks_walked, "chunk")} looked at`,
    nothing:
      report.chunks_to_do + report.failed === 0
        ? "every name in the code was looked up, and nothing it may mean came or went since."
        : undefined,
    lines: [
      ...(report.edges_examined === 0
        ? []
        : [
            line("resolved to one symbol", number(report.edges_resolved)),
            line("several have the name", number(report.edges_ambiguous)),
            line("nobody here has the name", number(report.edges_unmatched))
          ]),
      ...(report.edges_changed === 0
        ? []
        : [line(report.dry_run ? "edges to be changed" : "edges changed", number(report.edges_changed))]),
      ...ifAny("chunks left (--max-chunks)", report.chunks_left),
      ...ifAny("edited again and again", report.chunks_edited)
    ]
  })

/** Edges as a table: who calls, or what is called. */
export const symbolEdgesText = ({ cut, edges }: SymbolEdges, direction: "callers" | "callees"): string => {
  const rows = edges.map((edge) =>
    direction === "callers"
      ? [edge.from_symbol_qualified, placeOf(edge.from_file, edge.from_line), edge.edge_type, knownAs(edge)]
      : [
          edge.to_symbol_qualified,
          edge.to_file === null ? "" : placeOf(edge.to_file, edge.to_line),
          edge.edge_type,
          knownAs(edge)
        ]
  )
  const width = (column: number, most: number) =>
    Math.min(most, Math.max(6, ...rows.map((row) => row[column]?.length ?? 0)))
  const kind = width(2, 12)
  const known = width(3, 30)
  const symbol = width(0, 44)
  const place = Math.max(24, Math.min(width(1, 80), outputWidth() - symbol - kind - known - 6))
  return [
    table(["symbol", "where", "edge", "known"], rows, [symbol, place, kind, known]),
    ...(cut ? [`… and more; a larger --limit shows them`] : [])
  ].join("\n")
}

const placeOf = (file: string, at: number | null): string => (at === null ? file : `${file}:${at}`)

const knownAs = (edge: ShownEdge): string =>
  edge.resolved ? "resolved" : edge.candidates > 0 ? `one of ${edge.candidates}` : "by its name"
