/** One pass over the rows that have no new vector yet: read, embed in requests that are shared out among the workers, write. */
import { Effect, Option, Result, Stream } from "effect"
import type { BudgetExhausted } from "../../services/Budget.ts"
import {
  EmbeddingMigrations,
  type Migration,
  MigrationGone,
  type PendingKind,
  type PendingRow,
  type TableSpec
} from "../../services/EmbeddingMigrations.ts"
import { Progress } from "../../services/Progress.ts"
import { embedBatches, type EmbeddedItem, type UnembeddedItem } from "../embed/embedBatches.ts"
import { textEmbedder } from "../embed/embedder.ts"
import { requestWishes } from "../embed/requests.ts"
import { MigrationPolicy } from "./options.ts"
import type { MigrationTally } from "./report.ts"

/** A row on its way. */
interface Item {
  readonly spec: TableSpec
  readonly row: PendingRow
  /** The rows that were read with it. */
  readonly page: ReadPage
}

/** Rows that were read together, and how many of them are not dealt with yet. */
interface ReadPage {
  readonly upTo: number
  left: number
}

/** Which rows a pass takes, and from where. */
export interface Pass {
  readonly kind: PendingKind
  /** After which id each table is begun. */
  readonly from: Readonly<Record<string, number>>
  /** How many rows are to be embedded; infinitely many when that is not known, which fills every request. */
  readonly rows: number
  /** Whether it is noted for a later run how far the pass has come. */
  readonly note: boolean
}

/**
 * Embeds rows. Fails with what ended the pass: an exhausted budget, or what every further row would meet. Rows that failed for another
 * reason are counted in the tally and left for the next run.
 */
export const fillPass = Effect.fn("fillPass")(function* (
  migration: Migration,
  pass: Pass,
  tally: MigrationTally
) {
  const migrations = yield* EmbeddingMigrations
  const progress = yield* Progress
  const { read, requestInputs } = yield* MigrationPolicy
  const pages = new Map(migration.specs.map((spec) => [spec, new Array<ReadPage>()]))

  const itemsOf = (spec: TableSpec) =>
    Stream.paginate(pass.from[spec.table] ?? 0, (after) =>
      Effect.map(migrations.pending(migration, spec, { kind: pass.kind, after, ...read }), (rows) => {
        const last = rows.at(-1)
        if (last === undefined) return [new Array<Item>(), Option.none<number>()] as const
        const page = { upTo: last.id, left: rows.length }
        pages.get(spec)?.push(page)
        return [rows.map((row): Item => ({ spec, row, page })), Option.some(last.id)] as const
      })
    )

  // Rows are dealt with in any order; everything up to the first page that has some left is done.
  const dealtWith = Effect.fnUntraced(function* (items: ReadonlyArray<Item>) {
    for (const { page } of items) page.left--
    if (!pass.note) return
    for (const [spec, read] of pages) {
      const open = read.findIndex(({ left }) => left > 0)
      const done = read.splice(0, open < 0 ? read.length : open).at(-1)
      if (done !== undefined) yield* migrations.notePosition(migration, spec.table, done.upTo)
    }
  })

  const write = Effect.fnUntraced(function* (embedded: ReadonlyArray<EmbeddedItem<Item>>) {
    for (const spec of migration.specs) {
      const made = embedded.flatMap(({ item, vector }) =>
        item.spec === spec ? [{ id: item.row.id, hash: item.row.hash, vector }] : []
      )
      const written = yield* migrations.write(migration, spec, made)
      if (written === 0 && made.length > 0) yield* checkOpen(migration)
      tally.embedded += written
      tally.changed += made.length - written
      yield* progress.count({ done: written })
    }
    tally.cut += embedded.filter(({ cut }) => cut).length
    yield* dealtWith(embedded.map(({ item }) => item))
  })

  // A refusal that cannot be noted is met again by the next run.
  const noteRefusals = (items: ReadonlyArray<UnembeddedItem<Item>>) =>
    Effect.forEach(items, ({ item, reason }) => migrations.refuse(migration, item.row, reason)).pipe(
      Effect.andThen(dealtWith(items.map(({ item }) => item))),
      Effect.ignore
    )

  const unembedded = (items: ReadonlyArray<UnembeddedItem<Item>>) =>
    Effect.gen(function* () {
      yield* noteRefusals(items.filter(({ passing }) => !passing))
      const failed = items.filter(({ passing }) => passing)
      tally.failed += failed.length
      tally.failures.push(...failed.map(({ item, reason }) => ({ item: nameOf(item.row), reason })))
      yield* progress.count({ failed: failed.length })
    })

  yield* embedBatches({
    items: Stream.flatMap(Stream.fromIterable(migration.specs), itemsOf),
    inputOf: ({ row }) => row.text,
    embedder: yield* textEmbedder(yield* requestWishes(pass.rows, requestInputs)),
    owner: "migrate embeddings",
    // A vector is written where it belongs as soon as it comes; nothing is gained by writing it twice.
    journal: false,
    write,
    unembedded
  })
})

const nameOf = ({ id, table }: PendingRow): string => `${table} ${id}`

/** Runs a pass and counts how it ended. Answers whether the migration may go on: every row was dealt with. */
export const pass = Effect.fnUntraced(function* (migration: Migration, what: Pass, tally: MigrationTally) {
  const before = tally.failed
  const result = yield* Effect.result(fillPass(migration, what, tally))
  if (Result.isSuccess(result)) return tally.failed === before
  const error = result.failure
  if (isExhausted(error)) tally.budget = Option.some({ period: error.period, message: error.message })
  else tally.stopped = Option.some(error)
  return false
})

const isExhausted = (error: { readonly _tag: string }): error is BudgetExhausted =>
  error._tag === "BudgetExhausted"

/** Fails when the migration is not the one that is open any more, or has gone on without this process. */
const checkOpen = Effect.fnUntraced(function* (migration: Migration) {
  const open = yield* (yield* EmbeddingMigrations).open
  if (Option.isSome(open) && open.value.id === migration.id && open.value.phase === migration.phase) return
  return yield* new MigrationGone({
    message: "The migration was ended by another process meanwhile. See: gbrain migrate embeddings --status"
  })
})
