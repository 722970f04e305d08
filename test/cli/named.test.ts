/** What is named on a command line and is not there, or cannot be: exit 2, one line, and nothing was done. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, inject, it } from "@effect/vitest"
import { type CliHome, cliHome } from "../support/cli.ts"
import { type CommandBrain, type CommandBrains, commandBrains } from "../support/commandBrains.ts"
import { conversation } from "../support/extraction.ts"
import { type StandIn, startStandIn } from "../support/stand-in/server.ts"

const name = `what is named and is not there ${inject("noPostgres")}`

describe.skipIf(inject("noPostgres") !== "")(name, { timeout: 120_000 }, () => {
  let brains: CommandBrains
  let brain: CommandBrain
  let home: CliHome
  let api: StandIn
  let folder: string
  let server: Readonly<Record<string, string>>
  beforeAll(async () => {
    brains = await commandBrains()
    brain = await brains.make(0)
    api = await startStandIn()
    server = { OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test" }
    home = await cliHome({ GBRAIN_DATABASE_URL: brain.url })
    folder = join(home.directory, "pages")
    await mkdir(folder)
    await writeFile(join(folder, "single.md"), "A page.")
    await brain.query(
      "insert into sources (id, name) values ('work', 'work'), ('empty', 'empty'), ('single', 'single')"
    )
    await brain.put([
      { slug: "one", body: conversation("lease", 2) },
      { slug: "two", body: conversation("boat", 2), sourceId: "work" },
      { slug: "three", body: conversation("mast", 2), sourceId: "work" }
    ])
    await brain.query("update pages set deleted_at = now() where slug = 'three'")
  }, 120_000)
  afterAll(async () => {
    await home.remove()
    await api.close()
    await brains.close()
  })

  const refused = async (args: ReadonlyArray<string>, says: string) => {
    const result = await home.run(args)
    expect({ args, ...result }).toMatchObject({ code: 2, stdout: "" })
    expect(result.stderr).toMatch(/^gbrain: [^\n]+\n$/)
    expect(result.stderr).toContain(says)
  }

  it.each([
    "extract all --source-id zzz",
    "extract-conversation-facts --source-id zzz",
    "extract-conversation-facts --source-id zzz --dry-run",
    "embed --stale --source-id zzz",
    "reindex --markdown --source-id zzz",
    "reindex --multimodal --source-id zzz",
    "reindex-code --source-id zzz",
    "reindex-frontmatter --source zzz",
    "edges-backfill --source zzz",
    "import FOLDER --source-id zzz",
    "search boat --source-id zzz",
    "query boat --source-id zzz",
    "facts --source-id zzz",
    "links one --source-id zzz",
    "backlinks one --source-id zzz",
    "graph one --source-id zzz",
    "timeline one --source-id zzz",
    "code-callers boat --source zzz",
    "sources remove zzz"
  ])("a source: gbrain %s", async (command) => {
    const args = command.split(" ").map((word) => (word === "FOLDER" ? folder : word))
    await refused(args, 'There is no source "zzz". Known: default, empty, single, work.')
  })

  it.each([
    ["facts --query %", "Say what to look for"],
    ["migrate embeddings", "Say to which model"],
    ["migrate embeddings --dry-run", "Say to which model"],
    ["migrate embeddings --to openai:my-own", "Say it with --dimensions N"],
    [
      "migrate embeddings --to openai:text-embedding-3-small --dimensions 3072",
      "makes vectors of 1 to 1536 dimensions, not of 3072"
    ]
  ])("what cannot be: gbrain %s", (command, says) => refused(command.split(" "), says))

  it("a setting that cannot have the value keeps the one it has", async () => {
    expect((await home.run(["config", "set", "budget.daily_usd", "7"])).code).toBe(0)
    await refused(["config", "set", "budget.daily_usd", "abc"], "no amount of dollars")
    expect((await home.run(["config", "get", "budget.daily_usd"])).stdout).toBe("7\n")
  })

  it("a dry run foretells what a run would refuse, and exits 0", async () => {
    await home.run(["config", "set", "facts.extraction_enabled", "false"])
    const dry = ["extract-conversation-facts", "--dry-run", "--model", "openai:my-own"]
    const plan = JSON.parse((await home.run([...dry, "--json"])).stdout)
    expect(plan.refusals).toEqual([
      expect.stringContaining("facts.extraction_enabled"),
      expect.stringContaining("No price is known for openai:my-own")
    ])
    const words = await home.run(dry)
    expect(words.code).toBe(0)
    for (const refusal of plan.refusals) expect(words.stdout).toContain(`A run would be refused: ${refusal}`)
    const run = await home.run(
      dry.filter((word) => word !== "--dry-run"),
      server
    )
    expect({ code: run.code, says: run.stderr }).toEqual({ code: 1, says: `gbrain: ${plan.refusals[0]}\n` })
    await home.run(["config", "unset", "facts.extraction_enabled"])
    expect(JSON.parse((await home.run([...dry.slice(0, 2), "--json"])).stdout).refusals).toEqual([])
  })

  it("facts of one source, and of a page that is there", async () => {
    expect((await home.run(["extract-conversation-facts"], server)).code).toBe(0)
    const listed = async (...args: ReadonlyArray<string>) => {
      const result = await home.run(["facts", "--json", ...args])
      return JSON.parse(result.stdout).map((fact: { source: string; page: string }) => [
        fact.source,
        fact.page
      ])
    }
    const ofWork = Array.from({ length: 2 }, () => ["work", "two"])
    expect(await listed("--source-id", "work")).toEqual(ofWork)
    expect(await listed("--page", "two")).toEqual(ofWork)
    expect(await listed()).toHaveLength(4)
    const words = await home.run(["facts", "--source-id", "work"])
    expect(words.stdout).toContain("boat")
    expect(words.stdout).not.toContain("lease")
    expect((await home.run(["facts", "--source-id", "empty"])).stderr).toContain(
      "Nothing is known in the source empty."
    )
  })

  it("with --force finished pages are to do again", async () => {
    const plan = async (...args: ReadonlyArray<string>) =>
      JSON.parse((await home.run(["extract-conversation-facts", "--dry-run", "--json", ...args])).stdout)
    expect(await plan()).toMatchObject({ pages_considered: 2, pages_done: 2, pages_to_do: 0 })
    expect(await plan("--force")).toMatchObject({ pages_considered: 2, pages_done: 0, pages_to_do: 2 })
  })

  it("a page, never there or deleted; no key is needed to say so", async () => {
    const commands = [
      ["facts", "--page"],
      ["extract-conversation-facts", "--slug"],
      ["extract-conversation-facts", "--dry-run", "--slug"],
      ["extract-conversation-facts", "--force", "--slug"]
    ]
    for (const args of commands) await refused([...args, "nope"], "There is no page nope")
    for (const args of commands)
      await refused([...args, "two", "--source-id", "default"], "There is no page two in")
    for (const args of commands) await refused([...args, "three"], "There is no page three")
  })

  it("counts of one are in the singular", async () => {
    const imported = await home.run(["import", folder, "--source", "single"])
    expect(imported.stdout).toContain("Imported 1 file from")
    expect(imported.stdout).toContain("; 1 chunk, 0 links and 0 timeline entries written")
    const asked = await home.run(["sources", "remove", "single"])
    expect(asked.stderr).toContain("has 1 page. It goes, and what was derived from it")
    expect((await home.run(["sources", "remove", "single", "--yes"])).stdout).toContain("with its 1 page ")
  })
})
