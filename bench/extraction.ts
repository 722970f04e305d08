/**
 * How close the extraction comes to what its workers could do. Efficiency is the time that answers took, added up and
 * divided by the number of workers, over the time the run took: 1 would be workers that never wait for anything but the
 * model. Latencies are scaled down, which makes it harder: what we add ourselves does not shrink with them.
 *
 * Then the processor's time at no latency: of that many pages, of five times as many without the index of the facts' vectors (the
 * program is warm, and the database does not keep the other half of our processor busy), and of the same calls and writes with
 * nothing around them.
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

print("database", "workers", "seconds", "efficiency", "most at once", "ms cpu/seg", "MB")
await onDatabases(values.database, async (database) => {
  for (const workers of values.workers.split(",")) {
    const api = await answering(1500 * scale, 120 * scale)
    const found = await measured("run-extraction.ts", [database.url, api.url, values.pages, workers])
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
  const instant = await answering(0, 0)
  const found = await measured("run-extraction.ts", [database.url, instant.url, values.pages, "20"])
  print(
    database.name,
    "20, no wait",
    (found["seconds"] ?? 0).toFixed(1),
    "",
    found["most"] ?? 0,
    (found["cpu"] ?? 0).toFixed(2),
    (found["megabytes"] ?? 0).toFixed(0)
  )
  const steady = String(Number(values.pages) * 5)
  const beside = await measured("run-extraction.ts", [database.url, instant.url, steady, "20", "unindexed"])
  print(
    database.name,
    `${steady} pages`,
    (beside["seconds"] ?? 0).toFixed(1),
    "unindexed",
    "",
    (beside["cpu"] ?? 0).toFixed(2),
    (beside["megabytes"] ?? 0).toFixed(0)
  )
  const bare = await measured("run-extraction-bare.ts", [database.url, instant.url, values.pages, "20"])
  const times = (found["cpu"] ?? 0) / (bare["cpu"] ?? 1)
  print(
    database.name,
    "bare",
    (bare["seconds"] ?? 0).toFixed(1),
    "",
    "",
    (bare["cpu"] ?? 0).toFixed(2),
    `ours ${times.toFixed(2)}x`
  )
  if (values.memory) {
    const large = await measured("run-extraction.ts", [
      database.url,
      instant.url,
      String(Number(values.pages) * 11),
      "20"
    ])
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
})
process.exit(0)
