/**
 * Embeds a stream: items become full requests whatever page they are from, as many requests at a time as there are workers,
 * and vectors go to where they belong as soon as they come.
 *
 * What it promises:
 * - While items remain, every worker has a request in flight: the next one is packed already, and writing is nobody's turn.
 * - Memory holds two batches a worker, however long the stream is.
 * - What was paid for is kept: from an answer to its place, in the journal or where it belongs, nothing interrupts.
 * - A bad input is named and costs the others nothing. An error that every further call would meet, or an exhausted budget,
 *   ends the work after what is under way.
 */
import type { SqlError } from "effect/sql"
import { Deferred, Duration, Effect, Option, Result, Stream } from "effect"
import { makePacker } from "../../domain/EmbeddingBatches.ts"
import { isTransient, ModelError } from "../../domain/ModelError.ts"
import { Budget, BudgetExhausted } from "../../services/Budget.ts"
import type { EmbeddingCallError } from "../../services/EmbeddingModel.ts"
import { Journal } from "../../services/Journal.ts"
import { itemsPerWorker, WorkerPool } from "../../services/WorkerPool.ts"
import type { Embedder, PreparedInput } from "./embedder.ts"
import { joinCalls } from "../../services/joinCalls.ts"

/** An item and its vector. */
export interface EmbeddedItem<Item> {
  readonly item: Item
  readonly vector: Float32Array
  /** Where the vector is journaled, when it is. */
  readonly key: string
  /** Whether a part of the input was left out. */
  readonly cut: boolean
  /** Whether it had been paid for before. */
  readonly fromJournal: boolean
}

/** An item that got no vector, and why. */
export interface UnembeddedItem<Item> {
  readonly item: Item
  readonly reason: string
  /** Whether another run may fare better with the same input. */
  readonly passing: boolean
}

/** What is embedded, and what becomes of it. */
export interface EmbedBatchesOptions<Item, Input, E, R, EW, RW> {
  readonly items: Stream.Stream<Item, E, R>
  readonly inputOf: (item: Item) => Input
  readonly embedder: Embedder<Input>
  /** Takes turns with the owners of other work under the same pool. */
  readonly owner: string
  /**
   * Whether vectors are journaled before they are written: right where writing takes long, as into an indexed column. The
   * writer removes them from the journal. Without, writing is not interrupted, and ought to be quick.
   */
  readonly journal: boolean
  /** Writes the vectors of a request, or of several that came while others were written. May run several times at once. */
  readonly write: (embedded: ReadonlyArray<EmbeddedItem<Item>>) => Effect.Effect<void, EW, RW>
  /** Is told of items that got no vector. */
  readonly unembedded: (items: ReadonlyArray<UnembeddedItem<Item>>) => Effect.Effect<void>
}

/**
 * How long requests under way may take to come back after an error that ends the work: they meet the same error, and a call
 * that is aborted is charged as if it had been answered.
 */
const stopGrace = Duration.seconds(1)

/** When the number of workers is found out, it is among so many: each may hold a request of megabytes. */
const mostFoundOut = 64

/** Vectors written together, of several requests. */
const rowsAtMost = 500

interface ReadyItem<Item, Input> extends PreparedInput<Input> {
  readonly item: Item
}

/** Embeds all items; see the module's description for what it promises. */
export const embedBatches = Effect.fn("embedBatches")(function* <Item, Input, E, R, EW, RW>(
  options: EmbedBatchesOptions<Item, Input, E, R, EW, RW>
) {
  type Failure = EmbeddingCallError | SqlError.SqlError | EW
  const { embedder } = options
  const budget = yield* Budget
  const journal = yield* Journal
  const pool = yield* WorkerPool
  const stop = yield* Deferred.make<Failure>()
  // Only what earlier runs left, unless this one adds to it.
  const looksUp = options.journal || (yield* journal.holdsVectors)
  const write = joinCalls({ run: options.write, rowsAtMost })

  const prepare = (item: Item) =>
    Effect.flatMap(embedder.prepare(options.inputOf(item)), (prepared) =>
      Result.isSuccess(prepared)
        ? Effect.succeed<ReadonlyArray<ReadyItem<Item, Input>>>([{ ...prepared.success, item }])
        : Effect.as(options.unembedded([{ item, reason: prepared.failure, passing: false }]), [])
    )

  // Known before the worker is free again: whoever waited for it has nothing to ask any more.
  const askUnlessStopped = (inputs: ReadonlyArray<Input>) =>
    Effect.flatMap(Deferred.isDone(stop), (stopped) =>
      stopped
        ? Effect.succeed([])
        : Effect.tapError(embedder.embed(inputs), (error) =>
            isOfTheBatch(error) ? Effect.void : Deferred.succeed(stop, error)
          )
    )

  // The same input twice in a request is asked about once.
  const ask = (batch: ReadonlyArray<ReadyItem<Item, Input>>, known: ReadonlyMap<string, Float32Array>) => {
    const missing = [...new Map(batch.map((it) => [it.key, it] as const)).values()].filter(
      (it) => !known.has(it.key)
    )
    return missing.length === 0
      ? Effect.succeed([])
      : Effect.map(
          pool.withWorker(options.owner)(askUnlessStopped(missing.map((it) => it.input))),
          (outcomes) =>
            outcomes.flatMap((outcome, index) => {
              const key = missing[index]?.key
              return key === undefined ? [] : [{ key, outcome }]
            })
        )
  }

  const visit = (batch: ReadonlyArray<ReadyItem<Item, Input>>) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const known = looksUp
          ? yield* restore(journal.vectors(batch.map((it) => it.key)))
          : new Map<string, Float32Array>()
        const made = yield* restore(ask(batch, known))
        const vectors = new Map(known)
        const reasons = new Map<string, string>()
        for (const { key, outcome } of made) {
          if (Result.isSuccess(outcome)) vectors.set(key, outcome.success)
          else reasons.set(key, outcome.failure)
        }
        if (options.journal) {
          yield* journal.recordVectors(
            made.flatMap(({ key, outcome }) =>
              Result.isSuccess(outcome) ? [{ key, vector: outcome.success }] : []
            )
          )
        }
        const embedded = batch.flatMap(({ cut, item, key }): ReadonlyArray<EmbeddedItem<Item>> => {
          const vector = vectors.get(key)
          return vector === undefined ? [] : [{ item, vector, key, cut, fromJournal: known.has(key) }]
        })
        const writing = embedded.length === 0 ? Effect.void : write(embedded)
        yield* options.journal ? restore(writing) : writing
        if (reasons.size > 0) {
          yield* options.unembedded(
            batch.flatMap(({ item, key }) => {
              const reason = reasons.get(key)
              return reason === undefined ? [] : [{ item, reason, passing: false }]
            })
          )
        }
      })
    )

  const settle = (batch: ReadonlyArray<ReadyItem<Item, Input>>, error: Failure) => {
    if (!isOfTheBatch(error)) return Effect.asVoid(Deferred.succeed(stop, error))
    if (error instanceof BudgetExhausted) return Effect.void
    return options.unembedded(batch.map(({ item }) => ({ item, reason: error.message, passing: true })))
  }

  // Batches that were ready when the money ran out are not begun.
  const visitSafely = (batch: ReadonlyArray<ReadyItem<Item, Input>>) =>
    Effect.flatMap(Effect.zip(budget.snapshot, Deferred.isDone(stop)), ([money, stopped]) =>
      money.exhausted || stopped
        ? Effect.void
        : Effect.catch(visit(batch), (error: Failure) => settle(batch, error))
    )

  const run = options.items.pipe(
    Stream.mapEffect(prepare),
    Stream.mapAccum(
      () => makePacker<ReadyItem<Item, Input>>(embedder.limits),
      (packer, ready) => [packer, ready.flatMap((it) => packer.add(it, it.size))],
      { onHalt: (packer) => packer.rest() }
    ),
    Stream.interruptWhen(Effect.raceFirst(budget.awaitExhausted, Deferred.await(stop))),
    Stream.mapEffect(visitSafely, {
      concurrency: (pool.adaptive ? Math.min(pool.workers, mostFoundOut) : pool.workers) * itemsPerWorker,
      unordered: true
    }),
    Stream.runDrain
  )

  yield* Effect.raceFirst(run, Effect.andThen(Deferred.await(stop), Effect.sleep(stopGrace)))
  const stopped = yield* Deferred.poll(stop)
  if (Option.isSome(stopped)) return yield* Effect.fail(yield* stopped.value)
  // Another program under the same budget may have met its end first.
  const { exhausted } = yield* budget.snapshot
  if (exhausted) return yield* yield* budget.awaitExhausted
})

/** Whether an error concerns one request, or its money, and not every further one. */
const isOfTheBatch = (error: unknown): error is ModelError | BudgetExhausted =>
  error instanceof BudgetExhausted || (error instanceof ModelError && isTransient(error))
