/**
 * How close the extraction comes to what its workers could do. Efficiency is the time that answers took, added up and
 * divided by the number of workers, over the time the run took: 1 would be workers that never wait for anything but the
 * model. Latencies are scaled down, which makes it harder: what we add ourselves does not shrink with them.
 *
 *   npm run bench                      both databases, 600 pages, 1, 5, 20 and 50 workers
 *   npm run bench -- --pages 100 --scale 0.05 --database postgres
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { startServer } from "../test/support/postgres/server.ts"

const { values } = parseArgs({
  options: {
    pages: { type: "string", default: "600" },
    workers: { type: "string", default: "1,5,20,50" },
    scale: { type: "string", default: "0.2" },
    database: { type: "string", default: "both" },
    memory: { type: "boolean", default: false }
  }
})

const scale = Number(values.scale)
const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const startStandIn = async (chat: number, embedding: number) => {
  const child = spawn(
    process.execPath,
    [
      file("../test/support/stand-in/main.ts"),
      "--chat-latency",
      String(chat),
      "--embedding-latency",
      String(embedding),
      "--spread",
      chat === 0 ? "0" : "0.4",
      "--no-log"
    ],
    { stdio: ["pipe", "pipe", "inherit"] }
  )
  const [url] = await once(createInterface(child.stdout), "line")
  return { url: String(url), stop: () => child.kill() }
}

/** One run in a process of its own, so that its processor time and memory are its own. */
const measure = async (args: ReadonlyArray<string>): Promise<Record<string, number>> => {
  const child = spawn(process.execPath, [file("./run-extraction.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let out = ""
  child.stdout.on("data", (chunk) => (out += chunk))
  const [code] = await once(child, "close")
  if (code !== 0) throw new Error(`the run failed: ${out}`)
  return JSON.parse(out.trim().split("\n").pop() ?? "{}")
}

const print = (...cells: ReadonlyArray<string | number>) =>
  process.stdout.write(`${cells.map((cell) => String(cell).padStart(12)).join("")}\n`)

const server = await startServer((text) => process.stderr.write(`${text}\n`))
const databases = [
  ...(values.database !== "postgres" ? [{ name: "pglite", url: "" }] : []),
  ...(values.database !== "pglite" && "url" in server ? [{ name: "postgres", url: server.url }] : [])
]

try {
  print("database", "workers", "seconds", "efficiency", "most at once", "ms cpu/seg", "MB")
  for (const database of databases) {
    for (const workers of values.workers.split(",")) {
      const api = await startStandIn(1500 * scale, 120 * scale)
      const found = await measure([database.url, api.url, values.pages, workers])
      print(
        database.name,
        workers,
        (found["seconds"] ?? 0).toFixed(1),
        (found["efficiency"] ?? 0).toFixed(3),
        found["most"] ?? 0,
        (found["cpu"] ?? 0).toFixed(2),
        (found["megabytes"] ?? 0).toFixed(0)
      )
      api.stop()
    }
    const instant = await startStandIn(0, 0)
    const found = await measure([database.url, instant.url, values.pages, "20"])
    print(
      database.name,
      "20, no wait",
      (found["seconds"] ?? 0).toFixed(1),
      "",
      found["most"] ?? 0,
      (found["cpu"] ?? 0).toFixed(2),
      (found["megabytes"] ?? 0).toFixed(0)
    )
    if (values.memory) {
      const large = await measure([database.url, instant.url, String(Number(values.pages) * 11), "20"])
      const ratio = (large["megabytes"] ?? 0) / (found["megabytes"] ?? 1)
      print(
        database.name,
        `${Number(values.pages) * 11} pages`,
        (large["seconds"] ?? 0).toFixed(1),
        "",
        "",
        (large["cpu"] ?? 0).toFixed(2),
        `${(large["megabytes"] ?? 0).toFixed(0)} = ${ratio.toFixed(2)}x`
      )
    }
    instant.stop()
  }
} finally {
  if ("stop" in server) await server.stop()
}
process.exit(0)
