/**
 * One measured run: `run-extraction.ts DATABASE_URL API_URL PAGES WORKERS [statements|warm]`, an embedded brain when the first is
 * empty. `statements` counts those too; `warm` does as many pages before, which are not measured.
 */
import { NodeServices } from "@effect/platform-node"
import { ConfigProvider, Effect, Layer, Option, Schema, Tracer } from "effect"
import {
  defaultOptions,
  extractConversationFacts,
  extractionLayer,
  HostProcess,
  Money
} from "../src/index.ts"
import { fillConversations, freshBrain } from "./support/brain.ts"
import { processorTime } from "./support/processorTime.ts"

const [databaseUrl = "", apiUrl = "", pages = "600", workers = "20", how = ""] = process.argv.slice(2)

// As the command runs.
Error.stackTraceLimit = 0

const decodeStats = Schema.decodeUnknownSync(Schema.Record(Schema.String, Schema.Finite))

const stats = Effect.promise(async () =>
  decodeStats(await (await fetch(`${apiUrl.replace(/\/v1$/, "")}/__stats`)).json())
)

// Statements are counted by the spans that the client makes for them.
let statements = 0
const counting = Tracer.make({
  span: (options) => {
    if (options.kind === "client") statements++
    return new Tracer.NativeSpan(options)
  }
})

// A run over so many new pages of which none is done.
const measure = Effect.fnUntraced(function* (first: number) {
  yield* fillConversations(Number(pages), first)
  const before = yield* stats
  const startedAt = performance.now()
  const processorBefore = processorTime()
  const report = yield* extractConversationFacts(defaultOptions).pipe(
    how === "statements" ? Effect.provideService(Tracer.Tracer, counting) : Effect.withTracerEnabled(false)
  )
  const seconds = (performance.now() - startedAt) / 1000
  const processor = processorTime()
  const after = yield* stats
  if (report.status !== "completed" || report.pages_processed !== Number(pages)) {
    return yield* Effect.die(new Error(`the run ended ${report.status}: ${JSON.stringify(report)}`))
  }
  const latency = ((after["chatLatencySum"] ?? 0) - (before["chatLatencySum"] ?? 0)) / 1000
  return {
    seconds,
    efficiency: latency / Number(workers) / seconds,
    most: after["mostChatInFlight"],
    statements: statements / report.pages_processed,
    cpu: (processor.all - processorBefore.all) / report.segments_processed,
    database: (processor.database - processorBefore.database) / report.segments_processed,
    megabytes: process.resourceUsage().maxRSS / 1024
  }
})

const program = Effect.gen(function* () {
  let found = yield* measure(1)
  // In one process, as one long run would go on, with nothing left to be compiled.
  if (how === "warm") found = yield* measure(1 + Number(pages))
  process.stdout.write(`${JSON.stringify(found)}\n`)
})

await Effect.runPromise(
  program.pipe(
    Effect.provide(
      extractionLayer({ workers: Number(workers), cap: Money.parseUsd("1000"), model: Option.none() }).pipe(
        Layer.provideMerge(freshBrain(databaseUrl, 14)),
        Layer.provideMerge(HostProcess.layer),
        Layer.provideMerge(NodeServices.layer),
        Layer.provide(
          ConfigProvider.layer(
            ConfigProvider.fromEnv({ env: { OPENAI_BASE_URL: apiUrl, OPENAI_API_KEY: "sk-bench" } })
          )
        )
      )
    )
  )
)
process.exit(0)
