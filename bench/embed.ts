/**
 * How fast `embed --stale` is, and how close it comes to what its workers could do. Efficiency is the time that answers took, added
 * up and divided by the number of workers, over the time the run took. The vector index is out of the way; see `embed-index.ts`.
 *
 *   node bench/embed.ts                          both databases, latency 0 and 120 ms, 1, 4 and 16 workers
 *   node bench/embed.ts --database postgres --chunks 4000 --batch 16
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { startServer } from "../test/support/postgres/server.ts"

const { values } = parseArgs({
  options: {
    chunks: { type: "string", default: "4000" },
    workers: { type: "string", default: "1,4,16" },
    latencies: { type: "string", default: "0,120" },
    /** Texts in a request; at 120 ms small ones, so that it is the waiting that is shared out. */
    batch: { type: "string", default: "10" },
    database: { type: "string", default: "both" }
  }
})

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const startStandIn = async (latency: string) => {
  const child = spawn(
    process.execPath,
    [file("../test/support/stand-in/main.ts"), "--embedding-latency", latency, "--no-log"],
    { stdio: ["pipe", "pipe", "inherit"] }
  )
  const [url] = await once(createInterface(child.stdout), "line")
  return { url: String(url), stop: () => child.kill() }
}

const measure = async (args: ReadonlyArray<string>): Promise<Record<string, number>> => {
  const child = spawn(process.execPath, [file("./run-embed.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let out = ""
  child.stdout.on("data", (chunk) => (out += chunk))
  const [code] = await once(child, "close")
  if (code !== 0) throw new Error(`the run failed: ${out}`)
  return JSON.parse(out.trim().split("\n").pop() ?? "{}")
}

const print = (...cells: ReadonlyArray<string | number>) =>
  process.stdout.write(`${cells.map((cell) => String(cell).padStart(13)).join("")}\n`)

const server = await startServer((text) => process.stderr.write(`${text}\n`))
const databases = [
  ...(values.database !== "postgres" ? [{ name: "pglite", url: "" }] : []),
  ...(values.database !== "pglite" && "url" in server ? [{ name: "postgres", url: server.url }] : [])
]

try {
  print(
    "database",
    "latency",
    "workers",
    "requests",
    "seconds",
    "chunks/s",
    "efficiency",
    "most at once",
    "ms cpu/vec"
  )
  for (const database of databases) {
    for (const latency of values.latencies.split(",")) {
      for (const workers of values.workers.split(",")) {
        const api = await startStandIn(latency)
        // At latency 0 it is the throughput that is asked: requests as large as they would be.
        const batch = latency === "0" ? "" : values.batch
        const chunks =
          latency === "0"
            ? values.chunks
            : String(Math.min(Number(values.chunks), Number(workers) * 60 * Number(batch)))
        const found = await measure([database.url, api.url, chunks, workers, batch])
        print(
          database.name,
          latency,
          workers,
          found["requests"] ?? 0,
          (found["seconds"] ?? 0).toFixed(1),
          Math.round(Number(chunks) / (found["seconds"] ?? 1)),
          latency === "0" ? "" : (found["efficiency"] ?? 0).toFixed(3),
          found["most"] ?? 0,
          (found["cpu"] ?? 0).toFixed(2)
        )
        api.stop()
      }
    }
  }
} finally {
  if ("stop" in server) await server.stop()
}
process.exit(0)
