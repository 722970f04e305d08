/**
 * A request that is refused for one bad input is halved until that input is found; the others get what they asked for. A
 * server that refuses everything is recognised before it has been asked about every input alone.
 */
import { Effect, Result } from "effect"
import { mayBeOneInput, ModelError } from "../../domain/ModelError.ts"

/** The vector of an input, or why it has none. */
export type EmbeddedInput = Result.Result<Float32Array, string>

/** So many inputs refused one by one, and none accepted: it is not the inputs. */
const refusedWithoutOneAccepted = 8

/**
 * Sends `inputs` as one request, and in parts when it is refused. Answers one outcome an input, in order. Fails with what
 * fails for another reason than its inputs, and when every input seems to be refused.
 */
export const splitRefused = <Input, E, R>(
  inputs: ReadonlyArray<Input>,
  send: (inputs: ReadonlyArray<Input>) => Effect.Effect<ReadonlyArray<EmbeddedInput>, ModelError | E, R>
): Effect.Effect<ReadonlyArray<EmbeddedInput>, ModelError | E, R> => {
  let accepted = false
  let refused = 0

  const part = (some: ReadonlyArray<Input>): Effect.Effect<ReadonlyArray<EmbeddedInput>, ModelError | E, R> =>
    send(some).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          accepted = true
        })
      ),
      Effect.catchIf(isSplittable, (error) => (some.length === 1 ? alone(error) : halves(some)))
    )

  const alone = (error: ModelError): Effect.Effect<ReadonlyArray<EmbeddedInput>, ModelError> => {
    refused++
    return !accepted && refused >= refusedWithoutOneAccepted
      ? Effect.fail(error)
      : Effect.succeed([Result.fail(error.message)])
  }

  const halves = (some: ReadonlyArray<Input>) => {
    const middle = Math.ceil(some.length / 2)
    return Effect.zipWith(part(some.slice(0, middle)), part(some.slice(middle)), (first, second) => [
      ...first,
      ...second
    ])
  }

  return part(inputs)
}

const isSplittable = (error: unknown): error is ModelError =>
  error instanceof ModelError && mayBeOneInput(error)
