/** One measured run: `run-extraction.ts DATABASE_URL API_URL PAGES WORKERS`, an embedded brain when the first is empty. */
import { NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { ConfigProvider, Effect, FileSystem, Layer, Option, Redacted, Schema, Tracer } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import {
  Brain,
  Database,
  defaultOptions,
  extractConversationFacts,
  extractionLayer,
  HostProcess,
  initBrain,
  Money
} from "../src/index.ts"

const [databaseUrl = "", apiUrl = "", pages = "600", workers = "20"] = process.argv.slice(2)

/** A database of its own on the server, so that runs do not share anything. */
const freshDatabase = Effect.gen(function* () {
  const name = `bench_${process.pid}`
  const admin = PgClient.make({ url: Redacted.make(databaseUrl), maxConnections: 1 }).pipe(
    Effect.provide(Reactivity.layer)
  )
  yield* Effect.scoped(Effect.flatMap(admin, (sql) => sql`create database ${sql(name)}`))
  yield* Effect.addFinalizer(() =>
    Effect.scoped(Effect.flatMap(admin, (sql) => sql`drop database ${sql(name)} with (force)`)).pipe(
      Effect.ignore
    )
  )
  const url = new URL(databaseUrl)
  url.pathname = `/${name}`
  return Redacted.make(url.href)
})

const embedded = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return Database.layerPglite({ directory: yield* fs.makeTempDirectoryScoped({ prefix: "gbrain-bench-" }) })
  })
)

const server = Layer.unwrap(
  Effect.map(freshDatabase, (url) => Database.layerPostgres({ url, maxConnections: 14 }))
)

const database: Layer.Layer<
  Layer.Success<typeof server>,
  Layer.Error<typeof embedded> | Layer.Error<typeof server>,
  Layer.Services<typeof embedded>
> = databaseUrl === "" ? embedded : server

// One to four segments of four messages a page, on average two.
const fill = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into pages (slug, type, title, content_hash, compiled_truth)
    select 'conversations/' || page, 'conversation', 'Conversation ' || page, md5(page::text),
      (select string_agg('**' || case message % 2 when 0 then 'Ana Ruiz' else 'Omar Haddad' end || '** (2024-03-15 '
        || lpad((6 + segment * 2)::text, 2, '0') || ':' || lpad(message::text, 2, '0')
        || '): I signed contract number ' || page || '-' || segment || '-' || message || ' with the harbour office on Friday.', chr(10)
        order by segment, message)
       from generate_series(1, 1 + page % 4) segment, generate_series(1, 4) message)
    from generate_series(1, ${Number(pages)}::int) page`
  yield* sql`analyze pages`
})

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

const program = Effect.gen(function* () {
  yield* fill
  const before = yield* stats
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  const report = yield* extractConversationFacts(defaultOptions).pipe(
    Effect.provideService(Tracer.Tracer, counting)
  )
  const seconds = (performance.now() - startedAt) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const after = yield* stats
  if (report.status !== "completed" || report.pages_processed !== Number(pages)) {
    return yield* Effect.die(new Error(`the run ended ${report.status}: ${JSON.stringify(report)}`))
  }
  const latency = ((after["chatLatencySum"] ?? 0) - (before["chatLatencySum"] ?? 0)) / 1000
  process.stdout.write(
    `${JSON.stringify({
      seconds,
      efficiency: latency / Number(workers) / seconds,
      most: after["mostChatInFlight"],
      statements: statements / report.pages_processed,
      cpu: (cpu.user + cpu.system) / 1000 / report.segments_processed,
      megabytes: process.resourceUsage().maxRSS / 1024
    })}\n`
  )
})

const brain = Brain.layer.pipe(
  Layer.provideMerge(
    Layer.effectDiscard(initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.none() }))
  ),
  Layer.provideMerge(database)
)

await Effect.runPromise(
  program.pipe(
    Effect.provide(
      extractionLayer({ workers: Number(workers), cap: Money.parseUsd("1000"), model: Option.none() }).pipe(
        Layer.provideMerge(brain),
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
