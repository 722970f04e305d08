import { spawn } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@effect/vitest"
import { type CliHome, cliHome, until } from "../support/cli.ts"
import { wellBehaved } from "../support/stand-in/behaviour.ts"
import { type StandIn, startStandIn } from "../support/stand-in/server.ts"

const secret = "sk-very-secret"

const chat = (words: string) => `---
title: Ana Ruiz
type: conversation
---

**Ana Ruiz** (2024-03-05 9:14 AM): ${words}
**Ben Ito** (2024-03-05 9:15 AM): Good, then I will write it down for the others too.
**Ana Ruiz** (2024-03-05 9:16 AM): Thanks, I will be at the office in Lisbon until Friday.
`

// What a terminal would obey: colour, a new title, and the one-character form of the same introduction.
const obeyed = "\u001b[31mred\u001b]0;title\u0007\u009b2J"

describe("standard output, standard error, and signals", () => {
  let home: CliHome
  let api: StandIn
  beforeAll(async () => {
    api = await startStandIn()
    home = await cliHome({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: secret })
    const folder = join(home.directory, "pages")
    await mkdir(folder)
    for (const name of ["one", "two", "three"]) {
      await writeFile(
        join(folder, `${name}.md`),
        chat(`I moved my desk to room ${name} ${obeyed} last week.`)
      )
    }
    await writeFile(join(folder, "broken.md"), `---\ntitle: [${obeyed}\n---\nText`)
    await home.run(["init"])
    const imported = await home.run(["import", folder])
    expect(imported.stdout).toContain("3 new")
  })
  beforeEach(() => api.behave(wellBehaved))
  afterAll(async () => {
    await home.remove()
    await api.close()
  })

  it("--json on standard output is one document, whatever is logged; progress is lines of JSON beside it", async () => {
    api.behave({
      rules: [{ endpoint: "chat", contains: "room two", fault: { kind: "status", status: 400 } }]
    })
    const run = await home.run([
      "extract-conversation-facts",
      "--json",
      "--progress-json",
      "--log-level",
      "all",
      "--workers=3"
    ])
    expect(run.code).toBe(1)
    expect(JSON.parse(run.stdout)).toMatchObject({ pages_processed: 2, pages_failed: 1 })
    expect(run.stderr).toMatch(/DEBUG.*two failed/)
    const events = run.stderr.split("\n").filter((line) => line.startsWith("{"))
    expect(events.length).toBeGreaterThan(0)
    expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ event: "progress", done: 3, total: 3, failed: 1 })
  })

  it("what pages and models say cannot steer a terminal", async () => {
    const shown = [
      await home.run(["facts"]),
      await home.run(["status"]),
      await home.run(["import", join(home.directory, "pages")]),
      await home.run(["facts", "--page", `x${obeyed}`]),
      await home.run(["import", `nowhere${obeyed}`]),
      await home.run(["extract-conversation-facts", "--source-id", `x${obeyed}`])
    ]
    expect(shown[0]?.stdout).toContain("desk")
    for (const { stderr, stdout } of shown) {
      expect(stdout + stderr).not.toMatch(/(?!\n)\p{Cc}/u)
    }
  })

  it("a key that the server repeats in its refusal is in no output", async () => {
    api.behave({
      rules: [
        {
          endpoint: "chat",
          fault: {
            kind: "status",
            status: 401,
            body: { error: { message: `Incorrect API key provided: ${secret}.`, code: "invalid_api_key" } }
          }
        }
      ]
    })
    for (const args of [[], ["--json"], ["--log-level", "all"]]) {
      const run = await home.run(["extract-conversation-facts", "--force", ...args], { GBRAIN_DEBUG: "1" })
      expect(run.code).toBe(1)
      expect(run.stdout + run.stderr).not.toContain(secret)
    }
    const status = await home.run(["status", "--json"])
    expect(status.stdout).not.toContain(secret)
  })

  const signals: ReadonlyArray<readonly [NodeJS.Signals, number]> = [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129]
  ]
  for (const [signal, code] of signals) {
    it(`${signal}, even twice, ends a run in order: requests aborted, report printed, nothing held, exit ${code}`, async () => {
      api.behave({ rules: [{ endpoint: "chat", fault: { kind: "hang" } }] })
      const before = api.stats()
      const run = home.start(["extract-conversation-facts", "--force", "--workers", "3", "--json"])
      await until(() => api.stats().inFlight >= 3)
      run.kill(signal)
      run.kill(signal)
      const ended = await run.ended
      expect({ code: ended.code, signal: ended.signal }).toEqual({ code, signal: null })
      expect(JSON.parse(ended.stdout)).toMatchObject({ status: "interrupted" })
      expect(ended.stderr).not.toContain("    at ")
      await until(() => api.stats().abortedByClient >= before.abortedByClient + 3)
      const status = JSON.parse((await home.run(["status", "--json"])).stdout)
      expect(status.leases).toEqual([])
      expect(status.runs[0]).toMatchObject({ status: "interrupted" })
    })
  }

  for (const args of ["--help", "status", "facts", "config show", "extract-conversation-facts --dry-run"]) {
    it(`gbrain ${args} ends quietly when nobody reads what it says`, async () => {
      const [code, stderr] = await new Promise<readonly [number | null, string]>((resolve, reject) => {
        const child = spawn(process.execPath, ["bin/gbrain.js", ...args.split(" ")], {
          env: { PATH: process.env["PATH"] ?? "", GBRAIN_HOME: join(home.directory, "home") },
          stdio: ["ignore", "pipe", "pipe"]
        })
        let said = ""
        child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()))
        child.once("error", reject)
        child.once("close", (ended) => resolve([ended, said]))
        child.stdout.destroy()
      })
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    })
  }
})

describe("the launcher on a Node that is too old", () => {
  let home: CliHome
  let old: ReadonlyArray<string>
  beforeAll(async () => {
    home = await cliHome()
    const preload = join(home.directory, "old.mjs")
    await writeFile(
      preload,
      'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })'
    )
    old = ["--import", preload]
    await home.run(["init"])
  })
  afterAll(() => home.remove())

  const start = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
    home.start(args, env, { nodeOptions: old })

  it("starts the newer Node that came along, with the same arguments, streams and exit code", async () => {
    expect(await start(["--version"]).ended).toEqual(await home.run(["--version"]))
    const direct = await home.run(["facts", "--limit", "a b"])
    expect(direct.code).toBe(2)
    expect(await start(["facts", "--limit", "a b"]).ended).toEqual(direct)
  })

  it("passes signals on", async () => {
    const api = await startStandIn({ rules: [{ endpoint: "chat", fault: { kind: "hang" } }] })
    const folder = join(home.directory, "pages")
    await mkdir(folder)
    await writeFile(join(folder, "one.md"), chat("I moved my desk to another room last week."))
    await home.run(["import", folder])
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143]
    ] as const) {
      const run = start(["extract-conversation-facts"], { OPENAI_BASE_URL: api.url, OPENAI_API_KEY: secret })
      await until(() => api.stats().inFlight > 0)
      run.kill(signal)
      expect((await run.ended).code).toBe(code)
    }
    await api.close()
  })
})
