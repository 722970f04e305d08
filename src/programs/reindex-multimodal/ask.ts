/**
 * One call's worth of inputs: what the journal has is not asked again; a call that is refused for one bad input is halved until
 * that one is found and named; every vector is journaled as it comes, and all are written in one commit.
 */
import { Effect, Result } from "effect"
import { isFatalForRun, ModelError } from "../../domain/ModelError.ts"
import { pictureKind } from "../../domain/Images.ts"
import { type EmbeddedInput, splitRefused } from "../../services/embedding/splitRefused.ts"
import { Journal } from "../../services/Journal.ts"
import { type MultimodalChunk, MultimodalChunks } from "../../services/MultimodalChunks.ts"
import { MultimodalModel } from "../../services/MultimodalModel.ts"
import type { Lease } from "../../services/PageLease.ts"
import { Progress } from "../../services/Progress.ts"
import type { ItemContext } from "../bulk.ts"
import type { ReadyInput } from "./inputs.ts"
import type { MultimodalTally } from "./report.ts"

/** What a run has for its calls. */
export interface AskContext {
  readonly lease: Lease
  readonly width: number
  readonly tally: MultimodalTally
  readonly piece: ItemContext["piece"]
  readonly fail: (chunk: MultimodalChunk, reason: string) => Effect.Effect<void>
}

/** Gets the vectors of a batch and writes them. */
export const embedBatch = Effect.fn("embedBatch")(function* (
  batch: ReadonlyArray<ReadyInput>,
  { fail, lease, piece, tally, width }: AskContext
) {
  const chunks = yield* MultimodalChunks
  const journal = yield* Journal
  const model = yield* MultimodalModel
  const progress = yield* Progress

  const vectors = new Map(yield* journal.vectors(batch.map(({ key }) => key)))
  const known = vectors.size
  // Two chunks that say the same are asked about once.
  const missing = [...new Map(batch.map((input) => [input.key, input])).values()].filter(
    ({ key }) => !vectors.has(key)
  )
  const refused = new Map<string, string>()

  const ask = (inputs: ReadonlyArray<ReadyInput>) =>
    Effect.tap(
      model.embed(
        inputs.map(({ input }) => input),
        width
      ),
      (outcomes) =>
        journal.recordVectors(
          inputs.flatMap(({ key }, index) => {
            const vector = outcomes[index]
            return vector?._tag === "Success" ? [{ key, vector: vector.success }] : []
          })
        )
    )

  const outcomes =
    missing.length === 0
      ? []
      : yield* piece(splitRefused(missing, ask)).pipe(
          Effect.catchIf(
            (error): error is ModelError => error instanceof ModelError && !endsRun(error),
            // What was answered before is in the journal, and is found there by the next run.
            (error) => Effect.succeed(missing.map((): EmbeddedInput => Result.fail(error.message)))
          )
        )
  for (const [index, { key }] of missing.entries()) {
    const outcome = outcomes[index]
    if (outcome?._tag === "Success") vectors.set(key, outcome.success)
    else if (outcome !== undefined) refused.set(key, outcome.failure)
  }

  const ready = batch.flatMap(({ chunk, key, text }) => {
    const vector = vectors.get(key)
    return vector === undefined ? [] : [{ chunk, key, vector, text }]
  })
  const written: ReadonlySet<number> =
    ready.length === 0 ? new Set() : yield* chunks.commit(lease, model.model, ready)
  for (const { chunk, key } of batch) {
    const reason = refused.get(key)
    if (reason !== undefined) yield* fail(chunk, reason)
    else if (!written.has(chunk.id)) tally.changed++
    else if (chunk.modality === "text") tally.texts++
    else if (pictureKind(chunk.path) === "pdf") tally.pdfPages++
    else tally.images++
  }
  tally.fromJournal += known
  yield* progress.count({ done: batch.length - batch.filter(({ key }) => refused.has(key)).length })
})

/** Every further call would end the same way. */
export const endsRun = (error: ModelError): boolean => isFatalForRun(error) || error.reason === "WrongWidth"
