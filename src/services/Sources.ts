/**
 * The sources of a brain: the folders and feeds that its pages came from. Every page belongs to one; a command without a
 * source works on all that are not archived.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"

/** A source that was asked for by an id that no source has. */
export class UnknownSource extends Schema.TaggedError<UnknownSource>()("UnknownSource", {
  id: Schema.String,
  message: Schema.String
}) {}

/** A source could not be made or removed. */
export class SourceConflict extends Schema.TaggedError<SourceConflict>()("SourceConflict", {
  id: Schema.String,
  message: Schema.String
}) {}

/** A source, with how much is in it. */
export interface Source {
  readonly id: string
  readonly name: string
  readonly localPath: string | null
  readonly archived: boolean
  readonly pages: number
}

/** Sources. */
export class Sources extends Context.Service<
  Sources,
  {
    /** All sources, `default` first, then by id. */
    readonly all: Effect.Effect<ReadonlyArray<Source>, SqlError.SqlError>
    /** The ids to work on: the one that is asked for, which must exist, or all that are not archived. */
    readonly idsFor: (
      id: Option.Option<string>
    ) => Effect.Effect<ReadonlyArray<string>, SqlError.SqlError | UnknownSource>
    readonly add: (source: {
      readonly id: string
      readonly name: string
      readonly localPath: Option.Option<string>
    }) => Effect.Effect<void, SqlError.SqlError | SourceConflict>
    /** Removes a source with all its pages and what was derived from them; answers how many pages that were. */
    readonly remove: (id: string) => Effect.Effect<number, SqlError.SqlError | UnknownSource | SourceConflict>
  }
>()("gbrain/Sources") {
  /** The sources of the open brain. */
  static readonly layer = Layer.effect(
    Sources,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const all = sql<{
        id: string
        name: string
        local_path: string | null
        archived: boolean
        pages: number
      }>`
        select source.id, source.name, source.local_path, source.archived,
          (select count(*)::int from pages where source_id = source.id and deleted_at is null) as pages
        from sources source order by source.id <> 'default', source.id`.pipe(
        Effect.map((rows) => rows.map((row): Source => ({ ...row, localPath: row.local_path })))
      )

      return Sources.of({
        all,
        idsFor: (id) => Effect.provideService(sourceIdsFor(id), SqlClient.SqlClient, sql),
        add: Effect.fn("Sources.add")(function* ({ id, localPath, name }) {
          const added = yield* sql`
            insert into sources (id, name, local_path) values (${id}, ${name}, ${Option.getOrNull(localPath)})
            on conflict do nothing returning id`
          if (added.length === 0) {
            return yield* new SourceConflict({
              id,
              message: `There is a source with the id "${id}" or the name "${name}" already.`
            })
          }
        }),
        remove: Effect.fn("Sources.remove")(function* (id) {
          if (id === "default") {
            return yield* new SourceConflict({
              id,
              message: "The source default is part of every brain and stays."
            })
          }
          const removed = yield* sql.withTransaction(
            Effect.gen(function* () {
              const [counted] = yield* sql<{ readonly pages: number }>`
                select count(*)::int as pages from pages where source_id = ${id}`
              const rows = yield* sql`delete from sources where id = ${id} returning id`
              return rows.length === 0 ? undefined : (counted?.pages ?? 0)
            })
          )
          return removed ?? (yield* unknownSource(id, yield* idsOf(sql)))
        })
      })
    })
  )
}

const idsOf = (sql: SqlClient.SqlClient) =>
  sql<{ readonly id: string; readonly archived: boolean }>`
    select id, archived from sources order by id <> 'default', id`

const unknownSource = (id: string, known: ReadonlyArray<{ readonly id: string }>) =>
  new UnknownSource({
    id,
    message: `There is no source "${id}". Known: ${known.map((source) => source.id).join(", ")}.`
  })

/** The same as `idsFor`, for programs that read an open brain and need nothing else of `Sources`. */
export const sourceIdsFor = Effect.fn("sourceIdsFor")(function* (asked: Option.Option<string>) {
  const sources = yield* idsOf(yield* SqlClient.SqlClient)
  if (Option.isNone(asked)) return sources.filter((source) => !source.archived).map((source) => source.id)
  if (!sources.some((source) => source.id === asked.value)) return yield* unknownSource(asked.value, sources)
  return [asked.value]
})
