/**
 * A dollar cap that is never overshot, not even by one call.
 *
 * A caller reserves the worst case of a call before making it, and settles what it really cost afterwards. At every
 * moment `spent + reserved <= cap`, whatever the number of fibers. A reservation that does not fit waits, in order of
 * arrival, for calls in flight to settle for less than they reserved; only when nothing is in flight and it still does
 * not fit is the budget exhausted. So nothing that was paid for is thrown away, and the cap is used up to less than
 * the worst case of one call.
 *
 * With a ledger, what the brain may spend a day and a month is kept in the same way, by all processes together.
 *
 * A call that ends without being settled is charged in full: from here nobody can tell whether the provider bills it. Whoever makes the
 * call can, and settles it, also when it fails or is interrupted; one that was never sent costs nothing.
 */
import { Context, Deferred, Effect, Layer, Option, Schema } from "effect"
import * as Money from "../domain/Money.ts"
import { type Holding, holdingOf, unlimited } from "./budget/Holding.ts"
import { type Full, Ledger, LedgerUnavailable } from "./Ledger.ts"

/** What a cap is for. */
export const BudgetPeriod = Schema.Literals(["run", "purse", "day", "month"])

/** A call was not made because it could have cost more than what is left under a cap. */
export class BudgetExhausted extends Schema.TaggedError<BudgetExhausted>()("BudgetExhausted", {
  /** Which cap: of the run, of the purse it shares with others, or of the brain a day or a month. */
  period: BudgetPeriod,
  /** Dollars spent by this run so far. */
  spentUsd: Schema.String,
  /** The cap in dollars. */
  capUsd: Schema.String,
  /** What the refused call could have cost at most, in dollars. */
  neededUsd: Schema.String,
  message: Schema.String
}) {}

/** Why money for a call was not to be had. */
export type BudgetError = BudgetExhausted | LedgerUnavailable

/** What a budget stands at. */
export interface BudgetSnapshot {
  readonly spent: Money.Money
  readonly reserved: Money.Money
  readonly cap: Option.Option<Money.Money>
  /** Whether a call has been refused for good since the budget was made. */
  readonly exhausted: boolean
}

interface Waiter {
  readonly amount: Money.Money
  state: "waiting" | "granted" | "refused"
  readonly granted: Deferred.Deferred<void, BudgetError>
  close: (charged: Money.Money) => void
}

/** The money of one run, shared by everything that runs under the same layer. */
export class Budget extends Context.Service<
  Budget,
  {
    /** The most that this run may spend; none when there is no limit. */
    readonly cap: Option.Option<Money.Money>
    /** Whether there is any cap to keep, the run's or the brain's: then a model must have a price. */
    readonly capped: boolean
    /**
     * Reserves `worst`, runs `use`, and charges what `use` settles: `settle(zero)` gives everything back. Ending without
     * a settlement charges all of `worst`. Settling more than `worst` is charged as it is (the money is gone), and what
     * comes after waits for it. Fails with a `BudgetError` without running `use`.
     */
    readonly withReservation: <A, E, R>(
      worst: Money.Money,
      use: (settle: (actual: Money.Money) => Effect.Effect<void>) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | BudgetError, R>
    /** The state at this moment; one read, consistent in itself. */
    readonly snapshot: Effect.Effect<BudgetSnapshot>
    /** Completes when the first call is refused for good: the signal to start nothing new. */
    readonly awaitExhausted: Effect.Effect<BudgetExhausted>
  }
>()("gbrain/Budget") {
  /** A budget of its own, starting at zero. */
  static readonly layer = (options: { readonly cap: Option.Option<Money.Money> }) =>
    Layer.effect(Budget, make(options.cap))

  /** The same, under the caps of the brain besides. */
  static readonly layerLedger = (options: { readonly cap: Option.Option<Money.Money> }) =>
    Layer.effect(
      Budget,
      Effect.gen(function* () {
        const ledger = yield* Ledger
        return yield* makeWith({
          cap: options.cap,
          capped: ledger.capped,
          holding: yield* holdingOf(ledger)
        })
      })
    )
}

/** Makes a budget; see `Budget.layer`. */
export const make = (cap: Option.Option<Money.Money>) => makeWith({ cap, capped: false, holding: unlimited })

const makeWith = Effect.fnUntraced(function* (options: {
  readonly cap: Option.Option<Money.Money>
  readonly capped: boolean
  readonly holding: Holding
}) {
  const { cap, holding } = options
  let spent = Money.zero
  let reserved = Money.zero
  let inFlight = 0
  const waiting: Array<Waiter> = []
  const exhausted = yield* Deferred.make<BudgetExhausted>()
  let refused = false
  // Of the ledger: whether it is being asked, whether it said that there is no more, and whether it gave all that was wished.
  let asking = false
  let full: Full | undefined
  let plenty = true

  const underCap = (amount: Money.Money) =>
    Option.match(cap, { onNone: () => true, onSome: (limit) => spent + reserved + amount <= limit })

  const end = (waiter: Waiter, error: BudgetError) => {
    waiter.state = "refused"
    if (error instanceof BudgetExhausted) {
      refused = true
      Deferred.doneUnsafe(exhausted, Effect.succeed(error))
    }
    Deferred.doneUnsafe(waiter.granted, Effect.fail(error))
  }

  const exhaustedBy = (waiter: Waiter, period: BudgetExhausted["period"], limit: Money.Money) =>
    new BudgetExhausted({
      period,
      spentUsd: Money.toDecimal(spent, 6),
      capUsd: Money.toDecimal(limit, 6),
      neededUsd: Money.toDecimal(waiter.amount, 6),
      message:
        period === "run"
          ? `The budget of ${Money.format(limit)} is used up: ${Money.format(spent)} spent, and the next call could cost ` +
            `${Money.format(waiter.amount)}. What was paid for is kept; run again with a higher --max-cost-usd to go on.`
          : period === "purse"
            ? `The budget of ${Money.format(limit)} that these jobs share is used up, ${Money.format(spent)} of it by this one, and the next ` +
              `call could cost ${Money.format(waiter.amount)}. What was paid for is kept; submit them again with a higher --max-cost-usd to go on.`
            : `The brain's budget of ${Money.format(limit)} a ${period} is used up, ${Money.format(spent)} of it by this run, and the ` +
              `next call could cost ${Money.format(waiter.amount)}. What was paid for is kept; run again when the ${period} is over ` +
              `(in UTC), or raise it: gbrain config set budget.${period === "day" ? "daily" : "monthly"}_usd DOLLARS`
    })

  const grant = (waiter: Waiter) => {
    reserved = Money.add(reserved, waiter.amount)
    inFlight++
    const close = holding.reserve(waiter.amount)
    waiter.close = (charged) => {
      reserved = Money.subtract(reserved, waiter.amount)
      spent = Money.add(spent, charged)
      inFlight--
      close(charged)
      full = undefined
      admit()
    }
    waiter.state = "granted"
    Deferred.doneUnsafe(waiter.granted, Effect.void)
  }

  // So much is held ahead of the calls in flight that the ledger answers before it is used up, and ever more while the run
  // goes on, so that the ledger is asked ever more rarely.
  const ahead = () => Money.max(reserved, Money.fromPico(spent / 16n))

  // For whoever is next and needs it, or for nobody yet.
  const askForMore = (asker: Waiter | undefined) => {
    asking = true
    const queued = waiting.reduce((sum, waiter) => Money.add(sum, waiter.amount), Money.zero)
    const want = Money.add(queued, Money.add(ahead(), ahead()))
    holding.more({ need: asker?.amount ?? Money.zero, want }, (outcome) => {
      asking = false
      if (outcome instanceof LedgerUnavailable) {
        for (const waiter of waiting.splice(0)) end(waiter, outcome)
        return
      }
      // No room for somebody who has left says nothing about who is next.
      full = outcome === "more" || asker === undefined || waiting[0] !== asker ? undefined : outcome
      plenty = holding.fits(ahead())
      admit()
    })
  }

  // Runs after every change, synchronously: no other fiber sees a state in between. Completing a deferred may run its
  // fiber at once, which may come back here; so a waiter has left the queue before it is told.
  const admit = () => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (!underCap(next.amount)) {
        if (inFlight > 0) return
        waiting.shift()
        end(
          next,
          exhaustedBy(
            next,
            "run",
            Option.getOrElse(cap, () => Money.zero)
          )
        )
      } else if (holding.fits(next.amount)) {
        waiting.shift()
        grant(next)
      } else if (full === undefined) {
        if (!asking) askForMore(next)
        return
      } else {
        // Calls in flight may give back what there is no more of.
        if (inFlight > 0) return
        waiting.shift()
        const { cap: limit, period } = full
        full = undefined
        end(next, exhaustedBy(next, period, limit))
      }
    }
    // Where there is little left, asking before it is needed would only be asking twice.
    if (plenty && !asking && !holding.fits(ahead())) askForMore(undefined)
  }

  // A fiber interrupted while it waits leaves the queue; one interrupted just after it was granted gives all back.
  const acquire = (waiter: Waiter) =>
    Effect.suspend(() => {
      waiting.push(waiter)
      admit()
      return Effect.interruptible(Deferred.await(waiter.granted))
    }).pipe(
      Effect.onInterrupt(() =>
        Effect.sync(() => {
          if (waiter.state === "granted") return waiter.close(Money.zero)
          if (waiter.state === "refused") return
          waiting.splice(waiting.indexOf(waiter), 1)
          admit()
        })
      )
    )

  const withReservation: Budget["Service"]["withReservation"] = (worst, use) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const granted = yield* Deferred.make<void, BudgetError>()
        const waiter: Waiter = { amount: worst, state: "waiting", granted, close: () => {} }
        yield* acquire(waiter)
        let open = true
        const settle = (actual: Money.Money) =>
          Effect.sync(() => {
            if (!open) return
            open = false
            waiter.close(actual)
          })
        return yield* restore(use(settle)).pipe(Effect.ensuring(settle(worst)))
      })
    )

  return Budget.of({
    cap,
    capped: options.capped || Option.isSome(cap),
    withReservation,
    snapshot: Effect.sync(() => ({ spent, reserved, cap, exhausted: refused })),
    awaitExhausted: Deferred.await(exhausted)
  })
})
