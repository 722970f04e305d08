/** `gbrain status`: what state the brain is in. */
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { type BrainStatus, brainStatus } from "../../programs/status/brainStatus.ts"
import { brainLayer } from "../../programs/extract-conversation-facts/layer.ts"
import { json, locationFlags } from "../flags.ts"
import { openBrain } from "../open.ts"
import { howFar, jobName } from "../render/jobs.ts"
import { duration } from "../render/progress.ts"
import { plural } from "../render/sweep.ts"
import { print, printJson, table } from "../render/text.ts"

export const status = Command.make(
  "status",
  { json, ...locationFlags },
  Effect.fn(function* (flags) {
    const state = yield* brainStatus().pipe(
      Effect.provide(brainLayer.pipe(Layer.provideMerge(openBrain(flags))))
    )
    yield* flags.json ? printJson(state) : print(statusText(state))
  })
).pipe(
  Command.withDescription(
    "Show pages, conversations done and to do, facts, leases, and what was run and spent"
  ),
  Command.withExamples([
    { command: "gbrain status", description: "What there is, and what there is to do" },
    { command: "gbrain status --json", description: "For scripts" }
  ])
)

const statusText = (state: BrainStatus): string => {
  const { conversations } = state
  const aside = [
    ...(conversations.not_applicable > 0 ? [`${conversations.not_applicable} not applicable`] : []),
    ...(conversations.set_aside > 0 ? [`${conversations.set_aside} set aside`] : []),
    ...(conversations.opted_out > 0 ? [`${conversations.opted_out} opted out`] : [])
  ]
  return [
    state.brain,
    `${plural(state.pages, "page")} in ${state.sources.map((source) => `${source.id} (${source.pages})`).join(", ")}`,
    `${plural(conversations.total, "conversation page")}: ${[`${conversations.complete} done`, `${conversations.to_do} to do`, ...aside].join(", ")}`,
    `${plural(state.facts, "fact")}${state.facts_without_embedding > 0 ? `, ${state.facts_without_embedding} without a vector` : ""}`,
    `${plural(state.chunks, "chunk")}${state.chunks_without_embedding > 0 ? `, ${state.chunks_without_embedding} without a vector (gbrain embed --stale)` : ""}`,
    `spent $${state.spending.today_usd.toFixed(4)} today${of(state.spending.daily_cap_usd)}, $${state.spending.this_month_usd.toFixed(4)} this month${of(state.spending.monthly_cap_usd)}`,
    ...state.troubles.map(({ page, reason }) => `trouble: ${page}: ${reason}`),
    ...state.jobs.map((job) => `${jobName(job)}: ${howFar(job)}`),
    ...state.leases.map(
      (lease) =>
        `held: ${lease.id} by process ${lease.pid} on ${lease.host ?? "?"} for ${duration(lease.age_seconds * 1000)}${lease.stale ? " (stale)" : ""}`
    ),
    ...(state.runs.length === 0
      ? []
      : [
          "",
          table(
            ["started", "command", "ended", "took", "workers", "spent"],
            state.runs.map((run) => [
              run.started_at,
              run.command,
              run.status,
              run.seconds === null ? "" : duration(run.seconds * 1000),
              String(run.workers),
              run.spent_is_known ? `$${run.spent_usd.toFixed(4)}` : "unknown"
            ])
          )
        ])
  ].join("\n")
}

const of = (cap: number | null) => (cap === null ? "" : ` of $${cap.toFixed(2)}`)
