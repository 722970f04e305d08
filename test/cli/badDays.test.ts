/**
 * Bad days that must end well, through the command as a person runs it, against a server that misbehaves. Crashes, signals,
 * keys and quotas have files of their own: `crash.test.ts`, `streams.test.ts`, `brain.test.ts`, `diskFull.test.ts`.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "@effect/vitest"
import { type CliHome, cliHome, until } from "../support/cli.ts"
import { type CommandBrain, type CommandBrains, commandBrains } from "../support/commandBrains.ts"
import { conversation } from "../support/extraction.ts"
import { type Fault, wellBehaved } from "../support/stand-in/behaviour.ts"
import { type StandIn, startStandIn } from "../support/stand-in/server.ts"
import { startTcpProxy } from "../support/tcpProxy.ts"

describe.skipIf(inject("noPostgres") !== "")(`bad days ${inject("noPostgres")}`, { timeout: 300_000 }, () => {
  let brains: CommandBrains
  let home: CliHome
  let api: StandIn
  beforeAll(async () => {
    brains = await commandBrains()
    api = await startStandIn()
    home = await cliHome({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test" })
  })
  beforeEach(() => api.behave({ ...wellBehaved, rules: [] }))
  afterAll(async () => {
    await home.remove()
    await api.close()
    await brains.close()
  })

  const command = (brain: CommandBrain, ...more: ReadonlyArray<string>) => [
    "extract-conversation-facts",
    "--workers",
    "4",
    "--json",
    "--url",
    brain.url,
    ...more
  ]
  const run = async (brain: CommandBrain, env: Readonly<Record<string, string>> = {}) => {
    const { code, stderr, stdout } = await home.run(command(brain), env)
    expect(stderr).not.toContain("    at ")
    return { code, stderr, report: JSON.parse(stdout === "" ? "null" : stdout) }
  }
  const facts = (brain: CommandBrain) =>
    brain.query<{ fact: string; page: string; bare: boolean }>(
      `select fact, source_markdown_slug as page, embedding is null as bare from facts
       where source = 'cli:extract-conversation-facts' order by page, row_num`
    )
  const chatTo = (topic: string, fault: Fault, times?: number) => ({
    endpoint: "chat" as const,
    contains: `the ${topic} contract`,
    fault,
    ...(times === undefined ? {} : { times })
  })

  it("no key: one line that names the variable, before anything is done", async () => {
    const brain = await brains.make(2)
    const before = api.stats().requests
    const result = await run(brain, { OPENAI_API_KEY: "", OPENAI_BASE_URL: "" })
    expect(result).toMatchObject({ code: 1, report: null })
    expect(result.stderr.trim().split("\n")).toEqual([
      "gbrain: No key for openai:gpt-4.1-mini: set OPENAI_API_KEY, or OPENAI_BASE_URL for a compatible server that needs none."
    ])
    expect(api.stats().requests).toBe(before)
    expect(await facts(brain)).toEqual([])
  })

  it("500s without end: the page is named and left, the others are done, and the next run goes on", async () => {
    const brain = await brains.make(4)
    api.behave({ rules: [chatTo("c2", { kind: "status", status: 500 })] })
    const first = await run(brain)
    expect(first).toMatchObject({ code: 1, report: { pages_processed: 3, pages_failed: 1 } })
    expect(first.report.failures[0]).toMatchObject({
      item: "chats/2",
      reason: expect.stringContaining("500")
    })
    api.behave({ rules: [] })
    expect(await run(brain)).toMatchObject({ code: 0, report: { pages_processed: 1 } })
    await brain.expectWhole(4)
  })

  it("a server that hangs is given up after GBRAIN_AI_CHAT_TIMEOUT_MS, and asked again", async () => {
    const brain = await brains.make(2)
    api.behave({ rules: [{ endpoint: "chat", times: 1, fault: { kind: "hang" } }] })
    expect(await run(brain, { GBRAIN_AI_CHAT_TIMEOUT_MS: "1500" })).toMatchObject({
      code: 0,
      report: { status: "completed", retries: 1 }
    })
    await brain.expectWhole(2)
    const wrong = await run(brain, { GBRAIN_AI_CHAT_TIMEOUT_MS: "soon" })
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('"soon"') })
  })

  it("JSON cut in half, a refusal, a filter: asked once more where that helps, named, the rest kept, and mended later", async () => {
    const brain = await brains.make(5)
    const half = '{"facts":[{"fact":"Ana signed the contract","kind":"ev'
    api.behave({
      rules: [
        chatTo("c0", { kind: "content", content: half }, 1),
        chatTo("c1", { kind: "content", content: half }),
        chatTo("c2", { kind: "refusal" }),
        chatTo("c3", { kind: "filter" })
      ]
    })
    const first = await run(brain)
    expect(first).toMatchObject({ code: 1, report: { pages_processed: 2, pages_failed: 3 } })
    expect(first.report.failures.map((failure: { item: string }) => failure.item).sort()).toEqual([
      "chats/1",
      "chats/2",
      "chats/3"
    ])
    api.behave({ rules: [] })
    expect((await run(brain)).code).toBe(0)
    await brain.expectWhole(5)
  })

  it("wrong types, a thousand facts, characters that no database keeps: what makes sense is kept", async () => {
    const brain = await brains.make(0)
    await brain.put(
      ["odd", "many", "zero"].map((topic) => ({ slug: `chats/${topic}`, body: conversation(topic, 2) }))
    )
    const odd = {
      fact: "Ana moved",
      kind: "rumour",
      entity: 7,
      confidence: "high",
      value: [],
      messages: "no"
    }
    api.behave({
      rules: [
        chatTo("odd", {
          kind: "content",
          content: JSON.stringify({ facts: [odd, 7, null, { nothing: true }] })
        }),
        chatTo("many", { kind: "thousand-facts" }),
        chatTo("zero", {
          kind: "content",
          content: '{"facts":[{"fact":"Ana\\u0000 sold\\ud800 it","kind":"event","entity":"A\\u0000na"}]}'
        })
      ]
    })
    expect(await run(brain)).toMatchObject({ code: 0, report: { pages_processed: 3 } })
    const kept = await facts(brain)
    expect(kept.filter((row) => row.page === "chats/many")).toHaveLength(10)
    expect(kept.find((row) => row.page === "chats/odd")?.fact).toBe("Ana moved")
    expect(kept.find((row) => row.page === "chats/zero")?.fact).toBe("Ana sold\ufffd it")
  })

  it("a page edited and another deleted while they are read: nothing stale is written", async () => {
    const brain = await brains.make(2)
    api.behave({ chatLatency: 600 })
    const before = api.stats().chatCalls
    const running = home.start(command(brain))
    await until(() => api.stats().chatCalls >= before + 4)
    await brain.put([{ slug: "chats/0", body: conversation("later", 2) }])
    await brain.query("update pages set deleted_at = now() where slug = 'chats/1'")
    const ended = await running.ended
    expect(ended.code).toBe(0)
    expect(JSON.parse(ended.stdout)).toMatchObject({ pages_processed: 1, pages_skipped_disappeared: 1 })
    const kept = await facts(brain)
    expect(kept).toHaveLength(2)
    expect(kept.every((row) => row.page === "chats/0" && row.fact.includes("the later contract"))).toBe(true)
  })

  it("a page of 30 MB is left with a word; one message of 50,000 characters is read to its last word", async () => {
    const brain = await brains.make(0)
    const words = Array.from({ length: 6_000 }, (_, index) => `w${index}`).join(" ")
    const folder = join(home.directory, "large")
    await mkdir(folder, { recursive: true })
    const page = (body: string) => `---\ntype: conversation\n---\n\n${body}`
    await writeFile(
      join(folder, "huge.md"),
      page(
        "**Ana Ruiz** (2025-02-03 09:00): The cabin is booked and the key is under the stone.\n".repeat(
          360_000
        )
      )
    )
    await writeFile(
      join(folder, "long.md"),
      page(`**Ana Ruiz** (2025-02-03 09:00): I counted ${words}${" and so on".repeat(1_500)} in the end`)
    )
    expect((await home.run(["import", folder, "--url", brain.url])).code).toBe(0)
    const logged = api.log().length
    const result = await run(brain)
    expect(result).toMatchObject({ code: 0, report: { pages_processed: 1, pages_skipped_too_large: 1 } })
    expect(result.report.warnings[0]).toMatchObject({
      item: "huge",
      reason: expect.stringContaining("split it")
    })
    const asked = api
      .log()
      .slice(logged)
      .flatMap((entry) => (entry.endpoint === "chat" ? [entry.text] : []))
      .join("\n")
    const read = new Set(asked.split(/\s+/))
    expect(
      Array.from({ length: 6_000 }, (_, index) => `w${index}`).filter((word) => !read.has(word))
    ).toEqual([])
    expect(asked).toContain("in the end")
  })

  it("embeddings with a refusal for good: no fact without its vector, said, exit 1, mended by the next run for nothing more", async () => {
    const brain = await brains.make(2)
    api.behave({ rules: [{ endpoint: "embeddings", fault: { kind: "status", status: 400 } }] })
    const first = await run(brain)
    expect(first).toMatchObject({ code: 1, report: { pages_failed: 2, facts_inserted: 0 } })
    expect(await facts(brain)).toEqual([])
    const asked = api.stats().chatCalls
    api.behave({ rules: [] })
    expect((await run(brain)).code).toBe(0)
    expect(api.stats().chatCalls).toBe(asked)
    await brain.expectWhole(2)
    expect((await facts(brain)).some((row) => row.bare)).toBe(false)
  })

  it("embeddings with a wrong width stop the run, exit 1; the next run pays for no answer of the page that met them", async () => {
    const brain = await brains.make(2)
    api.behave({ rules: [{ endpoint: "embeddings", fault: { kind: "vectors", how: "width" } }] })
    const first = await run(brain)
    expect(first).toMatchObject({
      code: 1,
      report: { status: "failed", facts_inserted: 0, stopped: expect.stringContaining("dimensions") }
    })
    expect(await facts(brain)).toEqual([])
    api.behave({ rules: [] })
    const next = await run(brain)
    expect(next.code).toBe(0)
    expect(next.report.segments_from_journal).toBeGreaterThanOrEqual(2)
    await brain.expectWhole(2)
    expect((await facts(brain)).some((row) => row.bare)).toBe(false)
  })

  for (const how of ["cut", "stall"] as const) {
    it(`a network to the database that is ${how === "cut" ? "cut" : "silent"} for ten seconds in the middle is waited for`, async () => {
      const brain = await brains.make(16)
      const url = new URL(brain.url)
      const proxy = await startTcpProxy(url.hostname, Number(url.port === "" ? "5432" : url.port))
      url.host = `127.0.0.1:${proxy.port}`
      api.behave({ chatLatency: 100 })
      const before = api.stats().chatCalls
      const running = home.start(command({ ...brain, url: url.href }))
      await until(() => api.stats().chatCalls >= before + 10)
      proxy[how]()
      await sleep(10_000)
      proxy.mend()
      const ended = await running.ended
      expect(ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining("    at ") })
      expect(JSON.parse(ended.stdout)).toMatchObject({ status: "completed" })
      await brain.expectWhole(16)
      expect(api.stats().chatCalls - before).toBe(32)
      await proxy.close()
    })
  }

  it("two processes started at once on a brain that only gbrain has seen", async () => {
    const brain = await brains.make(10)
    await brain.query("drop schema gbrain_effect cascade")
    api.behave({ chatLatency: 50 })
    const before = api.stats().chatCalls
    const results = await Promise.all([run(brain), run(brain)])
    expect(results.every(({ code }) => code === 0 || code === 3)).toBe(true)
    await brain.expectWhole(10)
    expect(api.stats().chatCalls - before).toBe(20)
  })

  it("B1: a dry run works where nothing may be written", async () => {
    const brain = await brains.make(3)
    await brain.query("drop schema gbrain_effect cascade")
    await brain.query(
      `alter database "${new URL(brain.url).pathname.slice(1)}" set default_transaction_read_only = on`
    )
    const result = await home.run(command(brain, "--dry-run"), { OPENAI_API_KEY: "", OPENAI_BASE_URL: "" })
    expect(result).toMatchObject({ code: 0, stderr: "" })
    expect(JSON.parse(result.stdout)).toMatchObject({ pages_to_do: 3, questions: 6 })
  })

  it("a terminal that closes: nobody hears, everything is given back, exit 129", async () => {
    const brain = await brains.make(3)
    api.behave({ rules: [{ endpoint: "chat", fault: { kind: "hang" } }] })
    const child = spawn(process.execPath, ["bin/gbrain.js", ...command(brain, "--progress-json")], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", GBRAIN_HOME: home.directory, OPENAI_BASE_URL: api.url }
    })
    const ended = once(child, "exit")
    await until(() => api.stats().inFlight >= 4)
    child.stdout.destroy()
    child.stderr.destroy()
    child.kill("SIGHUP")
    expect((await ended)[0]).toBe(129)
    await until(() => api.stats().inFlight === 0)
    expect(await brain.query("select 1 as one from gbrain_cycle_locks")).toEqual([])
  })

  it("both streams piped into head: the work is done, nothing is held, no complaint", async () => {
    const brain = await brains.make(3)
    api.behave({ chatLatency: 300 })
    const shell = `"${process.execPath}" bin/gbrain.js ${command(brain, "--progress-json").join(" ")} 2>&1 | head -n 1; echo "\${PIPESTATUS[0]}"`
    const child = spawn("bash", ["-c", shell], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", GBRAIN_HOME: home.directory, OPENAI_BASE_URL: api.url }
    })
    let out = ""
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()))
    await once(child, "close")
    expect(out.trim().split("\n").at(-1)).toBe("0")
    expect(await brain.query("select 1 as one from gbrain_cycle_locks")).toEqual([])
    expect((await run(brain)).code).toBe(0)
    await brain.expectWhole(3)
  })
})
