import { existsSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { type CliHome, cliHome } from "../support/cli.ts"

describe("B17: wrong usage", () => {
  let home: CliHome
  beforeAll(async () => {
    home = await cliHome()
  })
  afterAll(() => home.remove())

  const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: string]> = [
    [["extract-conversation-facts", "--workers", "0"], "--workers takes a whole number from 1 up"],
    [["extract-conversation-facts", "--workers", "1.5"], "--workers takes a whole number"],
    [["extract-conversation-facts", "--concurrency=-3"], "--workers takes a whole number"],
    [["extract-conversation-facts", "--workers"], "--workers"],
    [["extract-conversation-facts", "--slug"], "--slug"],
    [["extract-conversation-facts", "--slug", ""], "--slug needs a value"],
    [["extract-conversation-facts", "--limit", "many"], "--limit takes a whole number"],
    [
      ["extract-conversation-facts", "--max-cost-usd", "0"],
      "--max-cost-usd takes an amount in dollars above zero"
    ],
    [["extract-conversation-facts", "--max-cost-usd=-1"], "--max-cost-usd takes an amount in dollars"],
    [["extract-conversation-facts", "--max-cost-usd", "five"], "--max-cost-usd takes an amount in dollars"],
    [["extract-conversation-facts", "--since", "yesterday"], "--since takes a date"],
    [["extract-conversation-facts", "--types", "conversation,poem"], "--types knows conversation, meeting"],
    [["extract-conversation-facts", "default"], "default"],
    [["extract-conversation-facts", "--bogus"], "--bogus"],
    [["extrct-conversation-facts"], "extrct-conversation-facts"],
    [["extract-conversation-facts", "--since", "2025-02-30"], "--since takes a date"],
    [["extract-conversation-facts", "--since", "2025-02-14 (about)"], "--since takes a date"],
    [["extract-conversation-facts", "--since", "2025-02-14Z"], "--since takes a date"],
    [["extract-conversation-facts", "--max-cost-usd"], "--max-cost-usd"],
    [["extract-conversation-facts", "--source-id"], "--source-id"],
    [["extract-conversation-facts", "--segment-limit", "0"], "--segment-limit takes a whole number"],
    [["extract-conversation-facts", "--types", ""], "--types knows conversation, meeting"],
    [["extract-conversation-facts", "--slug", "--force"], "--slug"],
    [["extract-conversation-facts", "--model="], "--model needs a value"],
    [["extract-conversation-facts", "--workers", "2", "--concurrency", "3"], "--workers"],
    [["extract-conversation-facts", "--json=perhaps"], "--json"],
    [["extract"], "gbrain extract links|timeline|all"],
    [["extract", "pages"], "links, timeline, all"],
    [["extract", "all", "--source", "work"], "--source takes fs or db"],
    [["extract", "all", "--workers", "0"], "--workers takes a whole number"],
    [["extract", "all", "--since", "lately"], "--since takes a date"],
    [["extract", "all", "--dir", "x", "--source", "db"], "--dir names files"],
    [["extract", "--stale", "--source", "fs"], "--stale is about what the brain has"],
    [["extract", "--stale", "--force"], "give one of them"],
    [["extract", "links", "--stale"], "--stale takes links and timeline"],
    [["extract", "all", "--catch-up"], "--catch-up goes with --stale"],
    [["extract", "all", "--dir", "x", "--force"], "leave out --force"],
    [["extract", "timeline", "--include-frontmatter"], "leave out --include-frontmatter"],
    [["links"], "slug"],
    [["graph", "a", "--depth", "0"], "--depth takes a whole number"],
    [["facts", "--limit", "0"], "--limit takes a whole number"],
    [["facts", "--entity="], "--entity needs a value"],
    [["import"], "directory"],
    [["import", "a", "b"], '"b"'],
    [["import", "a", "--workers", "many"], "--workers takes a whole number"],
    [["import", "a", "--strategy", "prose"], '--strategy takes markdown, code, all, not "prose"'],
    [["reindex-code", "--limit", "0"], "--limit takes a whole number"],
    [["config", "get"], "key"],
    [["config", "set", "key"], "value"],
    [["sources", "add", "My Notes"], "small letters, digits and inner hyphens"],
    [["init", "--embedding-dimensions", "wide"], "--embedding-dimensions takes a whole number"],
    [["init", "--embedding-model", "openai:my-own"], "say it with --embedding-dimensions N"],
    [
      ["init", "--embedding-model", "openai:text-embedding-3-small", "--embedding-dimensions", "3072"],
      "makes vectors of 1 to 1536 dimensions, not of 3072. Say another with --embedding-dimensions N."
    ],
    [["init", "--embedding-dimensions", "3072"], "makes vectors of 1 to 1536 dimensions, not of 3072"],
    [
      ["init", "--embedding-model", "openai:my-own", "--embedding-dimensions", "20000"],
      "--embedding-dimensions takes at most 16000"
    ],
    [
      ["migrate", "embeddings", "--to", "openai:my-own", "--dimensions", "20000"],
      "--dimensions takes at most 16000"
    ],
    [["config", "set", "", "x"], "the name of a setting"],
    [["config", "get", " "], "the name of a setting"],
    [["init", "--url", "postgres://x/y", "--path", "z"], "--url"],
    [["init", "--pglite", "--url", "postgres://x/y"], "--url"],
    [["status", "--url", "postgres://x/y", "--path", "z"], "--url and --path"],
    [["status", "--url", "mysql://x/y"], "--url takes a Postgres URL"],
    [["status", "--path", ""], "--path needs a value"],
    [["status", "--log-level", "loud"], "--log-level"],
    [["--completions", "tcsh"], "--completions"],
    [["statsu"], "status"]
  ]
  it("an impossible width leaves no folder behind", async () => {
    for (const model of [["--embedding-model", "openai:text-embedding-3-small"], []]) {
      const folder = join(home.directory, "new")
      const result = await home.run(["init", "--path", folder, ...model, "--embedding-dimensions", "3072"])
      expect(result).toMatchObject({ code: 2, stdout: "" })
      expect(existsSync(folder)).toBe(false)
    }
  })

  for (const [args, says] of wrong) {
    it(`gbrain ${args.join(" ")}: one message, exit 2, nothing on standard output`, async () => {
      const result = await home.run(args)
      expect(result).toMatchObject({ code: 2, stdout: "" })
      expect(result.stderr).toContain(says)
      expect(result.stderr).not.toContain("    at ")
    })
  }

  it("without a brain every command says how to make one", async () => {
    for (const command of [
      "status",
      "doctor",
      "facts",
      "extract-conversation-facts",
      "extract all",
      "links a",
      "graph a",
      "timeline a"
    ]) {
      const result = await home.run(command.split(" "))
      expect(result).toMatchObject({ code: 1, stdout: "" })
      expect(result.stderr).toContain("gbrain init")
    }
  })

  it("an address that does not answer is named without its password", async () => {
    const result = await home.run(["status", "--url", "postgres://me:secret-word@127.0.0.1:1/brain"])
    expect(result.code).toBe(1)
    expect(result.stderr).toContain("127.0.0.1:1/brain")
    expect(result.stderr).not.toContain("secret-word")
  })
})
