/**
 * The vectors of facts that have none yet. Pages that are done faster than a request is answered share the next one, so that many
 * workers make few requests of a provider that counts them.
 */
import { Context, Effect, Layer, Result } from "effect"
import type { SqlError } from "effect/sql"
import { ModelError } from "../../domain/ModelError.ts"
import {
  EmbeddingBatchLimits,
  type EmbeddingCallError,
  EmbeddingModel
} from "../../services/EmbeddingModel.ts"
import type { EmbeddedInput } from "../../services/embedding/splitRefused.ts"
import { joinCalls } from "../../services/joinCalls.ts"
import { Journal } from "../../services/Journal.ts"
import { UnpricedModel } from "../../services/Prices.ts"

/** A text and the key (`vectorKey`) that its vector is journaled under. */
export interface KeyedText {
  readonly key: string
  readonly text: string
}

/** Vectors, made and journaled. */
export class FactVectors extends Context.Service<
  FactVectors,
  {
    /** Makes a vector a text and journals it; by key, a vector or why there is none. Others' texts may be among them. */
    readonly make: (
      texts: ReadonlyArray<KeyedText>
    ) => Effect.Effect<ReadonlyMap<string, EmbeddedInput>, EmbeddingCallError | SqlError.SqlError>
  }
>()("gbrain/FactVectors") {
  /** Vectors of the run's embedding model. */
  static readonly layer = Layer.effect(
    FactVectors,
    Effect.gen(function* () {
      const model = yield* EmbeddingModel
      const journal = yield* Journal
      const { inputs } = yield* EmbeddingBatchLimits
      return FactVectors.of({
        make: joinCalls({
          rowsAtMost: inputs,
          // What the texts are to blame for is told text by text, and money that is short may do for fewer of them.
          concernsAll: (error) => error instanceof ModelError || error instanceof UnpricedModel,
          // Once vectors are there they are paid for: from then to their place in the journal nothing interrupts.
          run: (texts: ReadonlyArray<KeyedText>) =>
            Effect.uninterruptibleMask((restore) =>
              Effect.gen(function* () {
                const outcomes = yield* restore(model.embedAll(texts.map(({ text }) => text)))
                const made = texts.flatMap(({ key }, index) => {
                  const outcome = outcomes[index]
                  return outcome === undefined ? [] : [[key, outcome] as const]
                })
                yield* journal.recordVectors(
                  made.flatMap(([key, outcome]) =>
                    Result.isSuccess(outcome) ? [{ key, vector: outcome.success }] : []
                  )
                )
                return new Map(made)
              })
            )
        })
      })
    })
  )
}
