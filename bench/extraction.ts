/**
 * How close the extraction comes to what its workers could do. Efficiency is the time that answers took, added up and
 * divided by the number of workers, over the time the run took: 1 would be workers that never wait for anything but the
 * model. Latencies are scaled down, which makes it harder: what we add ourselves does not shrink with them.
 *
 * Then the processor's time at no latency: of that many pages by a process that begins with them, of as many more by one that has
 * done as many before ("warm": V8 has compiled the program), and of the same calls and writes with nothing around them. On an embedded brain
 * the database's own part, on its thread, is told as well.
 *
 *   npm run bench                      both databases, 600 pages, 1, 5, 20 and 50 workers
 *   npm run bench -- --pages 100 --scale 0.05 --database postgres
 */
import { parseArgs } from "node:util"
import { measured, onDatabases, row, startStandIn } from "./support/runs.ts"

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
const print = row(12)

const answering = (chat: number, embedding: number) =>
  startStandIn([
    "--chat-latency",
    String(chat),
    "--embedding-latency",
    String(embedding),
    "--spread",
    chat === 0 ? "0" : "0.4"
  ])

const figures = (found: Readonly<Record<string, number>>) => [
  (found["seconds"] ?? 0).toFixed(1),
  (found["efficiency"] ?? 0) < 0.01 ? "" : (found["efficiency"] ?? 0).toFixed(3),
  found["most"] ?? "",
  (found["cpu"] ?? 0).toFixed(2),
  found["database"] === undefined || found["database"] === 0 ? "" : found["database"].toFixed(2),
  found["megabytes"] === undefined ? "" : found["megabytes"].toFixed(0)
]

print("database", "workers", "seconds", "efficiency", "most at once", "ms cpu/seg", "of it db", "MB")
await onDatabases(values.database, async (database) => {
  for (const workers of values.workers.split(",")) {
    const api = await answering(1500 * scale, 120 * scale)
    const found = await measured("run-extraction.ts", [database.url, api.url, values.pages, workers])
    print(database.name, workers, ...figures(found))
    api.stop()
  }
  const instant = await answering(0, 0)
  const at = (pages: string, ...how: ReadonlyArray<string>) =>
    measured("run-extraction.ts", [database.url, instant.url, pages, "20", ...how])
  const cold = await at(values.pages)
  print(database.name, "20, no wait", ...figures(cold))
  print(database.name, "warm", ...figures(await at(values.pages, "warm")))
  const bare = await measured("run-extraction-bare.ts", [database.url, instant.url, values.pages, "20"])
  print(database.name, "bare", ...figures(bare))
  const times = (cold["cpu"] ?? 0) / (bare["cpu"] ?? 1)
  process.stdout.write(`${database.name}: ${times.toFixed(2)} times the processor of the bare calls\n`)
  if (values.memory) {
    const pages = String(Number(values.pages) * 11)
    const large = await at(pages)
    print(database.name, pages, ...figures(large))
    const ratio = (large["megabytes"] ?? 0) / (cold["megabytes"] ?? 1)
    process.stdout.write(`${database.name}: ${ratio.toFixed(2)} times the memory of ${values.pages} pages\n`)
  }
  instant.stop()
})
process.exit(0)
