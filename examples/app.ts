/**
 * An Effect application of its own that uses gbrain's programs: a brain in memory, the example imported, facts extracted
 * from its conversations by eight workers for at most ten cents, and the finest of them printed. Run it with a key:
 *
 *   OPENAI_API_KEY=… node examples/app.ts
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Layer, Option } from "effect"
import {
  Brain,
  Database,
  defaultImportOptions,
  defaultOptions,
  extractConversationFacts,
  extractionLayer,
  HostProcess,
  importDirectory,
  importLayer,
  initBrain,
  listFacts,
  Money
} from "../src/index.ts"

const program = Effect.gen(function* () {
  const imported = yield* importDirectory({
    ...defaultImportOptions,
    directory: new URL("brain", import.meta.url).pathname
  }).pipe(Effect.provide(importLayer({ workers: 4 })))
  yield* Console.log(`${imported.created} pages imported`)
  const report = yield* extractConversationFacts(defaultOptions)
  yield* Console.log(`${report.facts_inserted} facts for $${report.spent_usd.toFixed(4)} (${report.status})`)
  const facts = yield* listFacts({
    sourceId: Option.none(),
    entity: Option.none(),
    page: Option.none(),
    query: Option.some("whale"),
    limit: 5
  })
  for (const fact of facts) yield* Console.log(`${fact.date}  ${fact.fact}  [${fact.page}]`)
})

const newBrain = Layer.effectDiscard(
  initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.none() })
)

const brain = Brain.layer.pipe(Layer.provideMerge(newBrain), Layer.provideMerge(Database.layerMemory))

const services = extractionLayer({
  workers: 8,
  cap: Money.parseUsd("0.10"),
  model: Option.none()
}).pipe(
  Layer.provideMerge(brain),
  Layer.provideMerge(HostProcess.layer),
  Layer.provideMerge(NodeServices.layer)
)

NodeRuntime.runMain(program.pipe(Effect.provide(services)))
