import { mkdir, rename, rm, writeFile } from "node:fs/promises"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { type CliHome, cliHome, until } from "../support/cli.ts"
import { startStandIn, type StandIn } from "../support/stand-in/server.ts"

const example = fileURLToPath(new URL("../../examples/brain", import.meta.url))

describe("a brain from the command line", () => {
  let home: CliHome
  let foretold = 0
  let api: StandIn
  beforeAll(async () => {
    api = await startStandIn()
    home = await cliHome({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-very-secret" })
    await home.run(["init"])
  })
  afterAll(async () => {
    await home.remove()
    await api.close()
  })

  it("imports the example, and again for nothing", async () => {
    const first = JSON.parse((await home.run(["import", example, "--json", "--workers", "4"])).stdout)
    expect(first).toMatchObject({ created: 78, updated: 0, skipped: [] })
    const again = JSON.parse((await home.run(["import", example, "--json"])).stdout)
    expect(again).toMatchObject({ created: 0, updated: 0, unchanged: 78, chunks: 0 })
  })

  it("B1: a dry run needs no key, asks nobody, writes nothing, and names the pages that are no conversation", async () => {
    const before = api.stats().requests
    const result = await home.run(["extract-conversation-facts", "--dry-run", "--json"], {
      OPENAI_API_KEY: "",
      OPENAI_BASE_URL: ""
    })
    expect(result.code).toBe(0)
    const plan = JSON.parse(result.stdout)
    expect(plan).toMatchObject({ pages_considered: 45, pages_unrecognised: 1, dry_run: true })
    expect(plan.unrecognised[0].item).toBe("meetings/2024-11-05-offsite")
    expect(api.stats().requests).toBe(before)
    const status = JSON.parse((await home.run(["status", "--json"])).stdout)
    expect(status.facts).toBe(0)
    expect(status.runs.map((run: { command: string }) => run.command)).toEqual(["import", "import"])
  })

  it("says what is wrong with the question before it asks for a key", async () => {
    const result = await home.run(["extract-conversation-facts", "--source-id", "nowhere"], {
      OPENAI_API_KEY: "",
      OPENAI_BASE_URL: ""
    })
    expect({ code: result.code, says: result.stderr }).toEqual({
      code: 2,
      says: expect.stringContaining("nowhere")
    })
    expect(result.stderr).not.toContain("OPENAI_API_KEY")
  })

  it("names the model, its price and the cap before the first dollar", async () => {
    const result = await home.run([
      "extract-conversation-facts",
      "--slug",
      "people/noor-halloran",
      "--max-cost-usd",
      "2"
    ])
    expect(result.stderr).toContain(
      "Asking openai:gpt-4.1-mini at $0.40 in and $1.60 out a million tokens; at most $2.0000 will be spent."
    )
  })

  it("lists and releases leases", async () => {
    expect((await home.run(["lock", "list"])).stderr).toContain("Nothing is held.")
    const release = await home.run(["lock", "release", "extract-conversation-facts:default:a"])
    expect(release).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("gbrain lock list shows what is held")
    })
  })

  it("a run costs within a quarter of what was foretold", async () => {
    expect((await home.run(["config", "set", "budget.daily_usd", "1"])).code).toBe(0)
    const plan = JSON.parse(
      (await home.run(["extract-conversation-facts", "--dry-run", "--workers", "20", "--json"])).stdout
    )
    expect(plan).toMatchObject({ questions: 52, workers: 20, estimated_seconds: expect.any(Number) })
    foretold = plan.estimated_usd
  })

  it("extracts, shows what was learnt, where it was said and what it cost", async () => {
    const run = await home.run(["extract-conversation-facts", "--workers=20", "--json"])
    expect(run.code).toBe(0)
    const report = JSON.parse(run.stdout)
    expect(report).toMatchObject({ status: "completed", pages_processed: 44, pages_failed: 0 })
    expect(report.spent_usd).toBeGreaterThan(foretold * 0.75)
    expect(report.spent_usd).toBeLessThan(foretold * 1.25)
    expect(run.stdout + run.stderr).not.toContain("sk-very-secret")
    const facts = JSON.parse((await home.run(["facts", "--entity", "Noor Halloran", "--json"])).stdout)
    expect(facts.length).toBeGreaterThan(12)
    expect(facts[0]).toMatchObject({ entity: "people/noor-halloran", page: expect.stringContaining("/") })
    const text = await home.run(["facts", "--query", "whale"])
    expect(text.stdout).toContain("blue whale")
    expect((await home.run(["facts", "--page", "conversations/2024-03-messages-maja"])).stdout).toContain(
      "early ferry"
    )
    const status = JSON.parse((await home.run(["status", "--json"])).stdout)
    expect(status).toMatchObject({ conversations: { complete: 44, not_applicable: 1, to_do: 0 }, leases: [] })
    expect(status.spending).toEqual({
      today_usd: report.spent_usd,
      this_month_usd: report.spent_usd,
      daily_cap_usd: 1,
      monthly_cap_usd: null
    })
    expect(status.runs[0]).toMatchObject({
      command: "extract-conversation-facts",
      status: "completed",
      workers: 20
    })
  })

  it("output piped into head ends quietly", async () => {
    const child = spawn(
      "bash",
      ["-c", `"${process.execPath}" bin/gbrain.js facts --limit 500 | head -n 1; echo "\${PIPESTATUS[0]}"`],
      {
        env: { PATH: process.env["PATH"], GBRAIN_HOME: join(home.directory, "home") },
        stdio: ["ignore", "pipe", "pipe"]
      }
    )
    let out = ""
    let err = ""
    child.stdout.on("data", (chunk) => (out += chunk))
    child.stderr.on("data", (chunk) => (err += chunk))
    await once(child, "close")
    expect(out.trim().split("\n").pop()).toBe("0")
    expect(err).toBe("")
  })

  it("config and sources can be read and changed; secrets are not shown", async () => {
    await home.run(["config", "set", "facts.extraction_model", "openai:gpt-4o-mini"])
    expect((await home.run(["config", "get", "facts.extraction_model"])).stdout.trim()).toBe(
      "openai:gpt-4o-mini"
    )
    await home.run(["config", "set", "voyage_api_key", "hidden-word"])
    const shown = await home.run(["config", "show"])
    expect(shown.stdout).toContain("openai:gpt-4o-mini")
    expect(shown.stdout).not.toContain("hidden-word")
    await home.run(["config", "unset", "facts.extraction_model"])
    expect((await home.run(["config", "get", "facts.extraction_model"])).code).toBe(1)
    expect((await home.run(["sources", "add", "work", "--name", "Work"])).code).toBe(0)
    expect((await home.run(["sources", "add", "work"])).stderr).toContain("already")
    expect((await home.run(["sources", "list"])).stdout).toContain("Work")
    // Without a page in it nothing is lost.
    expect((await home.run(["sources", "remove", "work"])).code).toBe(0)
    const folder = join(home.directory, "work")
    await mkdir(folder)
    await writeFile(join(folder, "one.md"), "# One\n\nA page.\n")
    await home.run(["sources", "add", "work", "--directory", "examples"])
    expect((await home.run(["sources", "list"])).stdout).toContain(resolve("examples"))
    await home.run(["import", folder, "--source", "work"])
    const refused = await home.run(["sources", "remove", "work"])
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("has 1 page.")])
    expect((await home.run(["sources", "remove", "work", "--yes"])).stdout).toContain("with its 1 page ")
    expect((await home.run(["extract-conversation-facts", "--source-id", "work"])).stderr).toContain(
      'There is no source "work". Known: default'
    )
  })

  it("doctor is content with a brain in order, and names what is not", async () => {
    const good = JSON.parse((await home.run(["doctor", "--json"])).stdout)
    expect(good.checks.filter((check: { status: string }) => check.status === "fail")).toEqual([])
    await home.run(["config", "set", "embedding_dimensions", "1024"])
    const bad = await home.run(["doctor"])
    expect(bad.code).toBe(1)
    expect(bad.stdout).toContain("facts_embedding_width_consistency")
    expect(bad.stdout).toContain("alter table facts alter column embedding type halfvec(1024)")
    const run = await home.run(["extract-conversation-facts"])
    expect(run.code).toBe(1)
    expect(run.stderr).toContain("alter table facts alter column embedding type halfvec(1024)")
    await home.run(["config", "set", "embedding_dimensions", "1536"])
  })

  it("files that are renamed keep their page, deleted ones take it along, broken ones are named", async () => {
    const folder = join(home.directory, "notes")
    await mkdir(folder)
    await writeFile(join(folder, "a.md"), "---\ntitle: A\n---\nText of a")
    await writeFile(join(folder, "b.md"), "Text of b")
    await writeFile(join(folder, "broken.md"), "---\ntitle: [unclosed\n---\nText")
    await writeFile(join(folder, "latin1.md"), Buffer.from([0x63, 0x61, 0x66, 0xe9]))
    await writeFile(join(folder, "binary.md"), Buffer.from([0, 1, 2, 3]))
    const first = JSON.parse((await home.run(["import", folder, "--json"])).stdout)
    expect(first).toMatchObject({ created: 2 })
    expect(first.skipped.map((file: { path: string }) => file.path).sort()).toEqual([
      "binary.md",
      "broken.md",
      "latin1.md"
    ])
    await rename(join(folder, "a.md"), join(folder, "renamed.md"))
    await rm(join(folder, "b.md"))
    expect(JSON.parse((await home.run(["import", folder, "--json"])).stdout)).toMatchObject({
      renamed: 1,
      deleted: 1,
      created: 0
    })
    await rm(join(folder, "renamed.md"))
    await rm(join(folder, "broken.md"))
    await rm(join(folder, "latin1.md"))
    await rm(join(folder, "binary.md"))
    const empty = await home.run(["import", folder])
    expect(empty.code).toBe(1)
    expect(empty.stderr).toContain("Nothing was deleted")
    expect((await home.run(["import", join(home.directory, "nowhere")])).stderr).toContain("is no folder")
  })

  it("a second process on an open embedded brain is told who has it", async () => {
    const slow = await startStandIn({ chatLatency: 60_000 })
    await writeFile(join(home.directory, "x.md"), "")
    const first = home.start(["extract-conversation-facts", "--force", "--workers", "4"], {
      OPENAI_BASE_URL: slow.url
    })
    await until(() => slow.stats().chatCalls >= 4)
    const second = await home.run(["status"])
    expect(second.code).toBe(1)
    expect(second.stderr).toContain(`open in another process (pid ${first.pid}`)
    first.kill("SIGINT")
    const ended = await first.ended
    expect(ended.code).toBe(130)
    expect(ended.stdout).toContain("Interrupted")
    await until(() => slow.stats().abortedByClient >= 4)
    expect(JSON.parse((await home.run(["status", "--json"])).stdout)).toMatchObject({
      leases: [],
      facts: expect.any(Number)
    })
    await slow.close()
  })

  it("kill -9 of an embedded brain, again and again, loses nothing and doubles nothing; nor does a terminal that closes", async () => {
    const reference = await cliHome({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test" })
    const crashed = await cliHome({ OPENAI_API_KEY: "sk-test" })
    const slow = await startStandIn({ chatLatency: 60 })
    const facts = async (from: CliHome) =>
      JSON.parse((await from.run(["facts", "--limit", "9999", "--json"])).stdout)
        .map((fact: { page: string; fact: string }) => `${fact.page} ${fact.fact}`)
        .sort()
    for (const one of [reference, crashed]) {
      await one.run(["init"])
      await one.run(["import", example])
    }
    await reference.run(["extract-conversation-facts", "--workers", "10"])
    for (const [after, signal, code] of [
      [6, "SIGKILL", null],
      [20, "SIGHUP", 129],
      [33, "SIGKILL", null]
    ] as const) {
      const child = crashed.start(["extract-conversation-facts", "--workers", "4"], {
        OPENAI_BASE_URL: slow.url
      })
      await until(() => slow.stats().chatCalls >= after)
      child.kill(signal)
      expect((await child.ended).code).toBe(code)
    }
    const last = await crashed.run(["extract-conversation-facts", "--workers", "4"], {
      OPENAI_BASE_URL: slow.url
    })
    expect(last.code).toBe(0)
    expect(await facts(crashed)).toEqual(await facts(reference))
    const asked = slow.log().flatMap((entry) => (entry.endpoint === "chat" ? [entry.text] : []))
    expect(asked.length - new Set(asked).size).toBeLessThanOrEqual(3 * 4)
    await slow.close()
    await reference.remove()
    await crashed.remove()
  })
})
