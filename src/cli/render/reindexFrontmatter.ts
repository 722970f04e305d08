/** The words of `reindex-frontmatter`. */
import type { FrontmatterReport } from "../../programs/reindex-frontmatter/report.ts"
import { ifAny, line, number, plural, sweepText } from "./sweep.ts"

/** The report of a run. */
export const reindexFrontmatterText = (report: FrontmatterReport): string =>
  sweepText(report, {
    did: `${plural(report.pages_examined, "page")} read`,
    nothing:
      report.pages_updated + report.failed + report.pages_edited === 0
        ? report.pages_considered === 0
          ? "there are no such pages."
          : `the dates of ${plural(report.pages_examined, "page")} are what their front matter says.`
        : undefined,
    lines: [
      ...(report.pages_updated === 0
        ? []
        : [line(report.dry_run ? "dates to be changed" : "dates changed", number(report.pages_updated))]),
      ...ifAny("of those, state no date", report.pages_without_date),
      ...ifAny("edited again and again", report.pages_edited),
      ...(report.dry_run ? report.changes : []).map(
        ({ from, slug, source, to }) => `  ${slug}: ${from ?? "no date"} → ${to} (${source})`
      ),
      ...(report.dry_run && report.pages_updated > report.changes.length
        ? [`  … and ${number(report.pages_updated - report.changes.length)} more`]
        : [])
    ]
  })
