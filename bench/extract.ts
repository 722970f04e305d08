/**
 * How fast links and timelines are extracted: a brain of so many pages, all of them and again with nothing to do, with one
 * worker and with eight, on both databases. Each run is a process of its own.
 *
 *   node bench/extract.ts
 *   node bench/extract.ts --pages 2000 --database pglite
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { startServer } from "../test/support/postgres/server.ts"

const { values } = parseArgs({
  options: {
    pages: { type: "string", default: "20000" },
    workers: { type: "string", default: "1,8" },
    database: { type: "string", default: "both" }
  }
})

const measure = async (args: ReadonlyArray<string>): Promise<Record<string, number>> => {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("./run-extract.ts", import.meta.url)), ...args],
    { stdio: ["ignore", "pipe", "inherit"] }
  )
  let out = ""
  child.stdout.on("data", (chunk) => (out += chunk))
  const [code] = await once(child, "close")
  if (code !== 0) throw new Error(`the run failed: ${out}`)
  return JSON.parse(out.trim().split("\n").pop() ?? "{}")
}

const print = (...cells: ReadonlyArray<string | number>) =>
  process.stdout.write(`${cells.map((cell) => String(cell).padStart(14)).join("")}\n`)

const server = await startServer((text) => process.stderr.write(`${text}\n`))
const databases = [
  ...(values.database !== "postgres" ? [{ name: "pglite", url: "" }] : []),
  ...(values.database !== "pglite" && "url" in server ? [{ name: "postgres", url: server.url }] : [])
]

try {
  print("database", "workers", "pages/s", "again, pages/s", "forced", "links", "entries", "cpu s", "MB")
  for (const database of databases) {
    for (const workers of values.workers.split(",")) {
      const found = await measure([database.url, values.pages, workers])
      print(
        database.name,
        workers,
        Math.round(found["first"] ?? 0),
        Math.round(found["again"] ?? 0),
        Math.round(found["forced"] ?? 0),
        found["links"] ?? 0,
        found["entries"] ?? 0,
        (found["cpu"] ?? 0).toFixed(1),
        Math.round(found["megabytes"] ?? 0)
      )
    }
  }
} finally {
  if ("stop" in server) await server.stop()
}
process.exit(0)
