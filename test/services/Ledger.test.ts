import { describe, expect, it } from "@effect/vitest"
import { Clock, Context, Deferred, Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../src/domain/Money.ts"
import { BrainConfig } from "../../src/services/BrainConfig.ts"
import { Budget, BudgetExhausted } from "../../src/services/Budget.ts"
import { Ledger, ledgerStanding, type Purse } from "../../src/services/Ledger.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { onBothDatabases } from "../support/brains.ts"
import { TestClock } from "effect/testing"

const usd = (text: string) => Option.getOrThrow(Money.parseUsd(text))

onBothDatabases("Ledger", (brain) => {
  const test = (
    name: string,
    body: Effect.Effect<void, unknown, Layer.Success<typeof brain> | Scope.Scope>
  ) => it.live(name, () => body.pipe(Effect.scoped, Effect.provide(brain)))

  const settings = (rows: Record<string, string>) =>
    Effect.gen(function* () {
      const config = yield* BrainConfig
      for (const [key, value] of Object.entries(rows)) yield* config.set(key, value)
    }).pipe(Effect.provide(BrainConfig.layer))

  const standing = ledgerStanding.pipe(Effect.provide(BrainConfig.layer))

  /** A run of a process of its own. */
  const runOf = (
    pid: number,
    cap: Option.Option<Money.Money> = Option.none(),
    purse: Option.Option<Purse> = Option.none()
  ) =>
    Effect.map(
      Layer.build(
        Layer.fresh(Budget.layerLedger({ cap })).pipe(
          Layer.provide(Layer.fresh(Ledger.layerOf(purse))),
          Layer.provide(BrainConfig.layer),
          Layer.provide(
            Layer.succeed(HostProcess, HostProcess.of({ pid, host: "here", isAlive: () => true }))
          )
        )
      ),
      (built) => Context.get(built, Budget)
    )

  const call = (budget: Budget["Service"], worst: string, actual: string) =>
    budget.withReservation(usd(worst), (settle) => settle(usd(actual)))

  test(
    "what every run spends is kept by day, with or without a cap",
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const budget = yield* runOf(1)
          expect(budget.capped).toBe(false)
          yield* call(budget, "0.5", "0.125")
          // What is held counts until the run ends, and a little more is held than what was needed.
          expect((yield* standing).today).toBeGreaterThanOrEqual(usd("0.5"))
        })
      )
      yield* Effect.scoped(Effect.flatMap(runOf(2, Option.some(usd("1"))), (it) => call(it, "0.5", "0.25")))
      expect(yield* standing).toEqual({
        today: usd("0.375"),
        thisMonth: usd("0.375"),
        dailyCap: Option.none(),
        monthlyCap: Option.none()
      })
    })
  )

  test(
    "processes that share a purse never spend more than is in it, others are not touched by it, and it outlives them",
    Effect.gen(function* () {
      const purse = Option.some({ name: "jobs 1", cap: usd("1") })
      let billed = Money.zero
      const spendAll = (budget: Budget["Service"], actual: string): Effect.Effect<BudgetExhausted> =>
        Effect.gen(function* () {
          for (;;) {
            yield* budget.withReservation(usd("0.05"), (settle) =>
              Effect.gen(function* () {
                billed = Money.add(billed, usd(actual))
                expect(billed <= usd("1")).toBe(true)
                yield* Effect.yieldNow
                yield* settle(usd(actual))
              })
            )
          }
        }).pipe(
          Effect.flip,
          Effect.map((error) => {
            if (error._tag !== "BudgetExhausted") throw error
            return error
          })
        )
      const refused = yield* Effect.scoped(
        Effect.forEach(
          [1, 2, 3],
          (pid) => Effect.flatMap(runOf(pid, Option.none(), purse), (budget) => spendAll(budget, "0.02")),
          { concurrency: "unbounded" }
        )
      )
      expect(refused.map(({ capUsd, period }) => ({ capUsd, period }))).toEqual(
        Array.from({ length: 3 }, () => ({ capUsd: "1.000000", period: "purse" }))
      )
      expect(billed > usd("0.9")).toBe(true)
      const late = yield* Effect.scoped(
        Effect.flatMap(runOf(4, Option.none(), purse), (it) => spendAll(it, "0.05"))
      )
      expect(late.message).toContain("these jobs share")
      yield* Effect.scoped(
        Effect.flatMap(runOf(5, Option.none(), Option.some({ name: "jobs 2", cap: usd("1") })), (it) =>
          call(it, "0.9", "0.9")
        )
      )
      yield* Effect.scoped(Effect.flatMap(runOf(6), (it) => call(it, "9", "9")))
    })
  )

  test(
    "what was spent of a purse in another month counts for it, and not for this month",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const purse = Option.some({ name: "jobs 1", cap: usd("1") })
      yield* Effect.scoped(Effect.flatMap(runOf(1, Option.none(), purse), (it) => call(it, "0.6", "0.6")))
      yield* sql`update gbrain_effect.ledger set day = day - 70`
      expect((yield* standing).thisMonth).toBe(Money.zero)
      const refused = yield* Effect.scoped(
        Effect.flatMap(runOf(2, Option.none(), purse), (it) => Effect.flip(call(it, "0.5", "0.5")))
      )
      expect(refused).toMatchObject({ period: "purse" })
    })
  )

  test(
    "five processes together keep the cap of a day, and leave less than a call's price of it",
    Effect.gen(function* () {
      yield* settings({ "budget.daily_usd": "2" })
      let billed = Money.zero
      const worker = (budget: Budget["Service"], index: number) =>
        Effect.gen(function* () {
          for (let turn = 0; ; turn++) {
            const actual = usd(["0.01", "0.003", "0.02"][(turn + index) % 3] ?? "0.01")
            yield* budget.withReservation(usd("0.02"), (settle) =>
              Effect.gen(function* () {
                billed = Money.add(billed, actual)
                expect(billed <= usd("2")).toBe(true)
                yield* Effect.yieldNow
                yield* settle(actual)
              })
            )
          }
        })
      const process = (pid: number) =>
        Effect.scoped(
          Effect.gen(function* () {
            const budget = yield* runOf(pid)
            expect(budget.capped).toBe(true)
            const ends = yield* Effect.forEach([1, 2, 3, 4], (index) => Effect.flip(worker(budget, index)), {
              concurrency: "unbounded"
            })
            for (const end of ends) expect(end).toMatchObject({ _tag: "BudgetExhausted", period: "day" })
            return ends[0]?.message
          })
        )
      const messages = yield* Effect.forEach([1, 2, 3, 4, 5], process, { concurrency: "unbounded" })
      expect(messages[0]).toContain("The brain's budget of $2.0000 a day is used up")
      expect(messages[0]).toContain("gbrain config set budget.daily_usd")
      expect((yield* standing).today).toBe(billed)
      // The last to end could not pay for one more; who ended before him left him what he gave back.
      expect(billed > usd("1.9")).toBe(true)
    })
  )

  test(
    "the cap of a month counts the days before, and what a killed process held",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* settings({ "budget.monthly_usd": "10", "budget.daily_usd": "20" })
      yield* sql`insert into gbrain_effect.ledger values
        (date_trunc('month', now() at time zone 'UTC')::date, 'elsewhere 7', 4000000000000, 4000000000000, now()),
        ((now() at time zone 'UTC')::date, 'killed 8', 5000000000000, 0, now() - interval '3 minutes'),
        ((date_trunc('month', now() at time zone 'UTC') - interval '1 day')::date, 'last month', 90000000000000, 0, now())`
      const budget = yield* runOf(1)
      expect(yield* Effect.exit(call(budget, "0.9", "0.9"))).toEqual(Exit.void)
      const refused = yield* Effect.flip(call(budget, "0.2", "0.1"))
      expect(refused).toBeInstanceOf(BudgetExhausted)
      expect(refused).toMatchObject({ period: "month", capUsd: "10.000000", spentUsd: "0.900000" })
      yield* call(budget, "0.1", "0.1")
    })
  )

  test(
    "a refused call waits for those in flight to give back, and goes on",
    Effect.gen(function* () {
      yield* settings({ "budget.daily_usd": "1" })
      const budget = yield* runOf(1)
      const answered = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(
        budget.withReservation(usd("0.8"), (settle) =>
          Effect.andThen(Deferred.await(answered), settle(usd("0.1")))
        )
      )
      const second = yield* Effect.forkChild(call(budget, "0.7", "0.5"))
      yield* Effect.sleep("50 millis")
      expect((yield* budget.snapshot).reserved).toBe(usd("0.8"))
      yield* Deferred.succeed(answered, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      expect((yield* budget.snapshot).spent).toBe(usd("0.6"))
    })
  )

  test(
    "a setting that is no amount is refused when it is set, and named when it is there",
    Effect.gen(function* () {
      const bad = yield* Effect.flip(settings({ "budget.daily_usd": "a lot" }))
      expect(bad).toMatchObject({ _tag: "BadSetting", key: "budget.daily_usd" })
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into config (key, value) values ('budget.daily_usd', '-3')`
      expect(yield* Effect.flip(runOf(1))).toMatchObject({ _tag: "BadSetting", key: "budget.daily_usd" })
    })
  )
})

describe("a run that goes on after midnight", () => {
  it.effect(
    "takes nothing of the new day for calls of the old one, and settles each day with what was its",
    () =>
      Effect.gen(function* () {
        const settled = new Map<string, Money.Money>()
        const hour = 3_600_000
        const ledger = Ledger.of({
          capped: true,
          hold: ({ committed, day, need }) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              const today = now < hour ? "monday" : "tuesday"
              return {
                day: today,
                limit: Money.add(day === today ? committed : Money.zero, need),
                endsAt: today === "monday" ? hour : 25 * hour
              }
            }),
          settle: (day, spent) => Effect.sync(() => void settled.set(day, spent))
        })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const budget = Context.get(
              yield* Layer.build(
                Budget.layerLedger({ cap: Option.none() }).pipe(Layer.provide(Layer.succeed(Ledger, ledger)))
              ),
              Budget
            )
            const answered = yield* Deferred.make<void>()
            const late = yield* Effect.forkChild(
              budget.withReservation(usd("0.5"), (settle) =>
                Effect.andThen(Deferred.await(answered), settle(usd("0.4")))
              )
            )
            yield* TestClock.adjust("2 hours")
            yield* budget.withReservation(usd("0.3"), (settle) => settle(usd("0.2")))
            yield* Deferred.succeed(answered, undefined)
            yield* Fiber.join(late)
            // What monday's call gave back is not tuesday's to spend: the next call asks for more.
            yield* budget.withReservation(usd("0.2"), (settle) => settle(usd("0.1")))
            expect(settled.get("monday")).toBe(usd("0.4"))
          })
        )
        expect([...settled]).toEqual([
          ["monday", usd("0.4")],
          ["tuesday", usd("0.3")]
        ])
      })
  )
})

describe("a ledger that takes its time", () => {
  it.effect("is asked before what is held is used up: only the first calls wait for it", () =>
    Effect.gen(function* () {
      let asked = 0
      const ledger = Ledger.of({
        capped: true,
        hold: ({ committed, need, want }) =>
          Effect.sync(() => {
            asked++
            return { day: "monday", limit: Money.add(committed, Money.max(need, want)), endsAt: Infinity }
          }).pipe(Effect.delay("100 millis")),
        settle: () => Effect.void
      })
      const runs = Effect.gen(function* () {
        const budget = yield* Budget
        const calls = Effect.replicateEffect(
          budget.withReservation(usd("0.04"), (settle) => Effect.delay(settle(usd("0.03")), "1 second")),
          50
        )
        yield* Effect.all(Effect.replicate(calls, 4), { concurrency: 4 })
        return yield* Clock.currentTimeMillis
      }).pipe(
        Effect.provide(
          Budget.layerLedger({ cap: Option.none() }).pipe(Layer.provide(Layer.succeed(Ledger, ledger)))
        )
      )
      const running = yield* Effect.forkChild(runs)
      yield* TestClock.adjust("2 minutes")
      expect((yield* Fiber.join(running)) - 50_000).toBeLessThanOrEqual(300)
      expect(asked).toBeLessThan(60)
    })
  )
})
