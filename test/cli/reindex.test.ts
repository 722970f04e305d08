/** `reindex`, `reindex-frontmatter`, `edges-backfill` and the readers of code, from the command line. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { type CliHome, cliHome } from "../support/cli.ts"

describe("reindex from the command line", () => {
  let home: CliHome
  let notes: string
  beforeAll(async () => {
    home = await cliHome()
    notes = join(home.directory, "notes")
    await mkdir(notes)
    for (let page = 0; page < 3; page++) {
      await writeFile(
        join(notes, `page-${page}.md`),
        `---\ndate: 2024-03-1${page}\n---\nPage ${page} of three.\n`
      )
    }
    await home.run(["init"])
    await home.run(["import", notes])
  })
  afterAll(() => home.remove())

  const json = async (...args: ReadonlyArray<string>) => {
    const result = await home.run([...args, "--json"])
    expect(result).toMatchObject({ code: 0 })
    return JSON.parse(result.stdout)
  }

  it("after an import nothing is out of date, whichever way it is asked", async () => {
    expect(await json("reindex", "--markdown", "--workers", "4")).toMatchObject({
      command: "reindex",
      mode: "markdown",
      status: "completed",
      workers: 4,
      pages_considered: 3,
      pages_up_to_date: 3
    })
    expect(await json("reindex-frontmatter")).toMatchObject({ pages_examined: 3, pages_updated: 0 })
    expect(await json("edges-backfill")).toMatchObject({ chunks_to_do: 0 })
    const words = await home.run(["reindex", "--markdown"])
    expect(words.stdout).toContain("Nothing to do: the chunks of 3 pages are up to date.\n")
    expect((await home.run(["edges-backfill"])).stdout).toContain("Nothing to do")
    expect(await json("code-callers", "nobody")).toMatchObject({ symbol: "nobody", count: 0, callers: [] })
    const none = await home.run(["code-callees", "nobody"])
    expect(none).toMatchObject({ code: 0, stdout: "" })
    expect(none.stderr).toContain("gbrain edges-backfill")
  })

  it("code: imported with all else, cut again, resolved, and asked who calls whom", async () => {
    const code = join(home.directory, "code")
    await mkdir(code)
    await writeFile(join(code, "a.ts"), 'import { b } from "./b"\nexport const a = () => b()\n')
    await writeFile(join(code, "b.ts"), "export function b() {}\n")
    await writeFile(join(code, "readme.md"), "# Read me\n")
    expect(await json("import", code, "--strategy", "all", "--workers", "2")).toMatchObject({
      strategy: "all",
      files: 3,
      code_files: 2,
      created: 3
    })
    expect(await json("import", code, "--strategy", "code")).toMatchObject({ files: 2, unchanged: 2 })
    expect(await json("reindex-code", "--force", "--source", "default", "--workers", "4")).toMatchObject({
      command: "reindex-code",
      status: "completed",
      workers: 4,
      sources: ["default"],
      pages_reindexed: 2,
      chunks_kept: 3
    })
    expect((await home.run(["reindex-code"])).stdout).toContain("2 pages")
    expect(await json("edges-backfill", "--source", "default")).toMatchObject({ edges_resolved: 2 })
    expect(await json("code-callers", "b", "--source", "default")).toMatchObject({
      count: 2,
      callers: [{ edge_type: "imports" }, { from_symbol_qualified: "a", to_file: "b.ts", resolved: true }]
    })
    expect(await json("code-callees", "a")).toMatchObject({ callees: [{ to_symbol_qualified: "b" }] })
  })

  it.each([
    [["reindex"], "Say what to bring up to date: gbrain reindex --markdown"],
    [["reindex", "--markdown", "--limit", "0"], "--limit takes a whole number from 1 up"],
    [["reindex", "--markdown", "--type", ""], "--type needs a value"],
    [["reindex-frontmatter", "--slug-prefix", "--json"], "--slug-prefix"],
    [["edges-backfill", "--source", "a", "--all-sources"], "give one of them"],
    [["edges-backfill", "--max-chunks", "many"], "--max-chunks takes a whole number"],
    [["code-callers"], "symbol"]
  ])("%j is refused with the reason", async (args, reason) => {
    const result = await home.run(args)
    expect(result.code).toBe(2)
    expect(result.stdout).toBe("")
    expect(result.stderr).toContain(reason)
  })

  it.each([
    [["reindex", "--markdown", "--source-id", "wrok"]],
    [["reindex-frontmatter", "--source", "wrok"]],
    [["edges-backfill", "--source", "wrok"]],
    [["reindex-code", "--source", "wrok"]],
    [["code-callers", "f", "--source", "wrok"]]
  ])("%j names the sources that there are", async (args) => {
    const result = await home.run(args)
    expect(result.code).toBe(2)
    expect(result.stderr).toContain('There is no source "wrok". Known: default.')
  })
})
