/**
 * What a brain has spent, by day, for all processes that work on it; and the caps of the brain, `budget.daily_usd` and
 * `budget.monthly_usd`, days and months in UTC by the database's clock. Runs that belong together, wherever they are, may share a purse
 * with a cap of its own.
 *
 * A process holds money before it commits it, a block at a time and ahead of need, so that no call waits for the database. What it holds
 * counts as spent for everybody else; what is left at the end is given back. What a process held when it was killed stays
 * spent: its last calls may be on the bill.
 *
 * Every transaction says how much the process holds of a day in all, never how much more: one whose answer was lost can be
 * repeated.
 */
import { Clock, Context, Effect, Layer, Option, Random, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import * as Money from "../domain/Money.ts"
import { BrainConfig, dollarSetting } from "./BrainConfig.ts"
import { type CapPeriod, decideHold } from "./budget/decideHold.ts"
import { reasonOf } from "./Database.ts"
import { resilient } from "./database/Resilience.ts"
import { HostProcess } from "./HostProcess.ts"
import { takeTurn, turns } from "./database/turns.ts"

/** The ledger could not be asked, so that a cap of the brain could not be kept. */
export class LedgerUnavailable extends Schema.TaggedError<LedgerUnavailable>()("LedgerUnavailable", {
  message: Schema.String
}) {}

/** How much a process may commit (spend, or reserve for calls) of a day. */
export interface Hold {
  /** The day, such as `2026-11-24`. */
  readonly day: string
  /** In all, what was committed of that day before included. */
  readonly limit: Money.Money
  /** When the day ends, in milliseconds of the clock. */
  readonly endsAt: number
}

/** A wish to hold more. */
export interface HoldRequest {
  /**
   * What was spent, and the most that will be committed, spent included, until the answer is there; and of which day: of another day
   * than today it does not count. No answer is less than that, so that no answer on its way is ever exceeded.
   */
  readonly day: string
  readonly spent: Money.Money
  readonly committed: Money.Money
  /** Beyond that: what it takes at least, and what there is use for. */
  readonly need: Money.Money
  readonly want: Money.Money
}

/** Money that several runs share, on whichever machines: its name, and how much there is. */
export interface Purse {
  readonly name: string
  readonly cap: Money.Money
}

/** A cap of the brain, or of a purse, that leaves no room. */
export interface Full {
  /** The day on which that was so: of it, no more is held than was told. */
  readonly day: string
  readonly period: CapPeriod
  readonly cap: Money.Money
  /** Whether others, alive not long ago, hold what they may not spend: asking again later may help. */
  readonly mayPass: boolean
}

/** What a brain has spent, and may. Money held by running processes counts as spent. */
export interface LedgerStanding {
  readonly today: Money.Money
  readonly thisMonth: Money.Money
  readonly dailyCap: Option.Option<Money.Money>
  readonly monthlyCap: Option.Option<Money.Money>
}

/** The brain's ledger. */
export class Ledger extends Context.Service<
  Ledger,
  {
    /** Whether there is a cap to keep: the brain had one when the layer was made, or there is a purse. */
    readonly capped: boolean
    /** Holds more, at least what it takes, and more while there is plenty; or tells which cap leaves no room. */
    readonly hold: (request: HoldRequest) => Effect.Effect<Hold | Full, LedgerUnavailable>
    /** Says what was spent of a day in the end; what was held beyond it is everybody's again. */
    readonly settle: (day: string, spent: Money.Money) => Effect.Effect<void, LedgerUnavailable>
  }
>()("gbrain/Ledger") {
  /** The ledger of the open brain. */
  static readonly layer = Ledger.layerOf(Option.none())

  /** The same, for a run that shares a purse. */
  static layerOf(purse: Option.Option<Purse>) {
    return Layer.effect(
      Ledger,
      Effect.suspend(() => make(purse))
    )
  }
}

const make = Effect.fnUntraced(function* (purse: Option.Option<Purse>) {
  const sql = yield* SqlClient.SqlClient
  const config = yield* BrainConfig
  const { host, pid } = yield* HostProcess
  const owner = `${host} ${pid} ${(yield* Random.next).toString(36).slice(2)}`

  const purseName = Option.getOrNull(Option.map(purse, ({ name }) => name))

  const write = (day: string, held: Money.Money, spent: Money.Money) => sql`
        insert into gbrain_effect.ledger (day, owner, held_picousd, spent_picousd, heard_at, purse)
        values (${day}::date, ${owner}, ${String(held)}::numeric, ${String(spent)}::numeric, clock_timestamp(), ${purseName})
        on conflict (day, owner) do update set held_picousd = excluded.held_picousd,
          spent_picousd = excluded.spent_picousd, heard_at = excluded.heard_at`

  const hold = Effect.fnUntraced(function* (request: HoldRequest) {
    yield* takeTurn(sql, turns.ledger)
    const caps = { ...(yield* capsOf(config)), purse: Option.map(purse, ({ cap }) => cap) }
    const sums = yield* sumsOfOthers(sql, owner, purseName)
    const [spent, committed] =
      request.day === sums.day ? [request.spent, request.committed] : [Money.zero, Money.zero]
    const decided = decideHold({
      committed,
      need: request.need,
      want: request.want,
      caps,
      others: sums
    })
    if ("limit" in decided) {
      yield* write(sums.day, decided.limit, spent)
      const endsAt = (yield* Clock.currentTimeMillis) + sums.left
      return { day: sums.day, limit: decided.limit, endsAt } satisfies Hold
    }
    // What is too little for us may do for others.
    yield* write(sums.day, committed, spent)
    return { ...decided, day: sums.day } satisfies Full
  })

  const { daily, monthly } = yield* capsOf(config)
  return Ledger.of({
    capped: Option.isSome(daily) || Option.isSome(monthly) || Option.isSome(purse),
    hold: (request) => resilient(sql.withTransaction(hold(request))).pipe(Effect.mapError(unavailable)),
    settle: (day, spent) =>
      resilient(write(day, spent, spent)).pipe(Effect.asVoid, Effect.mapError(unavailable))
  })
})

/** What the open brain has spent today and this month, and its caps. */
export const ledgerStanding = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const caps = yield* capsOf(yield* BrainConfig)
  const { month, today } = yield* sumsOfOthers(sql, "", null)
  return {
    today,
    thisMonth: month,
    dailyCap: caps.daily,
    monthlyCap: caps.monthly
  } satisfies LedgerStanding
})

/** What a process holds may come back when it was heard of within this time; later it may be dead. */
const aliveWithin = "2 minutes"

const capsOf = Effect.fnUntraced(function* (config: BrainConfig["Service"]) {
  return {
    daily: yield* dollarSetting(config, "budget.daily_usd"),
    monthly: yield* dollarSetting(config, "budget.monthly_usd")
  }
})

// What is held today, this month and of the purse, without what `owner` holds today; which day it is, and the milliseconds left of it.
const sumsOfOthers = (sql: SqlClient.SqlClient, owner: string, purse: string | null) =>
  sql<
    Record<"day" | "today" | "month" | "unspent" | "purse" | "unspent_of_purse", string> & { left: number }
  >`
    with clock as (select clock_timestamp() at time zone 'UTC' as now),
    others as (
      select ledger.*, heard_at > clock_timestamp() - ${aliveWithin}::interval as alive,
        day >= date_trunc('month', now)::date as this_month
      from gbrain_effect.ledger, clock
      where (day >= date_trunc('month', now)::date or purse = ${purse}) and not (owner = ${owner} and day = now::date)
    )
    select to_char(now, 'YYYY-MM-DD') as day,
      (extract(epoch from date_trunc('day', now) + interval '1 day' - now) * 1000)::float8 as left,
      coalesce(sum(held_picousd) filter (where day = now::date), 0)::text as today,
      coalesce(sum(held_picousd) filter (where this_month), 0)::text as month,
      coalesce(sum(held_picousd - spent_picousd) filter (where alive), 0)::text as unspent,
      coalesce(sum(held_picousd) filter (where purse = ${purse}), 0)::text as purse,
      coalesce(sum(held_picousd - spent_picousd) filter (where alive and purse = ${purse}), 0)::text as unspent_of_purse
    from clock left join others on true
    group by now`.pipe(
    Effect.flatMap(([row]) =>
      row === undefined
        ? Effect.die("An aggregate without a row")
        : Effect.succeed({
            day: row.day,
            left: row.left,
            today: Money.fromPico(BigInt(row.today)),
            month: Money.fromPico(BigInt(row.month)),
            purse: Money.fromPico(BigInt(row.purse)),
            unspent: Money.fromPico(BigInt(row.unspent)),
            unspentOfPurse: Money.fromPico(BigInt(row.unspent_of_purse))
          })
    )
  )

const unavailable = (error: SqlError.SqlError | { readonly message: string }) =>
  new LedgerUnavailable({
    message: `What the brain has spent cannot be kept account of, so nothing more is asked: ${reasonOf(error)}`
  })
