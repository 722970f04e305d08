/** What is made of imported pages: their links and timelines. */
import { Effect, Option } from "effect"
import { BrainConfig, isSwitchedOff } from "../../services/BrainConfig.ts"
import type { ImportOrigin } from "../../services/PageWriter.ts"
import { Underived } from "../../services/Underived.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import { extractForSlugs } from "../extract/forSlugs.ts"
import type { ExtractKind } from "../extract/options.ts"
import type { ImportTally } from "./report.ts"

/**
 * What an import makes of its pages. The brain can be set to have either made by `extract` only, with gbrain's settings `auto_link`
 * and `auto_timeline`.
 */
export const derivedKind = Effect.gen(function* () {
  const config = yield* BrainConfig
  const isOff = (key: string) => Effect.map(config.get(key), Option.exists(isSwitchedOff))
  const noLinks = yield* isOff("auto_link")
  const noTimeline = yield* isOff("auto_timeline")
  if (noLinks && noTimeline) return Option.none<ExtractKind>()
  return Option.some<ExtractKind>(noLinks ? "timeline" : noTimeline ? "links" : "all")
})

/** Makes links and timelines of the pages that this import wrote, and of those that an earlier one of the folder left. */
export const derive = Effect.fn("derive")(function* (
  origin: ImportOrigin,
  kind: ExtractKind,
  tally: ImportTally
) {
  const underived = yield* Underived
  const noted = yield* underived.of(origin)
  if (noted.length === 0) return
  // Code has nothing to be read, but pages may have waited for it.
  const slugs = noted.filter((page) => page.kind === "markdown").map((page) => page.slug)
  const { workers } = yield* WorkerPool
  const derived = yield* extractForSlugs(
    { sourceId: origin.sourceId, slugs, workers, onDone: underived.done },
    kind
  )
  yield* underived.tidy(origin)
  tally.links = derived.links.created
  tally.timelineEntries = derived.timeline.created
  tally.edited = derived.edited
  tally.failed += derived.failed
  for (const failure of derived.failures) tally.failures.push(failure)
})
