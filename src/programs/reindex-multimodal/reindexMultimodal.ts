/**
 * `reindex --multimodal`: the images and pages of PDFs in the folders of a brain's sources, and its texts, get vectors of one space.
 * Look through the folders, enumerate, draw, pack, ask, commit, report.
 *
 * One run at a time works on a brain, under gbrain's own lock for this; it asks with as many workers as wanted.
 */
import { Clock, Effect, Exit, Option, Stream } from "effect"
import { pictureKind } from "../../domain/Images.ts"
import { ModelError } from "../../domain/ModelError.ts"
import { Budget } from "../../services/Budget.ts"
import { type ChunkScope, type MultimodalChunk, MultimodalChunks } from "../../services/MultimodalChunks.ts"
import { checkModel, MultimodalModel } from "../../services/MultimodalModel.ts"
import { type Lease, PageLease } from "../../services/PageLease.ts"
import { Progress } from "../../services/Progress.ts"
import { Runs, type RunStatus } from "../../services/Runs.ts"
import { Sources } from "../../services/Sources.ts"
import { WorkerPool } from "../../services/WorkerPool.ts"
import { bulk, type BulkReport } from "../bulk.ts"
import { isFatal } from "../extract-conversation-facts/fatal.ts"
import { embedBatch, endsRun } from "./ask.ts"
import { type ReadyInput, readyInputs } from "./inputs.ts"
import type { ReindexMultimodalOptions } from "./options.ts"
import { MultimodalBatchLimits, packInputs } from "./pack.ts"
import { type OnLook, type Registered, registerPictures } from "./register.ts"
import { makeMultimodalTally, type MultimodalReport, noteFailure } from "./report.ts"
import { makeMultimodalReport, multimodalStatus } from "./summary.ts"

/** gbrain's lock for this work. */
export const multimodalLease = "gbrain-reindex-multimodal"

/** What a run tells on its way. */
export interface MultimodalListener {
  /** How far the looking through the folders is. */
  readonly onLook?: OnLook
  /** The report of a run that is interrupted. */
  readonly onInterrupt?: (report: MultimodalReport) => Effect.Effect<void>
}

/**
 * Runs the reindexing. Costs at most what `Budget` allows; can be stopped at any moment, and run again: what was paid for is kept.
 */
export const reindexMultimodal = Effect.fn("reindexMultimodal")(function* (
  options: ReindexMultimodalOptions,
  listener: MultimodalListener = {}
) {
  const chunks = yield* MultimodalChunks
  const leases = yield* PageLease
  const model = yield* MultimodalModel
  const pool = yield* WorkerPool
  const runs = yield* Runs

  const sourceIds = yield* (yield* Sources).idsFor(options.sourceId)
  // Whatever would fail for want of a price or a column of the right width fails before anything is paid.
  const width = yield* chunks.width
  yield* checkModel(model.model, width)
  yield* model.checkPrice

  const startedAt = yield* Clock.currentTimeMillis
  const tally = makeMultimodalTally()
  const scope: ChunkScope = { sourceIds, model: model.model, includeDone: options.force }
  let registered: Registered | undefined
  const run = yield* runs.begin({ command: "reindex --multimodal", workers: yield* pool.limit })

  const report = (status: RunStatus, ended: BulkReport<unknown> | undefined, held: string | null = null) =>
    makeMultimodalReport({ status, width, sourceIds, registered, tally, startedAt, ended, held })

  const finish = Effect.fnUntraced(function* (made: MultimodalReport) {
    const { spent } = yield* (yield* Budget).snapshot
    yield* runs.finish(run, { status: made.status, spent, report: { ...made } })
    return made
  })

  const work = Effect.fnUntraced(function* (lease: Lease) {
    registered = yield* registerPictures(sourceIds, { write: true, onLook: listener.onLook })
    tally.pendingBefore = yield* countPending(scope, options)
    const ended = yield* embedPending(scope, options, { lease, width, tally })
    yield* chunks.tidy
    return yield* report(multimodalStatus(ended, tally), ended)
  })

  return yield* leases.withLease(multimodalLease, work).pipe(
    Effect.catchTags({
      LeaseHeld: (held) => report("incomplete", undefined, held.message),
      LeaseLost: (lost) => report("incomplete", undefined, lost.message)
    }),
    Effect.flatMap(finish),
    Effect.onExit((exit) =>
      Exit.isFailure(exit) && Exit.hasInterrupts(exit)
        ? report("interrupted", undefined).pipe(
            Effect.tap((made) =>
              Effect.ignore(Effect.timeout(Effect.interruptible(finish(made)), "5 seconds"))
            ),
            Effect.flatMap((made) => listener.onInterrupt?.(made) ?? Effect.void)
          )
        : Effect.void
    )
  )
})

/** How many chunks there are to do. */
const countPending = Effect.fnUntraced(function* (scope: ChunkScope, options: ReindexMultimodalOptions) {
  const { images, texts } = yield* (yield* MultimodalChunks).count(scope, [])
  const only = Option.getOrUndefined(options.only)
  return (only === "text" ? 0 : images) + (only === "image" ? 0 : texts)
})

const embedPending = Effect.fnUntraced(function* (
  scope: ChunkScope,
  options: ReindexMultimodalOptions,
  run: {
    readonly lease: Lease
    readonly width: number
    readonly tally: ReturnType<typeof makeMultimodalTally>
  }
) {
  const chunks = yield* MultimodalChunks
  const model = yield* MultimodalModel
  const pool = yield* WorkerPool
  const progress = yield* Progress
  const { tally, width } = run
  const toDo = Option.match(options.limit, {
    onNone: () => tally.pendingBefore,
    onSome: (limit) => Math.min(limit, tally.pendingBefore)
  })
  yield* progress.begin({ command: "reindex --multimodal", unit: "chunks", total: Option.some(toDo) })

  const label = (chunk: MultimodalChunk): string => {
    const page = scope.sourceIds.length > 1 ? `${chunk.source_id}:${chunk.slug}` : chunk.slug
    if (chunk.modality === "text") return `${page}, chunk ${chunk.index}`
    return pictureKind(chunk.path) === "pdf" ? `${page}, page ${chunk.index + 1}` : page
  }
  const fail = (chunk: MultimodalChunk, reason: string) => {
    noteFailure(tally, label(chunk), reason)
    return progress.count({ failed: 1 })
  }

  const all = Option.match(options.only, {
    onNone: () => Stream.concat(chunks.pending(scope, "image"), chunks.pending(scope, "text")),
    onSome: (modality) => chunks.pending(scope, modality)
  })
  const batches = (Option.isSome(options.limit) ? Stream.take(all, options.limit.value) : all).pipe(
    readyInputs({ model: model.model, width, fail }),
    packInputs({
      ...(yield* MultimodalBatchLimits),
      // Few inputs are better shared among the workers than sent as one call.
      inputs: Math.max(1, Math.min(model.inputsPerCall, Math.ceil(toDo / (pool.workers * callsPerWorker))))
    })
  )
  return yield* bulk({
    items: batches,
    label: (batch: ReadonlyArray<ReadyInput>) =>
      batch[0] === undefined
        ? "nothing"
        : `${label(batch[0].chunk)}${batch.length > 1 ? ` and ${batch.length - 1} more` : ""}`,
    isFatal: (error) => (error instanceof ModelError && endsRun(error)) || isFatal(error),
    // A call's images are in memory from when they are drawn: no more of them than can be used.
    itemsAtOnce: pool.workers + 1,
    work: (batch, { piece }) => embedBatch(batch, { ...run, piece, fail })
  })
})

/** Calls that each worker has to do, at least, where there is enough to do. */
const callsPerWorker = 2
