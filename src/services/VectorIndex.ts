/**
 * The index on a column of vectors, out of the way while very many are written. An HNSW index makes every row that is written many
 * times dearer; built afterwards, in one go and by several workers, it costs less.
 *
 * An index that is set aside is on record with its definition, in the transaction that drops it, and off the record only when it is
 * there again and valid. So whatever happens between, the next run, or `doctor`, knows what is missing. It is built concurrently:
 * nobody who reads or writes waits. One that was interrupted is invalid: it is waited for if the database still builds it, and else
 * dropped and built anew.
 */
import { Context, Duration, Effect, Layer, Option, Schedule } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { embeddingLease } from "../domain/EmbeddedText.ts"
import { Database, reasonOf } from "./Database.ts"
import { makeIndex } from "./database/concurrentIndex.ts"
import { resilient } from "./database/Resilience.ts"
import { LockPolicy, withShortLocks } from "./database/shortLocks.ts"
import { HostProcess } from "./HostProcess.ts"
import { PageLease } from "./PageLease.ts"

/** When an index is set aside. */
export const VectorIndexPolicy = Context.Reference("gbrain/VectorIndexPolicy", {
  defaultValue: () => ({
    /** With fewer vectors to write it stays. */
    fromVectors: 1_000,
    /** So many times as many vectors as are written may be in the column when all is done: they are all indexed anew. */
    mostPerWritten: 2,
    /** Whoever reads for so long keeps the table: then the index stays. */
    patience: Duration.seconds(5)
  })
})

/** How far building an index is. */
export interface IndexProgress {
  readonly index: string
  readonly phase: string
  /** 0 to 1, when the database tells. */
  readonly share: Option.Option<number>
}

/** What became of the indexes on record. */
export type Restored =
  | "nothing"
  | "built"
  | { readonly left: string }
  /** Left to another run of `embed` that still writes, which builds them when it is done. */
  | { readonly leftTo: string }

/** The lease on dropping and building indexes. */
const leaseId = "gbrain-effect-vector-index"

/** Indexes on vectors of chunks. */
export class VectorIndex extends Context.Service<
  VectorIndex,
  {
    /** Whether the column has an index that writing must keep up. */
    readonly inPlace: Effect.Effect<boolean, SqlError.SqlError>
    /** Whether `vectors` are worth setting the index aside. */
    readonly isWorth: (vectors: number) => Effect.Effect<boolean, SqlError.SqlError>
    /** Sets the index aside when `vectors` are worth it; answers whether it is out of the way now. */
    readonly setAsideFor: (vectors: number) => Effect.Effect<boolean, SqlError.SqlError>
    /** The names of indexes that are on record as set aside. */
    readonly pending: Effect.Effect<ReadonlyArray<string>, SqlError.SqlError>
    /** Builds what is on record. Fails with nothing: what could not be built stays on record, and is said. */
    readonly restore: (
      onProgress: (progress: IndexProgress) => Effect.Effect<void>
    ) => Effect.Effect<Restored, SqlError.SqlError>
  }
>()("gbrain/VectorIndex") {
  /** The indexes of the open brain's `content_chunks.embedding`. An embedded brain has none. */
  static readonly layer = Layer.effect(
    VectorIndex,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const leases = yield* PageLease
      const policy = yield* VectorIndexPolicy
      const { kind } = yield* Database
      const self = yield* HostProcess

      const found = resilient(sql<FoundIndex>`
        select index_class.relname as name, pg_get_indexdef(pg_index.indexrelid) as definition, indisvalid as valid
        from pg_index
        join pg_class index_class on index_class.oid = pg_index.indexrelid
        join pg_am on pg_am.oid = index_class.relam
        join pg_attribute on attrelid = indrelid and attnum = any(indkey)
        where indrelid = 'content_chunks'::regclass and attname = 'embedding' and amname in ('hnsw', 'ivfflat')`)

      // And what an interrupted build, whoever's, left behind: an invalid index is kept up by writers and used by nobody.
      const onRecord = resilient(sql<{ readonly name: string; readonly definition: string }>`
        select name, definition from gbrain_effect.indexes_set_aside where table_name = 'content_chunks'
        union
        select relname, pg_get_indexdef(indexrelid) from pg_index join pg_class on pg_class.oid = indexrelid
        where indrelid = 'content_chunks'::regclass and not indisvalid
          and not exists (select 1 from gbrain_effect.indexes_set_aside where name = relname)
          and not exists (select 1 from pg_stat_progress_create_index where index_relid = indexrelid)
        order by name`)

      const drop = (indexes: ReadonlyArray<FoundIndex>) =>
        withShortLocks(
          ["content_chunks"],
          Effect.forEach(
            indexes,
            ({ definition, name, valid }) =>
              Effect.gen(function* () {
                if (valid) {
                  yield* sql`insert into gbrain_effect.indexes_set_aside (name, table_name, definition)
                    values (${name}, 'content_chunks', ${definition}) on conflict (name) do nothing`
                }
                yield* sql`drop index if exists ${sql(name)}`
              }),
            { discard: true }
          )
        ).pipe(
          Effect.updateService(LockPolicy, (locks) => ({ ...locks, giveUpAfter: policy.patience })),
          Effect.provideService(SqlClient.SqlClient, sql)
        )

      // gbrain's own runs build no index of ours: only a lease that one of our runs holds tells of somebody who will.
      const writing = Effect.map(
        resilient(sql<{ readonly pid: number; readonly host: string }>`
          select holder_pid as pid, holder_host as host from gbrain_cycle_locks lock
          where id like ${embeddingLease("%")} and ttl_expires_at > clock_timestamp() and exists (
            select 1 from gbrain_effect.runs run where run.command = 'embed' and run.finished_at is null
              and run.host = lock.holder_host and run.pid = lock.holder_pid)`),
        (holders) => holders.find(({ host, pid }) => host !== self.host || self.isAlive(pid))
      )

      const vectorsNow = sql<{ readonly count: number }>`
        select count(*)::int as count from content_chunks where embedding is not null`

      const worthIt = Effect.fnUntraced(function* (vectors: number) {
        if (kind !== "postgres" || vectors < policy.fromVectors) return []
        const indexes = yield* found
        if (indexes.length === 0) return []
        const [now] = yield* vectorsNow
        return (now?.count ?? 0) + vectors > vectors * policy.mostPerWritten ? [] : indexes
      })

      const setAsideFor = Effect.fn("VectorIndex.setAsideFor")(function* (vectors: number) {
        const indexes = yield* worthIt(vectors)
        if (indexes.length === 0) return false
        return yield* leases
          .withLease(leaseId, () => drop(indexes))
          .pipe(
            Effect.as(true),
            Effect.catch((error: unknown) =>
              Effect.as(
                Effect.logWarning(
                  `The vector index stays while vectors are written, which makes it slow: ${reasonOf(error)}`
                ),
                false
              )
            )
          )
      })

      const watch = (index: string, onProgress: (progress: IndexProgress) => Effect.Effect<void>) =>
        sql<{ readonly phase: string; readonly share: number | null }>`
          select phase, (case when tuples_total > 0 then tuples_done::float8 / tuples_total
            when blocks_total > 0 then blocks_done::float8 / blocks_total end) as share
          from pg_stat_progress_create_index where relid = 'content_chunks'::regclass and datname = current_database()`.pipe(
          Effect.flatMap(([row]) =>
            row === undefined
              ? Effect.void
              : onProgress({ index, phase: row.phase, share: Option.fromNullishOr(row.share) })
          ),
          Effect.ignore,
          Effect.schedule(Schedule.spaced("1 second"))
        )

      const restoreOne = Effect.fnUntraced(function* (
        record: { readonly name: string; readonly definition: string },
        onProgress: (progress: IndexProgress) => Effect.Effect<void>
      ) {
        const statement = record.definition.replace(
          /^CREATE (UNIQUE )?INDEX /,
          "CREATE $1INDEX CONCURRENTLY IF NOT EXISTS "
        )
        yield* Effect.raceFirst(
          Effect.provideService(makeIndex({ name: record.name, statement }), SqlClient.SqlClient, sql),
          watch(record.name, onProgress)
        )
        yield* sql`delete from gbrain_effect.indexes_set_aside where name = ${record.name}`
      })

      return VectorIndex.of({
        inPlace: Effect.map(found, (indexes) => indexes.length > 0),
        pending: Effect.map(onRecord, (rows) => rows.map((row) => row.name)),
        isWorth: (vectors) => Effect.map(worthIt(vectors), (indexes) => indexes.length > 0),
        setAsideFor,
        restore: Effect.fn("VectorIndex.restore")(function* (onProgress) {
          const records = yield* onRecord
          if (records.length === 0) return "nothing" as const
          // Vectors that it is still to write would go into the index one by one.
          const other = yield* writing
          if (other !== undefined) return { leftTo: `process ${other.pid} on ${other.host}` }
          return yield* leases
            .withLease(leaseId, () =>
              Effect.forEach(records, (record) => restoreOne(record, onProgress), { discard: true })
            )
            .pipe(
              Effect.as("built" as const),
              Effect.catch((error: unknown) => Effect.succeed({ left: reasonOf(error) }))
            )
        })
      })
    })
  )
}

interface FoundIndex {
  readonly name: string
  readonly definition: string
  readonly valid: boolean
}
