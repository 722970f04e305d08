/** The words of `import`. */
import type { ImportReport } from "../../programs/import/report.ts"
import { duration } from "./progress.ts"

const shown = 20

const heading = (report: ImportReport): string => {
  const { directory, elapsed_ms: elapsed, status } = report
  const counts = [
    `${report.created} new`,
    `${report.updated} changed`,
    `${report.unchanged} unchanged`,
    ...(report.renamed > 0 ? [`${report.renamed} renamed`] : []),
    ...(report.deleted > 0 ? [`${report.deleted} deleted`] : []),
    ...(report.failed > 0 ? [`${report.failed} failed`] : []),
    ...(report.edited > 0 ? [`${report.edited} edited meanwhile`] : []),
    ...(report.skipped.length > 0 ? [`${report.skipped.length} skipped`] : [])
  ].join(", ")
  const code = report.code_files > 0 ? `, ${report.code_edges} edges between symbols` : ""
  const derived = `${report.chunks} chunks${code}, ${report.links} links and ${report.timeline_entries} timeline entries`
  if (status === "interrupted") {
    return `Interrupted after ${duration(elapsed)}: ${counts} of ${report.files} files from ${directory}. Run again to go on.`
  }
  if (report.stopped !== null)
    return `Stopped: ${report.stopped}\nUntil then: ${counts} of ${report.files} files.`
  return report.dry_run
    ? `${report.files} files in ${directory}: ${counts}; ${report.chunks} chunks.`
    : `Imported ${report.files} files from ${directory}: ${counts}; ${derived} written in ${duration(elapsed)}.`
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
