/** Sets the vector index aside for a large run, and has it built again at the end: also when an earlier run left it so. */
import { Clock, Effect, Option } from "effect"
import { VectorIndex } from "../../services/VectorIndex.ts"
import { Progress } from "../../services/Progress.ts"
import { type EmbedReport, type EmbedTally, name } from "./report.ts"

/** Makes the keeper of the index of a run that writes about so many vectors; what could not be done is among its warnings. */
export const makeIndexKeeper = Effect.fn("makeIndexKeeper")(function* (vectors: number, tally: EmbedTally) {
  const index = yield* VectorIndex
  const progress = yield* Progress
  let state: EmbedReport["index"] = (yield* index.inPlace) ? "kept" : "none"

  let took = 0
  const restore = Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const restored = yield* index
      .restore(({ index: which, phase, share }) => {
        const percents = Option.map(share, (it) => ` ${Math.floor(it * 100)}%`)
        return progress.stage(
          Option.some(`making the index ${which}: ${phase}${Option.getOrElse(percents, () => "")}`)
        )
      })
      .pipe(Effect.ensuring(progress.stage(Option.none())))
    took = (yield* Clock.currentTimeMillis) - startedAt
    if (restored === "built") state = "built"
    else if (restored !== "nothing" && "leftTo" in restored) {
      name(tally.warnings, "index", `is built by ${restored.leftTo}, which still embeds, when that is done`)
    } else if (restored !== "nothing") {
      name(
        tally.warnings,
        "index",
        `could not be built: ${restored.left}; the next run of gbrain embed tries again`
      )
    }
  })

  if ((yield* index.pending).length > 0) state = "to-build"
  // Once, by the first who has a vector to write: a run that finds every source held elsewhere, or has no money for a single
  // request, leaves the index alone.
  const setAside = yield* Effect.cached(
    Effect.map(index.setAsideFor(vectors), (aside) => {
      if (aside) state = "to-build"
    })
  )
  /** Whether vectors go into an index one by one: it is there, and too few of them are to be written to set it aside. */
  const staysIndexed = state === "kept" && !(yield* index.isWorth(vectors))
  return { state: () => state, took: () => took, staysIndexed, setAside, restore }
})

/** What keeps the index of a run. */
export type IndexKeeper = Effect.Success<ReturnType<typeof makeIndexKeeper>>
