/**
 * What bulk commands that ask no model have in common: rows in groups, N groups at once, a run that is written down, and a report
 * however it ends. A group that fails is halved until the one row is found that fails; the others are done.
 */
import { Clock, Effect, Option, type Stream } from "effect"
import { Progress, type ProgressCounts } from "../../services/Progress.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import { bulk, type BulkReport } from "../bulk.ts"
import { inHalves } from "../halves.ts"
import { isFatal } from "../extract-conversation-facts/fatal.ts"
import { onRecord, wordsOf } from "../onRecord.ts"
import type { Ending, SweepStatus } from "./ending.ts"

/** What a sweep is made of. */
export interface Sweep<Item, Report, E, R, EI, RI> {
  readonly command: string
  /** What is counted, such as `pages`. */
  readonly unit: string
  /** How many there are to do. */
  readonly total: number
  /** Whether nothing may be written; such a run is not written down either. */
  readonly dryRun: boolean
  /** Groups of rows; a group is one transaction. */
  readonly groups: Stream.Stream<ReadonlyArray<Item>, EI, RI>
  /** Names a row in reports. */
  readonly label: (item: Item) => string
  /** The work for a group, all of it or none; answers what is to be counted. */
  readonly work: (items: ReadonlyArray<Item>) => Effect.Effect<Partial<ProgressCounts>, E, R>
  /** The report, given how the run ended. */
  readonly report: (ending: Ending) => Report
  /** Gets the report of a run that is interrupted. */
  readonly onInterrupt: (report: Report) => Effect.Effect<void>
}

/** Failures that are named; the number is in `failed`. */
const failuresKept = 1000

/** Runs a sweep. Fails when the rows cannot be listed; what fails on the way is in the report. */
export const sweep = Effect.fn("sweep")(function* <
  Item,
  Report extends { readonly status: SweepStatus },
  E,
  R,
  EI,
  RI
>(options: Sweep<Item, Report, E, R, EI, RI>) {
  const pool = yield* WorkerPool
  const progress = yield* Progress
  const startedAt = yield* Clock.currentTimeMillis
  yield* progress.begin({ command: options.command, unit: options.unit, total: Option.some(options.total) })

  const failures: Array<{ readonly item: string; readonly reason: string }> = []
  let failed = 0

  const visit = Effect.fnUntraced(function* (items: ReadonlyArray<Item>) {
    let refused = 0
    yield* inHalves(
      items,
      (some) => Effect.flatMap(options.work(some), progress.count),
      (item, reason) => {
        refused++
        failed++
        if (failures.length < failuresKept) failures.push({ item: options.label(item), reason })
      }
    )
    yield* progress.count({ failed: refused })
  })

  const report = Effect.fnUntraced(function* (ended: BulkReport<unknown> | undefined) {
    const stopped = Option.map(ended?.stopped ?? Option.none(), wordsOf)
    const hasFailed = failed + (ended?.failed ?? 0) > 0 || Option.isSome(stopped)
    return options.report({
      status: ended === undefined ? "interrupted" : hasFailed ? "failed" : "completed",
      workers: pool.workers,
      elapsedMs: (yield* Clock.currentTimeMillis) - startedAt,
      failed: failed + (ended?.failed ?? 0),
      failures: [...failures, ...(ended?.failures ?? [])],
      stopped: Option.getOrNull(stopped)
    })
  })

  return yield* onRecord(
    bulk({
      items: options.groups,
      label: (items) => labelOf(items.map(options.label)),
      isFatal,
      itemsAtOnce: pool.workers,
      work: (items, { piece }) => piece(visit(items))
    }),
    { command: options.command, dryRun: options.dryRun, report, onInterrupt: options.onInterrupt }
  )
})

const labelOf = ([first = "", ...others]: ReadonlyArray<string>): string =>
  others.length === 0 ? first : `${first} and ${others.length} more`
