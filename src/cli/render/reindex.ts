/** The words of `reindex`. */
import type { ReindexReport } from "../../programs/reindex/report.ts"
import { ifAny, line, number, plural, sweepText } from "./sweep.ts"

/** The report of a run. */
export const reindexText = (report: ReindexReport): string =>
  sweepText(report, {
    did: `${plural(report.pages_examined, "page")} read`,
    nothing:
      report.pages_rechunked + report.failed + report.pages_edited + report.pages_left === 0
        ? report.pages_considered === 0
          ? "there are no such pages."
          : `the chunks of ${plural(report.pages_considered, "page")} are up to date.`
        : undefined,
    lines: [
      ...(report.pages_rechunked === 0
        ? []
        : [
            line(
              report.dry_run ? "pages to be cut again" : "pages cut again",
              number(report.pages_rechunked)
            ),
            line("of their chunks", chunksText(report.chunks))
          ]),
      ...ifAny("pages with the right chunks", report.pages_right),
      ...ifAny("known to be up to date", report.pages_up_to_date),
      ...ifAny("pages left (--limit)", report.pages_left),
      ...ifAny("edited again and again", report.pages_edited),
      ...(report.dry_run ? report.changes : []).map(
        ({ created, reason, removed, slug }) => `  ${slug}: ${reason}, ${created} new, ${removed} gone`
      ),
      ...(report.dry_run && report.pages_rechunked > report.changes.length
        ? [`  … and ${number(report.pages_rechunked - report.changes.length)} more`]
        : []),
      ...(report.chunks.created > 0 && !report.dry_run
        ? ["  New chunks have no embedding yet; what is kept has the one it had."]
        : [])
    ]
  })

const chunksText = ({ created, kept, moved, removed }: ReindexReport["chunks"]): string =>
  [`${number(kept + moved)} kept`, `${number(created)} new`, `${number(removed)} gone`].join(", ")
