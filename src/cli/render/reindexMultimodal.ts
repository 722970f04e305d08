/** The words of `reindex --multimodal`: its plan and its report. */
import type { MultimodalPlan } from "../../programs/reindex-multimodal/estimate.ts"
import type { MultimodalReport } from "../../programs/reindex-multimodal/report.ts"
import { duration } from "./progress.ts"

const number = (count: number): string => count.toLocaleString("en-US")

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`

const dollars = (amount: number | null): string =>
  amount === null ? "an unknown amount" : `$${amount.toFixed(4)}`

const line = (label: string, value: string): string => `  ${label.padEnd(28)}${value}`

const ifAny = (label: string, count: number): ReadonlyArray<string> =>
  count === 0 ? [] : [line(label, number(count))]

const named = (word: string, problems: MultimodalReport["failures"]): ReadonlyArray<string> => [
  ...problems.slice(0, namesShown).map(({ item, reason }) => `  ${word}: ${item}: ${reason}`),
  ...(problems.length > namesShown
    ? [`  … and ${problems.length - namesShown} more ${word} (--json names them)`]
    : [])
]

const namesShown = 10

/** What a run would do and cost. */
export const multimodalPlanText = (plan: MultimodalPlan): string =>
  [
    plan.pending_before === 0
      ? `Nothing to do: everything has a vector of ${plan.model}.`
      : `${plural(plan.images, "image")} and ${plural(plan.texts, "text")} to embed with ${plan.model}: about ${dollars(plan.cost_usd_estimate)}, at most ${dollars(plan.at_most_usd)}.`,
    line("images and PDFs found", number(plan.files)),
    ...ifAny("of them new", plan.files_new),
    ...ifAny("of them changed", plan.files_changed),
    ...ifAny("left out", plan.files_skipped),
    ...ifAny("megapixels", Math.round(plan.pixels / 1e6)),
    ...ifAny("tokens of text, about", plan.text_tokens),
    ...(plan.files === 0 && plan.images === 0 ? [nothingThere] : []),
    ...named("left out", plan.skipped)
  ].join("\n")

const nothingThere =
  "  There are no images or PDFs in the folders of the sources. Name one: gbrain sources add ID --directory DIR"

const heading = (report: MultimodalReport): string => {
  const made = [
    ...(report.images > 0 ? [plural(report.images, "image")] : []),
    ...(report.pdf_pages > 0 ? [plural(report.pdf_pages, "page of PDFs", "pages of PDFs")] : []),
    ...(report.texts > 0 ? [plural(report.texts, "text")] : [])
  ].join(", ")
  const done = `${made === "" ? "nothing" : made} embedded, ${dollars(report.spent_usd)} in ${duration(report.elapsed_ms)}`
  switch (report.status) {
    case "completed":
      return report.reembedded === 0
        ? `Nothing to do: everything has a vector of ${report.model}.`
        : `Done: ${done}.`
    case "incomplete":
      return report.held === null
        ? `Done but for what other processes hold: ${done}. Run again for the rest.`
        : `Another process is at it: ${report.held}. Run again when it is done.`
    case "budget":
      return report.budget_period === "run" || report.budget_message === null
        ? `Stopped at the budget of ${dollars(report.cap_usd)}: ${done}. What was paid for is kept; run again with a higher --max-cost-usd for the rest.`
        : `Stopped: ${report.budget_message}\nUntil then: ${done}.`
    case "failed":
      return report.stopped === null
        ? `Done with ${plural(report.failed, "failure")}: ${done}. What failed is taken again by the next run.`
        : `Stopped: ${report.stopped}\nUntil then: ${done}. What was paid for is kept.`
    case "interrupted":
      return `Interrupted: ${done}. What was paid for is kept; run again to go on.`
  }
}

/** The report of a run. */
export const multimodalReportText = (report: MultimodalReport): string =>
  [
    heading(report),
    line("images and PDFs found", number(report.files)),
    ...ifAny("new", report.files_new),
    ...ifAny("changed", report.files_changed),
    ...ifAny("left out", report.files_skipped),
    ...ifAny("pages of files that are gone", report.pages_removed),
    ...ifAny("vectors paid for before", report.from_journal),
    ...ifAny("changed meanwhile", report.changed),
    ...ifAny("failed", report.failed),
    ...ifAny("left to do", report.pending_after),
    ...(report.calls === 0
      ? []
      : [
          line("calls", `${number(report.calls)} (${report.model})`),
          line(
            "used",
            `${plural(report.tokens, "token")}, ${(report.pixels / 1e6).toFixed(1)} million pixels`
          )
        ]),
    ...ifAny("calls without a known price", report.unpriced_calls),
    ...ifAny("retries", report.retries),
    ...ifAny("rate limited", report.rate_limited),
    ...named("failed", report.failures),
    ...named("left out", report.skipped)
  ].join("\n")
