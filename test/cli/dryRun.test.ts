/** A dry run writes nothing, not even our own tables: it works on a brain of gbrain's that nobody may write to. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, inject, it } from "@effect/vitest"
import { type CliHome, cliHome } from "../support/cli.ts"
import { type CommandBrain, type CommandBrains, commandBrains } from "../support/commandBrains.ts"

describe.skipIf(inject("noPostgres") !== "")(`dry runs ${inject("noPostgres")}`, { timeout: 300_000 }, () => {
  let brains: CommandBrains
  let brain: CommandBrain
  let home: CliHome
  let folder: string
  beforeAll(async () => {
    brains = await commandBrains()
    home = await cliHome()
    folder = join(home.directory, "files")
    await mkdir(folder)
    await writeFile(join(folder, "a.md"), "[[b]]")
    await writeFile(join(folder, "a.ts"), 'import { b } from "./b"\nexport const a = () => b()\n')
    await writeFile(join(folder, "b.ts"), "export function b() {}\n")
    brain = await brains.make(0)
    await home.run(["import", folder, "--strategy", "all", "--url", brain.url])
    await brain.put([
      { slug: "b", body: "Called [[Ana Ruiz]]." },
      { slug: "people/ana-ruiz", body: "", title: "Ana Ruiz" }
    ])
    await brain.query("update pages set links_extracted_at = null, chunker_version = 1")
    await brain.query("update content_chunks set edges_backfilled_at = null")
    await brain.query("drop schema gbrain_effect cascade")
    await brain.query(
      `do $$ begin execute 'alter database ' || current_database() || ' set default_transaction_read_only = on'; end $$`
    )
  }, 120_000)
  afterAll(async () => {
    await home.remove()
    await brains.close()
  })

  it.each([
    ["extract all", { pages_processed: 5, links: { created: 2 } }],
    ["import FOLDER --strategy all", { unchanged: 3 }],
    ["reindex --markdown", { pages_examined: 3, pages_rechunked: 1 }],
    ["reindex-code", { pages_reindexed: 2 }],
    ["reindex-frontmatter", { pages_examined: 5 }],
    ["edges-backfill", { chunks_walked: 3, edges_resolved: 2 }]
  ])("%s", async (command, expected) => {
    const args = command.split(" ").map((word) => (word === "FOLDER" ? folder : word))
    const result = await home.run([...args, "--dry-run", "--json", "--url", brain.url])
    expect(result).toMatchObject({ code: 0 })
    expect(JSON.parse(result.stdout)).toMatchObject({ dry_run: true, status: "completed", ...expected })
    expect(await brain.query("select to_regnamespace('gbrain_effect') as there")).toEqual([{ there: null }])
  })
})
