import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { type CliHome, cliHome } from "../support/cli.ts"

describe("wrong usage", () => {
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
    [["import"], "directory"],
    [["init", "--url", "postgres://x/y", "--path", "z"], "--url"]
  ]
  for (const [args, says] of wrong) {
    it(`gbrain ${args.join(" ")}: one message, exit 2, nothing on standard output`, async () => {
      const result = await home.run(args)
      expect(result).toMatchObject({ code: 2, stdout: "" })
      expect(result.stderr).toContain(says)
      expect(result.stderr).not.toContain("    at ")
    })
  }

  it("without a brain every command says how to make one", async () => {
    for (const command of ["status", "doctor", "facts", "extract-conversation-facts"]) {
      const result = await home.run([command])
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

  it("help, version and completions work without a brain", async () => {
    expect((await home.run(["--version"])).stdout).toMatch(/\d+\.\d+\.\d+/)
    expect((await home.run(["--completions", "bash"])).stdout).toContain("gbrain")
    for (const command of [
      "init",
      "import",
      "extract-conversation-facts",
      "facts",
      "status",
      "doctor",
      "config",
      "sources"
    ]) {
      const help = await home.run([command, "--help"])
      expect(help.code).toBe(0)
      expect(help.stdout).toContain(`gbrain ${command}`)
    }
  })
})
