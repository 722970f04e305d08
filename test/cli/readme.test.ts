/** Every gbrain command that the README and the documents show works as it is shown. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { type CliHome, cliHome } from "../support/cli.ts"
import { type StandIn, startStandIn } from "../support/stand-in/server.ts"

const root = new URL("../../", import.meta.url)
const readme = readFileSync(new URL("README.md", root), "utf8")

/** The words of a shown command; quotes hold words together, what follows `#` is a remark. */
const words = (command: string): ReadonlyArray<string> =>
  [...command.replace(/\s+#.*$/, "").matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? ""
  )

const inBlocks = readme.split("\n").filter((line) => line.startsWith("npx gbrain "))
// Those in the tables are forms to fill in, with names in capitals and choices between bars.
const inText = [...readme.matchAll(/`gbrain ([^`]+)`/g)].flatMap(([, command = ""]) =>
  command.startsWith("config set") || !/[[|]|\b[A-Z]{2,}\b/.test(command) ? [`npx gbrain ${command}`] : []
)

describe("the README", () => {
  let home: CliHome
  let api: StandIn
  beforeAll(async () => {
    api = await startStandIn()
    home = await cliHome({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test" })
  })
  afterAll(async () => {
    await home.remove()
    await api.close()
  })

  it("shows commands", () => {
    expect(inBlocks.length).toBeGreaterThanOrEqual(5)
    expect(inText.length).toBeGreaterThanOrEqual(1)
  })

  for (const line of [...inBlocks, ...inText]) {
    it(line, async () => {
      const args = words(line)
        .slice(2)
        .map((word) => (word === "./notes" ? fileURLToPath(new URL("examples/brain", root)) : word))
      const result = await home.run(args)
      expect(result).toMatchObject({ code: 0 })
      expect(result.stdout).not.toBe("")
    })
  }

  it("names every flag of extract-conversation-facts", async () => {
    const help = (await home.run(["extract-conversation-facts", "--help"])).stdout
    const flags = help.slice(help.indexOf("FLAGS"), help.indexOf("GLOBAL")).match(/--[a-z-]+/g) ?? []
    for (const flag of flags) expect(readme).toContain(flag)
  })

  it("refers to files that are there", () => {
    for (const [, path] of readme.matchAll(/\]\(([^)#]+)\)/g)) {
      if (path === undefined || path.startsWith("http")) continue
      expect(() => readFileSync(new URL(path, root))).not.toThrow(/ENOENT/)
    }
  })
})
