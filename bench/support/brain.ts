/** Brains to measure on: a database of its own for each run, so that runs share nothing, or an embedded brain on disk. */
import { PgClient } from "@effect/sql-pg"
import { Effect, FileSystem, Layer, Option, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import { Brain, Database, initBrain } from "../../src/index.ts"

/** A new database on a server, dropped with the scope; answers its URL. */
export const freshDatabase = Effect.fnUntraced(function* (server: string) {
  const name = `bench_${process.pid}_${performance.now().toFixed(0)}`
  const admin = PgClient.make({ url: Redacted.make(server), maxConnections: 1 }).pipe(
    Effect.provide(Reactivity.layer)
  )
  yield* Effect.scoped(Effect.flatMap(admin, (sql) => sql`create database ${sql(name)}`))
  yield* Effect.addFinalizer(() =>
    Effect.scoped(Effect.flatMap(admin, (sql) => sql`drop database ${sql(name)} with (force)`)).pipe(
      Effect.ignore
    )
  )
  const url = new URL(server)
  url.pathname = `/${name}`
  return Redacted.make(url.href)
})

const embedded = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return Database.layerPglite({ directory: yield* fs.makeTempDirectoryScoped({ prefix: "gbrain-bench-" }) })
  })
)

const onServer = (server: string, maxConnections: number) =>
  Layer.unwrap(Effect.map(freshDatabase(server), (url) => Database.layerPostgres({ url, maxConnections })))

/** A new database on a server, or embedded when `server` is empty. */
export const freshDatabaseLayer = (
  server: string,
  maxConnections: number
): Layer.Layer<
  Layer.Success<typeof embedded>,
  Layer.Error<typeof embedded> | Layer.Error<ReturnType<typeof onServer>>,
  Layer.Services<typeof embedded>
> => (server === "" ? embedded : onServer(server, maxConnections))

/** A new, empty brain there, with vectors as wide as they are by default. */
export const freshBrain = (server: string, maxConnections: number) =>
  Brain.layer.pipe(
    Layer.provideMerge(
      Layer.effectDiscard(initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.none() }))
    ),
    Layer.provideMerge(freshDatabaseLayer(server, maxConnections))
  )

/** Conversations of one to four segments of four messages a page, in which facts are said; numbered from `first`. */
export const fillConversations = Effect.fnUntraced(function* (pages: number, first = 1) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into pages (slug, type, title, content_hash, compiled_truth)
    select 'conversations/' || page, 'conversation', 'Conversation ' || page, md5(page::text),
      (select string_agg('**' || case message % 2 when 0 then 'Ana Ruiz' else 'Omar Haddad' end || '** (2024-03-15 '
        || lpad((6 + segment * 2)::text, 2, '0') || ':' || lpad(message::text, 2, '0')
        || '): I signed contract number ' || page || '-' || segment || '-' || message || ' with the harbour office on Friday.', chr(10)
        order by segment, message)
       from generate_series(1, 1 + page % 4) segment, generate_series(1, 4) message)
    from generate_series(${first}::int, ${first + pages - 1}::int) page`
  yield* sql`analyze pages`
})
