/**
 * Everything that `reindexMultimodal` needs, on top of an open brain: the layers to provide when it runs inside another Effect
 * application.
 */
import { Effect, Layer, type Option } from "effect"
import type * as Money from "../../domain/Money.ts"
import { BrainConfig } from "../../services/BrainConfig.ts"
import { Journal } from "../../services/Journal.ts"
import { MultimodalChunks } from "../../services/MultimodalChunks.ts"
import { MultimodalModel, resolveMultimodalModel } from "../../services/MultimodalModel.ts"
import { OpenAi } from "../../services/OpenAi.ts"
import { PageLease } from "../../services/PageLease.ts"
import { PicturePages } from "../../services/PicturePages.ts"
import { Pictures } from "../../services/Pictures.ts"
import { Prices } from "../../services/Prices.ts"
import { Runs } from "../../services/Runs.ts"
import { Sources } from "../../services/Sources.ts"
import type { Workers } from "../../services/WorkerPool.ts"
import { runLayer } from "../extract-conversation-facts/layer.ts"

/** The brain's own part: enough for an estimate, which asks no model. */
export const multimodalBrainLayer = Layer.mergeAll(
  MultimodalChunks.layer.pipe(Layer.provideMerge(PageLease.layer)),
  PicturePages.layer,
  Pictures.layer,
  Sources.layer,
  Journal.layer,
  Runs.layer,
  Prices.layer
).pipe(Layer.provideMerge(BrainConfig.layer))

/** All that `reindexMultimodal` needs, given an open brain (`Brain`, its SQL client) and `HostProcess`. */
export const multimodalLayer = (options: {
  readonly workers: Workers
  readonly cap: Option.Option<Money.Money>
  readonly model: Option.Option<string>
}) =>
  Layer.unwrap(
    Effect.map(resolveMultimodalModel(options.model), (model) => MultimodalModel.layer({ model }))
  ).pipe(
    Layer.provide(OpenAi.layer),
    Layer.provideMerge(runLayer(options)),
    Layer.provideMerge(multimodalBrainLayer)
  )
