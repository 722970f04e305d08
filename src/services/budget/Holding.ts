/**
 * What a run holds of the brain's ledger: asked for a block at a time, committed without asking anybody, settled day by
 * day. Reservations belong to the day on which they were made, even when their calls end on the next.
 *
 * At no moment more is committed than the ledger says that the run holds. A question takes its time, and the run goes on
 * meanwhile; so it tells not what is committed now but the most that will be until the answer is there, and the ledger never
 * answers less. Asked ahead of need, that is all that is held already: nobody waits. Asked because a call does not fit,
 * it is what is committed: the rest, too little for us, may do for others, and is given up before it is offered.
 */
import { Cause, Clock, Duration, Effect, FiberSet, Option } from "effect"
import * as Money from "../../domain/Money.ts"
import { type Full, type Hold, type Ledger, LedgerUnavailable } from "../Ledger.ts"

/** How a wish for more ended: there is more, there is no room, or nobody knows. */
export type More = "more" | Full | LedgerUnavailable

/** Money held. */
export interface Holding {
  /** Whether an amount can be committed now. */
  readonly fits: (amount: Money.Money) => boolean
  /** Reserves an amount that fits; answers how to close the reservation with what was charged. */
  readonly reserve: (amount: Money.Money) => (charged: Money.Money) => void
  /** Asks for so much more than is committed; `done` is called later, once. */
  readonly more: (
    wish: { readonly need: Money.Money; readonly want: Money.Money },
    done: (outcome: More) => void
  ) => void
}

/** As much as anybody asks for. */
export const unlimited: Holding = {
  fits: () => true,
  reserve: () => () => {},
  more: () => {}
}

interface Day {
  readonly day: string
  limit: Money.Money
  endsAt: number
  spent: Money.Money
  reserved: Money.Money
}

/** How soon the ledger is asked again for what others may give back. */
const askAgainAfter = Duration.millis(500)

/** How long the end of a run waits for the ledger. */
const settlesWithin = Duration.seconds(10)

/** Holds of a ledger until the scope ends, when what was not spent is everybody's again. */
export const holdingOf = Effect.fnUntraced(function* (ledger: Ledger["Service"]) {
  const clock = yield* Clock.Clock
  const start = (day: string): Day => ({
    day,
    limit: Money.zero,
    endsAt: -Infinity,
    spent: Money.zero,
    reserved: Money.zero
  })
  let today = start("")
  const earlier = new Set<Day>()
  const committed = (of: Day) => Money.add(of.spent, of.reserved)

  // A reservation that is still open may be on the bill: it counts until it is closed.
  const settle = (of: Day) => (of.day === "" ? Effect.void : ledger.settle(of.day, committed(of)))

  const settleEarlier = Effect.suspend(() =>
    Effect.forEach(
      [...earlier].filter((of) => of.reserved === Money.zero),
      (of) =>
        Effect.tap(
          settle(of),
          Effect.sync(() => earlier.delete(of))
        ),
      { discard: true }
    )
  )

  yield* Effect.addFinalizer(() =>
    Effect.forEach([...earlier, today], settle, { discard: true }).pipe(
      Effect.interruptible,
      Effect.timeout(settlesWithin),
      Effect.catchCause((cause) => Effect.logDebug("What was not spent was not given back", cause))
    )
  )
  const run = yield* FiberSet.makeRuntime()

  const ask = Effect.fnUntraced(function* (wish: { readonly need: Money.Money; readonly want: Money.Money }) {
    for (;;) {
      if (wish.need > Money.zero) giveUpRest()
      // More than the limit is committed after a call that cost more than was reserved for it.
      const kept = Money.max(today.limit, committed(today))
      const wanted = Money.subtract(Money.add(committed(today), wish.want), kept)
      const got = yield* ledger.hold({
        day: today.day,
        spent: today.spent,
        committed: kept,
        need: wish.need,
        want: Money.max(wanted, Money.zero)
      })
      if ("limit" in got) {
        become(got)
        yield* settleEarlier
        return "more" as const
      }
      // A cap that was lowered leaves no room for what was held ahead either.
      if (got.day === today.day) giveUpRest()
      if (!got.mayPass) return got
      yield* Effect.sleep(askAgainAfter)
    }
  })

  const giveUpRest = () => {
    today.limit = Money.min(today.limit, committed(today))
  }

  const become = ({ day, endsAt, limit }: Hold) => {
    if (day !== today.day) {
      if (today.day !== "") earlier.add(today)
      today = start(day)
    }
    today.limit = limit
    today.endsAt = endsAt
  }

  return {
    fits: (amount) =>
      clock.currentTimeMillisUnsafe() < today.endsAt && Money.add(committed(today), amount) <= today.limit,
    reserve: (amount) => {
      const of = today
      of.reserved = Money.add(of.reserved, amount)
      return (charged) => {
        of.reserved = Money.subtract(of.reserved, amount)
        of.spent = Money.add(of.spent, charged)
      }
    },
    more: (wish, done) => {
      run(
        Effect.matchCause(ask(wish), {
          onSuccess: done,
          onFailure: (cause) =>
            done(
              Option.getOrElse(
                Cause.findErrorOption(cause),
                () => new LedgerUnavailable({ message: Cause.pretty(cause) })
              )
            )
        })
      )
    }
  } satisfies Holding
})
