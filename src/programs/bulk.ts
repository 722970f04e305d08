/**
 * The combinator that every bulk command is built with: a stream of items worked on by many fibers, each item under its
 * own lease, with one budget, one pool of workers and one progress for everything that runs together.
 *
 * What it promises:
 * - Items are drawn from the stream while earlier ones are worked on; there is no barrier between them, and memory does not
 *   grow with their number.
 * - A piece of model work inside an item runs on a worker of the pool, so that `--workers N` holds across items and across the
 *   pieces of one item.
 * - A failing item, even one that dies of a bug, is counted and named, and never ends the run. Errors that the caller calls fatal do, at once.
 * - A stream of items that fails ends the run too, when what is under way is finished; the report says why.
 * - When the budget is exhausted nothing new is started, and what is under way finishes as far as its money goes.
 * - An item held by somebody else, or lost to somebody else on the way, is left and tried once more at the end; what is then
 *   still held is counted.
 * - Interruption reaches every fiber; leases and workers are given back before it returns.
 */
import { SqlError } from "effect/sql"
import { Cause, Deferred, Duration, Effect, Exit, Option, Stream } from "effect"
import { Budget, BudgetExhausted } from "../services/Budget.ts"
import { reasonOf } from "../services/Database.ts"
import { type Lease, LeaseHeld, LeaseLost, PageLease } from "../services/PageLease.ts"
import { Progress } from "../services/Progress.ts"
import { itemsPerWorker, WorkerPool } from "../services/WorkerPool.ts"

/** What an item's work can use. */
export interface ItemContext {
  /** The lease the item is worked on under; none when the operation needs none. */
  readonly lease: Option.Option<Lease>
  /**
   * Runs a piece of model work on the next free worker. Pieces of one item may run at the same time; items take turns.
   */
  readonly piece: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** What a bulk operation is made of. */
export interface BulkOptions<Item, E, R, EI, RI> {
  /** What to visit. Drawn from as fast as items are finished, a little ahead. */
  readonly items: Stream.Stream<Item, EI, RI>
  /** Names an item in reports. */
  readonly label: (item: Item) => string
  /** The id of the lease that an item needs; leave out where two processes cannot collide. */
  readonly leaseId?: (item: Item) => string
  /** The work for one item. It counts its own successes in `Progress`; failures are counted here. */
  readonly work: (item: Item, context: ItemContext) => Effect.Effect<void, E, R>
  /** Whether an error concerns the whole run (a wrong key, a database gone for good) rather than one item. */
  readonly isFatal: (error: E | SqlError.SqlError) => boolean
  /**
   * Items under way at a time. By default two for each worker, so that a worker never waits for an item to be loaded
   * or committed.
   */
  readonly itemsAtOnce?: number
  /** Gets the report until then of an operation that is interrupted. */
  readonly onInterrupt?: (report: BulkReport<E | EI>) => Effect.Effect<void>
}

/** An item that could not be finished, and why. */
export interface ItemFailure {
  readonly item: string
  readonly reason: string
}

/** How a bulk operation went. */
export interface BulkReport<E> {
  readonly failed: number
  /** The first thousand failures; the number is in `failed`. */
  readonly failures: ReadonlyArray<ItemFailure>
  /** How many items were left to the processes that hold them, and the first thousand of them. */
  readonly heldElsewhere: number
  readonly holders: ReadonlyArray<ItemFailure>
  /** Items begun and not finished because the budget was exhausted. Items not begun are not counted. */
  readonly unpaid: number
  /** Set when the budget was exhausted. */
  readonly budgetExhausted: Option.Option<BudgetExhausted>
  /** Set when a fatal error stopped the run, or the stream of items failed. */
  readonly stopped: Option.Option<E | SqlError.SqlError>
}

/** How many failures are kept by name: a report is read by a person. */
const failuresKept = 1000

/**
 * How long calls under way may take to come back when the run is stopped by a fatal error: they meet the same error, and a call that
 * is aborted must be charged as if it had been answered.
 */
const stopGrace = Duration.seconds(1)

/** The most held items that are remembered to be tried again. */
const heldKept = 10_000

/** Runs a bulk operation; see the module's description for what it promises. */
export const bulk = Effect.fn("bulk")(function* <Item, E, R, EI, RI>(
  options: BulkOptions<Item, E, R, EI, RI>
) {
  const budget = yield* Budget
  const leases = yield* PageLease
  const pool = yield* WorkerPool
  const progress = yield* Progress
  const itemsAtOnce = options.itemsAtOnce ?? pool.workers * itemsPerWorker

  const failures: Array<ItemFailure> = []
  const held: Array<{ readonly item: Item; readonly reason: string }> = []
  let failed = 0
  let unpaid = 0
  let heldForgotten = 0
  let budgetExhausted = Option.none<BudgetExhausted>()
  let unlisted = Option.none<EI>()
  const fatal = yield* Deferred.make<E | SqlError.SqlError>()

  const fail = (item: Item, reason: string) => {
    failed++
    if (failures.length < failuresKept) failures.push({ item: options.label(item), reason })
    return progress.count({ failed: 1 })
  }

  const settle = (
    item: Item,
    exit: Exit.Exit<void, E | BudgetExhausted | LeaseHeld | LeaseLost | SqlError.SqlError>
  ) => {
    if (Exit.isSuccess(exit)) return Effect.void
    const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    if (error instanceof BudgetExhausted) {
      unpaid++
      budgetExhausted = Option.orElseSome(budgetExhausted, () => error)
      return Effect.void
    }
    if (error instanceof LeaseHeld || error instanceof LeaseLost) {
      if (held.length < heldKept) held.push({ item, reason: error.message })
      else heldForgotten++
      return progress.count({ heldElsewhere: 1 })
    }
    if (error !== undefined && options.isFatal(error)) {
      return Effect.asVoid(Deferred.succeed(fatal, error))
    }
    return Effect.andThen(
      Effect.logDebug(`${options.label(item)} failed`, exit.cause),
      fail(item, describe(exit.cause))
    )
  }

  const visit = (item: Item) => {
    const owner = options.label(item)
    const piece = pool.withWorker(owner)
    const work =
      options.leaseId === undefined
        ? options.work(item, { lease: Option.none(), piece })
        : leases.withLease(options.leaseId(item), (lease) =>
            options.work(item, { lease: Option.some(lease), piece })
          )
    // Items that the stream had ready when the budget ran out are not begun either.
    return Effect.flatMap(Effect.zip(budget.snapshot, Deferred.isDone(fatal)), ([{ exhausted }, stopped]) =>
      exhausted || stopped ? Effect.void : Effect.flatMap(Effect.exit(work), (exit) => settle(item, exit))
    ).pipe(pool.withItem)
  }

  // What is under way is finished: it is paid for, whatever became of the listing.
  const items = Stream.catch(options.items, (error) => {
    unlisted = Option.some(error)
    return Stream.empty
  })

  const visitAll = <RA>(items: Stream.Stream<Item, never, RA>) =>
    items.pipe(
      Stream.interruptWhen(Effect.raceFirst(budget.awaitExhausted, Deferred.await(fatal))),
      Stream.mapEffect(visit, { concurrency: itemsAtOnce, unordered: true }),
      Stream.runDrain
    )

  const run = Effect.gen(function* () {
    yield* visitAll(items)
    if (held.length === 0 || Option.isSome(unlisted) || (yield* budget.snapshot).exhausted) return
    const again = held.splice(0)
    yield* progress.count({ heldElsewhere: -again.length })
    yield* visitAll(Stream.fromIterable(again.map(({ item }) => item)))
  })

  const report = (stopped: BulkReport<E | EI>["stopped"]): BulkReport<E | EI> => ({
    failed,
    failures,
    heldElsewhere: held.length + heldForgotten,
    holders: held.slice(0, failuresKept).map(({ item, reason }) => ({ item: options.label(item), reason })),
    unpaid,
    budgetExhausted,
    stopped
  })

  yield* Effect.raceFirst(run, Effect.andThen(Deferred.await(fatal), Effect.sleep(stopGrace))).pipe(
    Effect.onInterrupt(() => options.onInterrupt?.(report(Option.none())) ?? Effect.void)
  )
  // A refusal ends the run, also when whoever met it found another way.
  if (Option.isNone(budgetExhausted) && (yield* budget.snapshot).exhausted) {
    budgetExhausted = Option.some(yield* budget.awaitExhausted)
  }
  const stopped = yield* Deferred.poll(fatal)
  return report(Option.isSome(stopped) ? Option.some(yield* stopped.value) : unlisted)
})

// A person reads this: the message of the error, not its stack.
const describe = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (SqlError.isSqlError(error)) return `the database failed: ${reasonOf(error)}`
  return error instanceof Error && error.message !== "" ? error.message : String(error)
}
