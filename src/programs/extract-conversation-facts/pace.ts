/** How fast the last run went, for the time that the next will take. */
import { Effect, Option, Schema } from "effect"
import { Runs } from "../../services/Runs.ts"

// Only what is needed, so that reports of other versions can be read.
const Pace = Schema.Struct({
  model: Schema.String,
  workers: Schema.Int,
  chat_calls: Schema.Int,
  elapsed_ms: Schema.Finite
})

/** A run with fewer calls a worker says more about its ends than about its pace. */
const enoughCallsPerWorker = 3

/** Seconds that a worker took for a call in the last run with this model; none when there was none that tells. */
export const lastPace = Effect.fn("lastPace")(function* (model: string) {
  const reports = yield* (yield* Runs).lastReports("extract-conversation-facts")
  for (const report of reports) {
    const pace = Schema.decodeUnknownOption(Pace)(report)
    if (
      Option.isSome(pace) &&
      pace.value.model === model &&
      pace.value.chat_calls >= pace.value.workers * enoughCallsPerWorker
    ) {
      return Option.some((pace.value.elapsed_ms * pace.value.workers) / pace.value.chat_calls / 1000)
    }
  }
  return Option.none<number>()
})
