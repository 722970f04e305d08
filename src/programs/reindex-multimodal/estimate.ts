/** What a run would do and cost, without asking a model, writing a row or needing a key: the same files are looked at as in a run. */
import { Effect, Option, Schema } from "effect"
import { imageTokens } from "../../domain/Images.ts"
import * as Money from "../../domain/Money.ts"
import { costOf, type TokenPrices } from "../../domain/Prices.ts"
import { type ChunkCounts, MultimodalChunks } from "../../services/MultimodalChunks.ts"
import { checkModel } from "../../services/MultimodalModel.ts"
import { Prices } from "../../services/Prices.ts"
import { Sources } from "../../services/Sources.ts"
import type { ReindexMultimodalOptions } from "./options.ts"
import { type OnLook, registerPictures } from "./register.ts"
import { Problem } from "./report.ts"

const Count = Schema.Int

/** What was foretold. Dollars are null when the model's price is not known. */
export const MultimodalPlan = Schema.Struct({
  command: Schema.Literal("reindex --multimodal"),
  dry_run: Schema.Literal(true),
  model: Schema.String,
  dimensions: Count,
  sources: Schema.Array(Schema.String),
  files: Count,
  files_new: Count,
  files_changed: Count,
  files_skipped: Count,
  /** Chunks that a run would embed. */
  pending_before: Count,
  /** Of them, images and pages of PDFs. */
  images: Count,
  texts: Count,
  /** Pixels that the images are paid for. */
  pixels: Count,
  /** Tokens of the texts, about. */
  text_tokens: Count,
  cost_usd_estimate: Schema.NullOr(Schema.Finite),
  /** If every byte of text were a token. */
  at_most_usd: Schema.NullOr(Schema.Finite),
  skipped: Schema.Array(Problem)
})

/** What was foretold. */
export type MultimodalPlan = typeof MultimodalPlan.Type

/** Characters to a token, as gbrain reckons. */
const charactersPerToken = 3.5

/** Plans a run of `model`; see `MultimodalPlan`. */
export const planMultimodal = Effect.fn("planMultimodal")(function* (
  options: ReindexMultimodalOptions,
  model: string,
  onLook?: OnLook
) {
  const chunks = yield* MultimodalChunks
  const sourceIds = yield* (yield* Sources).idsFor(options.sourceId)
  const width = yield* chunks.width
  yield* checkModel(model, width)
  const found = yield* registerPictures(sourceIds, { write: false, onLook })
  const known = yield* chunks.count({ sourceIds, model, includeDone: options.force }, found.changedPages)
  const there = { ...known, images: known.images + found.images, pixels: known.pixels + found.pixels }
  const all = withinLimit(
    Option.match(options.only, {
      onNone: () => there,
      onSome: (only) =>
        only === "text" ? { ...there, images: 0, pixels: 0 } : { ...there, texts: 0, characters: 0, bytes: 0 }
    }),
    options.limit
  )
  const tokens = Math.ceil(all.characters / charactersPerToken)
  const price = (yield* Prices).of(model)
  const dollars = (textTokens: number) =>
    Option.getOrNull(Option.map(price, (known) => Money.toNumber(costFor(known, all.pixels, textTokens))))
  return {
    command: "reindex --multimodal",
    dry_run: true,
    model,
    dimensions: width,
    sources: sourceIds,
    files: found.files,
    files_new: found.created,
    files_changed: found.updated,
    files_skipped: found.leftOut.length,
    pending_before: all.images + all.texts,
    images: all.images,
    texts: all.texts,
    pixels: Math.round(all.pixels),
    text_tokens: tokens,
    cost_usd_estimate: dollars(tokens),
    at_most_usd: dollars(all.bytes),
    skipped: found.leftOut.slice(0, namesKept).map(({ path, reason }) => ({ item: path, reason }))
  } satisfies MultimodalPlan
})

const namesKept = 1000

// Images are taken first, and are taken to be like each other.
const withinLimit = (counts: ChunkCounts, limit: Option.Option<number>): ChunkCounts => {
  if (Option.isNone(limit)) return counts
  const images = Math.min(counts.images, limit.value)
  const texts = Math.min(counts.texts, limit.value - images)
  const part = (whole: number, of: number, taken: number) => (of === 0 ? 0 : Math.ceil(whole * (taken / of)))
  return {
    images,
    texts,
    pixels: part(counts.pixels, counts.images, images),
    characters: part(counts.characters, counts.texts, texts),
    bytes: part(counts.bytes, counts.texts, texts)
  }
}

// Where pixels have no price of their own, images are paid for by the tokens that they count as.
const costFor = (price: TokenPrices, pixels: number, textTokens: number): Money.Money =>
  costOf(price, {
    inputTokens: textTokens + (price.pixel === undefined ? imageTokens(pixels) : 0),
    cachedTokens: 0,
    outputTokens: 0,
    imagePixels: Math.round(pixels)
  })
