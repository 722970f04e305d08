/**
 * The vectors of facts that have none yet, made and journaled. Pages that are done faster than a request is answered share the next
 * one, so that many workers make few requests of a provider that counts them.
 */
import { Array as Arr, Cause, Context, Effect, Layer, Option, Result } from "effect"
import { SqlError } from "effect/sql"
import { mayBeOneInput, ModelError } from "../domain/ModelError.ts"
import { EmbeddingBatchLimits, type EmbeddingCallError, EmbeddingModel } from "./EmbeddingModel.ts"
import { type EmbeddedInput, splitRefused } from "./embedding/splitRefused.ts"
import { joinCalls } from "./joinCalls.ts"
import { Journal } from "./Journal.ts"
import { LedgerUnavailable } from "./Ledger.ts"
import { UnpricedModel } from "./Prices.ts"

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
      // What was made with others, of whom one failed: it is not paid for again when each goes by itself.
      const made = new WeakMap<KeyedText, EmbeddedInput>()

      // Once vectors are there they are paid for: from then to their place in the journal nothing interrupts, and those of one request
      // do not wait for the next. The call's waits can be interrupted by themselves.
      const send = (texts: ReadonlyArray<KeyedText>) =>
        Effect.uninterruptible(
          Effect.gen(function* () {
            const outcomes = yield* model.embedOnce(texts.map(({ text }) => text))
            const told = Arr.zip(texts, outcomes)
            yield* journal.recordVectors(
              told.flatMap(([{ key }, outcome]) =>
                Result.isSuccess(outcome) ? [{ key, vector: outcome.success }] : []
              )
            )
            for (const [text, outcome] of told) made.set(text, outcome)
            return outcomes
          })
        )

      const request = (texts: ReadonlyArray<KeyedText>) =>
        Effect.map(splitRefused(texts, send), (outcomes) => {
          for (const [text, outcome] of Arr.zip(texts, outcomes)) made.set(text, outcome)
        })

      const make = joinCalls({
        rowsAtMost: Math.min(inputs, model.limits.inputs),
        concernsAll,
        run: Effect.fnUntraced(function* (texts: ReadonlyArray<KeyedText>) {
          const missing = texts.filter((text) => !made.has(text))
          const requests = model.requests(missing, ({ text }) => text)
          yield* Effect.forEach(requests, request, { discard: true })
          return new Map(
            texts.flatMap((text) => {
              const outcome = made.get(text)
              return outcome === undefined ? [] : [[text.key, outcome] as const]
            })
          )
        })
      })

      return FactVectors.of({ make })
    })
  )
}

// What a text is to blame for, what a server breaks over or takes too long for, and money that is short, may go better with fewer of them.
const concernsAll = (cause: Cause.Cause<EmbeddingCallError | SqlError.SqlError>): boolean =>
  Option.exists(
    Cause.findErrorOption(cause),
    (error) =>
      (error instanceof ModelError && !mayGoBetterAlone(error)) ||
      error instanceof UnpricedModel ||
      error instanceof LedgerUnavailable ||
      SqlError.isSqlError(error)
  )

const mayGoBetterAlone = (error: ModelError): boolean =>
  mayBeOneInput(error) || error.reason === "TimedOut" || error.reason === "Unavailable"
