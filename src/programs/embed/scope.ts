/** Which chunks a run is about. */
import { Effect, Option, Schema } from "effect"
import { BrainConfig, embeddingSettings } from "../../services/BrainConfig.ts"
import { ChunkEmbeddings, type ChunkScope } from "../../services/ChunkEmbeddings.ts"
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
  return { sourceIds, slugs: options.slugs, all: options.all, model, dimensions } satisfies ChunkScope
})
