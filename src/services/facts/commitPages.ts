/**
 * The transaction that writes what pages came to: the old rows go, the new rows and the marks come. It writes a page only
 * while the page's lease is held and the page is what it was when it was read; the others are written without it.
 *
 * Somebody may be in a transaction on a page for as long as he likes. Whoever waits for it has its lease's row locked, and those of the
 * pages that go with it; so nobody waits long. Pages that were joined go by themselves then (`joinCalls`), and a page by itself is tried
 * again for a while, between which its lease is renewed, and else left.
 */
import { Context, Duration, Effect, Result, Schedule } from "effect"
import { type SqlClient, SqlError } from "effect/sql"
import { resilient } from "../database/Resilience.ts"
import type { PageLease } from "../PageLease.ts"
import { type Found, lookAtPages } from "./lookAtPages.ts"
import {
  type CommitError,
  type CommitReport,
  EmbeddingModelChanged,
  PageChanged,
  type PageOutcome
} from "./PageOutcome.ts"
import { type VectorType, type Writable, writeFacts } from "./writeFacts.ts"

export type { VectorType } from "./writeFacts.ts"

/** What became of each outcome. */
export type Committed = ReadonlyMap<PageOutcome, Result.Result<CommitReport, CommitError>>

/** How a page is waited for that somebody works on. All tries together take less than a lease lives. */
export const PageLockPolicy = Context.Reference("gbrain/PageLockPolicy", {
  defaultValue: () => ({
    /** How long a transaction waits for it, holding what it holds. */
    wait: Duration.seconds(2),
    /** Between two tries nothing is held. */
    firstPause: Duration.millis(500),
    longestPause: Duration.seconds(4),
    giveUpAfter: Duration.seconds(20)
  })
})

/**
 * Where numbering starts on a page that has rows of a `## Facts` fence. Those are numbered by their place in the fence,
 * from 1, and share the key with ours; a fence never grows this long.
 */
const fenceFreeBand = 1_000_000

/** Commits outcomes of different pages in one transaction. Safe to repeat: an outcome written twice is there once. */
export const makeCommitPages = (sql: SqlClient.SqlClient, leases: PageLease["Service"]) => {
  const find = lookAtPages(sql)
  const write = writeFacts(sql)

  // A fact that gbrain took one of them to be better than is let go of it: it has expired in any case.
  const remove = (leaving: ReadonlyArray<string>) =>
    leaving.length === 0
      ? Effect.void
      : sql`
          with freed as (
            update facts set superseded_by = null
            where superseded_by = any(${leaving}::bigint[]) and id <> all(${leaving}::bigint[])
          )
          delete from facts where id = any(${leaving}::bigint[])`

  const wasCommitted = (transaction: string) =>
    sql<{ readonly status: string | null }>`select pg_xact_status(${transaction}::xid8) as status`.pipe(
      Effect.map(([row]) => row?.status === "committed")
    )

  return (
    outcomes: ReadonlyArray<PageOutcome>,
    /** The type of the column of the facts' vectors. */
    type: VectorType
  ): Effect.Effect<Committed, SqlError.SqlError> => {
    // What an attempt did that may have been committed although its answer was lost.
    let before: { readonly transaction: string; readonly committed: Committed } | undefined
    const attempt = Effect.gen(function* () {
      // Waits for such an attempt, if it is still under way: it has the leases' rows locked.
      const lost = yield* leases.confirmEach(outcomes.map(({ lease }) => lease))
      if (before !== undefined && (yield* wasCommitted(before.transaction))) return before.committed
      const { wait } = yield* PageLockPolicy
      const found = yield* find(
        outcomes.filter(({ lease }) => !lost.has(lease)),
        wait
      )
      const committed = new Map<PageOutcome, Result.Result<CommitReport, CommitError>>()
      const writable: Array<Writable> = []
      const leaving: Array<string> = []
      for (const outcome of outcomes) {
        const page = lost.get(outcome.lease) ?? writableAs(outcome, found.get(outcome))
        if (!("leaving" in page)) {
          committed.set(outcome, Result.fail(page))
          continue
        }
        leaving.push(...page.leaving)
        writable.push({ outcome, rowNum: firstNumber(outcome, page) })
        const report = { inserted: outcome.facts.length, cleaned: page.leaving.length }
        committed.set(outcome, Result.succeed(report))
      }
      yield* remove(leaving)
      yield* write(writable, type)
      const [first] = found.values()
      if (first !== undefined) before = { transaction: first.transaction, committed }
      return committed
    }).pipe(sql.withTransaction, resilient)
    const [outcome, ...others] = outcomes
    return outcome === undefined || others.length > 0
      ? attempt
      : Effect.flatMap(PageLockPolicy, (policy) => waitFor(outcome, attempt, policy))
  }
}

const waitFor = (
  outcome: PageOutcome,
  attempt: Effect.Effect<Committed, SqlError.SqlError>,
  policy: typeof PageLockPolicy.Service
) =>
  attempt.pipe(
    Effect.retry({
      schedule: Schedule.exponential(policy.firstPause).pipe(
        Schedule.jittered,
        Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, policy.longestPause))),
        Schedule.upTo({ duration: policy.giveUpAfter })
      ),
      while: isLockTimeout
    }),
    Effect.catchIf(isLockTimeout, () =>
      Effect.succeed<Committed>(new Map([[outcome, Result.fail(lockedFor(outcome))]]))
    )
  )

const isLockTimeout = (error: SqlError.SqlError): boolean => error.reason._tag === "LockTimeoutError"

// Whoever works on a page for so long changes it.
const lockedFor = ({ page: { slug } }: PageOutcome) =>
  new PageChanged({
    slug,
    message: `${slug} was held by somebody's transaction for too long while it was to be written; the next run takes it again`
  })

// The page as it is found, or why it may not be written so.
const writableAs = (outcome: PageOutcome, found: Found | undefined): Found | CommitError => {
  const { slug } = outcome.page
  if (found === undefined || found.fingerprint !== outcome.fingerprint) {
    return new PageChanged({
      slug,
      message: `${slug} was changed while it was worked on; the next run takes it again`
    })
  }
  // Of another width the database would refuse them; of another model at the same width it could not tell.
  const made = outcome.embedding
  const from = `${made.model} at ${made.dimensions} dimensions`
  const to = `${found.model ?? made.model} at ${found.dimensions ?? made.dimensions} dimensions`
  return from === to || outcome.facts.length === 0
    ? found
    : new EmbeddingModelChanged({
        from,
        to,
        message: `The brain was taken from ${from} to ${to} meanwhile; run again to embed with that`
      })
}

// Rows that are not ours share our key on pages with a fence.
const firstNumber = (outcome: PageOutcome, found: Found): number => {
  const shared = outcome.hasFactsFence || found.theirs !== null
  const start = shared ? Math.max(fenceFreeBand, (found.theirs ?? 0) + 1) : 0
  return found.ours === null ? start : Math.max(start, found.ours + 1)
}
