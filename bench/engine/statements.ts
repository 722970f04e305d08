/** How many statements a page of the extraction takes, all told: listing, lease, journal, ledger, commit. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { startServer } from "../../test/support/postgres/server.ts"
import { heading, row } from "./table.ts"

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Runs the extraction of 600 pages on both databases, each in a process of its own, and prints what it took. */
export const countStatements = async (): Promise<void> => {
  const server = await startServer((text) => process.stderr.write(`${text}\n`))
  const api = spawn(process.execPath, [file("../../test/support/stand-in/main.ts"), "--no-log"], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  try {
    const [url] = await once(createInterface(api.stdout), "line")
    heading("Statements a page: 600 pages, 1,500 segments, 6,000 facts")
    row("", "N=5", "N=20")
    for (const [name, database] of [
      ["PGlite", ""],
      ["Postgres", "url" in server ? server.url : undefined]
    ] as const) {
      if (database === undefined) continue
      const cells: Array<string> = []
      for (const workers of ["5", "20"])
        cells.push(await statementsOf([database, String(url), "600", workers, "statements"]))
      row(name, ...cells)
    }
  } finally {
    api.kill()
    if ("stop" in server) await server.stop()
  }
}

const statementsOf = async (args: ReadonlyArray<string>): Promise<string> => {
  const child = spawn(process.execPath, [file("../run-extraction.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let out = ""
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()))
  const [code] = await once(child, "close")
  if (code !== 0) throw new Error(`the run failed: ${out}`)
  const found: Record<string, number> = JSON.parse(out.trim().split("\n").pop() ?? "{}")
  return (found["statements"] ?? 0).toFixed(1)
}
