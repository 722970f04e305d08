/**
 * How fast links and timelines are extracted: a brain of so many pages, all of them, again with nothing to do, and again by
 * force, with one worker and with eight, on both databases. Each run is a process of its own.
 *
 *   npm run bench:extract
 *   npm run bench:extract -- --pages 2000 --database pglite
 *   npm run bench:extract -- --memory --database postgres         memory for 2,000 and for 200,000 pages, garbage
 *                                                                 collected every second
 */
import { parseArgs } from "node:util"
import { measured, onDatabases, row } from "./support/runs.ts"

const { values } = parseArgs({
  options: {
    pages: { type: "string", default: "20000" },
    workers: { type: "string", default: "1,8" },
    database: { type: "string", default: "both" },
    memory: { type: "boolean", default: false }
  }
})

const print = row(16)

const pages = values.memory ? ["2000", "200000"] : values.pages.split(",")
const workers = values.memory ? ["8"] : values.workers.split(",")
print(
  "database",
  "pages",
  "workers",
  "pages/s",
  "times 1 worker",
  "again, times",
  "forced, times",
  "ms cpu/page",
  "MB alive",
  "MB"
)
await onDatabases(values.database, async (database) => {
  for (const count of pages) {
    let one = 0
    for (const atOnce of workers) {
      const args = [database.url, count, atOnce, ...(values.memory ? ["collected"] : [])]
      const found = await measured("run-extract.ts", args)
      const first = found["first"] ?? 0
      if (one === 0) one = first
      print(
        database.name,
        count,
        atOnce,
        Math.round(first),
        (first / one).toFixed(2),
        ((found["again"] ?? 0) / first).toFixed(1),
        ((found["forced"] ?? 0) / first).toFixed(1),
        (((found["cpu"] ?? 0) * 1000) / Number(count)).toFixed(2),
        Math.round(found["alive"] ?? 0),
        Math.round(found["megabytes"] ?? 0)
      )
    }
  }
})
process.exit(0)
