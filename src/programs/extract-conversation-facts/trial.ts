/**
 * Whether a model serves this run at all. One that refuses a text is a matter of that text; one that has refused everything it was
 * given refuses the run, which then stops before more is paid for, and before good pages are given up for it.
 */
import { Effect, Schema } from "effect"
import { ModelError } from "../../domain/ModelError.ts"
import { TextRefused } from "../../services/EmbeddingModel.ts"

/** Nothing that a model was given came back. */
export class EverythingRefused extends Schema.TaggedError<EverythingRefused>()("EverythingRefused", {
  message: Schema.String
}) {}

/** What is known of a model in a run. */
export interface Trial {
  /** What it is asked for, in the plural. */
  readonly what: string
  /** Whether it has served us. */
  works: boolean
  refused: number
  /** The refusals that are in that number. */
  readonly counted: WeakSet<object>
}

/** So many refusals and nothing else are no matter of the texts. */
const mostRefusals = 5

/** The model has served the run. */
export const works = (trial: Trial) =>
  Effect.sync(() => {
    trial.works = true
  })

/** Whether all that the model ever did was to refuse, and often enough. */
export const isHopeless = (trial: Trial): boolean => !trial.works && trial.refused >= mostRefusals

/** The model has refused the run something; fails when that was all it ever did. */
export const refused = (trial: Trial, message: string) =>
  Effect.suspend(() => {
    trial.refused++
    return isHopeless(trial)
      ? new EverythingRefused({
          message: `None of the ${trial.what} was served, which is no matter of the pages: ${message}`
        })
      : Effect.void
  })

/** Counts what a model refuses a call; pages that shared a call share its refusal, which counts once. */
export const refusals =
  (trial: Trial) =>
  <A, E, R>(call: Effect.Effect<A, E | ModelError | TextRefused, R>) =>
    Effect.tapError(call, (error) => {
      const counts = error instanceof ModelError || error instanceof TextRefused
      if (!counts || trial.counted.has(error)) return Effect.void
      trial.counted.add(error)
      return refused(trial, error.message)
    })
