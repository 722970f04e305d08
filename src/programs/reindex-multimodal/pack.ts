/** Inputs packed into calls, in their order, whatever pages they are of. */
import { Context, Stream } from "effect"
import { type BatchLimits, makePacker } from "../../domain/EmbeddingBatches.ts"
import { type ReadyInput, weightOf } from "./inputs.ts"

/** What a call takes at most, besides the inputs that the form of asking allows. */
export const MultimodalBatchLimits = Context.Reference("gbrain/MultimodalBatchLimits", {
  defaultValue: () => ({
    /** Bytes on the way, which are held in memory for each call under way. */
    bytes: 8 * 1024 * 1024,
    /** Tokens; providers take some three hundred thousand, and count otherwise than we do. */
    tokens: 120_000
  })
})

/** Calls within the limits; an input that is too large alone is a call of its own. */
export const packInputs =
  (limits: BatchLimits) =>
  <E, R>(inputs: Stream.Stream<ReadyInput, E, R>): Stream.Stream<ReadonlyArray<ReadyInput>, E, R> =>
    inputs.pipe(
      Stream.mapAccum(
        () => makePacker<ReadyInput>(limits),
        (packer, input) => [packer, packer.add(input, weightOf(input))] as const,
        { onHalt: (packer) => packer.rest() }
      )
    )
