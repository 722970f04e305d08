/** The words of `import`. */
import type { ImportReport } from "../../programs/import/report.ts"
import { duration } from "./progress.ts"
import { number, plural } from "./sweep.ts"

const shown = 20

const heading = (report: ImportReport): string => {
  const { directory, elapsed_ms: elapsed, status } = report
  const counts = [
    `${number(report.created)} new`,
    `${number(report.updated)} changed`,
    `${number(report.unchanged)} unchanged`,
    ...(report.renamed > 0 ? [`${number(report.renamed)} renamed`] : []),
    ...(report.deleted > 0 ? [`${number(report.deleted)} deleted`] : []),
    ...(report.failed > 0 ? [`${number(report.failed)} failed`] : []),
    ...(report.edited > 0 ? [`${number(report.edited)} edited meanwhile`] : []),
    ...(report.skipped.length > 0 ? [`${number(report.skipped.length)} skipped`] : [])
  ].join(", ")
  const files = plural(report.files, "file")
  const chunks = plural(report.chunks, "chunk")
  const code = report.code_files > 0 ? `, ${plural(report.code_edges, "edge")} between symbols` : ""
  const derived = `${chunks}${code}, ${plural(report.links, "link")} and ${plural(report.timeline_entries, "timeline entry", "timeline entries")}`
  if (status === "interrupted") {
    return `Interrupted after ${duration(elapsed)}: ${counts} of ${files} from ${directory}. Run again to go on.`
  }
  if (report.stopped !== null) return `Stopped: ${report.stopped}\nUntil then: ${counts} of ${files}.`
  return report.dry_run
    ? `${files} in ${directory}: ${counts}; ${chunks}.`
    : `Imported ${files} from ${directory}: ${counts}; ${derived} written in ${duration(elapsed)}.`
}

/** The report of an import. */
export const importText = (report: ImportReport): string =>
  [
    heading(report),
    ...report.failures.slice(0, shown).map(({ item, reason }) => `  failed: ${item}: ${reason}`),
    ...more(report.failures.length),
    ...(report.dry_run ? ["A dry run: nothing was written."] : [])
  ].join("\n")

/** What was left out, for standard error. */
export const skippedText = (report: ImportReport): ReadonlyArray<string> => [
  ...report.skipped.slice(0, shown).map(({ path, reason }) => `skipped ${path}: ${reason}`),
  ...more(report.skipped.length)
]

const more = (count: number): ReadonlyArray<string> =>
  count > shown ? [`  … and ${count - shown} more (--json names them)`] : []
