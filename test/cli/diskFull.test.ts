/** A disk that is full under the embedded brain. */
import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { type CliHome, cliHome, until } from "../support/cli.ts"
import { conversation } from "../support/extraction.ts"
import { type StandIn, startStandIn } from "../support/stand-in/server.ts"

/**
 * Loaded before the command: while the file named by FULL_DISK is there, what is written is refused as by a full disk, but
 * for the bytes that were there before, as a file system does it.
 */
const fullDisk = `
import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
const write = fs.writeSync
const isFull = () => fs.existsSync(process.env.FULL_DISK)
fs.writeSync = (fd, ...rest) => {
  if (fd > 2 && isFull()) {
    const [, , length = 0, position] = rest
    const end = typeof position === "number" ? position + length : Infinity
    if (end > fs.fstatSync(fd).size)
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", errno: -28, syscall: "write" })
  }
  return write(fd, ...rest)
}
syncBuiltinESMExports()
`

describe("a disk that is full", { timeout: 600_000 }, () => {
  let home: CliHome
  let api: StandIn
  beforeAll(async () => {
    api = await startStandIn({ chatLatency: 100 })
    home = await cliHome({ OPENAI_BASE_URL: api.url, OPENAI_API_KEY: "sk-test" })
  })
  afterAll(async () => {
    await home.remove()
    await api.close()
  })

  it("stops the run with the reason; when there is room again, the next run finishes, paying only for calls that were in flight", async () => {
    const count = 30
    const workers = 4
    const full = join(home.directory, "full")
    const preload = join(home.directory, "full-disk.mjs")
    const folder = join(home.directory, "pages")
    await writeFile(preload, fullDisk)
    await mkdir(folder)
    for (let page = 0; page < count; page++) {
      await writeFile(
        join(folder, `page-${page}.md`),
        `---\ntype: conversation\n---\n\n${conversation(`c${page}`, 2)}`
      )
    }
    await home.run(["init"])
    expect((await home.run(["import", folder])).code).toBe(0)
    const command = ["extract-conversation-facts", "--workers", String(workers), "--json"]
    const how = { nodeOptions: ["--import", preload] }

    const running = home.start(command, { FULL_DISK: full }, how)
    await until(() => api.stats().chatCalls >= 12)
    await writeFile(full, "")
    const ended = await running.ended
    expect(ended.code).toBe(1)
    expect(ended.stdout + ended.stderr).toMatch(/no space left on device/i)
    expect(ended.stderr).not.toContain("    at ")
    expect(api.stats().chatCalls).toBeLessThan(count)

    await rm(full)
    const again = await home.run(command, { FULL_DISK: full }, how)
    expect(JSON.parse(again.stdout)).toMatchObject({ status: "completed" })
    const facts: ReadonlyArray<{ readonly page: string; readonly fact: string }> = JSON.parse(
      (await home.run(["facts", "--limit", "9999", "--json"])).stdout
    )
    expect(facts).toHaveLength(count * 2)
    expect(new Set(facts.map(({ fact, page }) => `${page} ${fact}`)).size).toBe(count * 2)
    expect(api.stats().chatCalls - count).toBeLessThanOrEqual(workers * 3)
  })
})
