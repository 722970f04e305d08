/** How fast the last run went, for the time that the next will take. */
import { Effect, Option, Schema } from "effect"
import { Runs } from "../services/Runs.ts"

/** Which runs, and what of them is a call. */
export interface PaceOf {
  readonly command: string
  readonly model: string
  readonly calls: "chat_calls" | "embedding_calls"
}

// Only what is needed, so that reports of other versions can be read.
const Pace = Schema.Struct({
  model: Schema.String,
  workers: Schema.Int,
  chat_calls: Schema.optionalKey(Schema.Int),
  embedding_calls: Schema.optionalKey(Schema.Int),
  elapsed_ms: Schema.Finite
})

/** A run with fewer calls a worker says more about its ends than about its pace. */
const enoughCallsPerWorker = 3

/** Seconds that a worker took for a call in the last run with this model; none when there was none that tells. */
export const lastPace = Effect.fn("lastPace")(function* ({ calls, command, model }: PaceOf) {
  const reports = yield* (yield* Runs).lastReports(command)
  for (const report of reports) {
    const pace = Schema.decodeUnknownOption(Pace)(report)
    const made = Option.getOrElse(
      Option.map(pace, (it) => it[calls] ?? 0),
      () => 0
    )
    if (
      Option.isSome(pace) &&
      pace.value.model === model &&
      made >= pace.value.workers * enoughCallsPerWorker
    ) {
      return Option.some((pace.value.elapsed_ms * pace.value.workers) / made / 1000)
    }
  }
  return Option.none<number>()
})
