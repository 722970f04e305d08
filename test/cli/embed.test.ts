/** `gbrain embed` as a person runs it, and what remains when it is stopped. */
import { mkdtemp } from "node:fs/promises"
import { join } from "node:path"
import { NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { afterAll, beforeAll, describe, expect, inject, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option, Redacted, Scope } from "effect"
import { initBrain } from "../../src/services/Brain.ts"
import { Database } from "../../src/services/Database.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { freshDatabase } from "../support/brains.ts"
import { type CliHome, cliHome, until } from "../support/cli.ts"
import { oldSpace, wrongRows } from "../support/migrations.ts"
import { type StandIn, startStandIn } from "../support/stand-in/server.ts"

/** Where a brain may be: what names it to a command, and how a test opens it while no command has it. */
const places = {
  Postgres: async (scope: Scope.Closeable) => {
    const url = await Effect.runPromise(freshDatabase.pipe(Scope.provide(scope)))
    return { where: ["--url", url], opened: Database.layerPostgres({ url: Redacted.make(url) }) }
  },
  PGlite: async (_: Scope.Closeable, home: CliHome) => {
    const directory = await mkdtemp(join(home.directory, "brain-"))
    return {
      where: ["--path", directory],
      opened: Database.layerPglite({ directory }).pipe(Layer.provide(HostProcess.layer))
    }
  }
}

/** Makes brains in a place, with so many chunks, and a way to ask them. */
const makerOf = (place: keyof typeof places) => {
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
  return async (chunks: number) => {
    const { opened, where } = await places[place](scope, home)
    const run = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof opened>>) =>
      Effect.runPromise(effect.pipe(Effect.provide(opened), Effect.provide(NodeServices.layer)))
    const query = <A extends object>(text: string) =>
      run(Effect.flatMap(PgClient.PgClient, (sql) => sql.unsafe<A>(text)))
    await run(
      Effect.gen(function* () {
        yield* initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.some(64) })
        const sql = yield* PgClient.PgClient
        yield* sql`insert into pages (slug, type, title)
          select 'notes/' || n, 'note', 'n' from generate_series(1, ${chunks}::int) n`
        yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text)
          select id, 0, 'About number ' || id from pages`
      })
    )
    const bare = async () =>
      (
        await query<{ readonly n: number }>(
          "select count(*)::int as n from content_chunks where embedding is null"
        )
      )[0]?.n
    /** Each chunk has the vector of its text, and nobody holds anything. */
    const expectWhole = async () => {
      expect(await run(wrongRows(oldSpace))).toEqual([])
      expect(await query("select id from gbrain_cycle_locks")).toEqual([])
    }
    const start = (args: ReadonlyArray<string>, api?: StandIn) =>
      home.start([...args, ...where], api === undefined ? {} : { OPENAI_BASE_URL: api.url })
    const gbrain = (args: ReadonlyArray<string>, api?: StandIn) => start(args, api).ended
    return { query, bare, expectWhole, start, gbrain }
  }
}

const kinds = [
  ["Postgres", inject("noPostgres")],
  ["PGlite", ""]
] as const

for (const [place, missing] of kinds) {
  describe.skipIf(missing !== "")(`gbrain embed, stopped, on ${place} ${missing}`, () => {
    const makeBrain = makerOf(place)

    it("kill -9 in the middle, again and again: the next run pays nothing twice but the calls in flight", async () => {
      const brain = await makeBrain(600)
      const api = await startStandIn({ embeddingLatency: 60 })
      const workers = 3
      const batch = 10
      const command = ["embed", "--stale", "--workers", String(workers), "--batch-size", String(batch)]
      let kills = 0
      for (const after of [4, 20, 35]) {
        const child = brain.start(command, api)
        await until(() => api.stats().embeddingCalls >= after)
        child.kill("SIGKILL")
        kills++
        expect((await child.ended).signal).toBe("SIGKILL")
      }
      const last = await brain.gbrain([...command, "--json"], api)
      expect(last).toMatchObject({ code: 0 })
      await brain.expectWhole()
      // A request whose answer was not yet in its place when the process died: in flight, or just come back.
      expect(api.stats().embeddingInputs).toBeLessThanOrEqual(600 + kills * workers * 2 * batch)
      await api.close()
    })

    it("Ctrl-C in the middle: exit 130 and a report; the next run pays again for the calls in flight and nothing else", async () => {
      const brain = await makeBrain(300)
      // Six requests of ten are answered, the next three hang: one for each worker.
      const api = await startStandIn({
        rules: [{ endpoint: "embeddings", after: 6, fault: { kind: "hang" } }]
      })
      const command = ["embed", "--stale", "--workers", "3", "--batch-size", "10", "--json"]
      const child = brain.start(command, api)
      await until(() => api.stats().embeddingCalls >= 9)
      child.kill("SIGINT")
      const ended = await child.ended
      expect(ended).toMatchObject({ code: 130 })
      const report = JSON.parse(ended.stdout)
      expect(report).toMatchObject({ command: "embed", status: "interrupted" })
      expect(await brain.bare()).toBe(300 - report.chunks_embedded)
      expect(await brain.query("select status from gbrain_effect.runs")).toEqual([{ status: "interrupted" }])
      expect(await brain.query("select id from gbrain_cycle_locks")).toEqual([])

      api.behave({ rules: [] })
      const last = await brain.gbrain(command, api)
      expect(last).toMatchObject({ code: 0 })
      expect(JSON.parse(last.stdout)).toMatchObject({
        status: "completed",
        chunks_embedded: 300 - report.chunks_embedded
      })
      await brain.expectWhole()
      expect(api.stats()).toMatchObject({ embeddingInputs: 330, abortedByClient: 3 })
      await api.close()
    })
  })
}

describe.skipIf(inject("noPostgres") !== "")(`gbrain embed on Postgres ${inject("noPostgres")}`, () => {
  const makeBrain = makerOf("Postgres")

  it("a source that another process has ends with 3, the other by Ctrl-C with 130; a used-up budget with 0", async () => {
    const brain = await makeBrain(300)
    // The third request hangs: the first process has the source until it is interrupted.
    const api = await startStandIn({ rules: [{ endpoint: "embeddings", after: 2, fault: { kind: "hang" } }] })
    const first = brain.start(["embed", "--stale", "--batch-size", "10", "--json"], api)
    await until(() => api.stats().embeddingCalls >= 3)
    const second = await brain.gbrain(["embed", "--stale"], api)
    expect(second).toMatchObject({ code: 3 })
    expect(second.stdout).toContain("other processes embed now")
    first.kill("SIGINT")
    const ended = await first.ended
    expect(ended.code).toBe(130)
    const report = JSON.parse(ended.stdout)
    expect(report).toMatchObject({ command: "embed", status: "interrupted", index: "kept" })
    expect(await brain.bare()).toBe(300 - report.chunks_embedded)
    api.behave({ rules: [] })
    const capped = await brain.gbrain(
      ["embed", "--stale", "--batch-size", "10", "--max-cost-usd", "0.00001"],
      api
    )
    expect(capped).toMatchObject({ code: 0 })
    expect(capped.stdout).toContain("The budget of $0.00001000 is used up")
    await api.close()
  })

  it("embeds what it is told to: a page, some pages, so many chunks, everything", async () => {
    const brain = await makeBrain(40)
    const api = await startStandIn()
    const embedded = async (...args: ReadonlyArray<string>) => {
      const ran = await brain.gbrain(["embed", ...args, "--json"], api)
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
    const dry = await brain.gbrain(["embed", "--stale", "--dry-run", "--json"])
    expect(dry.code).toBe(0)
    expect(JSON.parse(dry.stdout)).toMatchObject({ dry_run: true, chunks_to_do: 50, chunks_missing: 50 })
    for (const args of [[], ["--stale", "--all"], ["notes/1", "--stale"]]) {
      const wrong = await brain.gbrain(["embed", ...args])
      expect(wrong.code).toBe(2)
      expect(wrong.stderr).toContain("Say which chunks")
    }
    const unknown = await brain.gbrain(["embed", "no/such"])
    expect(unknown).toMatchObject({
      code: 2,
      stdout: "",
      stderr: 'gbrain: There is no page "no/such" in default.\n'
    })
    const status = await brain.gbrain(["status"])
    expect(status.stdout).toContain("50 chunks, 50 without a vector (gbrain embed --stale)")
  })
})
