/** Which chunks a run is about. */
import { Effect, Option, Schema } from "effect"
import { BrainConfig, embeddingSettings } from "../../services/BrainConfig.ts"
import { ChunkEmbeddings, type ChunkScope } from "../../services/ChunkEmbeddings.ts"
import { Runs } from "../../services/Runs.ts"
import { Sources } from "../../services/Sources.ts"
import type { EmbedOptions } from "./options.ts"

/** A page that was asked for by a slug that no page has. */
export class UnknownPages extends Schema.TaggedError<UnknownPages>()("UnknownPages", {
  message: Schema.String
}) {}

/** The chunks of a run. Fails when a source or a page that was named does not exist. */
export const chunkScope = Effect.fn("chunkScope")(function* (options: EmbedOptions) {
  const { dimensions, model } = yield* embeddingSettings(yield* BrainConfig)
  const sourceIds = yield* (yield* Sources).idsFor(options.sourceId)
  const asked = Option.getOrElse(options.slugs, () => [])
  const unknown = yield* (yield* ChunkEmbeddings).unknownSlugs(sourceIds, asked)
  if (unknown.length > 0) {
    return yield* new UnknownPages({
      message: `There is no page ${unknown.map((slug) => `"${slug}"`).join(", ")} in ${sourceIds.join(", ")}.`
    })
  }
  const scope = { sourceIds, slugs: options.slugs, model, dimensions }
  // A run that was stopped in the middle has paid for a part of it already.
  const all = options.all
    ? Option.some(yield* (yield* Runs).underWaySince("embed", askedOf({ ...options, ...scope })))
    : Option.none()
  return { ...scope, all } satisfies ChunkScope
})

/** What is asked for, in the form that runs remember it in. */
export const askedOf = (
  scope: Pick<ChunkScope, "sourceIds" | "slugs" | "model" | "dimensions"> & Pick<EmbedOptions, "all">
) => ({
  all: scope.all,
  sources: scope.sourceIds,
  slugs: Option.getOrNull(scope.slugs),
  model: scope.model,
  dimensions: scope.dimensions
})
