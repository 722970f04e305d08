/** How much of a brain's money a process may hold: the ledger's rule, without the ledger's rows. */
import { Option } from "effect"
import * as Money from "../../domain/Money.ts"

/** What is asked for, and what is known. */
export interface HoldQuestion {
  /** The most that the process will have committed of the day when it is answered, and needs beyond that at least, and has use for. */
  readonly committed: Money.Money
  readonly need: Money.Money
  readonly want: Money.Money
  readonly caps: {
    readonly daily: Option.Option<Money.Money>
    readonly monthly: Option.Option<Money.Money>
    /** Of the purse that the process shares with others; none when it shares none. */
    readonly purse: Option.Option<Money.Money>
  }
  /** What everybody else holds; in `month` and `purse` also what the process itself spent on other days. */
  readonly others: {
    readonly today: Money.Money
    readonly month: Money.Money
    readonly purse: Money.Money
    /** What those who are alive hold and have not spent, and those of them who share the purse. */
    readonly unspent: Money.Money
    readonly unspentOfPurse: Money.Money
  }
}

/** What a cap is for: a day or a month of the brain, or a purse. */
export type CapPeriod = "day" | "month" | "purse"

/** May hold so much of the day in all; or there is no room under a cap, which others may make. */
export type HoldAnswer =
  | { readonly limit: Money.Money }
  | { readonly period: CapPeriod; readonly cap: Money.Money; readonly mayPass: boolean }

/** More than what it takes is at most this part of what is left under the caps. */
const plentiful = 16n

/**
 * Decides; never lets the sum of what is held exceed a cap. That is a sum of rows: what is really committed stays within it for as long
 * as each process commits no more than it told, or was answered, last; that is `Holding`'s part.
 */
export const decideHold = ({ caps, committed, need, others, want }: HoldQuestion): HoldAnswer => {
  const rooms = [
    ...roomUnder("day", caps.daily, Money.add(others.today, committed)),
    ...roomUnder("month", caps.monthly, Money.add(others.month, committed)),
    ...roomUnder("purse", caps.purse, Money.add(others.purse, committed))
  ]
  const full = rooms.find(({ free }) => free < need)
  if (full !== undefined) {
    const unspent = full.period === "purse" ? others.unspentOfPurse : others.unspent
    return { period: full.period, cap: full.cap, mayPass: Money.add(full.free, unspent) >= need }
  }
  // The less there is, the smaller the blocks: nobody sits on the last dollar.
  const more = rooms.reduce((least, { free }) => Money.min(least, Money.fromPico(free / plentiful)), want)
  return { limit: Money.add(committed, Money.max(need, more)) }
}

const roomUnder = (period: CapPeriod, cap: Option.Option<Money.Money>, used: Money.Money) =>
  Option.toArray(cap).map((limit) => ({ period, cap: limit, free: Money.subtract(limit, used) }))
