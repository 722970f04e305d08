/** What the command does beside the extraction: it asks before it spends, and says how it ended. */
import { afterAll, beforeAll, describe, expect, inject, it } from "@effect/vitest"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type CliHome, cliHome } from "../support/cli.ts"
import { type CommandBrains, commandBrains } from "../support/commandBrains.ts"
import { conversation } from "../support/extraction.ts"
import { type StandIn, startStandIn } from "../support/stand-in/server.ts"

const command = "extract-conversation-facts"

describe("extract-conversation-facts at a terminal", () => {
  let home: CliHome
  let api: StandIn
  beforeAll(async () => {
    api = await startStandIn()
    home = await cliHome({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test", TERM: "xterm" })
    const folder = join(home.directory, "pages")
    await mkdir(folder)
    await writeFile(join(folder, "one.md"), `---\ntype: conversation\n---\n${conversation("lease", 2)}`)
    await home.run(["init"])
    await home.run(["import", folder])
  })
  afterAll(async () => {
    await home.remove()
    await api.close()
  })

  it("shows the plan and asks before it spends; no is no, and nothing was done", async () => {
    const no = await home.run([command], {}, { terminal: { when: "Spend up to $5", keys: "n\r" } })
    expect(no.stdout).toContain("1 conversation page to do, 1 question to openai:gpt-4.1-mini")
    expect(no.stdout).toContain("Nothing was done.")
    expect(no.code).toBe(1)
    expect(api.stats().requests).toBe(0)
  })

  it("a page of another type is named, in plain words", async () => {
    const other = await home.run([command, "--slug", "one", "--types", "slack"])
    expect(other.stdout).toContain("There is no page one of the type slack here.")
    expect(other.stdout).not.toContain("gbrain import")
    expect(other.code).toBe(0)
  })

  it("--yes asks nothing, and so does a brain with nothing to ask about", async () => {
    const nobody = { terminal: { when: "Spend up to", keys: "n\r" } }
    const yes = await home.run([command, "--yes"], {}, nobody)
    expect(yes.stdout).toContain("2 facts from 1 page")
    expect(yes.stdout).not.toContain("Spend up to")
    expect(yes.code).toBe(0)
    const again = await home.run([command], {}, nobody)
    expect(again.stdout).not.toContain("Spend up to")
    expect(again.code).toBe(0)
    expect(api.stats().chatCalls).toBe(1)
  })
})

describe.skipIf(inject("noPostgres") !== "")(`beside other processes ${inject("noPostgres")}`, () => {
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

  it("code 3, and who holds what, when a page is left to another machine", async () => {
    const brain = await brains.make(3)
    const api = await startStandIn()
    await brain.query(`insert into gbrain_cycle_locks (id, holder_pid, holder_host, ttl_expires_at, last_refreshed_at)
      values ('extract-conversation-facts:default:chats/1', 4711, 'another-machine', now() + interval '1 hour', now())`)
    const run = () => home.run([command, "--json", "--url", brain.url], { OPENAI_BASE_URL: api.url })
    const left = await run()
    expect(left.code).toBe(3)
    expect(JSON.parse(left.stdout)).toMatchObject({
      status: "incomplete",
      pages_processed: 2,
      pages_lock_skipped: 1,
      held: [{ item: "chats/1", reason: expect.stringMatching(/4711.*another-machine/) }]
    })
    await brain.query("delete from gbrain_cycle_locks")
    expect((await run()).code).toBe(0)
    await brain.expectWhole(3)
    await api.close()
  })
})
