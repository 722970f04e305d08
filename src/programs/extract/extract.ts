/**
 * `extract`: what the texts of pages say of other pages becomes rows of `links`, what they say of days rows of
 * `timeline_entries`. Pages are taken in groups, N groups at once; a page that is up to date is left alone, so that a run that
 * was stopped goes on where it was, and one with nothing to do does nothing.
 */
import { Clock, Duration, Effect, Option, Stream } from "effect"
import type { SqlError } from "effect/sql"
import { ExtractPages, type ExtractScope, type PageGroup } from "../../services/ExtractPages.ts"
import { PageNames } from "../../services/PageNames.ts"
import { Progress } from "../../services/Progress.ts"
import { Sources } from "../../services/Sources.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import { bulk, type BulkReport } from "../bulk.ts"
import { isFatal } from "../extract-conversation-facts/fatal.ts"
import { onRecord, wordsOf } from "../onRecord.ts"
import { extractFiles, type FileGroup, fileGroups } from "./files.ts"
import { nameRule } from "./group.ts"
import type { ExtractOptions } from "./options.ts"
import { extractPages } from "./pages.ts"
import { type ExtractReport, type ExtractTally, makeTally, missedMost } from "./report.ts"

/** Runs the extraction. `onInterrupt` gets the report of a run that is interrupted. */
export const extract = Effect.fn("extract")(function* (
  options: ExtractOptions,
  onInterrupt: (report: ExtractReport) => Effect.Effect<void> = () => Effect.void
) {
  const store = yield* ExtractPages
  const pool = yield* WorkerPool
  const sourceIds = yield* (yield* Sources).idsFor(
    Option.isSome(options.directory) ? Option.orElseSome(options.sourceId, () => "default") : options.sourceId
  )
  const startedAt = yield* Clock.currentTimeMillis
  const woken = options.kind === "timeline" ? [] : yield* wakened(options)
  const scope: ExtractScope = {
    sourceIds,
    type: options.type,
    since: options.since,
    staleOnly: !options.force && Option.isNone(options.directory),
    woken
  }
  const tally = makeTally()
  const rule = yield* nameRule
  const groupOptions = { ...options, rule }
  const files = yield* Option.match(options.directory, {
    onNone: () => Effect.succeed(undefined),
    onSome: fileGroups
  })
  const counts = yield* store.count(scope)
  const toDo = files?.files ?? counts.toDo
  yield* (yield* Progress).begin({
    command: `extract ${options.kind}`,
    unit: files === undefined ? "pages" : "files",
    total: Option.some(toDo)
  })

  const report = Effect.fnUntraced(function* (ended: BulkReport<unknown> | undefined) {
    const elapsed = (yield* Clock.currentTimeMillis) - startedAt
    const left = Math.max(0, toDo - tally.processed - tally.failed - passedOver(tally))
    return {
      command: "extract",
      kind: options.kind,
      status: statusOf(tally, left, ended, files !== undefined),
      from: files === undefined ? "db" : "fs",
      dry_run: options.dryRun,
      workers: pool.workers,
      sources: sourceIds,
      pages_considered: counts.total,
      pages_up_to_date: files === undefined ? counts.total - counts.toDo : 0,
      pages_processed: tally.processed,
      pages_edited: tally.edited,
      pages_gone: tally.gone,
      pages_failed: tally.failed,
      pages_left: files === undefined ? left : 0,
      files_without_page: tally.filesWithoutPage,
      files_skipped: files?.skipped ?? [],
      links: tally.links,
      timeline: tally.timeline,
      references_unresolved: tally.unresolved,
      names_unresolved: missedMost(tally),
      would_link: yield* preview(options, tally),
      elapsed_ms: elapsed,
      pages_per_second: elapsed === 0 ? 0 : Math.round((tally.processed / elapsed) * 1000),
      failures: [...tally.failures, ...(ended?.failures ?? [])],
      stopped: Option.match(ended?.stopped ?? Option.none(), { onNone: () => null, onSome: wordsOf })
    } satisfies ExtractReport
  })

  const items: Stream.Stream<PageGroup | FileGroup, SqlError.SqlError> = files?.groups ?? store.groups(scope)
  const work = bulk({
    items: Option.match(options.timeLimit, {
      onNone: () => items,
      onSome: (limit) =>
        Stream.takeWhileEffect(items, () =>
          Effect.map(Clock.currentTimeMillis, (now) => now - startedAt < Duration.toMillis(limit))
        )
    }),
    label: (group: PageGroup | FileGroup) => group.label,
    isFatal,
    itemsAtOnce: pool.workers,
    work: (group, { piece }) =>
      piece(
        "files" in group
          ? extractFiles(files?.root ?? "", sourceIds[0] ?? "default", group, options, groupOptions, tally)
          : extractPages(group.ids, groupOptions, tally)
      ).pipe(countedIn(tally))
  })
  return yield* onRecord(work, {
    command: `extract ${options.kind}`,
    dryRun: options.dryRun,
    report,
    onInterrupt
  })
})

/** Brings names up to date; answers pages that a name came up for and that are not marked so, since nothing is to be written. */
const wakened = Effect.fnUntraced(function* (options: ExtractOptions) {
  const names = yield* PageNames
  if (options.dryRun) return yield* names.foresee
  yield* names.refresh
  return []
})

/** Tells the progress what a group added to the tally; groups that run beside it are told by themselves. */
const countedIn =
  (tally: ExtractTally) =>
  <E, R>(work: Effect.Effect<void, E, R>) =>
    Effect.gen(function* () {
      const progress = yield* Progress
      yield* work
      yield* progress.count(newIn(tally))
    })

// Groups share the tally, and each tells what is in it that nobody has told yet.
const newIn = (tally: ExtractTally) => {
  const done = tally.processed - tally.told.done
  const failed = tally.failed - tally.told.failed
  const skipped = passedOver(tally) - tally.told.skipped
  tally.told = {
    done: tally.processed,
    failed: tally.failed,
    skipped: passedOver(tally)
  }
  return { done, failed, skipped }
}

const passedOver = (tally: ExtractTally) => tally.edited + tally.gone + tally.filesWithoutPage

const statusOf = (
  tally: ExtractTally,
  left: number,
  ended: BulkReport<unknown> | undefined,
  ofFiles: boolean
): ExtractReport["status"] => {
  if (ended === undefined) return "interrupted"
  if (tally.failed > 0 || ended.failed > 0 || Option.isSome(ended.stopped)) return "failed"
  return left > 0 && !ofFiles ? "incomplete" : "completed"
}

// A dry run shows some of what it found, by slugs rather than ids.
const preview = Effect.fnUntraced(function* (options: ExtractOptions, tally: ExtractTally) {
  if (!options.dryRun || tally.made.length === 0) return []
  const slugs = yield* (yield* ExtractPages).slugsOf([
    ...new Set(tally.made.flatMap((link) => [link.from, link.to]))
  ])
  return tally.made.map((link) => ({
    from: slugs.get(link.from) ?? "",
    to: slugs.get(link.to) ?? "",
    type: link.type
  }))
})
