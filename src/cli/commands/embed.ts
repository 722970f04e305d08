/** `gbrain embed`. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Money from "../../domain/Money.ts"
import { embed } from "../../programs/embed/embed.ts"
import { embedBrainLayer, embedLayer } from "../../programs/embed/layer.ts"
import type { EmbedOptions } from "../../programs/embed/options.ts"
import { planEmbedding } from "../../programs/embed/plan.ts"
import type { EmbedReport } from "../../programs/embed/report.ts"
import { chunkScope } from "../../programs/embed/scope.ts"
import { EmbeddingModel } from "../../services/EmbeddingModel.ts"
import { mostWorkers, type Workers } from "../../services/WorkerPool.ts"
import { UsageError } from "../exit.ts"
import { dollars, json, locationFlags, optionalCount, optionalText, workersOrAuto } from "../flags.ts"
import { openBrain } from "../open.ts"
import { embedPlanText, embedReportText } from "../render/embed.ts"
import { progressStyle, showProgress } from "../render/ProgressView.ts"
import { print, printJson } from "../render/text.ts"
import { announceSpending, confirmSpending, defaultCap, endAs } from "../spending.ts"

const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

export const embedCommand = Command.make(
  "embed",
  {
    slug: Argument.String("slug").pipe(Argument.withDescription("One page"), Argument.optional),
    stale: flag("stale", "All chunks without a vector, or with one of an earlier text or another model"),
    all: flag("all", "All chunks, also those that are in order"),
    slugs: optionalText("slugs", "LIST", "Pages by slug, separated by commas"),
    sourceId: optionalText("source-id", "ID", "One source; all that are not archived unless told"),
    workers: workersOrAuto,
    batchSize: optionalCount(
      "batch-size",
      "At most so many chunks in a request; what the provider takes, shared out among the workers, unless told"
    ),
    limit: optionalCount("limit", "At most so many chunks"),
    maxCostUsd: dollars("max-cost-usd", "Most dollars to spend; never exceeded. 5 unless told").pipe(
      Flag.withDefault(defaultCap)
    ),
    dryRun: flag("dry-run", "Say what would be done and cost; asks no model, needs no key, writes nothing"),
    yes: flag("yes", "Do not ask before spending").pipe(Flag.withAlias("y")),
    json,
    progressJson: flag("progress-json", "Progress as lines of JSON on standard error"),
    ...locationFlags
  },
  Effect.fn(function* (flags) {
    const options = yield* optionsOf(flags)
    yield* (flags.dryRun ? dryRun(options, flags) : run(options, flags)).pipe(
      Effect.scoped,
      Effect.provide(openBrain(flags, mostWorkers(flags.workers)))
    )
  })
).pipe(
  Command.withDescription("Make the vectors of chunks, so that pages are found by what they mean"),
  Command.withExamples([
    {
      command: "gbrain embed --stale --dry-run",
      description: "How much there is to do, and what it would cost"
    },
    {
      command: "gbrain embed --stale --workers 8 --max-cost-usd 2",
      description: "Eight requests at a time, for two dollars at most"
    },
    { command: "gbrain embed people/ana-ruiz", description: "One page" }
  ])
)

interface Flags {
  readonly slug: Option.Option<string>
  readonly slugs: Option.Option<string>
  readonly stale: boolean
  readonly all: boolean
  readonly sourceId: Option.Option<string>
  readonly batchSize: Option.Option<number>
  readonly limit: Option.Option<number>
  readonly workers: Workers
  readonly maxCostUsd: Money.Money
  readonly yes: boolean
  readonly json: boolean
  readonly progressJson: boolean
}

const optionsOf = (flags: Flags): Effect.Effect<EmbedOptions, UsageError> => {
  const named = [...Option.toArray(flags.slug), ...Option.toArray(flags.slugs)]
  const slugs = named.flatMap((text) => text.split(",")).flatMap((slug) => slug.trim() || [])
  const ways = [Option.isSome(flags.slug), Option.isSome(flags.slugs), flags.stale, flags.all]
  if (ways.filter(Boolean).length !== 1 || (named.length > 0 && slugs.length === 0)) {
    return Effect.fail(
      new UsageError({
        message: "Say which chunks: gbrain embed SLUG, or one of --slugs a,b, --stale and --all."
      })
    )
  }
  return Effect.succeed({
    sourceId: flags.sourceId,
    slugs: slugs.length > 0 ? Option.some(slugs) : Option.none(),
    all: flags.all,
    limit: flags.limit,
    batchSize: flags.batchSize
  })
}

const known = (workers: Workers) => (typeof workers === "number" ? Option.some(workers) : Option.none())

const dryRun = (options: EmbedOptions, flags: Flags) =>
  Effect.gen(function* () {
    const plan = yield* planEmbedding(options, known(flags.workers))
    yield* flags.json
      ? printJson(plan)
      : print(`${embedPlanText(plan)}\nA dry run: no model was asked, nothing was written.`)
  }).pipe(Effect.provide(embedBrainLayer))

const run = Effect.fnUntraced(function* (options: EmbedOptions, flags: Flags) {
  // What is wrong with the question is said before what is missing for the answer: a key.
  yield* chunkScope(options).pipe(Effect.provide(embedBrainLayer))
  yield* confirmSpending(
    flags,
    Effect.map(planEmbedding(options, known(flags.workers)), (plan) =>
      plan.chunks_to_do > 0 ? Option.some(embedPlanText(plan)) : Option.none()
    ).pipe(Effect.provide(embedBrainLayer))
  )
  yield* spend(options, flags)
})

const spend = (options: EmbedOptions, flags: Flags) =>
  Effect.gen(function* () {
    yield* announceSpending((yield* EmbeddingModel).model, flags.maxCostUsd)
    const tell = (report: EmbedReport) => (flags.json ? printJson(report) : print(embedReportText(report)))
    const report = yield* Effect.gen(function* () {
      yield* showProgress(progressStyle(flags))
      return yield* embed(options, tell)
    }).pipe(Effect.scoped)
    yield* tell(report)
    yield* endAs(report.status)
  }).pipe(Effect.provide(embedLayer({ workers: flags.workers, cap: Option.some(flags.maxCostUsd) })))
