/** `gbrain embed` as a person runs it, and what remains when it is stopped. */
import { NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { afterAll, beforeAll, describe, expect, inject, it } from "@effect/vitest"
import { Effect, Exit, Option, Redacted, Scope } from "effect"
import { initBrain } from "../../src/services/Brain.ts"
import { Database } from "../../src/services/Database.ts"
import { freshDatabase } from "../support/brains.ts"
import { type CliHome, cliHome, until } from "../support/cli.ts"
import { startStandIn } from "../support/stand-in/server.ts"

describe.skipIf(inject("noPostgres") !== "")(`gbrain embed on Postgres ${inject("noPostgres")}`, () => {
  let scope: Scope.Closeable
  let home: CliHome
  beforeAll(async () => {
    scope = await Effect.runPromise(Scope.make())
    home = await cliHome({ OPENAI_API_KEY: "sk-test" })
  })
  afterAll(async () => {
    await home.remove()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  /** A brain with so many chunks, and a way to ask it. */
  const makeBrain = async (chunks: number) => {
    const url = await Effect.runPromise(freshDatabase.pipe(Scope.provide(scope)))
    const query = <A extends object>(text: string) =>
      Effect.runPromise(
        Effect.flatMap(PgClient.PgClient, (sql) => sql.unsafe<A>(text)).pipe(
          Effect.provide(Database.layerPostgres({ url: Redacted.make(url) })),
          Effect.provide(NodeServices.layer)
        )
      )
    await Effect.runPromise(
      initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.some(64) }).pipe(
        Effect.provide(Database.layerPostgres({ url: Redacted.make(url) })),
        Effect.provide(NodeServices.layer)
      )
    )
    await query(
      `insert into pages (slug, type, title) select 'notes/' || n, 'note', 'n' from generate_series(1, ${chunks}) n`
    )
    await query(
      "insert into content_chunks (page_id, chunk_index, chunk_text) select id, 0, 'About number ' || id from pages"
    )
    const bare = async () =>
      (
        await query<{ readonly n: number }>(
          "select count(*)::int as n from content_chunks where embedding is null"
        )
      )[0]?.n
    return { url, query, bare }
  }

  it("kill -9 in the middle, again and again: the next run pays nothing twice but the calls in flight", async () => {
    const brain = await makeBrain(600)
    const api = await startStandIn({ embeddingLatency: 60 })
    const workers = 3
    const batch = 10
    const command = [
      "embed",
      "--stale",
      "--workers",
      String(workers),
      "--batch-size",
      String(batch),
      "--url",
      brain.url
    ]
    let kills = 0
    for (const after of [4, 20, 35]) {
      const child = home.start(command, { OPENAI_BASE_URL: api.url })
      await until(() => api.stats().embeddingCalls >= after)
      child.kill("SIGKILL")
      kills++
      await child.ended
    }
    const last = await home.run([...command, "--json"], { OPENAI_BASE_URL: api.url })
    expect(last).toMatchObject({ code: 0 })
    expect(await brain.bare()).toBe(0)
    // A request whose answer was not yet in its place when the process died: in flight, or just come back.
    expect(api.stats().embeddingInputs).toBeLessThanOrEqual(600 + kills * workers * 2 * batch)
    expect(await brain.query("select 1 as one from gbrain_cycle_locks")).toHaveLength(0)
    await api.close()
  })

  it("Ctrl-C ends with 130 and a report; a source that another process has ends with 3; a used-up budget with 0", async () => {
    const brain = await makeBrain(300)
    // The third request hangs: the first process has the source until it is interrupted.
    const api = await startStandIn({ rules: [{ endpoint: "embeddings", after: 2, fault: { kind: "hang" } }] })
    const env = { OPENAI_BASE_URL: api.url }
    const first = home.start(["embed", "--stale", "--batch-size", "10", "--json", "--url", brain.url], env)
    await until(() => api.stats().embeddingCalls >= 3)
    const second = await home.run(["embed", "--stale", "--url", brain.url], env)
    expect(second).toMatchObject({ code: 3 })
    expect(second.stdout).toContain("other processes embed now")
    first.kill("SIGINT")
    const ended = await first.ended
    expect(ended.code).toBe(130)
    const report = JSON.parse(ended.stdout)
    expect(report).toMatchObject({ command: "embed", status: "interrupted", index: "kept" })
    expect(await brain.bare()).toBe(300 - report.chunks_embedded)
    api.behave({ rules: [] })
    const capped = await home.run(
      ["embed", "--stale", "--batch-size", "10", "--max-cost-usd", "0.00001", "--url", brain.url],
      env
    )
    expect(capped).toMatchObject({ code: 0 })
    expect(capped.stdout).toContain("The budget of $0.00001000 is used up")
    await api.close()
  })

  it("embeds what it is told to: a page, some pages, so many chunks, everything", async () => {
    const brain = await makeBrain(40)
    const api = await startStandIn()
    const embedded = async (...args: ReadonlyArray<string>) => {
      const ran = await home.run(["embed", ...args, "--json", "--url", brain.url], {
        OPENAI_BASE_URL: api.url
      })
      expect(ran).toMatchObject({ code: 0 })
      return JSON.parse(ran.stdout).chunks_embedded
    }
    expect(await embedded("notes/7")).toBe(1)
    expect(await embedded("--slugs", "notes/7,notes/8,notes/9")).toBe(2)
    expect(await embedded("--stale", "--limit", "5")).toBe(5)
    expect(await brain.bare()).toBe(32)
    expect(await embedded("--stale")).toBe(32)
    expect(await embedded("--all")).toBe(40)
    expect(api.stats().embeddingInputs).toBe(80)
    await api.close()
  })

  it("says what there is to do and would cost, without a key; and wrong usage in one line", async () => {
    const brain = await makeBrain(50)
    const dry = await home.run(["embed", "--stale", "--dry-run", "--json", "--url", brain.url])
    expect(dry.code).toBe(0)
    expect(JSON.parse(dry.stdout)).toMatchObject({ dry_run: true, chunks_to_do: 50, chunks_missing: 50 })
    for (const args of [[], ["--stale", "--all"], ["notes/1", "--stale"]]) {
      const wrong = await home.run(["embed", ...args, "--url", brain.url])
      expect(wrong.code).toBe(2)
      expect(wrong.stderr).toContain("Say which chunks")
    }
    const unknown = await home.run(["embed", "no/such", "--url", brain.url])
    expect(unknown).toMatchObject({
      code: 1,
      stdout: "",
      stderr: 'gbrain: There is no page "no/such" in default.\n'
    })
    const status = await home.run(["status", "--url", brain.url])
    expect(status.stdout).toContain("50 chunks, 50 without a vector (gbrain embed --stale)")
  })
})
