/** `extract-conversation-facts` as a job: one a source, so that several machines share the work, and all of one purse. */
import { Effect, Layer, Option, Schema } from "effect"
import { ConversationType } from "../../domain/ConversationPages.ts"
import { Prices, unpriced } from "../../services/Prices.ts"
import { extractConversationFacts } from "../extract-conversation-facts/extractConversationFacts.ts"
import { brainLayer, extractionUnderLimits, resolveChatModel } from "../extract-conversation-facts/layer.ts"
import type { ExtractionReport } from "../extract-conversation-facts/report.ts"
import { checkSwitch, scopeOf } from "../extract-conversation-facts/scope.ts"
import { type JobPart, type JobReport, type JobRun, makeJobKind } from "./JobKind.ts"

/** The options of the command, as JSON. */
export const ExtractionAsked = Schema.Struct({
  sourceId: Schema.Option(Schema.String),
  types: Schema.Option(Schema.Array(ConversationType)),
  slug: Schema.Option(Schema.String),
  since: Schema.Option(Schema.Finite),
  limit: Schema.Option(Schema.Int),
  segmentLimit: Schema.Option(Schema.Int),
  force: Schema.Boolean,
  overrideDisabled: Schema.Boolean,
  model: Schema.Option(Schema.String)
})

/** The options of the command. */
export type ExtractionAsked = typeof ExtractionAsked.Type

// A limit is one for all sources, and cannot be divided among them beforehand: what has one stays together.
const divide = Effect.fn("extractionJob.divide")(function* (asked: ExtractionAsked) {
  yield* checkSwitch(asked)
  const model = yield* resolveChatModel(asked.model)
  const { sourceIds } = yield* scopeOf(asked, model)
  if (Option.isNone((yield* Prices).of(model))) return yield* unpriced(model)
  if (Option.isSome(asked.sourceId) || Option.isSome(asked.limit) || sourceIds.length < 2) {
    return [{ sourceId: asked.sourceId, options: asked } satisfies JobPart<ExtractionAsked>]
  }
  return sourceIds.map((id): JobPart<ExtractionAsked> => {
    const sourceId = Option.some(id)
    return { sourceId, options: { ...asked, sourceId } }
  })
})

const reportOf = (report: ExtractionReport): JobReport => ({
  status: report.status,
  report: { ...report },
  stopped: report.stopped
})

const run = (asked: ExtractionAsked, { beside, onInterrupt, purse, workers }: JobRun) =>
  Effect.gen(function* () {
    yield* Effect.forkScoped(beside)
    return reportOf(yield* extractConversationFacts(asked, (report) => onInterrupt(reportOf(report))))
  }).pipe(
    Effect.scoped,
    Effect.provide(
      // Jobs of one process share their limits, and nothing else.
      Layer.fresh(
        extractionUnderLimits({
          workers,
          purse,
          cap: Option.map(purse, ({ cap }) => cap),
          model: asked.model
        })
      )
    )
  )

/** The kind of job. */
export const extractionJob = makeJobKind({
  command: "extract-conversation-facts",
  options: Schema.toCodecJson(ExtractionAsked),
  divide: (asked) => Effect.provide(divide(asked), brainLayer),
  run
})
