/** One measured run: `run-import.ts DATABASE_URL DIRECTORY STRATEGY WORKERS`, an embedded brain when the first is empty. */
import { NodeServices } from "@effect/platform-node"
import { Effect, Layer, Option } from "effect"
import {
  Brain,
  defaultImportOptions,
  HostProcess,
  importDirectory,
  importLayer,
  initBrain
} from "../src/index.ts"
import { freshDatabaseLayer } from "./support/brain.ts"

const [databaseUrl = "", directory = ".", strategy = "markdown", workers = "1"] = process.argv.slice(2)

const run = Effect.gen(function* () {
  const startedAt = performance.now()
  const report = yield* importDirectory({
    ...defaultImportOptions,
    strategy: strategy === "code" ? "code" : "markdown",
    directory
  })
  if (report.status !== "completed") return yield* Effect.die(new Error(JSON.stringify(report)))
  return { report, rate: (report.files / (performance.now() - startedAt)) * 1000 }
}).pipe(Effect.provide(importLayer({ workers: Number(workers) })))

const program = Effect.gen(function* () {
  const cpuBefore = process.cpuUsage()
  const first = yield* run
  const cpu = process.cpuUsage(cpuBefore)
  const again = yield* run
  if (again.report.unchanged !== again.report.files) {
    return yield* Effect.die(new Error("a second import wrote something"))
  }
  process.stdout.write(
    `${JSON.stringify({
      first: first.rate,
      again: again.rate,
      cpu: (cpu.user + cpu.system) / 1e6,
      megabytes: process.resourceUsage().maxRSS / 1024
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
        Layer.provideMerge(freshDatabaseLayer(databaseUrl, Math.min(20, 4 + Number(workers)))),
        Layer.provideMerge(HostProcess.layer),
        Layer.provideMerge(NodeServices.layer)
      )
    ),
    Effect.scoped
  )
)
process.exit(0)
