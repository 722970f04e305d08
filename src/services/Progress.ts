/**
 * One view of how far everything that runs under it is: "X of Y pages, $Z spent, time left". Programs count, displays
 * read; a count is a plain addition, so that counting costs nothing and reading happens as often as somebody looks.
 */
import { Clock, Context, Effect, Layer, Option } from "effect"
import type { ProgressSnapshot } from "../domain/ProgressSnapshot.ts"
import { Budget } from "./Budget.ts"
import { Usage } from "./Usage.ts"
import { WorkerPool } from "./WorkerPool.ts"

/** What can be counted. */
export interface ProgressCounts {
  readonly done: number
  readonly failed: number
  readonly skipped: number
  readonly heldElsewhere: number
  readonly segments: number
}

/** The progress of a run. */
export class Progress extends Context.Service<
  Progress,
  {
    /** Announces a program: its command, what it counts, and how much there is to do if that is known. */
    readonly begin: (options: {
      readonly command: string
      readonly unit: string
      readonly total: Option.Option<number>
    }) => Effect.Effect<void>
    /** Adds to the counts. Negative numbers take back. */
    readonly count: (counts: Partial<ProgressCounts>) => Effect.Effect<void>
    /** Tells what is being done besides what is counted; none when that is over. */
    readonly stage: (stage: Option.Option<string>) => Effect.Effect<void>
    /** How far it is now. */
    readonly snapshot: Effect.Effect<ProgressSnapshot>
  }
>()("gbrain/Progress") {
  /** Progress counted from the moment the layer is built. */
  static readonly layer = Layer.effect(
    Progress,
    Effect.gen(function* () {
      const budget = yield* Budget
      const pool = yield* WorkerPool
      const usage = yield* Usage
      const startedAt = yield* Clock.currentTimeMillis
      let commands: Array<string> = []
      let unit = "pages"
      let total = Option.none<number>()
      let stage = Option.none<string>()
      const counts = { done: 0, failed: 0, skipped: 0, heldElsewhere: 0, segments: 0 }

      return Progress.of({
        begin: (options) =>
          Effect.sync(() => {
            commands = [...commands, options.command]
            unit = options.unit
            // Several programs under one progress: what is to do adds up, and is unknown when one of them does not know.
            total =
              commands.length === 1
                ? options.total
                : Option.zipWith(total, options.total, (before, more) => before + more)
          }),
        count: (more) =>
          Effect.sync(() => {
            counts.done += more.done ?? 0
            counts.failed += more.failed ?? 0
            counts.skipped += more.skipped ?? 0
            counts.heldElsewhere += more.heldElsewhere ?? 0
            counts.segments += more.segments ?? 0
          }),
        stage: (now) =>
          Effect.sync(() => {
            stage = now
          }),
        snapshot: Effect.gen(function* () {
          const elapsedMs = (yield* Clock.currentTimeMillis) - startedAt
          const money = yield* budget.snapshot
          const used = yield* usage.snapshot
          const finished = counts.done + counts.failed + counts.skipped + counts.heldElsewhere
          return {
            command: commands.join(" + "),
            stage,
            unit,
            total,
            done: finished,
            failed: counts.failed,
            skipped: counts.skipped,
            heldElsewhere: counts.heldElsewhere,
            segments: counts.segments,
            inFlight: yield* pool.busy,
            workers: yield* pool.limit,
            adaptive: pool.adaptive,
            spent: money.spent,
            cap: money.cap,
            retries: used.retries,
            rateLimited: used.rateLimited,
            elapsedMs,
            etaMs: Option.flatMap(total, (all) => timeLeft(elapsedMs, finished, all))
          }
        })
      })
    })
  )
}

/** Pages that must be finished before the time left is more than a guess. */
const enoughToTell = 3

const timeLeft = (elapsedMs: number, finished: number, total: number): Option.Option<number> =>
  finished < enoughToTell
    ? Option.none()
    : Option.some(Math.round((elapsedMs / finished) * Math.max(0, total - finished)))
