/** Which pages a run is about, and whether it may run at all. */
import { Effect, Option, Schema } from "effect"
import { type ConversationType, conversationTypes, pageTypesOf } from "../../domain/ConversationPages.ts"
import { BrainConfig, isSwitchedOff } from "../../services/BrainConfig.ts"
import { Conversations, type ConversationScope } from "../../services/Conversations.ts"
import { Sources } from "../../services/Sources.ts"
import type { ExtractionOptions } from "./options.ts"

/** Which pages a run is about, and by which types they were asked for. */
export interface ExtractionScope extends ConversationScope {
  readonly types: ReadonlyArray<ConversationType>
}

/** Extraction is switched off in this brain. */
export class ExtractionDisabled extends Schema.TaggedError<ExtractionDisabled>()("ExtractionDisabled", {
  message: Schema.String
}) {}

/** The page that was asked for is not there. */
export class NoSuchPage extends Schema.TaggedError<NoSuchPage>()("NoSuchPage", {
  slug: Schema.String,
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

/** The pages a run of a chat `model` is about. Fails when the source or the page that is named does not exist. */
export const scopeOf = Effect.fn("scopeOf")(function* (options: ExtractionOptions, model: string) {
  const sources = yield* Sources
  const types = Option.isSome(options.types) ? options.types.value : yield* usualTypes
  const sourceIds = yield* sources.idsFor(options.sourceId)
  if (Option.isSome(options.slug)) yield* checkPage(options.slug.value, sourceIds)
  return {
    sourceIds,
    types,
    pageTypes: pageTypesOf(types),
    slug: options.slug,
    model
  } satisfies ExtractionScope
})

const checkPage = Effect.fnUntraced(function* (slug: string, sourceIds: ReadonlyArray<string>) {
  if (yield* (yield* Conversations).isThere(slug, sourceIds)) return
  return yield* new NoSuchPage({
    slug,
    message: `There is no page ${slug} in ${sourceIds.join(", ")}. Find it with: gbrain search WORDS`
  })
})

const decodeTypes = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Array(Schema.String)))

// What is not known is left out, as gbrain does; where nothing is left, all types are meant.
const usualTypes = Effect.gen(function* () {
  const set = yield* (yield* BrainConfig).get("cycle.conversation_facts_backfill.types")
  const named = Option.getOrElse(Option.flatMap(set, decodeTypes), (): ReadonlyArray<string> => [])
  const known = conversationTypes.filter((type) => named.includes(type))
  return known.length === 0 ? conversationTypes : known
})
