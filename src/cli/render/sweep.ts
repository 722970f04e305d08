/** The words that every report of a sweep has: how it ended, what failed, that nothing was written. */
import type { Ending } from "../../programs/sweep/ending.ts"
import { duration } from "./progress.ts"

/** A count with its thousands set apart. */
export const number = (count: number): string => count.toLocaleString("en-US")

/** A count and what is counted. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`

/** A line of a report. */
export const line = (label: string, value: string): string => `  ${label.padEnd(28)}${value}`

/** A line of a report, if there is anything to say. */
export const ifAny = (label: string, count: number): ReadonlyArray<string> =>
  count === 0 ? [] : [line(label, number(count))]

/** What a report says of how it ended. */
export interface EndedReport extends Pick<Ending, "status" | "failed" | "failures" | "stopped"> {
  readonly dry_run: boolean
  readonly elapsed_ms: number
}

const shown = 10

/**
 * A report in words: a heading, lines, and what failed. `did` says what was done, such as `12 pages read`; `nothing`, when there was
 * nothing to do, why.
 */
export const sweepText = (
  report: EndedReport,
  words: {
    readonly did: string
    readonly nothing?: string | undefined
    readonly lines: ReadonlyArray<string>
  }
): string =>
  [
    heading(report, words),
    ...words.lines,
    ...report.failures.slice(0, shown).map(({ item, reason }) => `  failed: ${item}: ${reason}`),
    ...(report.failures.length > shown
      ? [`  … and ${report.failures.length - shown} more (--json names them)`]
      : []),
    ...(report.dry_run ? ["A dry run: nothing was written."] : [])
  ].join("\n")

const heading = (
  report: EndedReport,
  { did, nothing }: { readonly did: string; readonly nothing?: string | undefined }
): string => {
  const done = `${did} in ${duration(report.elapsed_ms)}`
  switch (report.status) {
    case "completed":
      return nothing === undefined ? `Done: ${done}.` : `Nothing to do: ${nothing}`
    case "failed":
      return report.stopped === null
        ? `Done, but ${number(report.failed)} failed: ${done}. The next run takes them again.`
        : `Stopped: ${report.stopped}\nUntil then: ${done}.`
    case "interrupted":
      return `Interrupted: ${done}. Run again to go on.`
  }
}
