/** `gbrain reindex --multimodal`: its flags, and what it does with them. */
import { Console, Effect, Option } from "effect"
import { Flag, Prompt } from "effect/cli"
import { createLogUpdate } from "log-update"
import * as Money from "../../domain/Money.ts"
import { planMultimodal } from "../../programs/reindex-multimodal/estimate.ts"
import { multimodalBrainLayer, multimodalLayer } from "../../programs/reindex-multimodal/layer.ts"
import type { ReindexMultimodalOptions } from "../../programs/reindex-multimodal/options.ts"
import { reindexMultimodal } from "../../programs/reindex-multimodal/reindexMultimodal.ts"
import type { MultimodalReport } from "../../programs/reindex-multimodal/report.ts"
import { type Modality, MultimodalChunks } from "../../services/MultimodalChunks.ts"
import { checkModel, MultimodalModel, resolveMultimodalModel } from "../../services/MultimodalModel.ts"
import { Prices } from "../../services/Prices.ts"
import { Sources } from "../../services/Sources.ts"
import { mostWorkers, type Workers } from "../../services/WorkerPool.ts"
import { Ended, exitCodes } from "../exit.ts"
import { dollars, optionalText } from "../flags.ts"
import { openBrain } from "../open.ts"
import { progressStyle, showProgress } from "../render/ProgressView.ts"
import { multimodalPlanText, multimodalReportText } from "../render/reindexMultimodal.ts"
import { print, printable, printJson } from "../render/text.ts"

/** gbrain's default for a run that spends. */
const defaultCap = Option.getOrThrow(Money.parseUsd("5"))

const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

/** The flags that only this mode has. */
export const multimodalFlags = {
  multimodal: flag("multimodal", "Embed images, pages of PDFs and texts with a multimodal model"),
  only: Flag.String("only").pipe(
    Flag.withDescription("Only images (and pages of PDFs), or only texts"),
    Flag.withMetavar("images|texts"),
    Flag.filterMap(
      (text): Option.Option<Modality> =>
        text === "images" ? Option.some("image") : text === "texts" ? Option.some("text") : Option.none(),
      (text) => `--only takes images or texts, not "${text}"`
    ),
    Flag.optional
  ),
  model: optionalText("model", "MODEL", "Multimodal model; the brain's setting unless told"),
  costEstimate: flag("cost-estimate", "Say what it would cost; asks no model, needs no key, writes nothing"),
  maxCostUsd: dollars("max-cost-usd", "Most dollars to spend; never exceeded. 5 unless told").pipe(
    Flag.withDefault(defaultCap)
  ),
  force: flag("force", "Embed again what has a vector already"),
  yes: flag("yes", "Do not ask before spending").pipe(Flag.withAlias("y"))
}

/** What this mode goes by; the flags that other modes have too are among it. */
export interface MultimodalAsked {
  readonly only: Option.Option<Modality>
  readonly model: Option.Option<string>
  readonly costEstimate: boolean
  readonly maxCostUsd: Money.Money
  readonly force: boolean
  readonly yes: boolean
  readonly workers: Workers
  readonly sourceId: Option.Option<string>
  readonly limit: Option.Option<number>
  readonly dryRun: boolean
  readonly json: boolean
  readonly progressJson: boolean
  readonly url: Option.Option<string>
  readonly path: Option.Option<string>
}

/** Runs the mode. */
export const reindexMultimodalMode = Effect.fn("reindexMultimodalMode")(function* (asked: MultimodalAsked) {
  const options: ReindexMultimodalOptions = {
    sourceId: asked.sourceId,
    limit: asked.limit,
    only: asked.only,
    force: asked.force
  }
  const work = asked.dryRun || asked.costEstimate ? foretell(options, asked) : run(options, asked)
  yield* work.pipe(Effect.scoped, Effect.provide(openBrain(asked, mostWorkers(asked.workers))))
})

// Looking through folders is no progress of the run's: what there is to do shows only then.
const withLook = <A, E, R>(
  asked: MultimodalAsked,
  use: (onLook: (done: number, total: number) => Effect.Effect<void>) => Effect.Effect<A, E, R>
) =>
  Effect.suspend(() => {
    const draw = process.stderr.isTTY && !asked.progressJson ? createLogUpdate(process.stderr) : undefined
    const clear = Effect.sync(() => draw?.clear())
    return use((done, total) =>
      done === total ? clear : Effect.sync(() => draw?.(`${done} of ${total} images and PDFs looked at`))
    ).pipe(Effect.ensuring(clear))
  })

const plan = (options: ReindexMultimodalOptions, asked: MultimodalAsked) =>
  withLook(asked, (onLook) =>
    Effect.flatMap(resolveMultimodalModel(asked.model), (model) => planMultimodal(options, model, onLook))
  )

const foretell = (options: ReindexMultimodalOptions, asked: MultimodalAsked) =>
  Effect.gen(function* () {
    const foretold = yield* plan(options, asked)
    yield* asked.json
      ? printJson(foretold)
      : print(`${multimodalPlanText(foretold)}\nNo model was asked, nothing was written.`)
  }).pipe(Effect.provide(multimodalBrainLayer))

const run = (options: ReindexMultimodalOptions, asked: MultimodalAsked) =>
  // What is wrong with the question is said before what is missing for the answer: a key.
  Effect.andThen(check(options, asked).pipe(Effect.provide(multimodalBrainLayer)), spend(options, asked))

const check = Effect.fnUntraced(function* (options: ReindexMultimodalOptions, asked: MultimodalAsked) {
  yield* (yield* Sources).idsFor(options.sourceId)
  yield* checkModel(yield* resolveMultimodalModel(asked.model), yield* (yield* MultimodalChunks).width)
})

const spend = (options: ReindexMultimodalOptions, asked: MultimodalAsked) =>
  Effect.gen(function* () {
    yield* confirm(options, asked)
    yield* announce(asked)
    const tell = (report: MultimodalReport) =>
      asked.json ? printJson(report) : print(multimodalReportText(report))
    const report = yield* Effect.gen(function* () {
      yield* showProgress(progressStyle(asked))
      return yield* withLook(asked, (onLook) => reindexMultimodal(options, { onLook, onInterrupt: tell }))
    }).pipe(Effect.scoped)
    yield* tell(report)
    if (report.status === "failed") return yield* new Ended({ code: exitCodes.failed })
    if (report.status === "incomplete") return yield* new Ended({ code: exitCodes.heldElsewhere })
  }).pipe(
    Effect.provide(
      multimodalLayer({ workers: asked.workers, cap: Option.some(asked.maxCostUsd), model: asked.model })
    )
  )

// Said before the first dollar, to whoever watches or keeps the log.
const announce = Effect.fnUntraced(function* ({ maxCostUsd }: MultimodalAsked) {
  const { model } = yield* MultimodalModel
  const price = Option.match((yield* Prices).of(model), {
    onNone: () => "at an unknown price",
    onSome: ({ input, pixel }) =>
      `at $${Money.toDecimal(Money.times(input, 1_000_000), 2)} a million tokens` +
      (pixel === undefined
        ? ""
        : ` and $${Money.toDecimal(Money.times(pixel, 1_000_000_000), 2)} a billion pixels`)
  })
  yield* Console.error(
    printable(`Embedding with ${model} ${price}; at most ${Money.format(maxCostUsd)} will be spent.`)
  )
})

// Only a person at a terminal can be asked; a script has said what it wants with its flags.
const confirm = Effect.fnUntraced(function* (options: ReindexMultimodalOptions, asked: MultimodalAsked) {
  const interactive = process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY && !asked.json
  if (asked.yes || !interactive) return
  const foretold = yield* plan(options, asked)
  if (foretold.pending_before === 0) return
  yield* Console.error(printable(multimodalPlanText(foretold)))
  const goOn = yield* Prompt.run(
    Prompt.Confirm({ message: `Spend up to ${Money.format(asked.maxCostUsd)}?`, initial: true })
  ).pipe(Effect.catchTag("QuitError", () => new Ended({ code: exitCodes.interrupted })))
  if (!goOn) {
    yield* Console.error("Nothing was done.")
    return yield* new Ended({ code: exitCodes.failed })
  }
})
