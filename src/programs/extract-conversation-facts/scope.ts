/** Which pages a run is about, and whether it may run at all. */
import { Effect, Option, Schema } from "effect"
import { pageTypesOf } from "../../domain/ConversationPages.ts"
import { BrainConfig, isSwitchedOff } from "../../services/BrainConfig.ts"
import type { ConversationScope } from "../../services/Conversations.ts"
import { Sources } from "../../services/Sources.ts"
import type { ExtractionOptions } from "./options.ts"

/** Extraction is switched off in this brain. */
export class ExtractionDisabled extends Schema.TaggedError<ExtractionDisabled>()("ExtractionDisabled", {
  message: Schema.String
}) {}

/** Fails when the brain's switch is off and the run does not override it. */
export const checkSwitch = Effect.fn("checkSwitch")(function* (options: ExtractionOptions) {
  const config = yield* BrainConfig
  const row = yield* config.get("facts.extraction_enabled")
  if (!options.overrideDisabled && Option.exists(row, isSwitchedOff)) {
    return yield* new ExtractionDisabled({
      message:
        "Extraction is switched off in this brain (facts.extraction_enabled). " +
        "Switch it on with: gbrain config set facts.extraction_enabled true, or run once with --override-disabled."
    })
  }
})

/** The pages a run of a chat `model` is about. Fails when the source does not exist. */
export const scopeOf = Effect.fn("scopeOf")(function* (options: ExtractionOptions, model: string) {
  const sources = yield* Sources
  return {
    sourceIds: yield* sources.idsFor(options.sourceId),
    pageTypes: pageTypesOf(options.types),
    slug: options.slug,
    model
  } satisfies ConversationScope
})
