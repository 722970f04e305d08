/** What remains after the worst moments: processes killed, two at once, a database that goes away, APIs that misbehave. */
import { PgClient } from "@effect/sql-pg"
import { afterAll, beforeAll, describe, expect, inject, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { type CliHome, cliHome, until } from "../support/cli.ts"
import { type CommandBrains, commandBrains } from "../support/commandBrains.ts"
import { type StandIn, startStandIn } from "../support/stand-in/server.ts"

const chatTexts = (api: StandIn) => api.log().filter((entry) => entry.endpoint === "chat")

describe.skipIf(inject("noPostgres") !== "")(`crashes on Postgres ${inject("noPostgres")}`, () => {
  let brains: CommandBrains
  let home: CliHome
  beforeAll(async () => {
    brains = await commandBrains()
    home = await cliHome({ OPENAI_API_KEY: "sk-test" })
  })
  afterAll(async () => {
    await home.remove()
    await brains.close()
  })
  it("kill -9 at any moment, again and again: no fact twice, none missing, nothing paid twice but calls in flight", async () => {
    const brain = await brains.make()
    const api = await startStandIn({ chatLatency: 40, embeddingLatency: 10 })
    const workers = 6
    const killed: Array<number> = []
    for (const after of [3, 11, 24, 37, 58]) {
      const child = home.start(
        ["extract-conversation-facts", "--workers", String(workers), "--url", brain.url],
        {
          OPENAI_BASE_URL: api.url
        }
      )
      await until(() => api.stats().chatCalls >= after)
      child.kill("SIGKILL")
      killed.push(child.pid)
      expect((await child.ended).signal).toBe("SIGKILL")
    }
    const last = await home.run(
      ["extract-conversation-facts", "--workers", "6", "--json", "--url", brain.url],
      {
        OPENAI_BASE_URL: api.url
      }
    )
    expect(last.code).toBe(0)
    expect(JSON.parse(last.stdout)).toMatchObject({ status: "completed", pages_lock_skipped: 0 })
    await brain.expectWhole(undefined, killed)
    const asked = chatTexts(api).map((entry) => entry.text)
    expect(asked.length - new Set(asked).size).toBeLessThanOrEqual(killed.length * workers)
    await api.close()
  })

  it("two processes at once share the work: every page once, nothing paid twice", async () => {
    const brain = await brains.make()
    const api = await startStandIn({ chatLatency: 60 })
    const run = () =>
      home.run(["extract-conversation-facts", "--workers", "5", "--json", "--url", brain.url], {
        OPENAI_BASE_URL: api.url
      })
    const results = await Promise.all([run(), run()])
    // One that met the other's pages to the end says so with 3; then nothing is left for a third.
    expect(results.every(({ code }) => code === 0 || code === 3)).toBe(true)
    expect((await run()).code).toBe(0)
    await brain.expectWhole()
    const asked = chatTexts(api).map((entry) => entry.text)
    expect(new Set(asked).size).toBe(asked.length)
    await api.close()
  })

  it("a process that sleeps through the expiry of its leases (SIGSTOP) writes nothing when it wakes", async () => {
    const brain = await brains.make(3)
    const api = await startStandIn({ chatLatency: 300, embeddingLatency: 10 })
    const env = { GBRAIN_DATABASE_URL: brain.url, OPENAI_BASE_URL: api.url }
    const command = ["extract-conversation-facts", "--workers", "3", "--json"]
    const sleeper = home.start(command, env)
    await until(() => api.stats().inFlight >= 3)
    sleeper.kill("SIGSTOP")
    // Three minutes later, as the database sees it.
    await brain.query(`update gbrain_cycle_locks set ttl_expires_at = ttl_expires_at - interval '3 minutes 1 second',
        last_refreshed_at = last_refreshed_at - interval '3 minutes 1 second'`)
    const second = await home.run(command, env)
    expect({ code: second.code, ...JSON.parse(second.stdout) }).toMatchObject({
      code: 0,
      status: "completed",
      pages_processed: 3
    })
    const written = `select id, fact, row_num, created_at from facts order by id`
    const before = await brain.query(written)
    sleeper.kill("SIGCONT")
    const woken = await sleeper.ended
    const report = JSON.parse(woken.stdout)
    expect({ code: woken.code, ...report }).toMatchObject({ code: 0, pages_processed: 0, facts_inserted: 0 })
    expect(report.pages_skipped_completed).toBe(3)
    expect(await brain.query(written)).toEqual(before)
    await brain.expectWhole(3)
    await api.close()
  })

  it("Ctrl-C in the middle: calls aborted, leases given back, the summary printed, exit 130; SIGTERM 143", async () => {
    const brain = await brains.make(6)
    const api = await startStandIn({ chatLatency: 60_000 })
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143]
    ] as const) {
      const before = api.stats().chatCalls
      const child = home.start(["extract-conversation-facts", "--workers", "3", "--url", brain.url], {
        OPENAI_BASE_URL: api.url
      })
      await until(() => api.stats().chatCalls >= before + 3)
      child.kill(signal)
      const ended = await child.ended
      expect(ended.code).toBe(code)
      expect(ended.stdout).toContain("Interrupted:")
      await until(() => api.stats().inFlight === 0)
      expect(await brain.query("select 1 as one from gbrain_cycle_locks")).toHaveLength(0)
    }
    const runs = await brain.query<{ status: string }>("select status from gbrain_effect.runs")
    expect(runs.map((run) => run.status)).toEqual(["interrupted", "interrupted"])
    await api.close()
  })

  it("an API that misbehaves in every way is lived through", async () => {
    const brain = await brains.make(12)
    const api = await startStandIn({
      rules: [
        {
          endpoint: "chat",
          times: 2,
          fault: { kind: "status", status: 429, headers: { "retry-after-ms": "20" } }
        },
        { endpoint: "chat", times: 1, fault: { kind: "status", status: 429 } },
        { endpoint: "chat", times: 2, fault: { kind: "status", status: 500 } },
        { endpoint: "chat", times: 1, fault: { kind: "html" } },
        { endpoint: "chat", times: 1, fault: { kind: "reset" } },
        { endpoint: "chat", times: 1, fault: { kind: "cut" } },
        { endpoint: "chat", times: 1, fault: { kind: "empty" } },
        { endpoint: "embeddings", times: 1, fault: { kind: "status", status: 503 } },
        { endpoint: "embeddings", times: 1, fault: { kind: "reset" } }
      ]
    })
    const result = await home.run(
      ["extract-conversation-facts", "--workers", "4", "--json", "--url", brain.url],
      {
        OPENAI_BASE_URL: api.url
      }
    )
    expect(result.code).toBe(0)
    expect(JSON.parse(result.stdout)).toMatchObject({ status: "completed", pages_failed: 0, rate_limited: 3 })
    await brain.expectWhole(12)
    await api.close()
  })

  const fatal = [
    ["a wrong key", { key: "another" }, "refuses the key"],
    [
      "an exhausted quota",
      {
        rules: [
          {
            endpoint: "chat",
            fault: {
              kind: "status",
              status: 429,
              body: { error: { message: "You exceeded your current quota", code: "insufficient_quota" } }
            }
          }
        ]
      },
      "quota"
    ],
    [
      "an unknown model",
      {
        rules: [
          {
            endpoint: "chat",
            fault: {
              kind: "status",
              status: 404,
              body: { error: { message: "The model does not exist", code: "model_not_found" } }
            }
          }
        ]
      },
      "does not know the model"
    ]
  ] as const
  for (const [name, behaviour, says] of fatal) {
    it(`${name} stops the run at once, with one clear message and no retries`, async () => {
      const brain = await brains.make(20)
      const api = await startStandIn(behaviour)
      const result = await home.run(["extract-conversation-facts", "--workers", "4", "--url", brain.url], {
        OPENAI_BASE_URL: api.url
      })
      expect(result.code).toBe(1)
      expect(result.stdout).toContain(says)
      expect(api.stats().requests).toBeLessThanOrEqual(16)
      await api.close()
    })
  }

  it("a server without structured output is asked without it", async () => {
    const brain = await brains.make(3)
    const api = await startStandIn({ structuredOutput: false })
    const result = await home.run(["extract-conversation-facts", "--json", "--url", brain.url], {
      OPENAI_BASE_URL: api.url
    })
    expect(JSON.parse(result.stdout)).toMatchObject({ status: "completed", pages_processed: 3 })
    await api.close()
  })

  it("a database that is gone for ten seconds in the middle is waited for", async () => {
    const brain = await brains.make(20)
    const api = await startStandIn({ chatLatency: 50 })
    const child = home.start(["extract-conversation-facts", "--workers", "4", "--json", "--url", brain.url], {
      OPENAI_BASE_URL: api.url
    })
    const name = new URL(brain.url).pathname.slice(1)
    const admin = <A>(use: (sql: PgClient.PgClient) => Effect.Effect<A, unknown>) =>
      Effect.runPromise(
        Effect.scoped(
          Effect.flatMap(
            PgClient.make({ url: Redacted.make(inject("postgresUrl")), maxConnections: 1 }),
            use
          ).pipe(Effect.provide(Layer.fresh(Reactivity.layer)))
        )
      )
    await until(() => api.stats().chatCalls >= 8)
    await admin((sql) =>
      Effect.gen(function* () {
        yield* sql`alter database ${sql(name)} with allow_connections false`
        yield* sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`
        yield* Effect.sleep(10_000)
        yield* sql`alter database ${sql(name)} with allow_connections true`
      })
    )
    const result = await child.ended
    if (result.code !== 0) console.log(result.stdout, result.stderr)
    expect(result.stderr).not.toContain("    at ")
    const again = await home.run(
      ["extract-conversation-facts", "--workers", "4", "--json", "--url", brain.url],
      { OPENAI_BASE_URL: api.url }
    )
    expect({ first: result.code, again: again.code }).toEqual({ first: 0, again: 0 })
    await brain.expectWhole(20)
    await api.close()
  })
})
