/**
 * Moves a brain from one embedding model to another while everybody goes on reading and writing it: new columns beside
 * the old, filled row by row, indexes made beside the old, and names exchanged in one short transaction. What programs need of
 * it, step by step; every step can be repeated, and whoever continues after a crash finds in the database what is done. See
 * decision 018.
 */
import { Context, Effect, Layer, Option, Schema, SemVer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { EmbeddingSpace } from "../domain/EmbeddingSpace.ts"
import { makeIndex } from "./database/concurrentIndex.ts"
import { halfvecSince, pgvectorVersion } from "./Brain.ts"
import { type BadSetting, BrainConfig, embeddingSettings } from "./BrainConfig.ts"
import { Database } from "./Database.ts"
import { type VectorArray, vectorArrays } from "./database/vectorCodec.ts"
import { actualColumns, dropColumns, kindAt, preparePages, prepareTable } from "./migration/columns.ts"
import { dropIndexes, indexProgress, type PlannedIndex, plannedIndexes } from "./migration/indexes.ts"
import {
  countPending,
  type MadeVector,
  noteRefusal,
  type PendingKind,
  type PendingRow,
  pendingRows,
  type Refusal,
  refusals,
  sampleTexts,
  writeVectors
} from "./migration/rows.ts"
import type { TableBusy } from "./database/shortLocks.ts"
import {
  beginMigration,
  changesPages,
  type Migration,
  type MigrationGone,
  notePosition,
  openMigration,
  setPhase,
  stillOpen
} from "./migration/state.ts"
import { settlePageModes } from "./migration/pageModes.ts"
import { queryCacheExists, swap, type SwapOutcome, turnRound } from "./migration/swap.ts"
import { type MigratedTable, type TableSpec, tableSpecs } from "./migration/tables.ts"
import { type Lease, type LeaseLost, PageLease } from "./PageLease.ts"

export type { MadeVector, PendingKind, PendingRow, Refusal } from "./migration/rows.ts"
export { LockPolicy, TableBusy } from "./database/shortLocks.ts"
export { type Migration, MigrationGone, type MigrationPhase } from "./migration/state.ts"
export type { SwapOutcome } from "./migration/swap.ts"
export type { EmbeddingSpace } from "../domain/EmbeddingSpace.ts"
export type { MigratedTable, TableSpec } from "./migration/tables.ts"

/** The id of the lease that a migration is worked on under. */
export const migrationLease = "gbrain-effect:migrate-embeddings"

/** What asking for a migration contradicts. */
export class MigrationRefused extends Schema.TaggedError<MigrationRefused>()("MigrationRefused", {
  message: Schema.String
}) {}

/** A table that a migration changes, its column as it is and as it becomes. */
export interface TablePlan {
  readonly spec: TableSpec
  readonly from: string
  readonly to: string
}

type Sql<A, E = never> = Effect.Effect<A, E | SqlError.SqlError>

/** The embedding migrations of a brain. */
export class EmbeddingMigrations extends Context.Service<
  EmbeddingMigrations,
  {
    /** The model and width that the brain is configured for. */
    readonly configured: Sql<EmbeddingSpace, BadSetting>
    /** The migration that is not over yet. */
    readonly open: Sql<Option.Option<Migration>>
    /** The tables that have to change for a brain to be of `to`, where `configured` is what it is said to be of. */
    readonly plan: (configured: EmbeddingSpace, to: EmbeddingSpace) => Sql<ReadonlyArray<TablePlan>>
    /** Rows of a table to be embedded, and the bytes of their texts; `migration` none before it is begun. */
    readonly count: (
      spec: TableSpec,
      migration: Option.Option<Migration>
    ) => Sql<{ readonly rows: number; readonly bytes: number }>
    /** At most so many of a table's texts. */
    readonly sample: (spec: TableSpec, limit: number) => Sql<ReadonlyArray<string>>
    readonly begin: (
      from: EmbeddingSpace,
      to: EmbeddingSpace,
      tables: ReadonlyArray<MigratedTable>
    ) => Sql<Migration>
    /** Makes the new columns that are not there yet. */
    readonly prepare: (migration: Migration) => Sql<void, TableBusy | MigrationGone>
    /** The next rows without a new vector in the order of their ids. */
    readonly pending: (
      migration: Migration,
      spec: TableSpec,
      options: {
        readonly kind: PendingKind
        readonly after: number
        readonly limit: number
        readonly bytes: number
      }
    ) => Sql<ReadonlyArray<PendingRow>>
    /**
     * Writes vectors of rows whose text has not changed meanwhile, in one statement; answers how many were written.
     */
    readonly write: (migration: Migration, spec: TableSpec, made: ReadonlyArray<MadeVector>) => Sql<number>
    /** Notes that the model refuses a row's present text. */
    readonly refuse: (
      migration: Migration,
      row: Pick<PendingRow, "table" | "id" | "hash">,
      reason: string
    ) => Sql<void>
    /** The rows whose present texts are refused. */
    readonly refused: (migration: Migration) => Sql<ReadonlyArray<Refusal>>
    /** Notes up to which id a table is embedded. */
    readonly notePosition: (migration: Migration, table: MigratedTable, upTo: number) => Sql<void>
    /** The indexes that the new columns need. */
    readonly indexes: (migration: Migration) => Sql<ReadonlyArray<PlannedIndex>>
    /** Makes one of them; answers whether it was not there yet. */
    readonly makeIndex: (index: PlannedIndex) => Sql<boolean>
    /** How far the index being made is, 0 to 1. */
    readonly indexProgress: Sql<Option.Option<number>>
    /** After a swap: pages say how their chunks are embedded now. */
    readonly settlePages: (migration: Migration) => Sql<void>
    /** Lets the new columns take the place of the old, unless a row would lose its vector. */
    readonly swap: (
      migration: Migration,
      lease: Lease
    ) => Sql<SwapOutcome, TableBusy | LeaseLost | MigrationGone>
    /** Drops what is kept beside: the new columns of a migration that is given up, or the old ones of one that is done. */
    readonly drop: (migration: Migration) => Sql<void, TableBusy | MigrationGone>
    /** Begins the way back from a migration that was swapped. */
    readonly turnRound: (
      migration: Migration,
      lease: Lease
    ) => Sql<void, TableBusy | LeaseLost | MigrationGone>
  }
>()("gbrain/EmbeddingMigrations") {
  /** The migrations of the open brain. */
  static readonly layer = Layer.effect(
    EmbeddingMigrations,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const config = yield* BrainConfig
      const context = yield* Effect.context<SqlClient.SqlClient | Database | PageLease>()
      const vectorArray: VectorArray = yield* vectorArrays(sql, (yield* Database).types)
      const within = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provide(effect, context)

      const columnOf = (spec: TableSpec, column: string) =>
        Effect.map(within(actualColumns()), (columns) =>
          columns.find((it) => it.table === spec.table && it.column === column)
        )

      // The kind of a column does not change as long as its migration is open.
      const kinds = new Map<string, "halfvec" | "vector">()
      const kindOf = Effect.fnUntraced(function* (migration: Migration, spec: TableSpec) {
        const key = `${migration.id} ${spec.table}`
        const known = kinds.get(key)
        if (known !== undefined) return known
        const column = yield* columnOf(spec, migration.phase === "swapped" ? "embedding" : "embedding_next")
        if (column !== undefined) kinds.set(key, column.kind)
        return column?.kind
      })

      const targetKind = Effect.fnUntraced(function* (spec: TableSpec, dimensions: number) {
        const made = yield* columnOf(spec, "embedding_next")
        if (made !== undefined) return made.kind
        const present = yield* columnOf(spec, "embedding")
        const version = yield* pgvectorVersion(sql)
        const hasHalfvec = Option.exists(version, (it) => !SemVer.isLessThan(it, halfvecSince))
        return kindAt(present?.kind ?? "vector", dimensions, hasHalfvec)
      })

      return EmbeddingMigrations.of({
        configured: embeddingSettings(config),
        open: within(openMigration),
        plan: Effect.fnUntraced(function* (configured, to) {
          const columns = (yield* within(actualColumns())).filter(({ column }) => column === "embedding")
          const sameModel = configured.model === to.model
          const plans: Array<TablePlan> = []
          for (const spec of tableSpecs) {
            const present = columns.find(({ table }) => table === spec.table)
            if (present === undefined || (sameModel && present.dimensions === to.dimensions)) continue
            const kind = yield* targetKind(spec, to.dimensions)
            plans.push({
              spec,
              from: `${present.kind}(${present.dimensions})`,
              to: `${kind}(${to.dimensions})`
            })
          }
          return plans
        }),
        count: (spec, migration) => within(countPending(spec, migration)),
        sample: (spec, limit) => within(sampleTexts(spec, limit)),
        begin: (from, to, tables) => within(beginMigration(from, to, tables)),
        prepare: Effect.fnUntraced(function* (migration) {
          for (const spec of migration.specs) {
            const kind = yield* targetKind(spec, migration.to.dimensions)
            yield* within(prepareTable(migration, spec, `${kind}(${migration.to.dimensions})`))
          }
          if (changesPages(migration)) yield* within(preparePages(migration))
        }),
        pending: (migration, spec, options) => within(pendingRows(migration, spec, options)),
        write: Effect.fnUntraced(function* (migration, spec, made) {
          const kind = yield* kindOf(migration, spec)
          return kind === undefined
            ? 0
            : yield* within(writeVectors(migration, spec, kind, made, vectorArray))
        }),
        refuse: (migration, row, reason) => within(noteRefusal(migration, row, reason)),
        refused: (migration) => within(refusals(migration)),
        notePosition: (migration, table, upTo) => within(notePosition(migration, table, upTo)),
        indexes: Effect.fnUntraced(function* (migration) {
          const planned: Array<PlannedIndex> = []
          for (const spec of migration.specs) {
            const kind = yield* targetKind(spec, migration.to.dimensions)
            planned.push(...(yield* within(plannedIndexes(spec, kind, migration.to.dimensions))))
          }
          return planned
        }),
        makeIndex: (index) => within(makeIndex(index)),
        indexProgress: within(indexProgress),
        swap: Effect.fnUntraced(function* (migration, lease) {
          return yield* within(swap(migration, lease, yield* within(queryCacheExists)))
        }),
        drop: Effect.fnUntraced(function* (migration) {
          const isForward = migration.phase === "filling" || migration.phase === "undoing"
          const beside = isForward ? "next" : "previous"
          yield* within(stillOpen(migration))
          yield* within(setPhase(migration, isForward ? "undoing" : "finishing"))
          yield* within(dropIndexes(migration, beside))
          yield* within(dropColumns(migration, beside))
          yield* within(setPhase(migration, isForward ? "undone" : "finished"))
        }),
        settlePages: (migration) =>
          changesPages(migration) && !migration.isReturn ? within(settlePageModes()) : Effect.void,
        turnRound: (migration, lease) => within(turnRound(migration, lease))
      })
    })
  ).pipe(Layer.provide(BrainConfig.layer))
}
