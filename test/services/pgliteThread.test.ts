import { NodeServices } from "@effect/platform-node"
import { expect, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Path } from "effect"
import { SqlClient } from "effect/sql"
import { describe } from "vitest"
import { Database, reasonOf } from "../../src/services/Database.ts"
import { openThread } from "../../src/services/database/pglite/thread.ts"
import { HostProcess } from "../../src/services/HostProcess.ts"

const services = Layer.provideMerge(HostProcess.layer, NodeServices.layer)

const folder = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.makeTempDirectoryScoped({ prefix: "gbrain-thread-" })
})

// A thread that opens, and ends when it is asked for anything more.
const ends = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads"
    parentPort.on("message", (order) => ("open" in order ? parentPort.postMessage({ pieces: [], done: true }) : process.exit(7)))`)}`
)

describe("the embedded database's thread", () => {
  it.live("a statement runs while the program goes on", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = yield* folder
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        // It ends when a file appears, which the program writes: on the program's own thread that would be never.
        const waiting = sql`
          do $$ begin
            while pg_stat_file('goes_on', true) is null loop perform pg_sleep(0.01); end loop;
          end $$`
        const writing = fs.writeFileString(path.join(directory, "pgdata", "goes_on"), "")
        yield* Effect.all([waiting, Effect.delay(writing, "100 millis")], { concurrency: 2 })
        expect(yield* sql`select 1 as one`).toEqual([{ one: 1 }])
      }).pipe(Effect.provide(Database.layerPglite({ directory })))
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live("what was written is there when it is opened again, though the program stopped waiting", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const database = Database.layerPglite({ directory })
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`create table kept (n int)`
        const long = sql`insert into kept select n from generate_series(1, 300000) n`
        // The statement is on its way when its fiber is interrupted, and the database is closed right after.
        yield* Effect.timeoutOption(long, "50 millis")
      }).pipe(Effect.provide(database))
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const [row] = yield* sql<{ readonly count: number }>`select count(*)::int as count from kept`
        expect([0, 300000]).toContain(row?.count)
      }).pipe(Effect.provide(database))
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live("a transaction that was given up takes nothing along that comes after it", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const database = Database.layerPglite({ directory })
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`create table kept (what text)`
        // The client waits five seconds for a statement that it gave up, and then for nothing more on that connection.
        const long = sql`insert into kept select 'given up' from pg_sleep(6)`
        yield* Effect.timeoutOption(sql.withTransaction(long), "50 millis")
        yield* sql`insert into kept values ('afterwards')`
        yield* Effect.timeoutOption(sql`insert into kept select 'on its way' from pg_sleep(1)`, "50 millis")
        expect(yield* sql`select what from kept order by what`).toEqual([
          { what: "afterwards" },
          { what: "on its way" }
        ])
      }).pipe(Effect.provide(database))
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        expect(yield* sql`select what from kept order by what`).toHaveLength(2)
      }).pipe(Effect.provide(database))
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live("a folder that cannot be opened is told in the database's words", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = yield* folder
      yield* fs.writeFileString(path.join(directory, "pgdata"), "no folder")
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Database.layerPglite({ directory }))))
      expect(error._tag).toBe("BrainUnavailable")
      expect(error.message).toMatch(/^Cannot open the embedded brain in .*: not a directory\.$/)
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live("what is asked of a thread that ends, or has ended, fails", () =>
    Effect.gen(function* () {
      const thread = yield* Effect.promise(() => openThread("", ends))
      const run = Effect.flip(Effect.tryPromise(() => thread.run(new Uint8Array(8), () => undefined)))
      for (const error of [yield* run, yield* run]) {
        expect(reasonOf(error)).toBe("the database's thread ended with 7")
      }
      const closing = yield* Effect.flip(Effect.tryPromise(() => thread.close()))
      expect(reasonOf(closing)).toBe("the database's thread ended with 7")
    })
  )
})
