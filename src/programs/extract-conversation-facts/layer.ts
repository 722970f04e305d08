/**
 * Everything that the extraction needs, on top of an open brain: the layers to provide when it runs inside another Effect
 * application. Programs that run under the same layer share one budget, one pool of workers, one limiter and one progress.
 */
import { Config, Effect, Layer, Option } from "effect"
import type * as Money from "../../domain/Money.ts"
import { Books } from "../../services/Books.ts"
import { Brain } from "../../services/Brain.ts"
import { BrainConfig, embeddingSettings } from "../../services/BrainConfig.ts"
import { Budget } from "../../services/Budget.ts"
import { ChatModel } from "../../services/ChatModel.ts"
import { Conversations } from "../../services/Conversations.ts"
import { EmbeddingModel } from "../../services/EmbeddingModel.ts"
import { VectorColumns } from "../../services/EmbeddingWidth.ts"
import { Entities } from "../../services/Entities.ts"
import { FactStore } from "../../services/FactStore.ts"
import { FactVectors } from "../../services/FactVectors.ts"
import { Journal } from "../../services/Journal.ts"
import { Ledger, type Purse } from "../../services/Ledger.ts"
import { OpenAi } from "../../services/OpenAi.ts"
import { PageLease } from "../../services/PageLease.ts"
import { Prices } from "../../services/Prices.ts"
import { Progress } from "../../services/Progress.ts"
import { RateLimiter } from "../../services/RateLimiter.ts"
import { RateShares } from "../../services/RateShares.ts"
import { Runs } from "../../services/Runs.ts"
import { SegmentFailures } from "../../services/SegmentFailures.ts"
import { Sources } from "../../services/Sources.ts"
import { Usage } from "../../services/Usage.ts"
import { mostWorkers, WorkerPool, type Workers } from "../../services/WorkerPool.ts"

/** The chat model when nothing says which: cheap, and good at short structured answers. */
export const defaultChatModel = "openai:gpt-4.1-mini"

/** The same for somebody who has a key for Anthropic only. */
const defaultAnthropicModel = "anthropic:claude-haiku-4-5"

/**
 * The chat model to use: the one asked for, else the brain's `facts.extraction_model`, `models.tier.reasoning` or `models.default`,
 * else `GBRAIN_MODEL`, else a cheap one that there is a key for.
 */
export const resolveChatModel = Effect.fn("resolveChatModel")(function* (asked: Option.Option<string>) {
  const rows = yield* (yield* BrainConfig).all
  const variable = (name: string) =>
    Effect.orElseSucceed(Config.option(Config.String(name)), Option.none<string>)
  const environment = yield* variable("GBRAIN_MODEL")
  const anthropicOnly =
    Option.isSome(yield* variable("ANTHROPIC_API_KEY")) &&
    Option.isNone(yield* variable("OPENAI_API_KEY")) &&
    Option.isNone(yield* variable("OPENAI_BASE_URL"))
  return (
    Option.getOrUndefined(asked) ??
    rows.get("facts.extraction_model") ??
    rows.get("models.tier.reasoning") ??
    rows.get("models.default") ??
    Option.getOrUndefined(environment) ??
    (anthropicOnly ? defaultAnthropicModel : defaultChatModel)
  )
})

/** The brain's own part: pages, facts, journal, settings, prices. Enough for a dry run. */
export const brainLayer = Layer.mergeAll(
  Sources.layer,
  Conversations.layer,
  Journal.layer,
  Runs.layer,
  SegmentFailures.layer,
  Prices.layer
).pipe(Layer.provideMerge(BrainConfig.layer))

// Several processes can only be on a brain that has a server.
const shares = Layer.unwrap(
  Effect.map(Brain, ({ kind }) => (kind === "postgres" ? RateShares.layer : RateShares.layerAlone))
)

/** The limits of the providers, for this process as a whole: several runs in one process must share them. */
export const limitsLayer = (options: { readonly maxInFlight: number }) =>
  RateLimiter.layer(options).pipe(Layer.provide(shares))

/** What a run has. */
interface RunOptions {
  readonly workers: Workers
  readonly cap: Option.Option<Money.Money>
  /** Money that it shares with other runs, in other processes too. */
  readonly purse?: Option.Option<Purse>
}

const ownOfRun = ({ cap, purse = Option.none(), workers }: RunOptions) =>
  Progress.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        Budget.layerLedger({ cap }).pipe(Layer.provide(Ledger.layerOf(purse))),
        WorkerPool.layer({ workers }),
        Usage.layer
      )
    )
  )

/** What a run shares: money, workers, limits, progress. */
export const runLayer = (options: RunOptions) =>
  // Embeddings run beside the workers' calls, and never more of them than pages are under way.
  Layer.merge(ownOfRun(options), limitsLayer({ maxInFlight: mostWorkers(options.workers) * 3 }))

/** The models, as the brain and the environment say. */
export const modelsLayer = (options: { readonly model: Option.Option<string> }) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const config = yield* BrainConfig
      const chat = yield* resolveChatModel(options.model)
      const embedding = yield* embeddingSettings(config)
      return Layer.mergeAll(ChatModel.layer({ model: chat }), EmbeddingModel.layer(embedding))
    })
  ).pipe(Layer.provide(OpenAi.layer))

type ExtractionRun = RunOptions & { readonly model: Option.Option<string> }

/** The same as `extractionLayer`, under limits that are there: for one of several runs in a process. */
export const extractionUnderLimits = (options: ExtractionRun) =>
  Layer.mergeAll(FactStore.layer, FactVectors.layer, Entities.layer, Books.layer, VectorColumns.layer).pipe(
    Layer.provideMerge(PageLease.layer),
    Layer.provideMerge(modelsLayer(options)),
    Layer.provideMerge(ownOfRun(options)),
    Layer.provideMerge(brainLayer)
  )

/** All that `extractConversationFacts` needs, given an open brain (`Brain`, its SQL client) and `HostProcess`. */
export const extractionLayer = (options: ExtractionRun) =>
  extractionUnderLimits(options).pipe(
    Layer.provideMerge(limitsLayer({ maxInFlight: mostWorkers(options.workers) * 3 }))
  )
