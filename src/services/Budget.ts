/**
 * A dollar cap that is never overshot, not even by one call.
 *
 * A caller reserves the worst case of a call before making it, and settles what it really cost afterwards. At every
 * moment `spent + reserved <= cap`, whatever the number of fibers. A reservation that does not fit waits, in order of
 * arrival, for calls in flight to settle for less than they reserved; only when nothing is in flight and it still does
 * not fit is the budget exhausted. So nothing that was paid for is thrown away, and the cap is used up to less than
 * the worst case of one call.
 *
 * A call that ends without being settled (it failed without saying what it cost, or was interrupted) is charged in full:
 * the provider may bill it.
 */
import { Context, Deferred, Effect, Layer, Option, Schema } from "effect"
import * as Money from "../domain/Money.ts"

/** A call was not made because it could have cost more than what is left under the cap. */
export class BudgetExhausted extends Schema.TaggedError<BudgetExhausted>()("BudgetExhausted", {
  /** Dollars spent so far. */
  spentUsd: Schema.String,
  /** The cap in dollars. */
  capUsd: Schema.String,
  /** What the refused call could have cost at most, in dollars. */
  neededUsd: Schema.String,
  message: Schema.String
}) {}

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
  readonly granted: Deferred.Deferred<void, BudgetExhausted>
}

/** The money of one run, shared by everything that runs under the same layer. */
export class Budget extends Context.Service<
  Budget,
  {
    /** The most that may be spent; none when there is no limit. */
    readonly cap: Option.Option<Money.Money>
    /**
     * Reserves `worst`, runs `use`, and charges what `use` settles: `settle(zero)` gives everything back. Ending without
     * a settlement charges all of `worst`. Settling more than `worst` is charged as it is (the money is gone), and what
     * comes after waits for it. Fails with `BudgetExhausted` without running `use`.
     */
    readonly withReservation: <A, E, R>(
      worst: Money.Money,
      use: (settle: (actual: Money.Money) => Effect.Effect<void>) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | BudgetExhausted, R>
    /** The state at this moment; one read, consistent in itself. */
    readonly snapshot: Effect.Effect<BudgetSnapshot>
    /** Completes when the first call is refused for good: the signal to start nothing new. */
    readonly awaitExhausted: Effect.Effect<BudgetExhausted>
  }
>()("gbrain/Budget") {
  /** A budget of its own, starting at zero. */
  static readonly layer = (options: { readonly cap: Option.Option<Money.Money> }) =>
    Layer.effect(Budget, make(options.cap))
}

/** Makes a budget; see `Budget.layer`. */
export const make = Effect.fnUntraced(function* (cap: Option.Option<Money.Money>) {
  let spent = Money.zero
  let reserved = Money.zero
  let inFlight = 0
  const waiting: Array<Waiter> = []
  const exhausted = yield* Deferred.make<BudgetExhausted>()
  let refused = false

  const fits = (amount: Money.Money) =>
    Option.match(cap, { onNone: () => true, onSome: (limit) => spent + reserved + amount <= limit })

  const refuse = (waiter: Waiter) => {
    const limit = Option.getOrElse(cap, () => Money.zero)
    const error = new BudgetExhausted({
      spentUsd: Money.toDecimal(spent, 6),
      capUsd: Money.toDecimal(limit, 6),
      neededUsd: Money.toDecimal(waiter.amount, 6),
      message:
        `The budget of ${Money.format(limit)} is used up: ${Money.format(spent)} spent, and the next call could cost ` +
        `${Money.format(waiter.amount)}. What was paid for is kept; run again with a higher --max-cost-usd to go on.`
    })
    refused = true
    waiter.state = "refused"
    Deferred.doneUnsafe(exhausted, Effect.succeed(error))
    Deferred.doneUnsafe(waiter.granted, Effect.fail(error))
  }

  // Runs after every change, synchronously: no other fiber sees a state in between. Completing a deferred may run its
  // fiber at once, which may come back here; so a waiter has left the queue before it is told.
  const admit = () => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const fitting = fits(next.amount)
      if (!fitting && inFlight > 0) return
      waiting.shift()
      if (fitting) {
        reserved = Money.add(reserved, next.amount)
        inFlight++
        next.state = "granted"
        Deferred.doneUnsafe(next.granted, Effect.void)
      } else {
        refuse(next)
      }
    }
  }

  const close = (worst: Money.Money, charged: Money.Money) => {
    reserved = Money.subtract(reserved, worst)
    spent = Money.add(spent, charged)
    inFlight--
    admit()
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
          if (waiter.state === "granted") return close(waiter.amount, Money.zero)
          if (waiter.state === "refused") return
          waiting.splice(waiting.indexOf(waiter), 1)
          admit()
        })
      )
    )

  const withReservation: Budget["Service"]["withReservation"] = (worst, use) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const granted = yield* Deferred.make<void, BudgetExhausted>()
        yield* acquire({ amount: worst, state: "waiting", granted })
        let open = true
        const settle = (actual: Money.Money) =>
          Effect.sync(() => {
            if (!open) return
            open = false
            close(worst, actual)
          })
        return yield* restore(use(settle)).pipe(Effect.ensuring(settle(worst)))
      })
    )

  return Budget.of({
    cap,
    withReservation,
    snapshot: Effect.sync(() => ({ spent, reserved, cap, exhausted: refused })),
    awaitExhausted: Deferred.await(exhausted)
  })
})
