/** How much of a brain's money a process may hold: the ledger's rule, without the ledger's rows. */
import { Option } from "effect"
import * as Money from "../../domain/Money.ts"

/** What is asked for, and what is known. */
export interface HoldQuestion {
  /** The most that the process will have committed of the day when it is answered, and needs beyond that at least, and has use for. */
  readonly committed: Money.Money
  readonly need: Money.Money
  readonly want: Money.Money
  readonly caps: { readonly daily: Option.Option<Money.Money>; readonly monthly: Option.Option<Money.Money> }
  /** What everybody else holds; in `month` also what the process itself spent on other days of the month. */
  readonly others: {
    readonly today: Money.Money
    readonly month: Money.Money
    /** What those who are alive hold and have not spent. */
    readonly unspent: Money.Money
  }
}

/** May hold so much of the day in all; or there is no room under a cap, which others may make. */
export type HoldAnswer =
  | { readonly limit: Money.Money }
  | { readonly period: "day" | "month"; readonly cap: Money.Money; readonly mayPass: boolean }

/** More than what it takes is at most this part of what is left under the caps. */
const plentiful = 16n

/**
 * Decides; never lets the sum of what is held exceed a cap. That is a sum of rows: what is really committed stays within it for as long
 * as each process commits no more than it told, or was answered, last; that is `Holding`'s part.
 */
export const decideHold = ({ caps, committed, need, others, want }: HoldQuestion): HoldAnswer => {
  const rooms = [
    ...roomUnder("day", caps.daily, Money.add(others.today, committed)),
    ...roomUnder("month", caps.monthly, Money.add(others.month, committed))
  ]
  const full = rooms.find(({ free }) => free < need)
  if (full !== undefined) {
    return { period: full.period, cap: full.cap, mayPass: Money.add(full.free, others.unspent) >= need }
  }
  // The less there is, the smaller the blocks: nobody sits on the last dollar.
  const more = rooms.reduce((least, { free }) => Money.min(least, Money.fromPico(free / plentiful)), want)
  return { limit: Money.add(committed, Money.max(need, more)) }
}

const roomUnder = (period: "day" | "month", cap: Option.Option<Money.Money>, used: Money.Money) =>
  Option.toArray(cap).map((limit) => ({ period, cap: limit, free: Money.subtract(limit, used) }))
