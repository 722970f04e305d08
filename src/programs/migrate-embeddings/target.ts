/** To which model a run goes, and whether that fits what is under way. */
import { Effect, Option, Schema } from "effect"
import { defaultWidth, widthProblem } from "../../domain/EmbeddingDimensions.ts"
import { sameSpace } from "../../domain/EmbeddingSpace.ts"
import {
  EmbeddingMigrations,
  type EmbeddingSpace,
  type Migration,
  MigrationRefused
} from "../../services/EmbeddingMigrations.ts"

/** No model is named to go to, or its vectors cannot be of the width that is asked for. */
export class TargetUnfit extends Schema.TaggedError<TargetUnfit>()("TargetUnfit", {
  message: Schema.String
}) {}

/** What is asked for on the command line. */
export interface AskedTarget {
  readonly to: Option.Option<string>
  readonly dimensions: Option.Option<number>
}

/** The model and width to go to: what is asked for, else those of the migration that is open. */
export const resolveTarget = Effect.fn("resolveTarget")(function* (asked: AskedTarget) {
  const open = yield* (yield* EmbeddingMigrations).open
  if (Option.isSome(open)) yield* checkForward(open.value)
  const model = Option.orElse(asked.to, () => Option.map(open, ({ to }) => to.model))
  if (Option.isNone(model)) {
    return yield* unfit(
      "Say to which model: gbrain migrate embeddings --to openai:text-embedding-3-small --dimensions 1536"
    )
  }
  const dimensions = asked.dimensions.pipe(
    Option.orElse(() =>
      Option.map(
        Option.filter(open, ({ to }) => to.model === model.value),
        ({ to }) => to.dimensions
      )
    ),
    Option.orElse(() => defaultWidth(model.value))
  )
  if (Option.isNone(dimensions)) {
    return yield* unfit(
      `How wide ${model.value}'s vectors are is not known here. Say it with --dimensions N.`
    )
  }
  const problem = widthProblem(model.value, dimensions.value)
  if (Option.isSome(problem)) return yield* unfit(`${problem.value} Say another with --dimensions N.`)
  const target: EmbeddingSpace = { model: model.value, dimensions: dimensions.value }
  if (Option.isSome(open) && !sameSpace(open.value.to, target)) return yield* other(open.value)
  return target
})

/** A model and width in words. */
export const inWords = ({ dimensions, model }: EmbeddingSpace): string =>
  `${model} at ${dimensions} dimensions`

/** Fails when what is open is on its way back or out. */
export const checkForward = Effect.fnUntraced(function* (open: Migration) {
  if (open.isReturn || open.phase === "undoing") {
    return yield* refuse(
      `A migration is being undone, back to ${inWords(open.isReturn ? open.to : open.from)}. Continue that first: gbrain migrate embeddings --undo`
    )
  }
  if (open.phase === "finishing") {
    return yield* refuse(
      `The old vectors of a migration to ${inWords(open.to)} are being dropped. Continue that first: gbrain migrate embeddings --finish`
    )
  }
})

const other = (open: Migration) =>
  refuse(
    open.phase === "filling"
      ? `A migration to ${inWords(open.to)} is half way. Continue it with: gbrain migrate embeddings --to ${open.to.model} --dimensions ${open.to.dimensions}, or give it up with: gbrain migrate embeddings --undo`
      : `The brain was migrated to ${inWords(open.to)} and still keeps its old vectors. First drop them: gbrain migrate embeddings --finish, or go back: gbrain migrate embeddings --undo`
  )

const unfit = (message: string) => new TargetUnfit({ message })

/** An error that says why what was asked for cannot be done now. */
export const refuse = (message: string) => new MigrationRefused({ message })
