/**
 * `embed`: chunks without a vector, or with one of another text or by another model, get theirs. Count, lease, read, pack,
 * ask, write, report.
 *
 * The lease is on a source, as gbrain's is: requests are packed across its pages, and what limits how fast they go is the
 * provider, not the number of processes.
 */
import { Clock, Effect, Option, Stream } from "effect"
import { embeddedText, embeddingLease } from "../../domain/EmbeddedText.ts"
import { Budget } from "../../services/Budget.ts"
import {
  type ChunkCounts,
  ChunkEmbeddings,
  type ChunkScope,
  type StaleChunk
} from "../../services/ChunkEmbeddings.ts"
import { EmbeddingModel } from "../../services/EmbeddingModel.ts"
import { checkChunksWidth } from "../../services/EmbeddingWidth.ts"
import { Progress } from "../../services/Progress.ts"
import { Runs, type RunStatus } from "../../services/Runs.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import { bulk, type BulkReport } from "../bulk.ts"
import { statusOf } from "../extract-conversation-facts/summary.ts"
import { reported, spendingOf } from "../runReport.ts"
import { embedBatches, type EmbeddedItem, type UnembeddedItem } from "./embedBatches.ts"
import { textEmbedder } from "./embedder.ts"
import type { EmbedOptions } from "./options.ts"
import { type EmbedReport, type EmbedTally, makeEmbedTally, name } from "./report.ts"
import { type IndexKeeper, makeIndexKeeper } from "./indexKeeper.ts"
import { requestWishes } from "./requests.ts"
import { askedOf, chunkScope } from "./scope.ts"

/**
 * Runs it. Costs at most what `Budget` allows; can be stopped at any moment, and run again: what was paid for is kept.
 * `onInterrupt` gets the report of a run that is interrupted.
 */
export const embed = Effect.fn("embed")(function* (
  options: EmbedOptions,
  onInterrupt: (report: EmbedReport) => Effect.Effect<void> = () => Effect.void
) {
  const chunks = yield* ChunkEmbeddings
  const model = yield* EmbeddingModel
  const pool = yield* WorkerPool
  const progress = yield* Progress
  const runs = yield* Runs

  // Whatever would fail for want of a price or a column of the right width fails before anything is paid.
  const scope = yield* chunkScope(options)
  yield* checkChunksWidth(model.dimensions, model.model)
  yield* model.checkPrice

  const startedAt = yield* Clock.currentTimeMillis
  const counts = yield* chunks.count(scope)
  const toDo = Math.min(
    counts.toDo,
    Option.getOrElse(options.limit, () => Infinity)
  )
  yield* progress.begin({ command: "embed", unit: "chunks", total: Option.some(toDo) })
  const run = yield* runs.begin({
    command: "embed",
    workers: yield* pool.limit,
    asked: askedOf({ ...scope, all: options.all })
  })
  const tally = makeEmbedTally()
  const sourceIds = yield* chunks.sources(scope)
  const index = yield* makeIndexKeeper(toDo, tally)

  const report = Effect.fnUntraced(function* (status: RunStatus, ended: BulkReport<unknown> | undefined) {
    const spending = yield* spendingOf(startedAt, ended)
    return {
      command: "embed",
      status,
      model: model.model,
      dimensions: model.dimensions,
      workers: yield* pool.limit,
      sources: scope.sourceIds,
      chunks_considered: counts.total,
      chunks_to_do: counts.toDo,
      chunks_embedded: tally.embedded,
      chunks_from_journal: tally.fromJournal,
      chunks_cut: tally.cut,
      chunks_changed: tally.changed,
      chunks_failed: tally.failed,
      chunks_empty: counts.empty,
      sources_lock_skipped: ended?.heldElsewhere ?? 0,
      index: index.state(),
      ...spending,
      index_ms: index.took(),
      chunks_per_second: perSecond(tally.embedded, spending.elapsed_ms - index.took()),
      failures: [...tally.failures, ...(ended?.failures ?? [])],
      held: ended?.holders ?? [],
      warnings: tally.warnings
    } satisfies EmbedReport
  })

  // What `--limit` leaves is shared by all sources.
  let room = toDo
  const work = bulk({
    items: Stream.fromIterable(sourceIds),
    label: (sourceId) => sourceId,
    leaseId: embeddingLease,
    isFatal: () => true,
    work: (sourceId) =>
      embedSource({ ...scope, sourceIds: [sourceId] }, options, toDo, tally, {
        counted: counts,
        hasRoom: () => room-- > 0,
        index
      })
  }).pipe(Effect.tap(() => index.restore))
  return yield* reported(work, {
    report: (ended) => {
      if (typeof ended === "string") return report(ended, undefined)
      const status = statusOf(ended)
      return report(status === "completed" && tally.failed > 0 ? "failed" : status, ended)
    },
    finish: Effect.fnUntraced(function* (made: EmbedReport) {
      const { spent } = yield* (yield* Budget).snapshot
      yield* runs.finish(run, { status: made.status, spent, report: { ...made } })
      return made
    }),
    onInterrupt
  })
})

const embedSource = Effect.fnUntraced(function* (
  scope: ChunkScope,
  options: EmbedOptions,
  toDo: number,
  tally: EmbedTally,
  run: {
    /** Of all sources. */
    readonly counted: ChunkCounts
    readonly hasRoom: () => boolean
    readonly index: IndexKeeper
  }
) {
  const chunks = yield* ChunkEmbeddings
  const model = yield* EmbeddingModel
  const progress = yield* Progress
  const [owner = ""] = scope.sourceIds
  const embedder = yield* textEmbedder(yield* requestWishes(toDo, options.batchSize))

  const write = Effect.fnUntraced(function* (embedded: ReadonlyArray<EmbeddedItem<StaleChunk>>) {
    yield* run.index.setAside
    const written = yield* chunks.write(
      scope,
      embedded.map(({ item, key, vector }) => ({ id: item.id, hash: item.hash, vector, key }))
    )
    tally.embedded += written.size
    tally.changed += embedded.length - written.size
    for (const it of embedded) {
      if (it.fromJournal) tally.fromJournal++
      if (!it.cut) continue
      tally.cut++
      name(
        tally.warnings,
        chunkName(it.item),
        `longer than ${model.model} takes (${model.limits.inputTokens} tokens): embedded by its beginning; split the page to have all of it found`
      )
    }
    yield* progress.count({ done: embedded.length })
  })

  const unembedded = (items: ReadonlyArray<UnembeddedItem<StaleChunk>>) =>
    Effect.suspend(() => {
      tally.failed += items.length
      for (const { item, reason } of items) name(tally.failures, chunkName(item), reason)
      return progress.count({ failed: items.length })
    })

  yield* embedBatches({
    items: Stream.takeWhile(chunks.stale(scope, run.counted), run.hasRoom),
    inputOf: embeddedText,
    embedder,
    owner,
    // Into an indexed column writing takes long.
    journal: run.index.staysIndexed,
    write,
    unembedded
  })
})

const perSecond = (chunks: number, millis: number): number =>
  millis <= 0 ? 0 : Math.round((chunks / millis) * 10_000) / 10

const chunkName = (chunk: StaleChunk): string => `${chunk.slug} chunk ${chunk.index}`
