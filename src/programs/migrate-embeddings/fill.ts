/** One pass over the rows that have no new vector yet: read, embed, write, many batches at a time. */
import { Effect, Option, Stream } from "effect"
import type { ModelError } from "../../domain/ModelError.ts"
import type { BudgetError } from "../../services/Budget.ts"
import { EmbeddingModel } from "../../services/EmbeddingModel.ts"
import {
  EmbeddingMigrations,
  type MadeVector,
  type Migration,
  MigrationGone,
  type PendingKind,
  type PendingRow,
  type TableSpec
} from "../../services/EmbeddingMigrations.ts"
import type { UnpricedModel } from "../../services/Prices.ts"
import { Progress } from "../../services/Progress.ts"
import { bulk, type ItemContext } from "../bulk.ts"
import { isFatal } from "../extract-conversation-facts/fatal.ts"
import { MigrationPolicy } from "./options.ts"
import type { MigrationTally } from "./report.ts"

/** Rows that are embedded and written together. */
interface Batch {
  readonly spec: TableSpec
  readonly rows: ReadonlyArray<PendingRow>
}

/**
 * Embeds the rows of `kind`. `from` says after which id each table is begun; with `note`, how far it has come is noted for
 * a later run.
 */
export const fillPass = Effect.fn("fillPass")(function* (
  migration: Migration,
  pass: {
    readonly kind: PendingKind
    readonly from: Readonly<Record<string, number>>
    readonly note: boolean
  },
  tally: MigrationTally
) {
  const migrations = yield* EmbeddingMigrations
  const { batch: size } = yield* MigrationPolicy
  const marks = new Map(migration.specs.map((spec) => [spec, makeWatermark()]))

  const batchesOf = (spec: TableSpec) =>
    Stream.paginate(pass.from[spec.table] ?? 0, (after) =>
      Effect.map(migrations.pending(migration, spec, { kind: pass.kind, after, ...size }), (rows) => {
        const last = rows.at(-1)
        if (last === undefined) return [[], Option.none<number>()] as const
        marks.get(spec)?.begin(last.id)
        const batch: Batch = { spec, rows }
        return [[batch], Option.some(last.id)] as const
      })
    )

  const done = Effect.fnUntraced(function* ({ rows, spec }: Batch) {
    const reached = marks.get(spec)?.end(rows.at(-1)?.id ?? 0)
    if (pass.note && reached !== undefined) yield* migrations.notePosition(migration, spec.table, reached)
  })

  return yield* bulk({
    items: Stream.flatMap(Stream.fromIterable(migration.specs), batchesOf),
    label: ({ rows, spec }: Batch) => `${spec.table} ${rows[0]?.id ?? ""} to ${rows.at(-1)?.id ?? ""}`,
    isFatal: (error) => error instanceof MigrationGone || isFatal(error),
    work: (batch, context) => Effect.andThen(fillBatch(migration, batch, context, tally), done(batch))
  })
})

const fillBatch = Effect.fnUntraced(function* (
  migration: Migration,
  { rows, spec }: Batch,
  context: ItemContext,
  tally: MigrationTally
) {
  const migrations = yield* EmbeddingMigrations
  const progress = yield* Progress
  const made = yield* embedRows(migration, rows, context)
  const written = yield* migrations.write(migration, spec, made)
  tally.embedded += written
  tally.changed += made.length - written
  yield* progress.count({ done: written })
  if (written === 0 && made.length > 0) yield* checkOpen(migration)
})

/** The vectors of rows; a row whose text the model refuses is noted and left out. */
const embedRows = (
  migration: Migration,
  rows: ReadonlyArray<PendingRow>,
  context: ItemContext
): Effect.Effect<
  ReadonlyArray<MadeVector>,
  | ModelError
  | BudgetError
  | UnpricedModel
  | Effect.Error<ReturnType<EmbeddingMigrations["Service"]["refuse"]>>,
  EmbeddingMigrations | EmbeddingModel
> =>
  Effect.gen(function* () {
    const migrations = yield* EmbeddingMigrations
    const model = yield* EmbeddingModel
    const empty = rows.filter(({ text }) => text.trim() === "")
    for (const row of empty) yield* migrations.refuse(migration, row, "the text is empty")
    const asked = rows.filter(({ text }) => text.trim() !== "")
    if (asked.length === 0) return []
    return yield* context.piece(model.embed(asked.map(({ text }) => text))).pipe(
      Effect.map((vectors) =>
        asked.flatMap(({ hash, id }, at): ReadonlyArray<MadeVector> => {
          const vector = vectors[at]
          return vector === undefined ? [] : [{ id, hash, vector }]
        })
      ),
      Effect.catchTag("TextRefused", ({ index, message }) => {
        const refused = asked[index]
        return Effect.andThen(
          refused === undefined ? Effect.void : migrations.refuse(migration, refused, message),
          embedRows(
            migration,
            asked.filter((row) => row !== refused),
            context
          )
        )
      })
    )
  })

/** Fails when the migration is not the one that is open any more, or has gone on without this process. */
export const checkOpen = Effect.fnUntraced(function* (migration: Migration) {
  const open = yield* (yield* EmbeddingMigrations).open
  if (Option.isSome(open) && open.value.id === migration.id && open.value.phase === migration.phase) return
  return yield* new MigrationGone({
    message: "The migration was ended by another process meanwhile. See: gbrain migrate embeddings --status"
  })
})

/** Batches end in any order; everything up to the mark has been dealt with. */
const makeWatermark = () => {
  const begun: Array<number> = []
  const ended = new Set<number>()
  return {
    begin: (upTo: number): void => {
      begun.push(upTo)
    },
    /** Where the mark has moved to; undefined when it has not. */
    end: (upTo: number): number | undefined => {
      ended.add(upTo)
      let reached: number | undefined
      for (let next = begun[0]; next !== undefined && ended.delete(next); next = begun[0]) {
        reached = next
        begun.shift()
      }
      return reached
    }
  }
}
