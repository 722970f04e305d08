import { expect, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../../src/domain/Money.ts"
import { costOf, priceOf } from "../../../src/domain/Prices.ts"
import { extractConversationFacts } from "../../../src/programs/extract-conversation-facts/extractConversationFacts.ts"
import { extractionLayer } from "../../../src/programs/extract-conversation-facts/layer.ts"
import { defaultOptions } from "../../../src/programs/extract-conversation-facts/options.ts"
import { CallTimeouts } from "../../../src/services/CallTimeouts.ts"
import { Progress } from "../../../src/services/Progress.ts"
import { RetryPolicy } from "../../../src/services/Retry.ts"
import { onBothDatabases } from "../../support/brains.ts"
import { conversation, environment, extract, putPages, standIn } from "../../support/extraction.ts"
import type { Stats } from "../../support/stand-in/server.ts"

const pages = (count: number) =>
  putPages(
    Array.from({ length: count }, (_, index) => ({
      slug: `conversations/${index}`,
      body: conversation(`topic-${index}`, 4, 1 + (index % 3))
    }))
  )

const priced = (model: string, inputTokens: number, outputTokens: number) =>
  costOf(Option.getOrThrow(priceOf(model, {})), { inputTokens, outputTokens, cachedTokens: 0 })

/** What the server would have billed for all that it answered. */
const billOf = (stats: Stats) =>
  Money.toNumber(
    Money.add(
      priced("openai:gpt-4.1-mini", stats.promptTokens, stats.completionTokens),
      priced("openai:text-embedding-3-small", stats.embeddingTokens, 0)
    )
  )

/** The most that a call of these tests can cost: 4,000 tokens out, and some five thousand in. */
const dearestCall = Money.toNumber(priced("openai:gpt-4.1-mini", 6_000, 4_000))

onBothDatabases("money", (brain) => {
  it.live(
    "the server's bill <= spent <= cap, with answers lost on the way, and little is left of the cap",
    () =>
      Effect.gen(function* () {
        yield* pages(60)
        const api = yield* standIn({
          chatLatency: 5,
          rules: [
            { fault: { kind: "cut" }, endpoint: "chat", probability: 0.1 },
            { fault: { kind: "reset" }, probability: 0.05 },
            { fault: { kind: "no-usage" }, endpoint: "chat", probability: 0.05 },
            { fault: { kind: "hang" }, endpoint: "chat", times: 2, after: 5 },
            { fault: { kind: "status", status: 503 }, probability: 0.05 }
          ]
        })
        const report = yield* extract(api.url, { workers: 8, cap: "0.06" }).pipe(
          Effect.provideService(RetryPolicy, { ...(yield* RetryPolicy), firstDelay: Duration.millis(5) }),
          Effect.provideService(CallTimeouts, { ...(yield* CallTimeouts), chat: Duration.millis(500) })
        )
        expect(report).toMatchObject({ status: "budget", budget_period: "run", cap_usd: 0.06 })
        expect(billOf(api.stats())).toBeLessThanOrEqual(report.spent_usd)
        expect(report.spent_usd).toBeLessThanOrEqual(0.06)
        expect(0.06 - report.spent_usd).toBeLessThan(dearestCall)
      }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("two runs at once keep the brain's cap of a day together, and the next day goes on", () =>
    Effect.gen(function* () {
      yield* pages(80)
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into config (key, value) values ('budget.daily_usd', '0.03')`
      const api = yield* standIn({ chatLatency: 5 })
      const [one, two] = yield* Effect.all(
        [extract(api.url, { workers: 3 }), extract(api.url, { workers: 3 })],
        { concurrency: 2 }
      )
      for (const report of [one, two]) {
        expect(report).toMatchObject({ status: "budget", budget_period: "day" })
        expect(report.budget_message).toContain("gbrain config set budget.daily_usd")
      }
      // Two numbers of dollars added as floats may miss the sum by the last bit.
      const spent = Number((one.spent_usd + two.spent_usd).toFixed(12))
      expect(billOf(api.stats())).toBeLessThanOrEqual(spent)
      expect(spent).toBeLessThanOrEqual(0.03)
      expect(0.03 - spent).toBeLessThan(dearestCall)

      const dry = yield* extract(api.url, { workers: 3 })
      expect(dry).toMatchObject({ status: "budget", chat_calls: 0, spent_usd: 0 })
      yield* sql`update gbrain_effect.ledger set day = day - 1`
      const nextDay = yield* extract(api.url, { workers: 3 })
      expect(nextDay.chat_calls).toBeGreaterThan(5)
      expect(nextDay.spent_usd).toBeLessThanOrEqual(0.03)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )

  it.live("two programs under one layer share its money, its workers and its progress", () =>
    Effect.gen(function* () {
      yield* pages(160)
      const sql = yield* SqlClient.SqlClient
      yield* sql`insert into sources (id, name) values ('second', 'second')`
      yield* sql`update pages set source_id = 'second' where id % 2 = 0`
      const api = yield* standIn({ chatLatency: 100 })
      const of = (sourceId: string) =>
        extractConversationFacts({ ...defaultOptions, sourceId: Option.some(sourceId) })
      const { reports, seen } = yield* Effect.gen(function* () {
        const reports = yield* Effect.all([of("default"), of("second")], { concurrency: 2 })
        return { reports, seen: yield* (yield* Progress).snapshot }
      }).pipe(
        Effect.provide(
          extractionLayer({ workers: 5, cap: Money.parseUsd("0.08"), model: Option.none() }).pipe(
            Layer.provide(environment({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test" }))
          )
        )
      )
      const [first, second] = reports
      expect([first.sources, second.sources]).toEqual([["default"], ["second"]])
      for (const report of reports) {
        expect(report.status).toBe("budget")
        expect(report.pages_processed).toBeGreaterThan(2)
      }
      expect(api.stats().mostChatInFlight).toBe(5)
      expect(Money.toNumber(seen.spent)).toBeLessThanOrEqual(0.08)
      expect(0.08 - Money.toNumber(seen.spent)).toBeLessThan(dearestCall)
      expect(billOf(api.stats())).toBeLessThanOrEqual(Money.toNumber(seen.spent))
      expect(seen.done).toBe(first.pages_processed + second.pages_processed)
    }).pipe(Effect.scoped, Effect.provide(brain))
  )
})
