/** Work that is handed over with `--background`: who does it, what is seen of it, and what becomes of it when somebody dies. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, inject, it } from "@effect/vitest"
import { type CliHome, cliHome, type CliProcess, until } from "../support/cli.ts"
import { type CommandBrains, commandBrains } from "../support/commandBrains.ts"
import { conversation } from "../support/extraction.ts"
import { type StandIn, startStandIn } from "../support/stand-in/server.ts"
import { startTcpProxy } from "../support/tcpProxy.ts"

const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const handedOver = (stdout: string) => {
  const { jobs, runners } = JSON.parse(stdout)
  return { id: Number(jobs[0].id), pid: Number(runners[0]?.pid) }
}

describe("jobs of an embedded brain", () => {
  let home: CliHome
  let api: StandIn
  const pages = 12
  const run = (...args: ReadonlyArray<string>) => home.run(args, { OPENAI_BASE_URL: api.url })

  beforeAll(async () => {
    home = await cliHome({ OPENAI_API_KEY: "sk-test" })
    api = await startStandIn({ chatLatency: 400 })
    const notes = join(home.directory, "notes")
    await mkdir(notes)
    for (let index = 0; index < pages; index++) {
      const head = `---\ntype: conversation\ntitle: Chat ${index}\n---\n\n`
      await writeFile(join(notes, `chat-${index}.md`), head + conversation(`c${index}`, 2, 2))
    }
    expect((await run("init")).code).toBe(0)
    expect((await run("import", notes)).code).toBe(0)
  }, 120_000)
  afterAll(async () => {
    await api.close()
    await home.remove()
  })

  it("are done by a process of their own, which answers meanwhile and ends when nothing is left (B12)", async () => {
    // Slow enough that it goes on while it is looked at.
    api.behave({ chatLatency: 10_000 })
    const begun = await run("extract-conversation-facts", "--workers", "2", "--background", "--json")
    expect(begun).toMatchObject({ code: 0 })
    const { id, pid } = handedOver(begun.stdout)
    expect(isThere(pid)).toBe(true)

    const listed = JSON.parse((await run("jobs", "list", "--json")).stdout)
    expect(listed.jobs).toEqual([
      expect.objectContaining({
        id,
        status: "running",
        workers: "2",
        pid,
        command: "extract-conversation-facts"
      })
    ])
    const words = await run("jobs", "list")
    expect(words.stdout).toContain(`process ${pid}`)
    const other = await run("status")
    expect(other.code).toBe(1)
    expect(other.stderr).toContain(`pid ${pid}`)
    expect(other.stderr).toContain("gbrain jobs list")

    const again = handedOver(
      (await run("extract-conversation-facts", "--workers", "2", "--background", "--json")).stdout
    )
    expect(again).toEqual({ id, pid })
    const unknown = await run("extract-conversation-facts", "--source-id", "nowhere", "--background")
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toContain("nowhere")

    const following = home.start(["jobs", "follow", String(id)], { OPENAI_BASE_URL: api.url })
    await until(() => /\d+ of 12 pages/.test(following.stderr()))
    api.behave({ chatLatency: 300 })
    const followed = await following.ended
    expect(followed).toMatchObject({ code: 0 })
    expect(followed.stdout).toContain(`${pages * 4} facts from ${pages} pages`)
    await until(() => !isThere(pid))
    const shown = JSON.parse((await run("jobs", "get", String(id), "--json")).stdout)
    expect(shown).toMatchObject({
      status: "completed",
      taken: 1,
      report: { pages_processed: pages, facts_inserted: pages * 4 }
    })
    expect(JSON.parse((await run("status", "--json")).stdout)).toMatchObject({ facts: pages * 4, leases: [] })
  }, 180_000)

  it("are stopped on request, and what was paid for is kept", async () => {
    const force = ["extract-conversation-facts", "--force", "--workers", "2"]
    api.behave({ chatLatency: 5000 })
    const { id, pid } = handedOver((await run(...force, "--background", "--json")).stdout)
    const calls = api.stats().chatCalls
    await until(() => api.stats().chatCalls > calls + 2)
    const cancelled = await run("jobs", "cancel", String(id))
    expect(cancelled).toMatchObject({ code: 0 })
    await until(() => !isThere(pid))
    expect(JSON.parse((await run("jobs", "get", String(id), "--json")).stdout)).toMatchObject({
      status: "cancelled",
      report: { status: "interrupted" }
    })
    api.behave({ chatLatency: 50 })
    const before = api.stats().chatCalls
    expect((await run("extract-conversation-facts", "--workers", "2")).code).toBe(0)
    expect(api.stats().chatCalls - before).toBeLessThan(pages * 2)
  }, 180_000)

  it("handed over by two at once, with nobody to work on them: one process does both", async () => {
    api.behave({ chatLatency: 100 })
    const ask = (slug: string) =>
      run("extract-conversation-facts", "--slug", slug, "--force", "--background", "--json")
    const both = await Promise.all([ask("chat-2"), ask("chat-3")])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    const [one, two] = both.map(({ stdout }) => handedOver(stdout))
    expect(one?.id).not.toBe(two?.id)
    for (const job of [one, two]) {
      const followed = await run("jobs", "follow", String(job?.id))
      expect(followed).toMatchObject({ code: 0, stdout: expect.stringContaining("completed") })
    }
    // While it is there it takes what is handed over next, with the key that it was started with.
    await until(() => ![one, two].some((job) => isThere(Number(job?.pid))))
  }, 180_000)

  it("that cannot be done fail where they are looked at", async () => {
    const env = { OPENAI_API_KEY: "", OPENAI_BASE_URL: "", ANTHROPIC_API_KEY: "" }
    const ended = await home.run(
      ["extract-conversation-facts", "--slug", "chat-1", "--force", "--background", "--follow"],
      env
    )
    expect(ended.code).toBe(1)
    expect(ended.stdout).toContain("failed")
    expect(ended.stdout).toContain("OPENAI_API_KEY")
    expect(ended.stdout + ended.stderr).not.toContain("    at ")
  }, 180_000)

  it("flags that contradict each other, and jobs that are not there, are told", async () => {
    const follow = await run("extract-conversation-facts", "--follow")
    expect(follow).toMatchObject({ code: 2 })
    expect(follow.stderr).toContain("--background")
    const dry = await run("extract-conversation-facts", "--background", "--dry-run")
    expect(dry).toMatchObject({ code: 2 })
    const none = await run("jobs", "get", "4711")
    expect(none).toMatchObject({ code: 2, stdout: "" })
    expect(none.stderr).toContain("There is no job 4711")
    expect(await run("jobs", "list")).toMatchObject({ code: 0, stdout: "" })
  }, 120_000)
})

describe.skipIf(inject("noPostgres") !== "")(`jobs on Postgres ${inject("noPostgres")}`, () => {
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
  const untilWorking = (processes: number, env: Readonly<Record<string, string>>) =>
    until(async () => {
      const { runners } = JSON.parse((await home.run(["jobs", "list", "--json"], env)).stdout)
      return runners.length === processes
    })

  it("are done by a process that is started for them, when nobody works on jobs", async () => {
    const brain = await brains.make(20)
    const api = await startStandIn({ chatLatency: 50 })
    const env = { GBRAIN_DATABASE_URL: brain.url, OPENAI_BASE_URL: api.url }
    const done = await home.run(
      ["extract-conversation-facts", "--workers", "5", "--background", "--follow", "--json"],
      env
    )
    expect(done).toMatchObject({ code: 0 })
    expect(JSON.parse(done.stdout).jobs).toEqual([
      expect.objectContaining({
        id: 1,
        status: "completed",
        report: expect.objectContaining({ facts_inserted: 80, pages_processed: 20 })
      })
    ])
    const pid = Number(/Started process (\d+)/.exec(done.stderr)?.[1])
    await until(() => !isThere(pid))
    await brain.expectWhole(20)
    await api.close()
  }, 120_000)

  it("go on in another process when theirs is killed: no fact twice, none missing, nothing that was answered paid twice", async () => {
    const brain = await brains.make()
    const api = await startStandIn({ chatLatency: 1000 })
    const env = { GBRAIN_DATABASE_URL: brain.url, OPENAI_BASE_URL: api.url }
    const workers: ReadonlyArray<CliProcess> = [1, 2].map(() => home.start(["jobs", "work"], env))
    await untilWorking(2, env)
    const begun = await home.run(
      ["extract-conversation-facts", "--workers", "4", "--background", "--json"],
      env
    )
    expect(begun).toMatchObject({ code: 0 })
    const { id } = handedOver(begun.stdout)
    await until(() => api.stats().chatCalls > 12)
    const listed = JSON.parse((await home.run(["jobs", "list", "--json"], env)).stdout)
    const victim = Number(listed.jobs[0].pid)
    const [killed, other] = [...workers].sort((a) => (a.pid === victim ? -1 : 1))
    expect(killed?.pid).toBe(victim)
    killed?.kill("SIGKILL")
    expect((await killed?.ended)?.signal).toBe("SIGKILL")
    api.behave({ chatLatency: 50 })

    const followed = await home.run(["jobs", "follow", String(id), "--json"], env)
    expect(followed).toMatchObject({ code: 0 })
    expect(JSON.parse(followed.stdout).jobs).toEqual([
      expect.objectContaining({ id, status: "completed", taken: 2, pid: other?.pid })
    ])
    await brain.expectWhole(undefined, [victim])
    const answered = api.log().filter((it) => it.endpoint === "chat" && it.outcome === "answered")
    // An answer that was on its way to whoever was killed is asked for again.
    expect(answered.length - new Set(answered.map(({ text }) => text)).size).toBeLessThanOrEqual(4)

    other?.kill("SIGTERM")
    expect((await other?.ended)?.code).toBe(143)
    await api.close()
  }, 180_000)

  it("outlive a database that is gone for ten seconds", async () => {
    const brain = await brains.make(16)
    const api = await startStandIn({ chatLatency: 300 })
    const url = new URL(brain.url)
    const proxy = await startTcpProxy(url.hostname, Number(url.port === "" ? "5432" : url.port))
    url.host = `127.0.0.1:${proxy.port}`
    const through = { GBRAIN_DATABASE_URL: url.href, OPENAI_BASE_URL: api.url }
    const runner = home.start(["jobs", "work"], through)
    const direct = { ...through, GBRAIN_DATABASE_URL: brain.url }
    await untilWorking(1, direct)
    const begun = await home.run(
      ["extract-conversation-facts", "--workers", "4", "--background", "--json"],
      direct
    )
    const { id } = handedOver(begun.stdout)
    await until(() => api.stats().chatCalls > 8)
    proxy.cut()
    await sleep(10_000)
    proxy.mend()
    const followed = await home.run(["jobs", "follow", String(id), "--json"], direct)
    expect(JSON.parse(followed.stdout).jobs).toEqual([
      expect.objectContaining({ id, status: "completed", taken: 1 })
    ])
    await brain.expectWhole(16)
    expect(api.stats().chatCalls).toBe(32)
    runner.kill("SIGTERM")
    expect((await runner.ended).code).toBe(143)
    await proxy.close()
    await api.close()
  }, 180_000)

  it("a process that is told to stop gives its jobs back at once; they wait, and the next one does them", async () => {
    const brain = await brains.make()
    const api = await startStandIn({ chatLatency: 1000 })
    const env = { GBRAIN_DATABASE_URL: brain.url, OPENAI_BASE_URL: api.url }
    const first = home.start(["jobs", "work"], env)
    await until(() => first.stderr().includes("Working on jobs"))
    await untilWorking(1, env)
    const begun = await home.run(
      ["extract-conversation-facts", "--workers", "4", "--background", "--json"],
      env
    )
    const { id, pid } = handedOver(begun.stdout)
    expect(pid).toBe(first.pid)
    await until(() => api.stats().chatCalls > 12)
    first.kill("SIGINT")
    expect((await first.ended).code).toBe(130)
    await until(() => api.stats().inFlight === 0)
    expect(api.stats().abortedByClient).toBeGreaterThan(0)
    api.behave({ chatLatency: 50 })
    const waiting = await home.run(["jobs", "list"], env)
    expect(waiting.stdout).toContain("waiting")
    expect(waiting.stderr).toContain("gbrain jobs work")
    expect((await home.run(["jobs", "work", "--until-idle"], env)).code).toBe(0)
    expect(JSON.parse((await home.run(["jobs", "get", String(id), "--json"], env)).stdout)).toMatchObject({
      status: "completed",
      taken: 2,
      deaths: 0
    })
    await brain.expectWhole()
    await api.close()
  }, 180_000)
})
