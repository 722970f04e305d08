/**
 * Writing vectors with the HNSW index in place, against dropping it and building it afterwards, on Postgres.
 *
 *   npm run bench:embed-index                    2,000 and 10,000 chunks, 1,536 wide
 *   npm run bench:embed-index -- --chunks 50000 --width 1536 --writers 2
 */
import { NodeServices } from "@effect/platform-node"
import { Effect, Layer, Option, Redacted, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { parseArgs } from "node:util"
import { embedBrainLayer } from "../src/programs/embed/layer.ts"
import { ChunkEmbeddings } from "../src/services/ChunkEmbeddings.ts"
import { Brain, Database, HostProcess, initBrain } from "../src/index.ts"
import { startServer } from "../test/support/postgres/server.ts"
import { seeded } from "../test/support/stand-in/behaviour.ts"

const { values } = parseArgs({
  options: {
    chunks: { type: "string", default: "2000,10000" },
    width: { type: "string", default: "1536" },
    writers: { type: "string", default: "2" },
    batch: { type: "string", default: "200" }
  }
})

const model = "openai:text-embedding-3-small"
const dimensions = Number(values.width)
const random = seeded(7)
const vector = () => Float32Array.from({ length: dimensions }, () => random() - 0.5)

const seconds = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const startedAt = performance.now()
    return Effect.map(work, () => (performance.now() - startedAt) / 1000)
  })

const measure = Effect.fnUntraced(function* (chunks: number) {
  const sql = yield* SqlClient.SqlClient
  const embeddings = yield* ChunkEmbeddings
  yield* sql`truncate pages cascade`
  yield* sql`insert into pages (slug, type, title) select 'p/' || n, 'note', 'n' from generate_series(1, ${chunks / 5}::int) n`
  yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text)
    select id, n, 'chunk ' || id || ' ' || n from pages, generate_series(0, 4) n`
  yield* sql`analyze content_chunks`
  const scope = { sourceIds: ["default"], slugs: Option.none(), all: Option.none(), model, dimensions }
  const writeAll = Effect.suspend(() =>
    embeddings.stale(scope, { toDo: chunks, missing: chunks }).pipe(
      Stream.grouped(Number(values.batch)),
      Stream.mapEffect(
        (batch) =>
          embeddings.write(
            scope,
            batch.map((it) => ({ id: it.id, hash: it.hash, vector: vector(), key: it.hash }))
          ),
        { concurrency: Number(values.writers), unordered: true }
      ),
      Stream.runDrain
    )
  )
  const withIndex = yield* seconds(writeAll)
  yield* sql`update content_chunks set embedding = null, embedded_text_hash = null`
  yield* sql`drop index idx_chunks_embedding`
  yield* sql`vacuum full content_chunks`
  const without = yield* seconds(writeAll)
  const build = yield* seconds(
    Effect.scoped(
      Effect.gen(function* () {
        const connection = yield* sql.reserve
        yield* connection.executeRaw("set maintenance_work_mem = '512MB'", [])
        yield* connection.executeRaw(
          "create index concurrently idx_chunks_embedding on content_chunks using hnsw (embedding vector_cosine_ops)",
          []
        )
        yield* connection.executeRaw("reset maintenance_work_mem", [])
      })
    )
  )
  const row = [chunks, withIndex, (withIndex / chunks) * 1000, without, build, (build / chunks) * 1000]
  process.stdout.write(
    `${row.map((cell) => (Number.isInteger(cell) ? String(cell) : cell.toFixed(2)).padStart(16)).join("")}\n`
  )
})

const server = await startServer((text) => process.stderr.write(`${text}\n`))
if (!("url" in server)) throw new Error("this bench needs a Postgres server")
const name = `bench_index_${process.pid}`
const url = new URL(server.url)
const at = (path: string) => {
  url.pathname = path
  return Database.layerPostgres({ url: Redacted.make(url.href) })
}
const admin = (statement: string) =>
  Effect.runPromise(
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)).pipe(Effect.provide(at("/postgres")))
  )
await admin(`create database ${name}`)
try {
  process.stdout.write(
    `${["chunks", "with index, s", "ms a chunk", "without, s", "build, s", "ms a chunk"].map((cell) => cell.padStart(16)).join("")}\n`
  )
  await Effect.runPromise(
    Effect.forEach(values.chunks.split(","), (chunks) => measure(Number(chunks)), { discard: true }).pipe(
      Effect.provide(
        embedBrainLayer.pipe(
          Layer.provideMerge(
            Brain.layer.pipe(
              Layer.provideMerge(
                Layer.effectDiscard(
                  initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.some(dimensions) })
                )
              ),
              Layer.provideMerge(at(`/${name}`))
            )
          ),
          Layer.provideMerge(HostProcess.layer),
          Layer.provideMerge(NodeServices.layer)
        )
      )
    )
  )
} finally {
  await admin(`drop database ${name} with (force)`)
  if ("stop" in server) await server.stop()
}
process.exit(0)
