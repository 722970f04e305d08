/**
 * How fast `embed --stale` is, and how close it comes to what its workers could do. Efficiency is the time that answers took, added
 * up and divided by the number of workers, over the time the run took. The vector index is out of the way; see `embed-index.ts`.
 *
 *   npm run bench:embed                          both databases, latency 0 and 120 ms, 1, 4 and 16 workers
 *   npm run bench:embed -- --database postgres --chunks 4000 --batch 16
 */
import { parseArgs } from "node:util"
import { measured, onDatabases, row, startStandIn } from "./support/runs.ts"

const { values } = parseArgs({
  options: {
    chunks: { type: "string", default: "32000" },
    workers: { type: "string", default: "1,4,16" },
    latencies: { type: "string", default: "0,120" },
    /** Texts in a request; at 120 ms small ones, so that it is the waiting that is shared out. */
    batch: { type: "string", default: "10" },
    database: { type: "string", default: "both" }
  }
})

const print = row(13)

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
await onDatabases(values.database, async (database) => {
  for (const latency of values.latencies.split(",")) {
    for (const workers of values.workers.split(",")) {
      const api = await startStandIn(["--embedding-latency", latency])
      // At latency 0 it is the throughput that is asked: requests as large as they would be.
      const batch = latency === "0" ? "" : values.batch
      const chunks =
        latency === "0"
          ? values.chunks
          : String(Math.min(Number(values.chunks), Number(workers) * 200 * Number(batch)))
      const found = await measured("run-embed.ts", [database.url, api.url, chunks, workers, batch])
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
})
process.exit(0)
