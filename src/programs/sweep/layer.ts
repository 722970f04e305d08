/** What every sweep needs, on top of an open brain. */
import { Layer, Option } from "effect"
import { Budget } from "../../services/Budget.ts"
import { PageLease } from "../../services/PageLease.ts"
import { Progress } from "../../services/Progress.ts"
import { Runs } from "../../services/Runs.ts"
import { Sources } from "../../services/Sources.ts"
import { Usage } from "../../services/Usage.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"

/** A run that spends nothing, with so many workers. */
export const sweepLayer = (options: { readonly workers: number }) =>
  Layer.mergeAll(Progress.layer, PageLease.layer, Runs.layer, Sources.layer).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        Budget.layer({ cap: Option.none() }),
        WorkerPool.layer({ workers: options.workers }),
        Usage.layer
      )
    )
  )
