/** What a run of `embed` would do and cost, without asking a model, writing a row or needing a key. */
import { Effect, Option, Schema, Stream } from "effect"
import { embeddedText } from "../../domain/EmbeddedText.ts"
import { embeddingLimits } from "../../domain/EmbeddingLimits.ts"
import * as Money from "../../domain/Money.ts"
import { costOf } from "../../domain/Prices.ts"
import { ChunkEmbeddings } from "../../services/ChunkEmbeddings.ts"
import { checkChunksWidth } from "../../services/EmbeddingWidth.ts"
import { Prices } from "../../services/Prices.ts"
import { loadTokenCounter } from "../../services/TokenCounter.ts"
import { lastPace } from "../pace.ts"
import { requestInputs } from "./requests.ts"
import type { EmbedOptions } from "./options.ts"
import { chunkScope } from "./scope.ts"

const Count = Schema.Int

/** What a dry run found out. Dollars are null when the model's price is not known. */
export const EmbedPlan = Schema.Struct({
  command: Schema.Literal("embed"),
  dry_run: Schema.Literal(true),
  model: Schema.String,
  dimensions: Count,
  sources: Schema.Array(Schema.String),
  chunks_considered: Count,
  chunks_missing: Count,
  /** With a vector of an earlier text. */
  chunks_other_text: Count,
  /** With a vector of another model. */
  chunks_other_model: Count,
  chunks_empty: Count,
  /** Chunks that a run would embed. */
  chunks_to_do: Count,
  requests: Count,
  tokens: Count,
  estimated_usd: Schema.NullOr(Schema.Finite),
  /** How many at a time; null when that is found out on the way. */
  workers: Schema.NullOr(Count),
  estimated_seconds: Schema.NullOr(Count)
})

/** What a dry run found out. */
export type EmbedPlan = typeof EmbedPlan.Type

/** Chunks whose tokens are counted; the rest is taken to be like them. */
const sampled = 300

/** When no run of this brain tells: a request takes so long, and so much more for its tokens. */
const secondsForRequest = 0.4
const tokensPerSecond = 150_000

/** Plans a run with so many workers (none when they are found out on the way); see `EmbedPlan`. */
export const planEmbedding = Effect.fn("planEmbedding")(function* (
  options: EmbedOptions,
  workers: Option.Option<number> = Option.none()
) {
  const chunks = yield* ChunkEmbeddings
  const scope = yield* chunkScope(options)
  yield* checkChunksWidth(scope.dimensions, scope.model)
  const counts = yield* chunks.count(scope)
  const toDo = Math.min(
    counts.toDo,
    Option.getOrElse(options.limit, () => Infinity)
  )
  const count = yield* loadTokenCounter
  const sample = yield* chunks.stale(scope, counts).pipe(
    Stream.take(Math.min(sampled, toDo)),
    Stream.runFold(
      () => ({ tokens: 0, bytes: 0 }),
      (sum, chunk) => ({
        tokens: sum.tokens + count(embeddedText(chunk)),
        bytes: sum.bytes + Buffer.byteLength(chunk.text, "utf8")
      })
    )
  )
  const bytes = counts.toDo === 0 ? 0 : counts.bytes * (toDo / counts.toDo)
  const tokens = sample.bytes === 0 ? 0 : Math.ceil((sample.tokens / sample.bytes) * bytes)
  const limits = embeddingLimits(scope.model)
  const inputs = requestInputs({
    toDo,
    workers: Option.getOrElse(workers, () => 1),
    limit: limits.inputs,
    asked: options.batchSize
  })
  const requests = Math.max(Math.ceil(toDo / inputs), Math.ceil(tokens / limits.tokens))
  const pace = yield* lastPace({ command: "embed", model: scope.model, calls: "embedding_calls" })
  const secondsEach = Option.getOrElse(
    pace,
    () => secondsForRequest + tokens / Math.max(1, requests) / tokensPerSecond
  )
  return {
    command: "embed",
    dry_run: true,
    model: scope.model,
    dimensions: scope.dimensions,
    sources: scope.sourceIds,
    chunks_considered: counts.total,
    chunks_missing: counts.missing,
    chunks_other_text: counts.otherText,
    chunks_other_model: counts.otherModel,
    chunks_empty: counts.empty,
    chunks_to_do: toDo,
    requests,
    tokens,
    estimated_usd: Option.getOrNull(
      Option.map((yield* Prices).of(scope.model), (price) =>
        Money.toNumber(costOf(price, { inputTokens: tokens, cachedTokens: 0, outputTokens: 0 }))
      )
    ),
    workers: Option.getOrNull(workers),
    estimated_seconds: Option.getOrNull(
      Option.map(workers, (atOnce) => Math.ceil(Math.ceil(requests / atOnce) * secondsEach))
    )
  } satisfies EmbedPlan
})
