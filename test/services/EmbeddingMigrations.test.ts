import { expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import {
  EmbeddingMigrations,
  type Migration,
  migrationLease,
  type PendingRow,
  type TableSpec
} from "../../src/services/EmbeddingMigrations.ts"
import { reasonOf } from "../../src/services/Database.ts"
import { PageLease } from "../../src/services/PageLease.ts"
import { onBothDatabases } from "../support/brains.ts"
import {
  filesOf,
  newSpace,
  oldSpace,
  putChunks,
  putFacts,
  putPage,
  shapeOf,
  wrongRows
} from "../support/migrations.ts"
import { seeded } from "../support/stand-in/behaviour.ts"
import { standInVector } from "../support/stand-in/vectors.ts"

const nonEmpty = <A>([first, ...rest]: ReadonlyArray<A>): readonly [A, ...Array<A>] => {
  if (first === undefined) throw new Error("an empty list")
  return [first, ...rest]
}

/** What may happen while a migration goes on, and how often. */
const happenings = [
  "edit a fact",
  "edit a chunk",
  "edit a chunk, leave it without a vector",
  "new fact",
  "new chunk",
  "new chunk without a vector",
  "delete a fact",
  "delete a chunk",
  "read",
  "read",
  "write",
  "write",
  "index",
  "swap"
] as const

onBothDatabases("EmbeddingMigrations", (brain) => {
  const layer = EmbeddingMigrations.layer.pipe(Layer.provideMerge(PageLease.layer), Layer.provideMerge(brain))
  const rowsAtOnce = { limit: 3, bytes: 10_000 }

  const embed = (migration: Migration, rows: ReadonlyArray<PendingRow>) =>
    rows.map(({ hash, id, text }) => ({ id, hash, vector: standInVector(text, migration.to.dimensions) }))

  const fill = Effect.fnUntraced(function* (migration: Migration) {
    const migrations = yield* EmbeddingMigrations
    for (const spec of migration.specs) {
      for (let after = 0; ;) {
        const rows = yield* migrations.pending(migration, spec, { kind: "wanted", after, ...rowsAtOnce })
        const last = rows.at(-1)
        if (last === undefined) break
        yield* migrations.write(migration, spec, embed(migration, rows))
        after = last.id
      }
    }
  })

  /** Whatever is left to do, up to the swap and what was missed before it. */
  const complete = Effect.fnUntraced(function* (migration: Migration) {
    const migrations = yield* EmbeddingMigrations
    yield* (yield* PageLease).withLease(migrationLease, (lease) =>
      Effect.gen(function* () {
        for (;;) {
          yield* fill(migration)
          for (const index of yield* migrations.indexes(migration)) yield* migrations.makeIndex(index)
          if ((yield* migrations.swap(migration, lease))._tag === "Swapped") break
        }
      })
    )
    const swapped = yield* Effect.orDie(Effect.fromOption(yield* migrations.open))
    yield* fill(swapped)
    return swapped
  })

  const begin = Effect.gen(function* () {
    const migrations = yield* EmbeddingMigrations
    const plan = yield* migrations.plan(oldSpace, newSpace)
    const migration = yield* migrations.begin(
      oldSpace,
      newSpace,
      plan.map(({ spec }) => spec.table)
    )
    yield* migrations.prepare(migration)
    return migration
  })

  const seed = Effect.gen(function* () {
    const page = yield* putPage("notes/one")
    yield* putChunks(
      page,
      Array.from({ length: 7 }, (_, index) => `The chunk of number ${index} is about lease ${index * 7}.`)
    )
    yield* putFacts(Array.from({ length: 7 }, (_, index) => `Fact ${index} says that rent is ${index * 13}.`))
    return page
  })

  const test = <E>(
    name: string,
    body: Effect.Effect<void, E, Layer.Success<typeof layer>>,
    timeout = 300_000
  ) => it.live(name, () => body.pipe(Effect.scoped, Effect.provide(layer)), timeout)

  test(
    "a migration leaves what gbrain made, with new vectors, and rewrites no table",
    Effect.gen(function* () {
      const migrations = yield* EmbeddingMigrations
      const sql = yield* SqlClient.SqlClient
      yield* seed
      const [shape, files] = [yield* shapeOf, yield* filesOf]
      const swapped = yield* complete(yield* begin)
      expect(yield* wrongRows(newSpace)).toEqual([])
      yield* migrations.drop(swapped)
      expect(yield* shapeOf).toEqual(shape.map((line) => line.replace(/(halfvec|vector)\(64\)/, "$1(32)")))
      expect(yield* filesOf).toEqual(files)
      expect(yield* migrations.configured).toEqual(newSpace)
      expect(Option.isNone(yield* migrations.open)).toBe(true)
      const [row] = yield* sql`
        select count(*) filter (where model <> ${newSpace.model})::int as models,
          count(*) filter (where embedded_text_hash is distinct from md5(chunk_text))::int as hashes,
          count(*) filter (where embedded_at is null)::int as times,
          (select count(*) from pages where embedding_signature <> ${`${newSpace.model}:32`})::int as signatures
        from content_chunks`
      expect(row).toEqual({ models: 0, hashes: 0, times: 0, signatures: 0 })
      // What was a default for the time being is none any more.
      yield* sql`insert into pages (slug, type, title) values ('later', 'note', 'Later')`
      expect(yield* sql`select embedding_signature from pages where slug = 'later'`).toEqual([
        { embedding_signature: null }
      ])
    })
  )

  test(
    "a migration can be given up before the swap, and turned round after it; both leave everything as it was",
    Effect.gen(function* () {
      const migrations = yield* EmbeddingMigrations
      const sql = yield* SqlClient.SqlClient
      const page = yield* seed
      const rows = sql`select id, chunk_text, embedding::text, model, embedded_at, embedded_text_hash from content_chunks order by id`
      const [shape, before] = [yield* shapeOf, yield* rows]
      const given = yield* begin
      yield* fill(given)
      yield* migrations.drop(given)
      expect(yield* shapeOf).toEqual(shape)
      expect(yield* rows).toEqual(before)

      const swapped = yield* complete(yield* begin)
      yield* sql`update content_chunks set chunk_text = 'edited since', embedding = null, embedded_at = null, embedded_text_hash = null
        where id = (select min(id) from content_chunks)`
      yield* putChunks(page, ["new since"], newSpace)
      yield* (yield* PageLease).withLease(migrationLease, (lease) =>
        Effect.andThen(migrations.turnRound(swapped, lease), migrations.turnRound(swapped, lease))
      )
      const back = yield* Effect.orDie(Effect.fromOption(yield* migrations.open))
      expect(back).toMatchObject({ to: oldSpace, isReturn: true, phase: "filling" })
      yield* migrations.prepare(back)
      yield* migrations.drop(yield* complete(back))
      expect(yield* shapeOf).toEqual(shape)
      expect(yield* wrongRows(oldSpace)).toEqual([])
      expect((yield* rows).slice(1, before.length)).toEqual(before.slice(1))
      expect(yield* migrations.configured).toEqual(oldSpace)
    })
  )

  test(
    "a fact written in the old width while the columns are swapped is refused by the database, not stored wrongly",
    Effect.gen(function* () {
      yield* seed
      yield* complete(yield* begin)
      const failure = yield* Effect.flip(putFacts(["too wide"], oldSpace))
      expect(reasonOf(failure)).toContain("expected 32 dimensions, not 64")
      expect(yield* wrongRows(newSpace)).toEqual([])
    })
  )

  test(
    "a process that was asleep while its migration was ended writes nothing into the next one's columns",
    Effect.gen(function* () {
      const migrations = yield* EmbeddingMigrations
      yield* seed
      const first = yield* begin
      const spec = yield* Effect.fromOption(Option.fromUndefinedOr(first.specs[0]))
      const asleep = yield* migrations.pending(first, spec, {
        kind: "wanted",
        after: 0,
        ...rowsAtOnce
      })
      yield* migrations.drop(first)
      expect(yield* Effect.flip(migrations.prepare(first))).toMatchObject({ _tag: "MigrationGone" })
      const second = yield* begin
      expect(yield* migrations.write(first, spec, embed(first, asleep))).toBe(0)
      expect(yield* Effect.flip(migrations.drop(first))).toMatchObject({ _tag: "MigrationGone" })
      yield* complete(second)
      expect(yield* wrongRows(newSpace)).toEqual([])
    })
  )

  test(
    "in whatever order rows are edited, added and deleted meanwhile, every row ends with the vector of its text",
    Effect.gen(function* () {
      const migrations = yield* EmbeddingMigrations
      const leases = yield* PageLease
      const sql = yield* SqlClient.SqlClient
      const page = yield* seed
      for (let story = 1; story <= 20; story++) {
        const random = seeded(story)
        const pick = <A>(list: readonly [A, ...Array<A>]): A =>
          list[Math.floor(random() * list.length)] ?? list[0]
        const migration = yield* begin
        const held: Array<{ readonly spec: TableSpec; readonly rows: ReadonlyArray<PendingRow> }> = []
        let indexed = false
        let swapped = false
        const told: Array<string> = []
        for (let step = 0; step < 40; step++) {
          const text = `Story ${story} at step ${step} is about ${Math.floor(random() * 1000)} things.`
          const happens = pick(happenings)
          told.push(happens)
          const space = swapped ? newSpace : oldSpace
          const some = (table: string) =>
            sql.literal(`(select id from ${table} order by md5(id::text || '${text}') limit 1)`)
          switch (happens) {
            case "edit a fact":
              yield* sql.unsafe(
                `update facts set fact = '${text}', embedding = null where id = (select id from facts order by md5(id::text || '${text}') limit 1)`
              )
              break
            case "edit a chunk":
              // As gbrain does: with the vector of the new text.
              yield* sql`update content_chunks set chunk_text = ${text},
                embedding = ${`[${standInVector(text, space.dimensions).join(",")}]`}::text::vector, embedded_text_hash = md5(${text}::text)
                where id = ${some("content_chunks")}`
              break
            case "edit a chunk, leave it without a vector":
              yield* sql`update content_chunks set chunk_text = ${text}, embedding = null, embedded_text_hash = null where id = ${some("content_chunks")}`
              break
            case "new fact":
              yield* putFacts([text], space)
              break
            case "new chunk":
              yield* putChunks(page, [text], space)
              break
            case "new chunk without a vector":
              yield* putChunks(page, [text], null)
              break
            case "delete a fact":
              yield* sql`delete from facts where id = ${some("facts")} and (select count(*) from facts) > 3`
              break
            case "delete a chunk":
              yield* sql`delete from content_chunks where id = ${some("content_chunks")} and (select count(*) from content_chunks) > 3`
              break
            case "read": {
              if (swapped) break
              const spec = pick(nonEmpty(migration.specs))
              const rows = yield* migrations.pending(migration, spec, {
                kind: indexed ? pick(["wanted", "losing"] as const) : "wanted",
                after: 0,
                ...rowsAtOnce
              })
              held.push({ spec, rows })
              break
            }
            case "write": {
              const batch = held.shift()
              if (batch === undefined || swapped) break
              yield* migrations.write(migration, batch.spec, embed(migration, batch.rows))
              break
            }
            case "index":
              if (swapped) break
              for (const index of yield* migrations.indexes(migration)) yield* migrations.makeIndex(index)
              indexed = true
              break
            case "swap": {
              if (!indexed || swapped) break
              const outcome = yield* leases.withLease(migrationLease, (lease) =>
                migrations.swap(migration, lease)
              )
              swapped = outcome._tag === "Swapped"
              break
            }
          }
        }
        const end = swapped
          ? yield* Effect.tap(Effect.orDie(Effect.fromOption(yield* migrations.open)), fill)
          : yield* complete(migration)
        const wrong = yield* wrongRows(newSpace)
        expect({ story, wrong, told: wrong.length === 0 ? [] : told }).toEqual({ story, wrong: [], told: [] })
        yield* leases.withLease(migrationLease, (lease) => migrations.turnRound(end, lease))
        const back = yield* Effect.orDie(Effect.fromOption(yield* migrations.open))
        yield* migrations.drop(yield* complete(back))
        expect({ story, wrong: yield* wrongRows(oldSpace) }).toEqual({ story, wrong: [] })
      }
    }),
    600_000
  )
})
