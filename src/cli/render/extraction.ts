/** The words of `extract-conversation-facts`: its plan and its report. */
import { maxFactsPerSegment } from "../../domain/Fact.ts"
import type { ExtractionPlan } from "../../programs/extract-conversation-facts/dryRun.ts"
import type { ExtractionReport } from "../../programs/extract-conversation-facts/report.ts"
import { duration } from "./progress.ts"

/** Counts in words: `1 page`, `2,000 pages`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`

/** An amount of dollars, or that it is unknown. */
export const dollars = (amount: number | null): string =>
  amount === null ? "an unknown amount" : `$${amount.toFixed(4)}`

/** One line of a report. */
export const line = (label: string, value: string | number): string => `  ${label.padEnd(28)}${value}`

/** A line of a report, left out when there is nothing to tell. */
export const ifAny = (label: string, count: number): ReadonlyArray<string> =>
  count === 0 ? [] : [line(label, count.toLocaleString("en-US"))]

/** What a run would do and cost. */
export const planText = (plan: ExtractionPlan): string => {
  const formats = Object.entries(plan.formats)
    .sort(([, a], [, b]) => b - a)
    .map(([format, pages]) => `${format} ${pages}`)
  const time =
    plan.estimated_seconds === null || plan.workers === null
      ? ""
      : `, about ${duration(plan.estimated_seconds * 1000)} with ${plural(plan.workers, "worker")}`
  return [
    `${plural(plan.pages_to_do, "conversation page")} to do, ${plural(plan.questions, "question")} to ${plan.model}: about ${dollars(plan.estimated_usd)}, at most ${dollars(plan.at_most_usd)}${time}.`,
    ...plan.refusals.map((refusal) => `  A run would be refused: ${refusal}`),
    line("pages considered", plan.pages_considered),
    ...ifAny("done", plan.pages_done),
    ...ifAny("not applicable", plan.pages_not_applicable),
    ...ifAny("opted out", plan.pages_opted_out),
    ...ifAny("set aside", plan.pages_set_aside),
    ...ifAny("too large", plan.pages_too_large),
    ...ifAny("no conversation recognised", plan.pages_unrecognised),
    ...ifAny("transcript cannot be read", plan.pages_transcript_unreadable),
    line("messages", plan.messages),
    line("segments", plan.segments),
    ...ifAny("of them paid for already", plan.segments_from_journal),
    line("tokens in, about", plan.input_tokens.toLocaleString("en-US")),
    line("tokens out, about", plan.output_tokens.toLocaleString("en-US")),
    ...(formats.length === 0 ? [] : [line("formats", formats.join(", "))]),
    ...(plan.pages_considered === 0 ? [nothingThere(plan)] : []),
    ...plan.unrecognised.slice(0, namesShown).map(({ item, reason }) => `  - ${item}: ${reason}`),
    ...plan.unreadable.slice(0, namesShown).map(({ item, reason }) => `  - ${item}: ${reason}`)
  ].join("\n")
}

const nothingThere = ({ slug, types }: Pick<ExtractionReport, "slug" | "types">): string => {
  const last = types[types.length - 1] ?? ""
  const listed = types.length < 2 ? `type ${last}` : `types ${types.slice(0, -1).join(", ")} or ${last}`
  return slug === null
    ? `  There are no pages of the ${listed} here. Import some: gbrain import DIR`
    : `  There is no page ${slug} of the ${listed} here.`
}

const heading = (report: ExtractionReport): string => {
  const learnt = `${plural(report.facts_inserted, "fact")} from ${plural(report.pages_processed, "page")}`
  const spent = `${dollars(report.spent_usd)} in ${duration(report.elapsed_ms)}`
  switch (report.status) {
    case "completed":
      return `Done: ${learnt}, ${spent}.`
    case "incomplete":
      return `Done but for ${plural(report.pages_lock_skipped, "page")} held by other processes: ${learnt}, ${spent}. Run again for the rest.`
    case "budget":
      return report.budget_period === "run" || report.budget_message === null
        ? `Stopped at the budget of ${dollars(report.cap_usd)}: ${learnt}, ${spent}. What was paid for is kept; run again with a higher --max-cost-usd for the rest.`
        : `Stopped: ${report.budget_message}\nUntil then: ${learnt}, ${spent}.`
    case "failed":
      return report.stopped === null
        ? `Done with ${plural(report.pages_failed, "failed page")}: ${learnt}, ${spent}. Failed pages are taken again by the next run.`
        : `Stopped: ${report.stopped}\nUntil then: ${learnt}, ${spent}. What was paid for is kept.`
    case "interrupted":
      return `Interrupted: ${learnt}, ${spent}. What was paid for is kept; run again to go on.`
  }
}

/** The report of a run. */
export const reportText = (report: ExtractionReport): string =>
  [
    heading(report),
    line("pages considered", report.pages_considered),
    line("processed", report.pages_processed),
    ...ifAny("skipped, done before", report.pages_skipped_completed),
    ...ifAny("skipped, not applicable", report.pages_skipped_non_extractable),
    ...ifAny("marked not applicable", report.pages_marked_non_extractable),
    ...ifAny("skipped, opted out", report.pages_skipped_opted_out),
    ...ifAny("skipped, set aside", report.pages_skipped_set_aside),
    ...ifAny("skipped, too large", report.pages_skipped_too_large),
    ...ifAny("disappeared", report.pages_skipped_disappeared),
    ...ifAny("changed meanwhile", report.pages_changed),
    ...ifAny("begun, to be finished", report.pages_partial),
    ...ifAny("failed", report.pages_failed),
    ...ifAny("held by other processes", report.pages_lock_skipped),
    ...ifAny("left for want of budget", report.pages_left_for_budget),
    line("segments", report.segments_processed),
    ...ifAny("of them paid for before", report.segments_from_journal),
    ...ifAny("segments failed", report.segments_failed),
    line("facts", `${report.facts_inserted} kept of ${report.facts_extracted} extracted`),
    ...ifAny("said twice", report.facts_duplicate),
    ...ifAny("cited nothing", report.facts_unfounded),
    ...ifAny("could not be read", report.facts_invalid),
    ...ifAny(`beyond ${maxFactsPerSegment} of a segment`, report.facts_surplus),
    ...ifAny("about nobody with a page", report.facts_unattached),
    ...ifAny("earlier rows replaced", report.orphan_facts_cleaned),
    line("model calls", `${report.chat_calls} chat, ${report.embedding_calls} embedding (${report.model})`),
    line(
      "tokens",
      `${report.input_tokens.toLocaleString("en-US")} in, ${report.output_tokens.toLocaleString("en-US")} out, ${report.embedding_tokens.toLocaleString("en-US")} embedded`
    ),
    ...ifAny("calls without a known price", report.unpriced_calls),
    ...ifAny("retries", report.retries),
    ...ifAny("rate limited", report.rate_limited),
    line("pages a minute", report.pages_per_minute),
    ...(report.pages_considered === 0 ? [nothingThere(report)] : []),
    ...named("failed", report.failures),
    ...named("held", report.held),
    ...named("not applicable", report.unrecognised),
    ...named("note", grouped(report.warnings))
  ].join("\n")

const namesShown = 10

/** Problems by name, the first of them. */
export const named = (word: string, problems: ExtractionReport["failures"]): ReadonlyArray<string> => [
  ...problems.slice(0, namesShown).map(({ item, reason }) => `  ${word}: ${item}: ${reason}`),
  ...(problems.length > namesShown
    ? [`  … and ${problems.length - namesShown} more (--json names them)`]
    : [])
]

/** The same note about many pages is one line. */
export const grouped = (warnings: ExtractionReport["warnings"]): ExtractionReport["warnings"] => {
  const byReason = new Map<string, Array<string>>()
  for (const { item, reason } of warnings) byReason.set(reason, [...(byReason.get(reason) ?? []), item])
  return [...byReason].map(([reason, items]) => ({
    item: items.length === 1 ? (items[0] ?? "") : `${items[0]} and ${items.length - 1} more`,
    reason
  }))
}
