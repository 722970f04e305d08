/** The words of `embed`: its plan and its report. */
import type { EmbedPlan } from "../../programs/embed/plan.ts"
import type { EmbedReport } from "../../programs/embed/report.ts"
import { dollars, grouped, ifAny, line, named, plural } from "./extraction.ts"
import { duration } from "./progress.ts"

/** What a run would do and cost. */
export const embedPlanText = (plan: EmbedPlan): string => {
  const time =
    plan.estimated_seconds === null || plan.workers === null
      ? ""
      : `, about ${duration(plan.estimated_seconds * 1000)} with ${plural(plan.workers, "worker")}`
  return [
    `${plural(plan.chunks_to_do, "chunk")} to embed with ${plan.model}, about ${plural(plan.tokens, "token")} in ${plural(plan.requests, "request")}: about ${dollars(plan.estimated_usd)}${time}.`,
    line("chunks considered", plan.chunks_considered),
    ...ifAny("without a vector", plan.chunks_missing),
    ...ifAny("vector of an earlier text", plan.chunks_other_text),
    ...ifAny("vector of another model", plan.chunks_other_model),
    ...ifAny("without any text", plan.chunks_empty),
    ...(plan.chunks_considered === 0 ? [nothingThere] : [])
  ].join("\n")
}

const nothingThere = "  There are no chunks here. Import some pages: gbrain import DIR"

const indexWords = {
  built: "set aside while vectors were written, and built again",
  "to-build": "set aside; the next run of gbrain embed builds it"
}

const heading = (report: EmbedReport): string => {
  const made = `${plural(report.chunks_embedded, "chunk")} embedded, ${dollars(report.spent_usd)} in ${duration(report.elapsed_ms)}`
  switch (report.status) {
    case "completed":
      return `Done: ${made}.`
    case "incomplete":
      return `Done but for ${plural(report.sources_lock_skipped, "source")} that other processes embed now: ${made}. Run again for the rest.`
    case "budget":
      return `Stopped: ${report.budget_message ?? "the budget is used up"}\nUntil then: ${made}.`
    case "failed":
      return report.stopped === null
        ? `Done with ${plural(report.chunks_failed, "failed chunk")}: ${made}. Failed chunks are taken again by the next run.`
        : `Stopped: ${report.stopped}\nUntil then: ${made}. What was paid for is kept.`
    case "interrupted":
      return `Interrupted: ${made}. What was paid for is kept; run again to go on.`
  }
}

/** The report of a run. */
export const embedReportText = (report: EmbedReport): string =>
  [
    heading(report),
    line("chunks considered", report.chunks_considered),
    line("to do", report.chunks_to_do),
    line("embedded", report.chunks_embedded),
    ...ifAny("of them paid for before", report.chunks_from_journal),
    ...ifAny("by their beginning only", report.chunks_cut),
    ...ifAny("changed meanwhile", report.chunks_changed),
    ...ifAny("failed", report.chunks_failed),
    ...ifAny("without any text", report.chunks_empty),
    ...ifAny("sources held by others", report.sources_lock_skipped),
    line("requests", `${report.embedding_calls} (${report.model}, ${report.dimensions} dimensions)`),
    line("tokens", report.embedding_tokens.toLocaleString("en-US")),
    ...ifAny("calls without a known price", report.unpriced_calls),
    ...ifAny("retries", report.retries),
    ...ifAny("rate limited", report.rate_limited),
    line("chunks a second", report.chunks_per_second),
    ...(report.index === "built" || report.index === "to-build"
      ? [line("vector index", indexWords[report.index])]
      : []),
    ...(report.chunks_considered === 0 ? [nothingThere] : []),
    ...named("failed", report.failures),
    ...named("held", report.held),
    ...named("note", grouped(report.warnings))
  ].join("\n")
