/** The words of `extract`. */
import type { ExtractReport } from "../../programs/extract/report.ts"
import { duration } from "./progress.ts"

const number = (count: number): string => count.toLocaleString("en-US")

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`

const line = (label: string, value: string): string => `  ${label.padEnd(28)}${value}`

const ifAny = (label: string, count: number): ReadonlyArray<string> =>
  count === 0 ? [] : [line(label, number(count))]

const changes = ({ created, found, removed, updated }: ExtractReport["links"]): string =>
  [
    `${number(found)} found`,
    `${number(created)} new`,
    ...(updated > 0 ? [`${number(updated)} changed`] : []),
    ...(removed > 0 ? [`${number(removed)} gone`] : [])
  ].join(", ")

const heading = (report: ExtractReport): string => {
  const unit = report.from === "fs" ? "file" : "page"
  const read = `${plural(report.pages_processed, unit)} read in ${duration(report.elapsed_ms)}`
  switch (report.status) {
    case "completed":
      return report.pages_processed + report.pages_gone === 0 &&
        report.pages_considered > 0 &&
        report.from === "db"
        ? `Nothing to do: ${plural(report.pages_up_to_date, "page")} up to date.`
        : `Done: ${read}.`
    case "incomplete":
      return `The time is up: ${read}. ${plural(report.pages_left, "page")} left; run again, or with --catch-up.`
    case "failed":
      return report.stopped === null
        ? `Done with ${plural(report.pages_failed, `failed ${unit}`)}: ${read}. The next run takes them again.`
        : `Stopped: ${report.stopped}\nUntil then: ${read}.`
    case "interrupted":
      return `Interrupted: ${read}. Run again to go on.`
  }
}

const shown = 10

/** The report of a run. */
export const extractText = (report: ExtractReport): string =>
  [
    heading(report),
    ...(report.kind === "timeline" ? [] : [line("links", changes(report.links))]),
    ...(report.kind === "links" ? [] : [line("timeline entries", changes(report.timeline))]),
    ...ifAny("up to date before", report.pages_up_to_date),
    ...ifAny("files without a page", report.files_without_page),
    ...ifAny("references to no page", report.references_unresolved),
    ...ifAny("edited again and again", report.pages_edited),
    ...ifAny("removed meanwhile", report.pages_gone),
    ...ifAny("failed", report.pages_failed),
    ...report.files_skipped.slice(0, shown).map(({ path, reason }) => `  skipped ${path}: ${reason}`),
    ...report.names_unresolved
      .slice(0, shown)
      .map(({ name, times }) => `  nobody is called: ${name} (${times}×)`),
    ...report.would_link.map(({ from, to, type }) => `  ${from} ${type} ${to}`),
    ...(report.dry_run && report.links.created > report.would_link.length
      ? [`  … and ${plural(report.links.created - report.would_link.length, "more link", "more links")}`]
      : []),
    ...report.failures.slice(0, shown).map(({ item, reason }) => `  failed: ${item}: ${reason}`),
    ...(report.failures.length > shown
      ? [`  … and ${report.failures.length - shown} more (--json names them)`]
      : []),
    ...(report.files_without_page > 0
      ? ["  Files that are no pages yet are to be imported: gbrain import DIR"]
      : []),
    ...(report.dry_run ? ["A dry run: nothing was written."] : [])
  ].join("\n")
