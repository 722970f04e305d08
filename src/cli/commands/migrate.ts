/** `gbrain migrate embeddings`. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type * as Money from "../../domain/Money.ts"
import { finishMigration, giveUp, undoing } from "../../programs/migrate-embeddings/end.ts"
import { migrationBrainLayer, migrationLayer } from "../../programs/migrate-embeddings/layer.ts"
import { migrateEmbeddings, undoMigration } from "../../programs/migrate-embeddings/migrateEmbeddings.ts"
import { migrationStatus, planMigration } from "../../programs/migrate-embeddings/plan.ts"
import type { MigrationReport } from "../../programs/migrate-embeddings/report.ts"
import { inWords, resolveTarget } from "../../programs/migrate-embeddings/target.ts"
import type { EmbeddingSpace, Migration } from "../../services/EmbeddingMigrations.ts"
import { EmbeddingModel } from "../../services/EmbeddingModel.ts"
import { mostWorkers, type Workers } from "../../services/WorkerPool.ts"
import { Ended, exitCodes, UsageError } from "../exit.ts"
import { dollars, json, locationFlags, optionalText, optionalWidth, workersOrAuto } from "../flags.ts"
import { openBrain } from "../open.ts"
import { progressStyle, showProgress } from "../render/ProgressView.ts"
import { migrationPlanText, migrationReportText, migrationStatusText } from "../render/migration.ts"
import { print, printable, printJson } from "../render/text.ts"
import { announceSpending, confirmSpending, defaultCap, endAs } from "../spending.ts"

const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

const embeddings = Command.make(
  "embeddings",
  {
    to: optionalText("to", "MODEL", "The model to go to, such as openai:text-embedding-3-small"),
    dimensions: optionalWidth(
      "dimensions",
      "The width of its vectors; the model's own where it is known"
    ).pipe(Flag.withAlias("dim")),
    workers: workersOrAuto,
    maxCostUsd: dollars("max-cost-usd", "Most dollars to spend; never exceeded. 5 unless told").pipe(
      Flag.withDefault(defaultCap)
    ),
    dryRun: flag("dry-run", "Say what would be done and cost; asks no model, needs no key, changes nothing"),
    status: flag("status", "Say how far a migration is; asks no model, changes nothing"),
    undo: flag("undo", "Give up a migration that is half way, or go back after one"),
    finish: flag("finish", "Drop the old vectors after a migration; with --to, as soon as it is done"),
    skipRefused: flag("skip-refused", "Leave rows without a vector whose texts the new model refuses"),
    yes: flag("yes", "Do not ask before spending").pipe(Flag.withAlias("y")),
    json,
    progressJson: flag("progress-json", "Progress as lines of JSON on standard error"),
    ...locationFlags
  },
  Effect.fn(function* (flags) {
    yield* checkFlags(flags)
    yield* act(flags).pipe(
      Effect.scoped,
      Effect.catchTag("LeaseHeld", ({ holderHost, holderPid }) =>
        Effect.andThen(
          Console.error(
            printable(`gbrain: process ${holderPid} on ${holderHost} is at this migration already.`)
          ),
          new Ended({ code: exitCodes.heldElsewhere })
        )
      ),
      Effect.provide(openBrain(flags, mostWorkers(flags.workers)))
    )
  })
).pipe(
  Command.withDescription(
    "Take the brain to another embedding model or width while it is read and written, within a budget; can be stopped, continued and undone"
  ),
  Command.withExamples([
    {
      command: "gbrain migrate embeddings --to openai:text-embedding-3-small --dimensions 1536 --dry-run",
      description: "What there is to embed, and what it would cost"
    },
    {
      command: "gbrain migrate embeddings --to voyage:voyage-4 --dimensions 1024 --workers 8",
      description: "Eight requests at a time; the same command continues it"
    },
    { command: "gbrain migrate embeddings --undo", description: "Back to what was, from wherever it is" },
    { command: "gbrain migrate embeddings --finish", description: "Drop the old vectors" }
  ])
)

export const migrate = Command.make("migrate").pipe(
  Command.withDescription("Take the brain to another embedding model or width while it is in use"),
  Command.withExamples([
    {
      command: "gbrain migrate embeddings --to voyage:voyage-4 --dimensions 1024 --dry-run",
      description: "What it would cost"
    }
  ]),
  Command.withSubcommands([embeddings])
)

interface Flags {
  readonly to: Option.Option<string>
  readonly dimensions: Option.Option<number>
  readonly workers: Workers
  readonly maxCostUsd: Money.Money
  readonly dryRun: boolean
  readonly status: boolean
  readonly undo: boolean
  readonly finish: boolean
  readonly skipRefused: boolean
  readonly yes: boolean
  readonly json: boolean
  readonly progressJson: boolean
}

const checkFlags = Effect.fnUntraced(function* (flags: Flags) {
  const chosen = [
    ...(flags.status ? ["--status"] : []),
    ...(flags.undo ? ["--undo"] : []),
    ...(flags.finish && Option.isNone(flags.to) ? ["--finish"] : []),
    ...(Option.isSome(flags.to) ? ["--to"] : [])
  ]
  const [first, second] = chosen
  if (first !== undefined && second !== undefined)
    return yield* new UsageError({ message: `${first} and ${second} are two things; give one of them.` })
  if (first !== undefined && first !== "--to" && (flags.dryRun || Option.isSome(flags.dimensions))) {
    return yield* new UsageError({
      message: `${first} takes neither --dry-run nor --dimensions.`
    })
  }
})

const act = (flags: Flags) => {
  if (flags.status) return status(flags)
  if (flags.undo) return undo(flags)
  if (flags.finish && Option.isNone(flags.to)) return finish(flags)
  return flags.dryRun ? dryRun(flags) : run(flags)
}

const status = (flags: Flags) =>
  Effect.gen(function* () {
    const found = yield* migrationStatus()
    yield* flags.json ? printJson(found) : print(migrationStatusText(found))
  }).pipe(Effect.provide(migrationBrainLayer))

const dryRun = (flags: Flags) =>
  Effect.gen(function* () {
    const plan = yield* planMigration(yield* resolveTarget(flags))
    yield* flags.json
      ? printJson(plan)
      : print(`${migrationPlanText(plan)}\nA dry run: no model was asked, nothing was changed.`)
  }).pipe(Effect.provide(migrationBrainLayer))

const run = (flags: Flags) =>
  Effect.gen(function* () {
    const to = yield* resolveTarget(flags).pipe(Effect.provide(migrationBrainLayer))
    yield* spend(flags, to, (tell) => migrateEmbeddings(flags, tell))
  })

const undo = (flags: Flags) =>
  Effect.gen(function* () {
    const model = yield* undoing().pipe(Effect.provide(migrationBrainLayer))
    if (Option.isSome(model)) return yield* spend(flags, model.value, (tell) => undoMigration(flags, tell))
    const given = yield* giveUp().pipe(Effect.provide(migrationBrainLayer))
    yield* tellEnd(
      flags,
      given,
      "undone",
      `Given up: the brain is as it was, with vectors of ${inWords(given.from)}. What was embedded for ${inWords(given.to)} is dropped.`
    )
  })

const finish = (flags: Flags) =>
  Effect.gen(function* () {
    const done = yield* finishMigration().pipe(Effect.provide(migrationBrainLayer))
    yield* tellEnd(
      flags,
      done,
      "finished",
      `The old vectors, of ${inWords(done.from)}, are dropped. The brain has vectors of ${inWords(done.to)}.`
    )
  })

const tellEnd = (flags: Flags, { from, to }: Migration, phase: "undone" | "finished", words: string) =>
  flags.json
    ? printJson({ command: "migrate embeddings", status: "completed", phase, from, to })
    : print(words)

const spend = <E, R>(
  flags: Flags,
  to: EmbeddingSpace,
  work: (tell: (report: MigrationReport) => Effect.Effect<void>) => Effect.Effect<MigrationReport, E, R>
) =>
  Effect.gen(function* () {
    yield* confirmSpending(
      flags,
      Effect.map(planMigration(to), (plan) =>
        plan.rows === 0 ? Option.none() : Option.some(migrationPlanText(plan))
      )
    )
    yield* announceSpending((yield* EmbeddingModel).model, flags.maxCostUsd)
    const tell = (report: MigrationReport) =>
      flags.json ? printJson(report) : print(migrationReportText(report))
    const report = yield* Effect.gen(function* () {
      yield* showProgress(progressStyle(flags))
      return yield* work(tell)
    }).pipe(Effect.scoped)
    yield* tell(report)
    yield* endAs(report.status)
  }).pipe(Effect.provide(migrationLayer({ to, workers: flags.workers, cap: Option.some(flags.maxCostUsd) })))
