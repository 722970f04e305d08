/** Brains for tests: the same tests on both databases, each with a brain of its own. */
import { PgClient } from "@effect/sql-pg"
import { NodeServices } from "@effect/platform-node"
import { describe, inject } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { Brain, initBrain } from "../../src/services/Brain.ts"
import { Database } from "../../src/services/Database.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"
import { embeddedDatabase } from "./embedded.ts"

let counter = 0

const newDatabase = Effect.fnUntraced(function* (options: string) {
  const admin = inject("postgresUrl")
  const name = `test_${process.pid}_${counter++}`
  const client = PgClient.make({ url: Redacted.make(admin), maxConnections: 1 }).pipe(
    Effect.provide(Reactivity.layer)
  )
  yield* Effect.scoped(
    Effect.flatMap(client, (sql) => sql`create database ${sql(name)} ${sql.literal(options)}`)
  )
  yield* Effect.addFinalizer(() =>
    Effect.scoped(
      Effect.flatMap(client, (sql) => sql`drop database if exists ${sql(name)} with (force)`)
    ).pipe(Effect.ignore)
  )
  const url = new URL(admin)
  url.pathname = `/${name}`
  return url.href
})

/** A new, empty database on the test server, dropped when the scope ends; answers its URL. */
export const freshDatabase = newDatabase("")

const newBrain = (dimensions: number) =>
  Layer.effectDiscard(
    initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.some(dimensions) })
  )

/** Narrow, to be quick. */
const usualDimensions = 64

const withBrain = <E>(
  database: Layer.Layer<Layer.Success<typeof Database.layerMemory>, E>,
  dimensions = usualDimensions
) =>
  Brain.layer.pipe(
    Layer.provideMerge(newBrain(dimensions)),
    Layer.provideMerge(database),
    Layer.provideMerge(HostProcess.layer),
    Layer.provideMerge(NodeServices.layer)
  )

/** A new brain in memory. Its vectors are 64 wide, to be quick. */
export const embeddedBrain = withBrain(Database.layerOpened(embeddedDatabase))

const onServer = Layer.unwrap(
  Effect.map(freshDatabase, (url) => Database.layerPostgres({ url: Redacted.make(url) }))
)

/** A new brain on the test server. */
export const postgresBrain = withBrain(onServer)

/** A new brain on the test server, in a database whose locale knows the letters of English only. */
export const brainOfLocaleC = withBrain(
  Layer.unwrap(
    Effect.map(newDatabase("template template0 encoding 'UTF8' locale 'C'"), (url) =>
      Database.layerPostgres({ url: Redacted.make(url) })
    )
  )
)

/** What a test on a brain is given. */
export type BrainLayer = typeof embeddedBrain

/** Runs the tests on both databases; without a server those on Postgres are shown as not run, and CI has failed before. */
export const onBothDatabases = (
  name: string,
  tests: (brain: BrainLayer) => void,
  dimensions = usualDimensions
): void => {
  describe(`${name} (PGlite)`, () => {
    tests(withBrain(Database.layerOpened(embeddedDatabase), dimensions))
  })
  const reason = inject("noPostgres")
  describe.skipIf(reason !== "")(`${name} (Postgres${reason === "" ? "" : `: NOT RUN, ${reason}`})`, () => {
    tests(withBrain(onServer, dimensions))
  })
}
