/** Migrations of embeddings as processes that are killed, stopped and made to wait. */
import { NodeServices } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { afterAll, beforeAll, describe, expect, inject, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Option, Redacted, Scope } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { initBrain } from "../../src/services/Brain.ts"
import { Database } from "../../src/services/Database.ts"
import { freshDatabase } from "../support/brains.ts"
import { type CliHome, cliHome, until } from "../support/cli.ts"
import {
  newSpace,
  oldSpace,
  putChunks,
  putFacts,
  putPage,
  shapeOf,
  wrongRows
} from "../support/migrations.ts"
import { type StandIn, startStandIn } from "../support/stand-in/server.ts"

const rows = 2500
// One request at a time, so that what a kill may cost is known.
const command = ["migrate", "embeddings", "--to", newSpace.model, "--dimensions", String(newSpace.dimensions)]
const oneByOne = [...command, "--workers", "1"]

describe.skipIf(inject("noPostgres") !== "")(`migrate embeddings on Postgres ${inject("noPostgres")}`, () => {
  let scope: Scope.Closeable
  let home: CliHome
  beforeAll(async () => {
    scope = await Effect.runPromise(Scope.make())
    home = await cliHome({ OPENAI_API_KEY: "sk-test" })
  })
  afterAll(async () => {
    await home.remove()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  const makeBrain = async () => {
    const url = await Effect.runPromise(freshDatabase.pipe(Scope.provide(scope)))
    const run = <A, E>(effect: Effect.Effect<A, E, SqlClient.SqlClient | PgClient.PgClient | Database>) =>
      Effect.runPromise(
        effect.pipe(
          Effect.provide(Database.layerPostgres({ url: Redacted.make(url) })),
          Effect.provide(NodeServices.layer)
        )
      )
    const texts = (about: string) =>
      Array.from(
        { length: rows },
        (_, index) => `The ${about} of number ${index} costs ${index * 7} a month.`
      )
    const shape = await run(
      Effect.gen(function* () {
        yield* initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.some(64) })
        yield* putChunks(yield* putPage("notes/one"), texts("chunk"))
        yield* putFacts(texts("fact"))
        return yield* shapeOf
      })
    )
    return { url, run, shape }
  }

  it("tells what it would do and how far it is, leaves what is refused when told, and drops the old vectors", async () => {
    const brain = await makeBrain()
    const refused = { kind: "status", status: 400, body: { error: { message: "not this text" } } } as const
    const api = await startStandIn({
      rules: [{ endpoint: "embeddings", contains: "chunk of number 17 ", fault: refused }]
    })
    const run = (...args: ReadonlyArray<string>) =>
      home.run(["migrate", "embeddings", ...args, "--json", "--url", brain.url], { OPENAI_BASE_URL: api.url })
    const json = async (...args: ReadonlyArray<string>) => JSON.parse((await run(...args)).stdout)
    const to = ["--to", newSpace.model, "--dimensions", String(newSpace.dimensions)]

    expect(await json(...to, "--dry-run")).toMatchObject({ dry_run: true, rows: 2 * rows, continues: false })
    expect(await json("--status")).toMatchObject({ migration: null, configured: oldSpace })
    expect(api.stats().requests).toBe(0)

    expect(await json(...to, "--workers", "4")).toMatchObject({
      status: "failed",
      phase: "filling",
      workers: 4,
      stopped: expect.stringContaining("--skip-refused")
    })
    expect(await json("--status")).toMatchObject({
      configured: oldSpace,
      migration: { phase: "filling", refused: [{ reason: expect.stringContaining("not this text") }] }
    })
    expect(await json(...to, "--skip-refused")).toMatchObject({ status: "completed", phase: "swapped" })
    expect(await json("--status")).toMatchObject({ configured: newSpace, migration: { phase: "swapped" } })
    expect(await run("--finish")).toMatchObject({ code: 0 })
    expect(await json("--status")).toMatchObject({ configured: newSpace, migration: null })
    await api.close()
  })

  type TestBrain = Awaited<ReturnType<typeof makeBrain>>

  const query = (brain: TestBrain, text: string) =>
    brain.run(Effect.flatMap(PgClient.PgClient, (sql) => sql.unsafe<{ readonly value: unknown }>(text)))

  const is = async (brain: TestBrain, condition: string) =>
    (await query(brain, `select (${condition}) as value`))[0]?.value === true

  /** Has what `take` takes, which then waits as it is told to, until the answer is called. */
  const holding = async (
    brain: TestBrain,
    take: (
      sql: PgClient.PgClient,
      wait: Effect.Effect<void>
    ) => Effect.Effect<void, SqlError.SqlError, Scope.Scope>
  ) => {
    const held = Effect.runSync(Deferred.make<void>())
    const released = Effect.runSync(Deferred.make<void>())
    const wait = Effect.andThen(Deferred.succeed(held, undefined), Deferred.await(released))
    const over = brain.run(Effect.scoped(Effect.flatMap(PgClient.PgClient, (sql) => take(sql, wait))))
    await Effect.runPromise(Deferred.await(held))
    return () => {
      Effect.runSync(Deferred.succeed(released, undefined))
      return over
    }
  }

  /** Has a statement's locks until the answer is called: somebody's long transaction. */
  const hold = (brain: TestBrain, statement: string) =>
    holding(brain, (sql, wait) => sql.withTransaction(Effect.andThen(sql.unsafe(statement), wait)))

  const waitsForLock = (brain: TestBrain) => () =>
    is(
      brain,
      `exists (select from pg_stat_activity where datname = current_database() and query like 'lock table%')`
    )

  const kill = async (
    brain: TestBrain,
    api: StandIn,
    args: ReadonlyArray<string>,
    when: () => boolean | Promise<boolean>
  ) => {
    const child = home.start([...args, "--url", brain.url], { OPENAI_BASE_URL: api.url })
    await until(when)
    child.kill("SIGKILL")
    expect((await child.ended).signal).toBe("SIGKILL")
  }

  const run = (brain: TestBrain, api: StandIn, args: ReadonlyArray<string>) =>
    home.run([...args, "--json", "--url", brain.url], { OPENAI_BASE_URL: api.url })

  it("kill -9 at every station: the same command goes on, everybody reads meanwhile, and what was paid for is kept", async () => {
    const brain = await makeBrain()
    const api = await startStandIn({ embeddingLatency: 100 })

    // While rows are embedded.
    await kill(brain, api, oneByOne, () => api.stats().embeddingCalls >= 2)
    expect(await is(brain, "exists (select from facts where embedding is null)")).toBe(false)

    // While an index waits for somebody's transaction. The database goes on with it, and the next run waits for that.
    const builds = () => is(brain, "exists (select from pg_stat_progress_create_index)")
    const endInsert = await hold(brain, "insert into facts (fact, source) values ('A late fact.', 'test')")
    await kill(brain, api, command, builds)
    const next = home.start([...command, "--json", "--url", brain.url], { OPENAI_BASE_URL: api.url })
    await until(() => is(brain, `exists (select from gbrain_cycle_locks where holder_pid = ${next.pid})`))
    const second = await run(brain, api, command)
    expect(second).toMatchObject({ code: 3 })
    expect(second.stderr).toContain("is at this migration already")
    next.kill("SIGINT")
    const interrupted = await next.ended
    expect({ code: interrupted.code, ...JSON.parse(interrupted.stdout) }).toMatchObject({
      code: 130,
      status: "interrupted"
    })
    await endInsert()
    await until(async () => !(await builds()))

    const swapped = await run(brain, api, command)
    expect({ code: swapped.code, ...JSON.parse(swapped.stdout) }).toMatchObject({
      code: 0,
      status: "completed",
      phase: "swapped"
    })
    expect(await brain.run(wrongRows(newSpace))).toEqual([])
    // The first kill had one full request in flight, and the answer of another in the making of its rows; at the others all
    // were embedded.
    expect(api.stats().embeddingInputs).toBeLessThanOrEqual(2 * rows + 1 + 2 * 2048)

    // While the way back is begun, and while what is left over is dropped.
    const endOther = await hold(brain, "select count(*) from takes")
    await kill(brain, api, ["migrate", "embeddings", "--undo"], waitsForLock(brain))
    await endOther()
    const before = api.stats().embeddingInputs
    const back = home.start(["migrate", "embeddings", "--undo", "--json", "--url", brain.url], {
      OPENAI_BASE_URL: api.url
    })
    expect((await back.ended).code).toBe(0)
    // Only the fact that was new costs anything.
    expect(api.stats().embeddingInputs - before).toBe(1)
    expect(await brain.run(wrongRows(oldSpace))).toEqual([])
    expect(await brain.run(shapeOf)).toEqual(brain.shape)

    // Half way, given up, killed in that too.
    await kill(brain, api, command, () =>
      is(brain, "exists (select from gbrain_effect.embedding_migrations where phase = 'filling')")
    )
    const endLast = await hold(brain, "select count(*) from content_chunks")
    await kill(brain, api, ["migrate", "embeddings", "--undo"], waitsForLock(brain))
    await endLast()
    expect(await run(brain, api, ["migrate", "embeddings", "--undo"])).toMatchObject({ code: 0 })
    expect(await brain.run(shapeOf)).toEqual(brain.shape)
    expect(await brain.run(wrongRows(oldSpace))).toEqual([])
    await api.close()
  }, 600_000)

  /**
   * A gate in the swap: with the names of columns exchanged, and before the commit, it waits for a lock that a test may have.
   * Without the limit on waiting that the swap has, so that it stays there.
   */
  const buildGate = async (brain: TestBrain) => {
    await query(
      brain,
      `create function gate() returns trigger language plpgsql as $$
      begin
        perform set_config('lock_timeout', '0', true);
        perform pg_advisory_xact_lock(1);
        return new;
      end $$`
    )
    await query(brain, "create trigger gate before insert on config for each row execute function gate()")
  }

  // Outside of a transaction, which an index that is made would wait for.
  const closeGate = (brain: TestBrain) =>
    holding(brain, (sql, wait) =>
      Effect.flatMap(sql.reserve, (connection) =>
        Effect.andThen(connection.executeUnprepared("select pg_advisory_lock(1)", [], undefined), wait)
      )
    )

  const waitsAtGate = (brain: TestBrain) => () =>
    is(
      brain,
      "exists (select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database()))"
    )

  it("kill -9 at the swap: nothing is changed before its commit, all after it; the same command goes on and pays nothing", async () => {
    const brain = await makeBrain()
    const api = await startStandIn()
    await buildGate(brain)
    const undo = ["migrate", "embeddings", "--undo"]

    const expectToBeOf = async (space: typeof oldSpace, phase: string) => {
      expect(await brain.run(wrongRows(space))).toEqual([])
      const status = await run(brain, api, ["migrate", "embeddings", "--status"])
      expect(JSON.parse(status.stdout)).toMatchObject({ configured: space, migration: { phase } })
      const found = await run(brain, api, ["query", "the chunk of number 17"])
      expect(found).toMatchObject({ code: 0, stderr: "" })
      expect(JSON.parse(found.stdout)).toMatchObject({ method: "hybrid", embedding_model: space.model })
      expect(found.stdout).toContain("notes/one")
    }
    const costOf = async (work: () => Promise<unknown>) => {
      const before = api.stats().embeddingInputs
      await work()
      return api.stats().embeddingInputs - before
    }

    // With the names exchanged and the brain's settings not yet written.
    let openGate = await closeGate(brain)
    expect(await costOf(() => kill(brain, api, command, waitsAtGate(brain)))).toBe(2 * rows)
    await openGate()
    await expectToBeOf(oldSpace, "filling")

    // While it waits for somebody who reads one of its tables.
    const endRead = await hold(brain, "select count(*) from takes")
    expect(await costOf(() => kill(brain, api, command, waitsForLock(brain)))).toBe(0)
    await endRead()
    await expectToBeOf(oldSpace, "filling")

    // With the commit made: what it looks at next is had by somebody who queued for it behind the swap.
    openGate = await closeGate(brain)
    const swapping = home.start([...command, "--url", brain.url], { OPENAI_BASE_URL: api.url })
    await until(waitsAtGate(brain))
    const queued = hold(brain, "lock table gbrain_effect.embedding_refusals in access exclusive mode")
    await until(() =>
      is(
        brain,
        "exists (select from pg_locks where relation = 'gbrain_effect.embedding_refusals'::regclass and not granted)"
      )
    )
    await openGate()
    const endQueued = await queued
    expect(await is(brain, "(select phase from gbrain_effect.embedding_migrations) = 'swapped'")).toBe(true)
    swapping.kill("SIGKILL")
    expect((await swapping.ended).signal).toBe("SIGKILL")
    await endQueued()
    await expectToBeOf(newSpace, "swapped")
    const cost = await costOf(async () => {
      const again = await run(brain, api, command)
      expect({ code: again.code, ...JSON.parse(again.stdout) }).toMatchObject({
        code: 0,
        status: "completed",
        phase: "swapped",
        rows_embedded: 0
      })
    })
    expect(cost).toBe(0)
    await expectToBeOf(newSpace, "swapped")

    // On the way back, with the names exchanged again.
    openGate = await closeGate(brain)
    expect(await costOf(() => kill(brain, api, undo, waitsAtGate(brain)))).toBe(0)
    await openGate()
    await expectToBeOf(newSpace, "filling")
    expect(await costOf(() => run(brain, api, undo))).toBe(0)
    await query(brain, "drop function gate cascade")
    expect(await brain.run(shapeOf)).toEqual(brain.shape)
    expect(await brain.run(wrongRows(oldSpace))).toEqual([])
    expect(await query(brain, "select id as value from gbrain_cycle_locks")).toEqual([])
    await api.close()
  }, 600_000)

  it("bad input is one line, and changes nothing", async () => {
    const brain = await makeBrain()
    const api = await startStandIn()
    const says = async (args: ReadonlyArray<string>) => {
      const { code, stderr } = await run(brain, api, ["migrate", "embeddings", ...args])
      return `${code} ${stderr.split("\n")[0]}`
    }
    expect(await says([])).toMatch(/^2 gbrain: Say to which model/)
    expect(await says(["--to", "openai:nobody-knows"])).toMatch(/^2 gbrain: How wide openai:nobody-knows/)
    expect(await says(["--to", "openai:nobody-knows", "--dimensions", "8"])).toMatch(
      /^1 gbrain: No price is known/
    )
    expect(await says(["--to", "openai:x", "--dimensions", "16001"])).toMatch(
      /^2 gbrain: --dimensions takes at most/
    )
    expect(await says(["--to", "openai:x", "--undo"])).toMatch(/^2 gbrain: --undo and --to/)
    expect(await says(["--undo"])).toMatch(/^1 gbrain: No migration/)
    expect(await says(["--finish"])).toMatch(/^1 gbrain: No migration/)
    expect(await brain.run(shapeOf)).toEqual(brain.shape)
    await api.close()
  }, 300_000)
})
