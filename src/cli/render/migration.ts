/** The words of `migrate embeddings`: its plan, its report, and how far a migration is. */
import type { MigrationPlan, MigrationStatus } from "../../programs/migrate-embeddings/plan.ts"
import type { MigrationReport } from "../../programs/migrate-embeddings/report.ts"
import { inWords } from "../../programs/migrate-embeddings/target.ts"
import { duration } from "./progress.ts"
import { plural } from "./sweep.ts"

const number = (count: number): string => count.toLocaleString("en-US")

const rowsOf = (count: number): string => plural(count, "row")

const dollars = (amount: number | null): string =>
  amount === null ? "an unknown amount" : `$${amount.toFixed(4)}`

const line = (label: string, value: string | number): string => `  ${label.padEnd(28)}${value}`

const ifAny = (label: string, count: number): ReadonlyArray<string> =>
  count === 0 ? [] : [line(label, number(count))]

/** What a migration would do and cost. */
export const migrationPlanText = (plan: MigrationPlan): string =>
  plan.tables.length === 0
    ? `The brain has vectors of ${inWords(plan.to)} already; nothing to migrate.`
    : [
        `${plan.continues ? "Continues the" : "A"} migration from ${inWords(plan.from)} to ${inWords(plan.to)}: ` +
          `${rowsOf(plan.rows)} to embed, about ${dollars(plan.estimated_usd)}, at most ${dollars(plan.at_most_usd)}.`,
        ...plan.tables.map(({ from, rows, table, to }) =>
          line(table, `${from} becomes ${to}, ${rowsOf(rows)} to embed`)
        ),
        line("tokens in, about", number(plan.input_tokens))
      ].join("\n")

const heading = (report: MigrationReport): string => {
  const done = `${rowsOf(report.rows_embedded)} embedded, ${dollars(report.spent_usd)} in ${duration(report.elapsed_ms)}`
  switch (report.status) {
    case "completed":
      if (report.phase === null)
        return `The brain has vectors of ${inWords(report.to)} already; nothing to migrate.`
      return report.phase === "finished"
        ? `Done: the brain has vectors of ${inWords(report.to)}. ${done}.`
        : `Done: the brain has vectors of ${inWords(report.to)}. ${done}.\n` +
            "The old vectors are kept: go back with gbrain migrate embeddings --undo, or drop them with gbrain migrate embeddings --finish."
    case "incomplete":
      return `Not swapped yet: ${report.stopped ?? ""}.\nUntil then: ${done}.`
    case "budget":
      return report.budget_period === "run" || report.budget_message === null
        ? `Stopped at the budget of ${dollars(report.cap_usd)}: ${done}. What was paid for is kept; run again for the rest.`
        : `Stopped: ${report.budget_message}\nUntil then: ${done}.`
    case "failed":
      return report.stopped === null
        ? `Not swapped: ${rowsOf(report.rows_failed)} failed. ${done}. They are taken again by the next run.`
        : `Stopped: ${report.stopped}.\nUntil then: ${done}. What was paid for is kept.`
    case "interrupted":
      return `Interrupted: ${done}. What was paid for is kept; run again to go on, or undo it: gbrain migrate embeddings --undo`
  }
}

/** The report of a run. */
export const migrationReportText = (report: MigrationReport): string =>
  [
    heading(report),
    ...(report.phase === null
      ? []
      : [
          line("from", inWords(report.from)),
          line("to", inWords(report.to)),
          line("tables", report.tables.join(", ")),
          line("rows embedded", number(report.rows_embedded)),
          ...ifAny("changed meanwhile", report.rows_changed),
          ...ifAny("cut, being too long", report.rows_cut),
          ...ifAny("refused by the model", report.rows_refused),
          ...ifAny("failed", report.rows_failed),
          ...ifAny("indexes made", report.indexes_made),
          line(
            "model calls",
            `${number(report.embedding_calls)}, ${plural(report.embedding_tokens, "token")}`
          ),
          ...ifAny("calls without a known price", report.unpriced_calls),
          ...ifAny("retries", report.retries),
          ...ifAny("rate limited", report.rate_limited)
        ]),
    ...named("failed", report.failures),
    ...named("refused", report.refused)
  ].join("\n")

const namesShown = 10

const named = (word: string, problems: MigrationReport["failures"]): ReadonlyArray<string> => [
  ...problems.slice(0, namesShown).map(({ item, reason }) => `  ${word}: ${item}: ${reason}`),
  ...(problems.length > namesShown
    ? [`  … and ${problems.length - namesShown} more (--json names them)`]
    : [])
]

/** How far a migration is, and what can be done about it. */
export const migrationStatusText = ({ configured, migration }: MigrationStatus): string => {
  if (migration === null) {
    return `The brain has vectors of ${inWords(configured)}. No migration is under way, and no old vectors are kept.`
  }
  const { from, is_undo, phase, to } = migration
  const command = `gbrain migrate embeddings`
  const says = is_undo
    ? `A migration is being undone, back to ${inWords(to)}. Continue: ${command} --undo`
    : phase === "filling"
      ? `A migration from ${inWords(from)} to ${inWords(to)} is half way. Continue: ${command} --to ${to.model} --dimensions ${to.dimensions}; give it up: ${command} --undo`
      : phase === "swapped"
        ? `The brain was migrated from ${inWords(from)} to ${inWords(to)} and keeps its old vectors. Drop them: ${command} --finish; go back: ${command} --undo`
        : phase === "finishing"
          ? `The old vectors of a migration to ${inWords(to)} are being dropped. Continue: ${command} --finish`
          : `A migration to ${inWords(to)} is being given up. Continue: ${command} --undo`
  return [
    says,
    line("begun", migration.started_at),
    ...(migration.swapped_at === null ? [] : [line("swapped", migration.swapped_at)]),
    ...migration.tables.map(({ rows_left, table }) => line(table, `${rowsOf(rows_left)} left to embed`)),
    ...named("refused", migration.refused)
  ].join("\n")
}
