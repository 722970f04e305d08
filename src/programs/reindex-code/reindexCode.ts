/**
 * `reindex-code`: pages of code whose chunks were cut by older rules, or from another text than the page has now, are cut again from
 * what the brain has. Chunks that are as they were keep their rows and embeddings, and nothing else of a page is touched.
 */
import { Clock, Effect, Option } from "effect"
import { codeChunkerVersion } from "../../domain/code/CodeChunks.ts"
import { CodePages } from "../../services/CodePages.ts"
import { Progress } from "../../services/Progress.ts"
import { Sources } from "../../services/Sources.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import { bulk, type BulkReport } from "../bulk.ts"
import { isFatal } from "../extract-conversation-facts/fatal.ts"
import { onRecord, wordsOf } from "../onRecord.ts"
import { reindexGroup, type ReindexGroupOptions } from "./group.ts"
import { makeReindexCodeTally, type ReindexCodeReport } from "./report.ts"

/** What a run is asked to do. */
export interface ReindexCodeOptions extends ReindexGroupOptions {
  readonly sourceId: Option.Option<string>
}

/** Everything that is out of date, in all sources. */
export const defaultReindexCodeOptions: ReindexCodeOptions = {
  sourceId: Option.none(),
  force: false,
  dryRun: false,
  limit: Option.none()
}

/** Brings pages of code up to date. `onInterrupt` gets the report of a run that is interrupted. */
export const reindexCode = Effect.fn("reindexCode")(function* (
  options: ReindexCodeOptions,
  onInterrupt: (report: ReindexCodeReport) => Effect.Effect<void> = () => Effect.void
) {
  const store = yield* CodePages
  const pool = yield* WorkerPool
  const sourceIds = yield* (yield* Sources).idsFor(options.sourceId)
  const startedAt = yield* Clock.currentTimeMillis
  const tally = makeReindexCodeTally()
  const total = yield* store.count(sourceIds)
  yield* (yield* Progress).begin({ command: "reindex-code", unit: "pages", total: Option.some(total) })
  const report = (ended: BulkReport<unknown> | undefined) =>
    Effect.map(Clock.currentTimeMillis, (now): ReindexCodeReport => {
      const elapsed = now - startedAt
      const stopped = Option.getOrNull(Option.map(ended?.stopped ?? Option.none(), wordsOf))
      const failed = tally.failed + (ended?.failed ?? 0)
      const unfinished = tally.left + tally.edited > 0
      return {
        command: "reindex-code",
        status:
          ended === undefined
            ? "interrupted"
            : failed > 0 || stopped !== null
              ? "failed"
              : unfinished
                ? "incomplete"
                : "completed",
        dry_run: options.dryRun,
        workers: pool.workers,
        sources: sourceIds,
        chunker_version: codeChunkerVersion,
        pages_considered: total,
        pages_up_to_date: tally.upToDate,
        pages_reindexed: tally.reindexed,
        pages_edited: tally.edited,
        pages_failed: failed,
        pages_left: tally.left,
        chunks: tally.chunks,
        chunks_kept: tally.kept,
        chunks_added: tally.added,
        chunks_removed: tally.removed,
        code_edges: tally.edges,
        elapsed_ms: elapsed,
        pages_per_second: elapsed === 0 ? 0 : Math.round((tally.reindexed / elapsed) * 1000),
        failures: [...tally.failures, ...(ended?.failures ?? [])],
        stopped
      }
    })

  return yield* onRecord(
    bulk({
      items: store.groups(sourceIds),
      label: (ids: ReadonlyArray<number>) => `the pages from ${ids[0] ?? 0} to ${ids[ids.length - 1] ?? 0}`,
      isFatal,
      itemsAtOnce: pool.workers,
      work: (ids, { piece }) => piece(reindexGroup(ids, options, tally))
    }),
    { command: "reindex-code", dryRun: options.dryRun, report, onInterrupt }
  )
})
