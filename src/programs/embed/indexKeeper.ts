/** Sets the vector index aside for a large run, and has it built again at the end: also when an earlier run left it so. */
import { Clock, Effect, Option } from "effect"
import { VectorIndex } from "../../services/VectorIndex.ts"
import { type EmbedReport, type EmbedTally, name } from "./report.ts"

/** Percents between two lines about an index that is being built. */
const percentsALine = 10

/** Makes the keeper of the index of a run that writes about so many vectors; what could not be done is among its warnings. */
export const makeIndexKeeper = Effect.fn("makeIndexKeeper")(function* (vectors: number, tally: EmbedTally) {
  const index = yield* VectorIndex
  let state: EmbedReport["index"] = (yield* index.inPlace) ? "kept" : "none"

  let told = -1
  let toldPhase = ""
  let took = 0
  const restore = Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const restored = yield* index.restore(({ index: which, phase, share }) => {
      const percents = Math.floor(Option.getOrElse(share, () => 0) * 100)
      const step = Math.floor(percents / percentsALine)
      if (step === told && phase === toldPhase) return Effect.void
      told = step
      toldPhase = phase
      return Effect.logInfo(`Building the index ${which}: ${phase}, ${percents}%`)
    })
    took = (yield* Clock.currentTimeMillis) - startedAt
    if (restored === "built") state = "built"
    else if (restored !== "nothing" && "leftTo" in restored) {
      yield* Effect.logInfo(`The index is built by ${restored.leftTo}, which still embeds, when that is done`)
    } else if (restored !== "nothing") {
      name(
        tally.warnings,
        "index",
        `could not be built: ${restored.left}; the next run of gbrain embed tries again`
      )
    }
  })

  if ((yield* index.pending).length > 0) state = "to-build"
  // Once, by the first who has something to write: a run that finds every source held elsewhere leaves the index alone.
  const setAside = yield* Effect.cached(
    Effect.map(index.setAsideFor(vectors), (aside) => {
      if (aside) state = "to-build"
    })
  )
  return { state: () => state, took: () => took, setAside, restore }
})
