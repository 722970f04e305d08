/** What a migration of embeddings is asked to do. */
import { Context, Duration, Option } from "effect"

/** Options of a migration. */
export interface MigrationOptions {
  /** Swap although the model refuses some texts: their rows go without a vector. */
  readonly skipRefused: boolean
  /** Drop the old vectors at once; there is no way back then. */
  readonly finish: boolean
}

/** Stops before the swap where a row would lose its vector for good, and keeps the old ones. */
export const defaultMigrationOptions: MigrationOptions = { skipRefused: false, finish: false }

/** How rows are read and how long the swap is tried for. */
export const MigrationPolicy = Context.Reference("gbrain/MigrationPolicy", {
  defaultValue: () => ({
    /** Rows read together, and how many bytes their texts may be in all. */
    read: { limit: 500, bytes: 2_000_000 },
    /** Inputs in a request; else they are shared out among the workers. */
    requestInputs: Option.none<number>(),
    /** How long rows may go on being written by others before the swap is left to a later run. */
    swapWithin: Duration.minutes(2)
  })
})
