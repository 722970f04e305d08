/**
 * One measured run: `run-extract.ts DATABASE_URL PAGES WORKERS [collected]`, an embedded brain when the first is empty. With the last,
 * garbage is collected every second, so that the most memory held is what is needed and not what V8 lets lie.
 */
import { NodeServices } from "@effect/platform-node"
import { constants, PerformanceObserver } from "node:perf_hooks"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { Brain, defaultExtractOptions, extract, extractLayer, HostProcess, initBrain } from "../src/index.ts"
import { freshDatabaseLayer } from "./support/brain.ts"

const [databaseUrl = "", pages = "20000", workers = "8", collected = ""] = process.argv.slice(2)

// Half people, half companies, some 1,200 characters a page: four links of four kinds, one to nowhere, two dates.
const fill = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const count = Number(pages)
  yield* sql`
    insert into pages (slug, type, title, content_hash, compiled_truth, timeline)
    select case page % 2 when 0 then 'people/person-' else 'companies/company-' end || page,
      case page % 2 when 0 then 'person' else 'company' end, 'Page number ' || page, md5(page::text),
      'Works at [[companies/company-' || (page * 7) % ${count}::int / 2 * 2 + 1 || '|a company]] and knows the harbour well. '
        || repeat('The tide was low and the boats lay on their sides in the mud and/or on the sand. ', 6)
        || 'She advises [Company](../companies/company-' || (page * 11) % ${count}::int / 2 * 2 + 1 || '.md) as well. '
        || repeat('Nobody had counted the gulls since the winter, when there were too many to count. ', 6)
        || 'See people/person-' || (page * 13) % ${count}::int / 2 * 2 || ' and [[person-' || (page * 17) % ${count}::int / 2 * 2
        || ']], or [[people/nobody-' || page || ']].',
      '- **2024-03-15** | Minutes — Met person ' || page || E'\n- **2024-04-' || lpad((1 + page % 28)::text, 2, '0') || '** | Signed'
    from generate_series(0, ${count - 1}::int) page`
  yield* sql`analyze pages`
})

const run = (force: boolean) =>
  Effect.gen(function* () {
    const startedAt = performance.now()
    const report = yield* extract({ ...defaultExtractOptions, force })
    if (report.status !== "completed") return yield* Effect.die(new Error(JSON.stringify(report)))
    return { report, rate: (Number(pages) / (performance.now() - startedAt)) * 1000 }
  }).pipe(Effect.provide(extractLayer({ workers: Number(workers) })))

// What is alive: the heap as full collections leave it. The process holds more, as much as it is let.
let alive = 0
if (collected === "")
  new PerformanceObserver((list) => {
    const full = list.getEntries().some((entry) => "detail" in entry && isFull(entry.detail))
    if (full) alive = Math.max(alive, process.memoryUsage().heapUsed)
  }).observe({ entryTypes: ["gc"] })

const isFull = (detail: unknown): boolean =>
  typeof detail === "object" &&
  detail !== null &&
  "kind" in detail &&
  detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR

if (collected !== "") {
  setFlagsFromString("--expose-gc")
  const collect: unknown = runInNewContext("gc")
  const look = () => {
    if (typeof collect === "function") collect()
    alive = Math.max(alive, process.memoryUsage().heapUsed)
  }
  setInterval(look, 1000).unref()
}

const program = Effect.gen(function* () {
  yield* fill
  const cpuBefore = process.cpuUsage()
  const first = yield* run(false)
  const cpu = process.cpuUsage(cpuBefore)
  const again = yield* run(false)
  const forced = yield* run(true)
  const { created, removed, updated } = forced.report.links
  if (again.report.pages_processed + created + removed + updated > 0) {
    return yield* Effect.die(new Error("a second run wrote something"))
  }
  process.stdout.write(
    `${JSON.stringify({
      first: first.rate,
      again: again.rate,
      forced: forced.rate,
      links: first.report.links.created,
      entries: first.report.timeline.created,
      cpu: (cpu.user + cpu.system) / 1e6,
      megabytes: process.resourceUsage().maxRSS / 1024,
      alive: alive / 1e6
    })}\n`
  )
})

const newBrain = Layer.effectDiscard(
  initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.some(64) })
)

await Effect.runPromise(
  program.pipe(
    Effect.provide(
      Brain.layer.pipe(
        Layer.provideMerge(newBrain),
        Layer.provideMerge(freshDatabaseLayer(databaseUrl, 4)),
        Layer.provideMerge(HostProcess.layer),
        Layer.provideMerge(NodeServices.layer)
      )
    ),
    Effect.scoped
  )
)
process.exit(0)
