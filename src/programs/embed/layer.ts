/** What embedding needs, on top of an open brain. Programs that run under the same layer share money, workers and limits. */
import { Effect, Layer, type Option } from "effect"
import type * as Money from "../../domain/Money.ts"
import { BrainConfig, embeddingSettings } from "../../services/BrainConfig.ts"
import { ChunkEmbeddings } from "../../services/ChunkEmbeddings.ts"
import { EmbeddingModel } from "../../services/EmbeddingModel.ts"
import { VectorColumns } from "../../services/EmbeddingWidth.ts"
import { OpenAi } from "../../services/OpenAi.ts"
import { PageLease } from "../../services/PageLease.ts"
import { VectorIndex } from "../../services/VectorIndex.ts"
import type { Workers } from "../../services/WorkerPool.ts"
import { brainLayer, runLayer } from "../extract-conversation-facts/layer.ts"

/** The brain's own part: enough for a dry run. */
export const embedBrainLayer = Layer.mergeAll(ChunkEmbeddings.layer, VectorColumns.layer).pipe(
  Layer.provideMerge(brainLayer)
)

const modelLayer = Layer.unwrap(
  Effect.gen(function* () {
    return EmbeddingModel.layer(yield* embeddingSettings(yield* BrainConfig))
  })
).pipe(Layer.provide(OpenAi.layer))

/** All that `embed` needs, given an open brain (`Brain`, its SQL client) and `HostProcess`. */
export const embedLayer = (options: {
  readonly workers: Workers
  readonly cap: Option.Option<Money.Money>
}) =>
  VectorIndex.layer.pipe(
    Layer.provideMerge(PageLease.layer),
    Layer.provideMerge(modelLayer),
    Layer.provideMerge(runLayer(options)),
    Layer.provideMerge(embedBrainLayer)
  )
