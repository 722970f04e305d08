/** What the index on `facts.superseded_by` may not keep anybody from, on a server with others on it. */
import { expect, inject, it } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import { Effect, Fiber, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import { isSupersededIndexed, makeSupersededIndex } from "../../src/services/facts/supersededIndex.ts"
import { postgresBrain } from "../support/brains.ts"
import { conversation, extract, putPages, standIn } from "../support/extraction.ts"

/** A transaction of somebody else, that has looked at something before and is not through. */
const somebodyElse = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const connection = yield* sql.reserve
  const run = (statement: string) => connection.executeUnprepared(statement, [], undefined)
  yield* run("begin isolation level repeatable read")
  yield* run("select count(*) from pages")
  yield* Effect.addFinalizer(() => Effect.ignore(run("rollback")))
})

/** Somebody making the index waits for another. */
const isWaited = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    select 1 from pg_stat_activity where datname = current_database() and query like 'create index concurrently%'
      and wait_event_type = 'Lock'`
  return rows.length > 0
})

it.live.skipIf(inject("noPostgres") !== "")(
  "a run does not wait for whoever keeps the database from making it, and the next run makes it",
  () =>
    Effect.gen(function* () {
      const api = yield* standIn({ rules: [{ endpoint: "chat", fault: { kind: "hang" } }] })
      yield* putPages([{ slug: "chats/one", body: conversation("lease", 2) }])
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* somebodyElse
          const hanging = yield* Effect.forkChild(extract(api.url))
          while (!(yield* isWaited)) yield* Effect.sleep(5)
          yield* Fiber.interrupt(hanging)
          expect(yield* isWaited).toBe(false)
          api.behave({ rules: [] })
          expect(yield* extract(api.url)).toMatchObject({ status: "completed", facts_inserted: 2 })
          expect(yield* isSupersededIndexed).toBe(false)
        })
      )
      yield* makeSupersededIndex
      expect(yield* isSupersededIndexed).toBe(true)
    }).pipe(Effect.scoped, Effect.provide(postgresBrain))
)

it.live.skipIf(inject("noPostgres") !== "")(
  "an index that lacks facts does not serve, one of all facts does, whoever made it",
  () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`create index theirs on facts (superseded_by) where expired_at is null`
      expect(yield* isSupersededIndexed).toBe(false)
      yield* sql`create index theirs_of_all on facts (superseded_by, id)`
      expect(yield* isSupersededIndexed).toBe(true)
      yield* makeSupersededIndex
      expect(yield* sql`select 1 from pg_class where relname = 'gbrain_effect_facts_superseded_by'`).toEqual(
        []
      )
    }).pipe(Effect.scoped, Effect.provide(postgresBrain))
)

it.live.skipIf(inject("noPostgres") !== "")("whoever may not make it goes on without", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [here] = yield* sql<{ readonly name: string }>`select current_database() as name`
    const role = `writer_of_${here?.name}`
    yield* sql.unsafe(`create role ${role} login password 'guest'`)
    yield* Effect.addFinalizer(() => Effect.ignore(sql.unsafe(`drop owned by ${role}; drop role ${role}`)))
    yield* sql.unsafe(`grant select, insert, update, delete on facts to ${role}`)
    const url = new URL(inject("postgresUrl"))
    url.pathname = `/${here?.name}`
    url.username = role
    url.password = "guest"
    const guest = yield* PgClient.make({ url: Redacted.make(url.href), maxConnections: 1 })
    yield* Effect.provideService(makeSupersededIndex, SqlClient.SqlClient, guest)
    expect(yield* guest`select 1 from facts`).toEqual([])
    expect(yield* isSupersededIndexed).toBe(false)
  }).pipe(Effect.scoped, Effect.provide(Reactivity.layer), Effect.provide(postgresBrain))
)
