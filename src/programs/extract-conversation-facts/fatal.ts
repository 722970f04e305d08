/** Which errors end the whole run, because every page would meet them. */
import { SqlError } from "effect/sql"
import { isFatalForRun, ModelError } from "../../domain/ModelError.ts"
import { isDatabaseAway } from "../../services/database/Resilience.ts"
import { EmbeddingModelChanged } from "../../services/FactStore.ts"
import { LedgerUnavailable } from "../../services/Ledger.ts"
import { UnpricedModel } from "../../services/Prices.ts"
import { EverythingRefused } from "./trial.ts"

/**
 * Whether the run cannot go on: a wrong key, no quota, an unknown model, one that refuses everything or makes vectors of another
 * width, no price under a cap, another embedding model than the brain's, no account of what was spent, a database gone for good.
 */
export const isFatal = (error: unknown): boolean =>
  (error instanceof ModelError && isFatalForRun(error)) ||
  error instanceof EverythingRefused ||
  error instanceof UnpricedModel ||
  error instanceof EmbeddingModelChanged ||
  error instanceof LedgerUnavailable ||
  (SqlError.isSqlError(error) && (isDatabaseAway(error) || isOutOfSpace(error)))

// 53100 disk_full, 53200 out_of_memory: the next page would not fare better.
const isOutOfSpace = (error: SqlError.SqlError): boolean => {
  const cause = error.reason.cause
  return (
    typeof cause === "object" &&
    cause !== null &&
    "code" in cause &&
    (cause.code === "53100" || cause.code === "53200")
  )
}
