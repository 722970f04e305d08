/** What becomes of the index on vectors in runs of `embed`, as the run reports it and `doctor` sees it. */
import { describe, expect, inject, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Logger, Option } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../../src/domain/Money.ts"
import { examine } from "../../../src/programs/doctor/examine.ts"
import { embed } from "../../../src/programs/embed/embed.ts"
import { embedLayer } from "../../../src/programs/embed/layer.ts"
import { defaultEmbedOptions } from "../../../src/programs/embed/options.ts"
import { makeIndexKeeper } from "../../../src/programs/embed/indexKeeper.ts"
import { type EmbedReport, makeEmbedTally } from "../../../src/programs/embed/report.ts"
import { brainLayer } from "../../../src/programs/extract-conversation-facts/layer.ts"
import { Budget } from "../../../src/services/Budget.ts"
import { HostProcess } from "../../../src/services/HostProcess.ts"
import { OpenAi } from "../../../src/services/OpenAi.ts"
import { Progress } from "../../../src/services/Progress.ts"
import { Usage } from "../../../src/services/Usage.ts"
import { VectorIndex, VectorIndexPolicy } from "../../../src/services/VectorIndex.ts"
import { WorkerPool } from "../../../src/services/WorkerPool.ts"
import { postgresBrain } from "../../support/brains.ts"
import { environment, standIn } from "../../support/extraction.ts"

const run = (
  url: string,
  onInterrupt: (report: EmbedReport) => Effect.Effect<void> = () => Effect.void,
  cap = "5"
) =>
  embed({ ...defaultEmbedOptions, batchSize: Option.some(10) }, onInterrupt).pipe(
    Effect.provide(
      embedLayer({ workers: 2, cap: Money.parseUsd(cap) }).pipe(
        Layer.provide(
          Layer.succeed(VectorIndexPolicy, {
            fromVectors: 10,
            mostPerWritten: 2,
            patience: Duration.seconds(5)
          })
        ),
        Layer.provide(environment({ OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-test" }))
      )
    )
  )

const fill = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`insert into pages (slug, type, title) select 'notes/' || n, 'note', 'n' from generate_series(1, 40) n`
  yield* sql`insert into content_chunks (page_id, chunk_index, chunk_text)
    select id, 0, 'About harbour number ' || id || '.' from pages order by id`
})

const isIndexed = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`select 1 from pg_index join pg_class on pg_class.oid = indexrelid
    where relname = 'idx_chunks_embedding' and indisvalid`
  return rows.length > 0
})

const doctorSays = examine().pipe(
  Effect.provide(
    Layer.merge(brainLayer, OpenAi.layer).pipe(Layer.provide(environment({ OPENAI_API_KEY: "k" })))
  ),
  Effect.map(({ checks }) =>
    checks.filter(({ name }) => name === "vector_index").map(({ message }) => message)
  )
)

describe.skipIf(inject("noPostgres") !== "")(`embed and the index on vectors ${inject("noPostgres")}`, () => {
  it.live("a run that completes has built it again, and takes no other next time", () =>
    Effect.gen(function* () {
      yield* fill
      const api = yield* standIn()
      expect(yield* run(api.url)).toMatchObject({ status: "completed", chunks_embedded: 40, index: "built" })
      expect(yield* isIndexed).toBe(true)
      expect(yield* doctorSays).toEqual([])
      expect(yield* run(api.url)).toMatchObject({ status: "completed", index: "kept" })
    }).pipe(Effect.scoped, Effect.provide(postgresBrain))
  )

  it.live("with no money for a single request it is not touched", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* fill
      const api = yield* standIn()
      const numberOf = sql<{
        readonly oid: number
      }>`select 'idx_chunks_embedding'::regclass::oid::int8 as oid`
      const before = yield* numberOf
      const report = yield* run(api.url, undefined, "0.000000001")
      expect(report).toMatchObject({
        status: "budget",
        chunks_embedded: 0,
        index: "kept",
        index_ms: expect.any(Number)
      })
      // One that was built again would be another.
      expect(yield* numberOf).toEqual(before)
    }).pipe(Effect.scoped, Effect.provide(postgresBrain))
  )

  it.live("interrupted while it is aside: the report and doctor say so, and the next run builds it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* fill
      const api = yield* standIn({ rules: [{ contains: "number 37.", fault: { kind: "hang" } }] })
      const told: Array<EmbedReport> = []
      const running = yield* Effect.forkChild(
        run(api.url, (report) => Effect.sync(() => void told.push(report)))
      )
      yield* Effect.repeat(
        sql<{
          readonly n: number
        }>`select count(*)::int as n from content_chunks where embedding is not null`,
        { until: ([row]) => (row?.n ?? 0) >= 30 }
      )
      yield* Fiber.interrupt(running)
      expect(told).toMatchObject([{ status: "interrupted", chunks_embedded: 30, index: "to-build" }])
      expect(yield* isIndexed).toBe(false)
      expect(yield* doctorSays).toEqual([expect.stringContaining("idx_chunks_embedding")])
      api.behave({ rules: [] })
      expect(yield* run(api.url)).toMatchObject({ status: "completed", chunks_embedded: 10, index: "built" })
      expect(yield* isIndexed).toBe(true)
      expect(yield* doctorSays).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(postgresBrain))
  )

  it.live(
    "while another run still writes it stays aside, and is left to that one; one that is dead writes nothing",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* fill
        const { host } = yield* HostProcess
        const another = (pid: number) =>
          Effect.andThen(
            sql`insert into gbrain_cycle_locks (id, holder_pid, holder_host, acquired_at, ttl_expires_at)
            values ('gbrain-embed-backfill:work', ${pid}, ${host}, now(), now() + interval '1 hour')
            on conflict (id) do update set holder_pid = excluded.holder_pid`,
            sql`insert into gbrain_effect.runs (command, workers, host, pid) values ('embed', 1, ${host}, ${pid})`
          )
        const api = yield* standIn()
        yield* another(process.ppid)
        expect(yield* run(api.url)).toMatchObject({
          status: "completed",
          index: "to-build",
          warnings: [
            { item: "index", reason: expect.stringContaining(`by process ${process.ppid} on ${host}`) }
          ]
        })
        expect(yield* isIndexed).toBe(false)
        yield* another(2 ** 30)
        expect(yield* run(api.url)).toMatchObject({ status: "completed", index: "built" })
        expect(yield* isIndexed).toBe(true)
      }).pipe(Effect.scoped, Effect.provide(postgresBrain))
  )
})

describe("while the index is built", () => {
  it.effect("the progress says how far it is, and nothing is logged", () =>
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const stages: Array<string | undefined> = []
      const progress = yield* Progress
      const stage = Effect.map(progress.snapshot, (now) => {
        stages.push(Option.getOrUndefined(now.stage))
      })
      const keeper = yield* makeIndexKeeper(1, makeEmbedTally()).pipe(
        Effect.provideService(
          VectorIndex,
          VectorIndex.of({
            inPlace: Effect.succeed(true),
            isWorth: () => Effect.succeed(true),
            setAsideFor: () => Effect.succeed(true),
            pending: Effect.succeed([]),
            restore: (onProgress) =>
              onProgress({ index: "idx", phase: "loading tuples", share: Option.some(0.42) }).pipe(
                Effect.andThen(stage),
                Effect.as("built" as const)
              )
          })
        )
      )
      yield* keeper.restore.pipe(
        Effect.provide(Logger.layer([Logger.make(({ message }) => logged.push(message))]))
      )
      yield* stage
      expect(stages).toEqual(["making the index idx: loading tuples 42%", undefined])
      expect(logged).toEqual([])
    }).pipe(
      Effect.provide(
        Progress.layer.pipe(
          Layer.provide([Budget.layer({ cap: Option.none() }), WorkerPool.layer({ workers: 1 }), Usage.layer])
        )
      )
    )
  )
})
