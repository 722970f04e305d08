/**
 * The vector of a question: one paid call of a few tokens, under the same budget and limits as any other. Somebody waits for
 * the answer, so it is not tried for long; without a vector there are still the words.
 */
import { Context, Duration, Effect, Layer } from "effect"
import type { EmbeddingSpace } from "../domain/EmbeddingSpace.ts"
import { Budget } from "./Budget.ts"
import { type EmbeddingError, EmbeddingModel } from "./EmbeddingModel.ts"
import { CallTimeouts } from "./CallTimeouts.ts"
import { type MissingKey, OpenAi } from "./OpenAi.ts"
import { Prices } from "./Prices.ts"
import { RateLimiter } from "./RateLimiter.ts"
import { RetryPolicy } from "./Retry.ts"
import { Usage } from "./Usage.ts"
import { WorkerPool } from "./WorkerPool.ts"

/** How long the vector of a question is waited for. */
export const QuestionPatience = Context.Reference("gbrain/QuestionPatience", {
  defaultValue: () => ({ attempts: 3, firstDelay: Duration.millis(250), giveUpAfter: Duration.seconds(10) })
})

/** Makes vectors of questions. */
export class QuestionVector extends Context.Service<
  QuestionVector,
  {
    /** The vector of a question, by a model: that of the vectors it is compared with. */
    readonly of: (
      text: string,
      space: EmbeddingSpace
    ) => Effect.Effect<Float32Array, EmbeddingError | MissingKey>
  }
>()("gbrain/QuestionVector") {
  /** At the models' endpoints. A missing key is found when it is needed, not before. */
  static readonly layer = Layer.effect(
    QuestionVector,
    Effect.gen(function* () {
      const context = yield* Effect.context<OpenAi | Budget | Prices | RateLimiter | Usage | WorkerPool>()
      return QuestionVector.of({
        of: Effect.fn("QuestionVector.of")(function* (text, { dimensions, model }) {
          const patience = yield* QuestionPatience
          const [vector] = yield* Effect.flatMap(EmbeddingModel, (embedder) => embedder.embed([text])).pipe(
            Effect.provide(
              EmbeddingModel.layer({ model, dimensions, role: "query" }).pipe(
                Layer.provide(Layer.succeedContext(context))
              )
            ),
            Effect.provideService(RetryPolicy, {
              firstDelay: patience.firstDelay,
              maxDelay: patience.giveUpAfter,
              maxAttempts: patience.attempts,
              giveUpAfter: patience.giveUpAfter,
              giveUpRateLimitedAfter: patience.giveUpAfter
            }),
            Effect.provideService(CallTimeouts, {
              chat: patience.giveUpAfter,
              embedding: patience.giveUpAfter
            })
          )
          return vector ?? (yield* Effect.die(new Error("no vector came for one text")))
        })
      })
    })
  )
}
