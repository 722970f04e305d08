/**
 * Writes what was learnt from a page: the old rows go, the new rows and the mark come, in one transaction that commits
 * only while the lease is held and the page is what it was when it was read. So no crash leaves half a page, no process
 * that lost its lease writes, and no fact is there twice. Pages that are done faster than they are written go together.
 */
import { Context, Duration, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { markSource } from "../domain/ConversationPages.ts"
import { resilient } from "./database/Resilience.ts"
import { type Committed, makeCommitPages, type VectorType } from "./facts/commitPages.ts"
import type { CommitError, CommitReport, PageOutcome } from "./facts/PageOutcome.ts"
import { makeSupersededIndex } from "./facts/supersededIndex.ts"
import { joinCalls } from "./joinCalls.ts"
import { PageLease } from "./PageLease.ts"
import { successesFor } from "./successesFor.ts"

export {
  type CommitError,
  type CommitReport,
  EmbeddingModelChanged,
  type FactRow,
  fingerprintColumns,
  PageChanged,
  type PageMark,
  type PageOutcome
} from "./facts/PageOutcome.ts"

/** So many pages a transaction at most: their rows are locked until its end. */
const pagesTogether = 8

/** The facts that this command owns. */
export class FactStore extends Context.Service<
  FactStore,
  {
    /** Writes a page's outcome. Safe to repeat: the same outcome written twice is there once. */
    readonly commit: (outcome: PageOutcome) => Effect.Effect<CommitReport, SqlError.SqlError | CommitError>
    /**
     * Makes the index that replacing facts in a large brain needs. To be run beside the work, in a fiber of its own: it may wait for
     * whoever is in a transaction.
     */
    readonly makeIndex: Effect.Effect<void>
    /** Whether the page ever was marked complete, in this or an earlier version of its content. */
    readonly wasEverComplete: (sourceId: string, slug: string) => Effect.Effect<boolean, SqlError.SqlError>
  }
>()("gbrain/FactStore") {
  /** Facts of the open brain. */
  static readonly layer = Layer.effect(
    FactStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const commitPages = makeCommitPages(sql, yield* PageLease)
      const vectorType = yield* Effect.cachedWithTTL(
        resilient(columnType(sql)),
        successesFor(Duration.infinity)
      )
      return FactStore.of({
        makeIndex: Effect.provideService(makeSupersededIndex, SqlClient.SqlClient, sql),
        commit: commitTogether((outcomes) =>
          Effect.flatMap(vectorType, (type) => commitPages(outcomes, type))
        ),
        wasEverComplete: (sourceId, slug) =>
          resilient(
            sql`select 1 from facts where source_id = ${sourceId} and source_markdown_slug = ${slug}
              and row_num is not null and source = ${markSource("complete")} limit 1`
          ).pipe(Effect.map((rows) => rows.length > 0))
      })
    })
  )
}

/** Commits page by page for those who ask, and together what comes meanwhile. */
export const commitTogether = (
  commitPages: (outcomes: ReadonlyArray<PageOutcome>) => Effect.Effect<Committed, SqlError.SqlError>
) => {
  const joined = joinCalls({ rowsAtMost: pagesTogether, run: commitPages })
  return Effect.fn("FactStore.commit")(function* (outcome: PageOutcome) {
    const committed = yield* joined([outcome])
    return yield* Effect.fromResult(yield* Effect.orDie(Effect.fromNullishOr(committed.get(outcome))))
  })
}

// The vector's type in this brain. A literal in a statement, so it is one of two.
const columnType = (sql: SqlClient.SqlClient) =>
  sql<{ readonly type: string }>`
    select format_type(atttypid, null) as type from pg_attribute
    where attrelid = 'facts'::regclass and attname = 'embedding'`.pipe(
    Effect.map(([row]): VectorType => (row?.type === "vector" ? "vector" : "halfvec"))
  )
