/** One measured run: `run-embed.ts DATABASE_URL API_URL CHUNKS WORKERS BATCH`, an embedded brain when the first is empty. */
import { NodeServices } from "@effect/platform-node"
import { ConfigProvider, Duration, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { defaultEmbedOptions, embed, embedLayer, HostProcess, Money } from "../src/index.ts"
import { VectorIndexPolicy } from "../src/services/VectorIndex.ts"
import { freshBrain } from "./support/brain.ts"

const [databaseUrl = "", apiUrl = "", chunks = "4000", workers = "4", batch = ""] = process.argv.slice(2)

const warmUp = 10

// Five chunks of some 1,200 characters a page; every text another.
const fill = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`insert into pages (slug, type, title)
    select 'notes/' || page, 'note', 'Note ' || page from generate_series(1, ${Math.ceil(Number(chunks) / 5)}::int) page`
  yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text)
    select id, chunk, (select string_agg('The harbour office signed contract ' || id || '-' || chunk || '-' || line || ' on Friday.', ' ')
      from generate_series(1, 24) line)
    from pages, generate_series(0, 4) chunk order by id, chunk limit ${Number(chunks)}`
  yield* sql`analyze`
})

const decodeStats = Schema.decodeUnknownSync(Schema.Record(Schema.String, Schema.Finite))

const stats = Effect.promise(async () =>
  decodeStats(await (await fetch(`${apiUrl.replace(/\/v1$/, "")}/__stats`)).json())
)

const program = Effect.gen(function* () {
  yield* fill
  // Ten requests first, so that the modules are loaded and the code is warm.
  yield* embed({ ...defaultEmbedOptions, batchSize: Option.some(1), limit: Option.some(warmUp) })
  const before = yield* stats
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  const report = yield* embed({
    ...defaultEmbedOptions,
    batchSize: batch === "" ? Option.none() : Option.some(Number(batch))
  })
  // Building the index again has a bench of its own.
  const seconds = (performance.now() - startedAt - report.index_ms) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const after = yield* stats
  if (report.status !== "completed" || report.chunks_embedded !== Number(chunks) - warmUp) {
    return yield* Effect.die(new Error(`the run ended ${report.status}: ${JSON.stringify(report)}`))
  }
  const latency = ((after["embeddingLatencySum"] ?? 0) - (before["embeddingLatencySum"] ?? 0)) / 1000
  process.stdout.write(
    `${JSON.stringify({
      seconds,
      efficiency: latency / Number(workers) / seconds,
      most: after["mostEmbeddingsInFlight"],
      requests: report.embedding_calls,
      cpu: (cpu.user + cpu.system) / 1000 / report.chunks_embedded,
      megabytes: process.resourceUsage().maxRSS / 1024
    })}\n`
  )
})

await Effect.runPromise(
  program.pipe(
    Effect.provide(
      embedLayer({ workers: Number(workers), cap: Money.parseUsd("1000") }).pipe(
        Layer.provide(
          Layer.succeed(VectorIndexPolicy, {
            fromVectors: 1,
            mostPerWritten: 2,
            patience: Duration.seconds(5)
          })
        ),
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
