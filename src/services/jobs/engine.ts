/**
 * The engine of background work: `effect/workflow` on `effect/cluster`, kept in the brain's own database. Processes that work on
 * jobs meet in it and nowhere else: they open no port, and need not reach each other. Each holds shards, by rows that it renews; a job
 * belongs to a shard, and goes on in another process when its own stops, dies or falls silent.
 *
 * An embedded brain has one process, which holds all.
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { Duration, Effect, Layer, Option, Random, Schedule } from "effect"
import {
  ClusterWorkflowEngine,
  RunnerAddress,
  RunnerHealth,
  Runners,
  RunnerStorage,
  Sharding,
  ShardingConfig,
  SqlMessageStorage,
  SqlRunnerStorage
} from "effect/cluster"
import { Migrator, SqlClient } from "effect/sql"
import type { LiveRunner } from "../../domain/Job.ts"
import { Brain } from "../Brain.ts"
import { takeTurn, turns } from "../database/turns.ts"
import { HostProcess } from "../HostProcess.ts"

/** How soon things happen. */
const soon = Duration.seconds(1)

/**
 * How often a process renews what it holds, which is also for how long it can do without the database before it must stop its jobs;
 * and after how long a process that died is missed, which must be three times that.
 */
const renewEvery = Duration.seconds(15)
const silentAfter = Duration.seconds(45)

/** Shards of a brain; every process must know of the same number. */
const shards = 32

// In our schema: where a name with a dot is taken for a table, it is one; where it is taken for part of a name, the search path helps.
const tables = { migrated: "cluster", used: "gbrain_effect.cluster" }

// The engine's own tables, made by its own migrations.
const engineTables = Layer.effectDiscard(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* takeTurn(sql, turns.migration)
        yield* sql`set local search_path to gbrain_effect, public`
        yield* Migrator.make({})({
          loader: SqlRunnerStorage.migrations({ prefix: tables.migrated }),
          table: `${tables.migrated}_runner_migrations`
        })
        yield* Migrator.make({})({
          loader: SqlMessageStorage.migrations({ prefix: tables.migrated }),
          table: `${tables.migrated}_migrations`
        })
      })
    )
  })
)

// The name that shards are held under: one of its own for each process, also for those of containers that are all called alike.
const config = Layer.unwrap(
  Effect.gen(function* () {
    const { host, pid } = yield* HostProcess
    const nonce = (yield* Random.next).toString(36).slice(2)
    return ShardingConfig.layer({
      runnerAddress: Option.some(RunnerAddress.make(`${host} ${nonce}`, pid)),
      shardsPerGroup: shards,
      // A connection pooler between us and the server keeps no locks of a session.
      shardLockDisableAdvisory: true,
      shardLockRefreshInterval: renewEvery,
      shardLockExpiration: silentAfter,
      entityMessagePollInterval: soon,
      refreshAssignmentsInterval: soon,
      // What is interrupted has its own time for farewells; until then nothing else is waited for.
      entityTerminationTimeout: Duration.millis(100)
    })
  })
)

// The engine takes half a second of failures for the end, and interrupts what runs. A database that is started again takes longer; it is
// waited for as long as what is held cannot have gone to others.
const patientStorage = Layer.effect(
  RunnerStorage.RunnerStorage,
  Effect.map(RunnerStorage.RunnerStorage, (storage) =>
    RunnerStorage.RunnerStorage.of({
      ...storage,
      refresh: (address, held) =>
        Effect.retry(storage.refresh(address, held), Schedule.spaced(Duration.millis(500)))
    })
  )
).pipe(Layer.provide(SqlRunnerStorage.layerStorage({ prefix: tables.used })))

/** The engine on the open brain; this process takes part in it as long as the layer lives. */
export const engine = Layer.unwrap(
  Effect.gen(function* () {
    const { kind } = yield* Brain
    const runners = kind === "postgres" ? patientStorage : RunnerStorage.layerMemory
    return ClusterWorkflowEngine.layer.pipe(
      Layer.provideMerge(Sharding.layer),
      Layer.provide(Runners.layerNoop),
      Layer.provideMerge(SqlMessageStorage.layerStorage({ prefix: tables.used })),
      Layer.provide([runners, RunnerHealth.layerNoop]),
      Layer.provide(config),
      Layer.provide(NodeCrypto.layerDigest),
      Layer.provide(engineTables)
    )
  })
)

/** Who takes part in the engine of an open brain on a server, as far as can be told from here. */
export const liveRunners = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const self = yield* HostProcess
  const [table] = yield* sql<{ readonly there: boolean }>`
    select to_regclass(${`${tables.used}_runners`}) is not null as there`
  if (table?.there !== true) return []
  const rows = yield* sql<{ readonly address: string }>`
    select address from gbrain_effect.cluster_runners
    where last_heartbeat > now() - ${`${Duration.toSeconds(silentAfter)} seconds`}::interval`
  return rows
    .flatMap(({ address }): ReadonlyArray<LiveRunner> => {
      const [, host, pid] = /^(.*) [^ ]+:(\d+)$/.exec(address) ?? []
      return host === undefined ? [] : [{ host, pid: Number(pid) }]
    })
    .filter(({ host, pid }) => host !== self.host || self.isAlive(pid))
})
