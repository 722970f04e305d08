/**
 * How far a bulk operation is, at one moment: what progress displays draw and reports end with. Times are milliseconds.
 */
import type { Option } from "effect"
import type * as Money from "./Money.ts"

/** One view of a run, consistent in itself. */
export interface ProgressSnapshot {
  /** The command, e.g. `extract-conversation-facts`. */
  readonly command: string
  /** What is being done besides what is counted, such as making an index. */
  readonly stage: Option.Option<string>
  /** What is counted, in the plural: `pages`, `files`. */
  readonly unit: string
  /** How many there are to do in all; none while that is not known yet. */
  readonly total: Option.Option<number>
  /** Finished in any way: done, skipped, failed or left to their holders. */
  readonly done: number
  readonly failed: number
  readonly skipped: number
  /** Left alone because another process holds them. */
  readonly heldElsewhere: number
  /** Pieces of model work finished, such as conversation segments. */
  readonly segments: number
  /** Pieces of model work going on now. */
  readonly inFlight: number
  readonly workers: number
  /** Whether the number of workers is found out while they work. */
  readonly adaptive: boolean
  readonly spent: Money.Money
  readonly cap: Option.Option<Money.Money>
  readonly retries: number
  /** Answers of 429 so far. */
  readonly rateLimited: number
  readonly elapsedMs: number
  /** An estimate of the time left; none until enough is done to tell. */
  readonly etaMs: Option.Option<number>
}
