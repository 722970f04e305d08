/** The words of `reindex-code`. */
import type { ReindexCodeReport } from "../../programs/reindex-code/report.ts"
import { duration } from "./progress.ts"
import { plural } from "./sweep.ts"

const shown = 10

const pages = (count: number): string => plural(count, "page")

const heading = (report: ReindexCodeReport): string => {
  const cut = `${pages(report.pages_reindexed)} of code cut again in ${duration(report.elapsed_ms)}`
  switch (report.status) {
    case "completed":
      return report.pages_reindexed === 0
        ? `Nothing to do: ${pages(report.pages_up_to_date)} of code up to date.`
        : `Done: ${cut}.`
    case "incomplete":
      return `${cut}; ${pages(report.pages_left + report.pages_edited)} left. Run again to go on.`
    case "failed":
      return report.stopped === null
        ? `Done with ${pages(report.pages_failed)} that failed: ${cut}.`
        : `Stopped: ${report.stopped}\nUntil then: ${cut}.`
    case "interrupted":
      return `Interrupted: ${cut}. Run again to go on.`
  }
}

/** The report of a run. */
export const reindexCodeText = (report: ReindexCodeReport): string =>
  [
    heading(report),
    ...(report.pages_reindexed === 0
      ? []
      : report.dry_run
        ? [`  ${plural(report.chunks, "chunk")} there would be`]
        : [
            `  ${plural(report.chunks, "chunk")}: ${report.chunks_kept} as they were, ${report.chunks_added} new; ${report.chunks_removed} gone; ${plural(report.code_edges, "edge")} between symbols`
          ]),
    ...report.failures.slice(0, shown).map(({ item, reason }) => `  failed: ${item}: ${reason}`),
    ...(report.failures.length > shown
      ? [`  … and ${report.failures.length - shown} more (--json names them)`]
      : []),
    ...(report.dry_run ? ["A dry run: nothing was written."] : [])
  ].join("\n")
