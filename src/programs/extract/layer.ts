/** What the extraction of links and timelines needs, on top of an open brain. */
import { Layer, Option } from "effect"
import { BrainConfig } from "../../services/BrainConfig.ts"
import { Budget } from "../../services/Budget.ts"
import { ExtractPages } from "../../services/ExtractPages.ts"
import { Links } from "../../services/Links.ts"
import { PageLease } from "../../services/PageLease.ts"
import { PageNames } from "../../services/PageNames.ts"
import { Progress } from "../../services/Progress.ts"
import { Runs } from "../../services/Runs.ts"
import { Sources } from "../../services/Sources.ts"
import { Timeline } from "../../services/Timeline.ts"
import { Usage } from "../../services/Usage.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"

/** The brain's own part: enough for `extractForSlugs`. */
export const extractBrainLayer = Layer.mergeAll(
  ExtractPages.layer,
  Links.layer,
  PageNames.layer,
  Timeline.layer,
  BrainConfig.layer,
  Sources.layer
)

/** All that `extract` needs, given an open brain and `HostProcess`. It spends nothing, so it has no cap. */
export const extractLayer = (options: { readonly workers: number }) =>
  Layer.mergeAll(Progress.layer, PageLease.layer, Runs.layer).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        Budget.layer({ cap: Option.none() }),
        WorkerPool.layer({ workers: options.workers }),
        Usage.layer
      )
    ),
    Layer.provideMerge(extractBrainLayer)
  )
