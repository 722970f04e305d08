/** How a sweep ended, in the words that every report of one has. */
import { Schema } from "effect"

const Count = Schema.Int

/** How a sweep can end. */
export const SweepStatus = Schema.Literals(["completed", "failed", "interrupted"])

/** How a sweep can end. */
export type SweepStatus = typeof SweepStatus.Type

/** How a sweep ended. */
export interface Ending {
  readonly status: SweepStatus
  readonly workers: number
  readonly elapsedMs: number
  readonly failed: number
  /** The first thousand failures; the number is in `failed`. */
  readonly failures: ReadonlyArray<{ readonly item: string; readonly reason: string }>
  /** Why the run stopped early, in words. */
  readonly stopped: string | null
}

/** The fields of a report that say how the sweep ended. */
export const endingFields = {
  status: SweepStatus,
  dry_run: Schema.Boolean,
  workers: Count,
  sources: Schema.Array(Schema.String),
  failed: Count,
  failures: Schema.Array(Schema.Struct({ item: Schema.String, reason: Schema.String })),
  /** Why the run stopped early, in words. */
  stopped: Schema.NullOr(Schema.String),
  elapsed_ms: Count,
  per_second: Schema.Finite
}

/** The same, filled in. `done` is what `per_second` counts. */
export const endingOf = (
  ending: Ending,
  more: { readonly dryRun: boolean; readonly sources: ReadonlyArray<string>; readonly done: number }
) => ({
  status: ending.status,
  dry_run: more.dryRun,
  workers: ending.workers,
  sources: more.sources,
  failed: ending.failed,
  failures: ending.failures,
  stopped: ending.stopped,
  elapsed_ms: ending.elapsedMs,
  per_second: ending.elapsedMs === 0 ? 0 : Math.round((more.done / ending.elapsedMs) * 1000)
})
