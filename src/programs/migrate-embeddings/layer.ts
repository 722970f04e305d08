/** Everything that migrations of embeddings need, on top of an open brain. */
import { Layer, type Option } from "effect"
import type * as Money from "../../domain/Money.ts"
import { EmbeddingMigrations, type EmbeddingSpace } from "../../services/EmbeddingMigrations.ts"
import { EmbeddingModel } from "../../services/EmbeddingModel.ts"
import { OpenAi } from "../../services/OpenAi.ts"
import { PageLease } from "../../services/PageLease.ts"
import type { Workers } from "../../services/WorkerPool.ts"
import { brainLayer, runLayer } from "../extract-conversation-facts/layer.ts"

/** The brain's own part: enough to plan a migration, to look at one, to give one up and to finish one. */
export const migrationBrainLayer = EmbeddingMigrations.layer.pipe(
  Layer.provideMerge(PageLease.layer),
  Layer.provideMerge(brainLayer)
)

/** All that `migrateEmbeddings` and `undoMigration` need, given an open brain and `HostProcess`. `to` is the model to go to. */
export const migrationLayer = (options: {
  readonly to: EmbeddingSpace
  readonly workers: Workers
  readonly cap: Option.Option<Money.Money>
}) =>
  EmbeddingModel.layer(options.to).pipe(
    Layer.provide(OpenAi.layer),
    Layer.provideMerge(runLayer(options)),
    Layer.provideMerge(migrationBrainLayer)
  )
