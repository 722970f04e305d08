/** `gbrain extract-conversation-facts`. */
import { Effect, Layer, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { type ConversationType, conversationTypes } from "../../domain/ConversationPages.ts"
import * as Money from "../../domain/Money.ts"
import { planExtraction } from "../../programs/extract-conversation-facts/dryRun.ts"
import { extractConversationFacts } from "../../programs/extract-conversation-facts/extractConversationFacts.ts"
import {
  brainLayer,
  extractionLayer,
  resolveChatModel
} from "../../programs/extract-conversation-facts/layer.ts"
import type { ExtractionOptions } from "../../programs/extract-conversation-facts/options.ts"
import { checkSwitch, scopeOf } from "../../programs/extract-conversation-facts/scope.ts"
import type { ExtractionReport } from "../../programs/extract-conversation-facts/report.ts"
import { extractionJob } from "../../programs/jobs/extractionJob.ts"
import { ChatModel } from "../../services/ChatModel.ts"
import { callTimeoutsFromEnvironment } from "../../services/CallTimeouts.ts"
import { mostWorkers, type Workers } from "../../services/WorkerPool.ts"
import { type BackgroundFlags, backgroundFlags, checkBackground, handOver } from "../background.ts"
import {
  dollars,
  instant,
  json,
  locationFlags,
  optionalCount,
  optionalText,
  workersOrAuto
} from "../flags.ts"
import { lookAtBrain, openBrain } from "../open.ts"
import { progressStyle, showProgress } from "../render/ProgressView.ts"
import { planText, reportText } from "../render/extraction.ts"
import { print, printJson } from "../render/text.ts"
import { announceSpending, confirmSpending, defaultCap, endAs } from "../spending.ts"

const types = Flag.String("types").pipe(
  Flag.withDescription(`Page types, separated by commas: ${conversationTypes.join(", ")}`),
  Flag.withMetavar("LIST"),
  Flag.filterMap(
    (text): Option.Option<ReadonlyArray<ConversationType>> => {
      const asked = text.split(",").map((type) => type.trim())
      const known = asked.flatMap((type) => conversationTypes.filter((it) => it === type))
      return known.length === asked.length && known.length > 0 ? Option.some(known) : Option.none()
    },
    (text) => `--types knows ${conversationTypes.join(", ")}, not "${text}"`
  ),
  Flag.optional
)

const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

export const extractConversationFactsCommand = Command.make(
  "extract-conversation-facts",
  {
    workers: workersOrAuto,
    sourceId: optionalText("source-id", "ID", "One source; all that are not archived unless told"),
    types,
    slug: optionalText("slug", "SLUG", "One page"),
    since: instant("since", "Ask only about what was said after this; earlier facts stay"),
    limit: optionalCount("limit", "At most so many pages that need work, over all sources"),
    force: flag("force", "Take finished pages again, and ask again what was answered"),
    segmentLimit: optionalCount(
      "segment-limit",
      "At most so many questions a page; the next run goes on from there"
    ),
    maxCostUsd: dollars("max-cost-usd", "Most dollars to spend; never exceeded. 5 unless told").pipe(
      Flag.withDefault(defaultCap)
    ),
    model: optionalText(
      "model",
      "MODEL",
      "Chat model, such as openai:gpt-4.1-mini; the brain's setting unless told"
    ),
    dryRun: flag("dry-run", "Say what would be done and cost; asks no model, needs no key, writes nothing"),
    yes: flag("yes", "Do not ask before spending").pipe(Flag.withAlias("y")),
    json,
    progressJson: flag("progress-json", "Progress as lines of JSON on standard error"),
    overrideDisabled: flag(
      "override-disabled",
      "Run although the brain's switch facts.extraction_enabled is off"
    ),
    ...backgroundFlags,
    ...locationFlags
  },
  Effect.fn(function* (flags) {
    const options: ExtractionOptions = {
      sourceId: flags.sourceId,
      types: flags.types,
      slug: flags.slug,
      since: flags.since,
      limit: flags.limit,
      segmentLimit: flags.segmentLimit,
      force: flags.force,
      overrideDisabled: flags.overrideDisabled
    }
    yield* checkBackground(flags)
    if (flags.background) return yield* inBackground(options, flags)
    yield* flags.dryRun
      ? dryRun(options, flags).pipe(Effect.provide(lookAtBrain(flags)))
      : run(options, flags).pipe(
          Effect.scoped,
          Effect.provide(callTimeoutsFromEnvironment),
          Effect.provide(openBrain(flags, mostWorkers(flags.workers)))
        )
  })
).pipe(
  Command.withDescription(
    "Read conversation pages with a model and keep what they say about people, companies and projects as facts"
  ),
  Command.withExamples([
    {
      command: "gbrain extract-conversation-facts --dry-run",
      description: "What there is to do, and what it would cost"
    },
    {
      command: "gbrain extract-conversation-facts --workers 20 --max-cost-usd 2",
      description: "Twenty at a time, for two dollars at most"
    },
    {
      command: "gbrain extract-conversation-facts --workers 20 --background",
      description: "In a process of its own, which goes on when the terminal is closed"
    },
    {
      command: "gbrain extract-conversation-facts --slug conversations/ana-2025-02-14 --force",
      description: "One page again"
    }
  ])
)

interface Flags extends BackgroundFlags {
  readonly workers: Workers
  readonly maxCostUsd: Money.Money
  readonly model: Option.Option<string>
  readonly progressJson: boolean
  readonly yes: boolean
}

const known = (workers: Workers) => (typeof workers === "number" ? Option.some(workers) : Option.none())

const dryRun = (options: ExtractionOptions, flags: Flags) =>
  Effect.gen(function* () {
    const plan = yield* planExtraction(options, yield* resolveChatModel(flags.model), known(flags.workers))
    yield* flags.json
      ? printJson(plan)
      : print(`${planText(plan)}\nA dry run: no model was asked, nothing was written.`)
  }).pipe(Effect.provide(brainLayer))

const run = (options: ExtractionOptions, flags: Flags) =>
  // What is wrong with the question is said before what is missing for the answer: a key.
  Effect.andThen(
    Effect.gen(function* () {
      yield* checkSwitch(options)
      yield* scopeOf(options, yield* resolveChatModel(flags.model))
    }).pipe(Effect.provide(brainLayer)),
    spend(options, flags)
  )

const inBackground = Effect.fnUntraced(function* (options: ExtractionOptions, flags: Flags) {
  // What a person is asked before money is spent needs the brain; one that works on jobs already cannot be looked into.
  yield* confirmSpending(
    flags,
    Effect.gen(function* () {
      const model = yield* resolveChatModel(flags.model)
      return Option.some(planText(yield* planExtraction(options, model, known(flags.workers))))
    }).pipe(
      Effect.provide(brainLayer.pipe(Layer.provideMerge(openBrain(flags)))),
      Effect.catchTag("BrainInUse", () => Effect.succeed(Option.some("The brain works on jobs already.")))
    )
  )
  const asked = yield* extractionJob.encode({ ...options, model: flags.model })
  yield* handOver(flags, {
    command: extractionJob.command,
    asked,
    workers: typeof flags.workers === "number" ? String(flags.workers) : "auto",
    cap_usd: Money.toDecimal(flags.maxCostUsd, 12)
  })
})

const spend = (options: ExtractionOptions, flags: Flags) =>
  Effect.gen(function* () {
    yield* confirmSpending(
      flags,
      Effect.gen(function* () {
        const model = yield* resolveChatModel(flags.model)
        const plan = yield* planExtraction(options, model, known(flags.workers))
        return plan.questions === 0 ? Option.none() : Option.some(planText(plan))
      })
    )
    yield* announceSpending((yield* ChatModel).model, flags.maxCostUsd)
    const tell = (report: ExtractionReport) => (flags.json ? printJson(report) : print(reportText(report)))
    const report = yield* Effect.gen(function* () {
      yield* showProgress(progressStyle(flags))
      return yield* extractConversationFacts(options, tell)
    }).pipe(Effect.scoped)
    yield* tell(report)
    yield* endAs(report.status)
  }).pipe(
    Effect.provide(
      extractionLayer({ workers: flags.workers, cap: Option.some(flags.maxCostUsd), model: flags.model })
    )
  )
