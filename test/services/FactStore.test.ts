import { expect, it } from "@effect/vitest"
import { Cause, Deferred, Duration, Effect, Exit, Fiber, Layer, Option } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { Database } from "../../src/services/Database.ts"
import { PageLockPolicy } from "../../src/services/facts/commitPages.ts"
import { FactStore, fingerprintColumns, type PageOutcome } from "../../src/services/FactStore.ts"
import { JoinPolicy } from "../../src/services/joinCalls.ts"
import { Journal } from "../../src/services/Journal.ts"
import { PageLease } from "../../src/services/PageLease.ts"
import { onBothDatabases } from "../support/brains.ts"
import { factsOf, marksOf, putPages } from "../support/extraction.ts"

const connectionLost = new SqlError.SqlError({
  reason: new SqlError.ConnectionError({ cause: new Error("the connection was closed") })
})

onBothDatabases("FactStore", (brain) => {
  // A transaction, after so many, takes effect, or does not, and in both cases its answer is lost on the way.
  const losingAnAnswer = (committed: boolean, after = 0) =>
    Layer.effect(
      SqlClient.SqlClient,
      Effect.map(SqlClient.SqlClient, (sql) => {
        let left = after
        const lose = <A, E, R>(self: Effect.Effect<A, E, R>) =>
          Effect.suspend(() => {
            if (left-- !== 0) return self
            return Effect.andThen(self, Effect.fail(connectionLost))
          })
        const withTransaction: typeof sql.withTransaction = (self) =>
          committed ? lose(sql.withTransaction(self)) : sql.withTransaction(lose(self))
        return new Proxy(sql, {
          get: (target, key) => (key === "withTransaction" ? withTransaction : Reflect.get(target, key))
        })
      })
    )

  for (const committed of [true, false]) {
    it.live(
      `a commit whose answer was lost, ${committed ? "after" : "before"} it took effect, is there once and reported as done`,
      () =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const leases = yield* PageLease
          const journal = yield* Journal
          yield* putPages([{ slug: "chats/one", body: "text" }])
          const [page] = yield* sql<{ id: number; fingerprint: string }>`
            select id, ${sql.literal(fingerprintColumns)} as fingerprint from pages where slug = 'chats/one'`
          yield* journal.recordVectors(
            ["a", "b", "said again"].map((key) => ({ key, vector: new Float32Array(64).fill(0.1) }))
          )
          const report = yield* leases.withLease("test:chats/one", (lease) =>
            Effect.gen(function* () {
              const store = yield* FactStore
              return yield* store.commit({
                lease,
                page: { id: page?.id ?? 0, sourceId: "default", slug: "chats/one" },
                fingerprint: page?.fingerprint ?? "",
                hasFactsFence: false,
                facts: ["a", "b"].map((key) => fact(key)),
                spareVectors: ["said again"],
                embedding: { model: "openai:text-embedding-3-small", dimensions: 64 },
                mark: Option.some({ mark: "complete", versionToken: "v1", context: null }),
                replace: "all"
              })
            }).pipe(Effect.provide(FactStore.layer.pipe(Layer.provide(losingAnAnswer(committed)))))
          )
          expect(report).toEqual({ inserted: 2, cleaned: 0 })
          expect(
            (yield* factsOf("chats/one")).map(({ bare, fact, row_num }) => [fact, row_num, bare])
          ).toEqual([
            ["a", 0, false],
            ["b", 1, false]
          ])
          expect((yield* marksOf("chats/one")).length).toBe(1)
          expect(yield* sql`select key from gbrain_effect.journal_vectors`).toEqual([])
        }).pipe(
          Effect.scoped,
          Effect.provide(Layer.mergeAll(PageLease.layer, Journal.layer).pipe(Layer.provideMerge(brain)))
        )
    )
  }

  it.live("commits after it could not learn what a vector is in this brain", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const store = yield* FactStore
      yield* putPages([{ slug: "chats/one", body: "text" }])
      const [page] = yield* sql<{ id: number; fingerprint: string }>`
        select id, ${sql.literal(fingerprintColumns)} as fingerprint from pages where slug = 'chats/one'`
      yield* (yield* PageLease).withLease("test:chats/one", (lease) =>
        Effect.gen(function* () {
          yield* sql`alter table facts rename to moved_away`
          expect((yield* Effect.flip(store.commit(unmarked(lease, page))))._tag).toBe("SqlError")
          yield* sql`alter table moved_away rename to facts`
          expect(yield* store.commit(unmarked(lease, page))).toEqual({ inserted: 0, cleaned: 0 })
        })
      )
    }).pipe(
      Effect.scoped,
      Effect.provide(FactStore.layer.pipe(Layer.provideMerge(PageLease.layer), Layer.provideMerge(brain)))
    )
  )

  it.live("replaces a fact that another one was given up for", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const store = yield* FactStore
      yield* putPages([{ slug: "chats/one", body: "text" }])
      const [page] = yield* sql<{ id: number; fingerprint: string }>`
        select id, ${sql.literal(fingerprintColumns)} as fingerprint from pages where slug = 'chats/one'`
      yield* sql`insert into facts (source_id, source, source_markdown_slug, row_num, fact)
        values ('default', 'cli:extract-conversation-facts', 'chats/one', 0, 'better')`
      yield* sql`insert into facts (source_id, source, fact, expired_at, superseded_by)
        select 'default', 'mcp', 'worse', now(), id from facts`
      const report = yield* (yield* PageLease).withLease("test:chats/one", (lease) =>
        store.commit({
          ...unmarked(lease, page),
          mark: Option.some({ mark: "complete", versionToken: "v1", context: null })
        })
      )
      expect(report).toEqual({ inserted: 0, cleaned: 1 })
      expect(
        yield* sql`select superseded_by, expired_at is null as alive from facts where fact = 'worse'`
      ).toEqual([{ superseded_by: null, alive: false }])
    }).pipe(
      Effect.scoped,
      Effect.provide(FactStore.layer.pipe(Layer.provideMerge(PageLease.layer), Layer.provideMerge(brain)))
    )
  )

  /** Pages of these names, each with a vector in the journal but for `bare`. */
  const putAll = Effect.fnUntraced(function* (slugs: ReadonlyArray<string>) {
    const sql = yield* SqlClient.SqlClient
    yield* putPages(slugs.map((slug) => ({ slug, body: "text" })))
    yield* journalVectors(slugs.filter((slug) => slug !== "bare"))
    const pages = yield* sql<{ id: number; slug: string; fingerprint: string }>`
      select id, slug, ${sql.literal(fingerprintColumns)} as fingerprint from pages`
    return slugs.flatMap((slug) => pages.filter((page) => page.slug === slug))
  })

  const journalVectors = (keys: ReadonlyArray<string>) =>
    Effect.flatMap(Journal, (journal) =>
      journal.recordVectors(keys.map((key) => ({ key, vector: new Float32Array(64).fill(0.1) })))
    )

  /** Commits pages as they ask for it all at once: the first alone, the others together. All have their leases before that. */
  const commitAll = <A extends { readonly id: number; readonly slug: string; readonly fingerprint: string }>(
    pages: ReadonlyArray<A>,
    outcomeOf: (page: A, outcome: PageOutcome) => PageOutcome
  ) =>
    Effect.gen(function* () {
      const store = yield* FactStore
      const leases = yield* PageLease
      let waiting = pages.length
      const ready = yield* Deferred.make<void>()
      const commit = (page: A) =>
        leases.withLease(`test:${page.slug}`, (lease) =>
          Effect.gen(function* () {
            if (--waiting === 0) yield* Deferred.succeed(ready, undefined)
            yield* Deferred.await(ready)
            const outcome = {
              ...unmarked(lease, page),
              page: { id: page.id, sourceId: "default", slug: page.slug },
              facts: [fact(page.slug)],
              mark: Option.some({ mark: "complete" as const, versionToken: "v1", context: null })
            }
            return yield* Effect.exit(store.commit(outcomeOf(page, outcome)))
          })
        )
      return yield* Effect.forEach(pages, commit, { concurrency: "unbounded" })
    }).pipe(Effect.provideService(JoinPolicy, { patience: Duration.minutes(1) }))

  const told = (exits: ReadonlyArray<Exit.Exit<{ readonly inserted: number }, unknown>>) =>
    exits.map((exit) => (Exit.isSuccess(exit) ? exit.value.inserted : String(Cause.squash(exit.cause))))

  const written = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const pages = yield* sql<{ slug: string; facts: ReadonlyArray<string> }>`
      select source_markdown_slug as slug, array_agg(fact order by row_num) filter (where source not like '%:terminal%') as facts
      from facts group by 1 order by 1`
    const [row] = yield* sql<{ n: number }>`select count(distinct xmin::text)::int as n from facts`
    return { pages, transactions: row?.n }
  })

  const layer = Layer.mergeAll(FactStore.layer, Journal.layer).pipe(
    Layer.provideMerge(PageLease.layer),
    Layer.provideMerge(brain)
  )

  it.live(
    "pages that may not be written are left out of a transaction, with what they had, and the others go through",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const pages = yield* putAll(["first", "edited", "robbed", "well", "of another model", "last"])
        yield* sql`insert into facts (source_id, source, source_session, source_markdown_slug, row_num, fact)
        select 'default', 'cli:extract-conversation-facts', 'cli:extract-conversation-facts:' || slug, slug, 0, 'old'
        from unnest(array['edited', 'robbed', 'well', 'of another model']) as slug`
        const exits = yield* commitAll(pages, ({ slug }, outcome) => ({
          ...outcome,
          lease: slug === "robbed" ? { ...outcome.lease, token: "0" } : outcome.lease,
          fingerprint: slug === "edited" ? "what it was" : outcome.fingerprint,
          embedding:
            slug === "of another model" ? { ...outcome.embedding, dimensions: 32 } : outcome.embedding
        }))
        expect(told(exits)).toEqual([
          1,
          expect.stringContaining("PageChanged"),
          expect.stringContaining("LeaseLost"),
          1,
          expect.stringContaining("EmbeddingModelChanged"),
          1
        ])
        // The old rows, the first page, and the others together.
        expect(yield* written).toEqual({
          pages: [
            { slug: "edited", facts: ["old"] },
            { slug: "first", facts: ["first"] },
            { slug: "last", facts: ["last"] },
            { slug: "of another model", facts: ["old"] },
            { slug: "robbed", facts: ["old"] },
            { slug: "well", facts: ["well"] }
          ],
          transactions: 3
        })
      }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.live("a page that fails the transaction fails by itself, and the others are written one by one", () =>
    Effect.gen(function* () {
      const exits = yield* commitAll(
        yield* putAll(["first", "well", "bare", "last"]),
        (_page, outcome) => outcome
      )
      expect(told(exits)).toEqual([1, 1, "Error: 1 vectors of bare are not in the journal", 1])
      expect(yield* written).toEqual({
        pages: ["first", "last", "well"].map((slug) => ({ slug, facts: [slug] })),
        transactions: 3
      })
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.live("pages that come while one is written are written in one transaction, each with its own rows", () =>
    Effect.gen(function* () {
      const slugs = Array.from({ length: 6 }, (_, index) => `page ${index}`)
      const pages = yield* putAll(slugs)
      const outcomeOf =
        (version: string, replace: (slug: string) => PageOutcome["replace"]) =>
        ({ slug }: { readonly slug: string }, outcome: PageOutcome): PageOutcome => ({
          ...outcome,
          facts: outcome.facts.map((it) => ({ ...it, fact: `${version} ${slug}`, validFrom: 1_000 })),
          mark: Option.some({ mark: "complete", versionToken: version, context: null }),
          replace: replace(slug)
        })
      const reports = (exits: ReadonlyArray<Exit.Exit<unknown, unknown>>) =>
        exits.map((exit) => (Exit.isSuccess(exit) ? exit.value : exit.cause))
      const old = yield* commitAll(
        pages,
        outcomeOf("old", () => "all")
      )
      expect(reports(old)).toEqual(slugs.map(() => ({ inserted: 1, cleaned: 0 })))
      expect((yield* written).transactions).toBe(2)
      yield* journalVectors(slugs)
      // Every other page keeps what is older than that.
      const keeps = (slug: string) => slugs.indexOf(slug) % 2 === 1
      const exits = yield* commitAll(
        pages,
        outcomeOf("new", (slug) => (keeps(slug) ? { since: 2_000 } : "all"))
      )
      expect(reports(exits)).toEqual(slugs.map((slug) => ({ inserted: 1, cleaned: keeps(slug) ? 1 : 2 })))
      expect((yield* written).pages).toEqual(
        slugs.map((slug) => ({ slug, facts: keeps(slug) ? [`old ${slug}`, `new ${slug}`] : [`new ${slug}`] }))
      )
      for (const slug of slugs) {
        expect((yield* marksOf(slug)).map((row) => row.source_session)).toEqual([
          `cli:extract-conversation-facts:terminal:v2:${slug}:new`
        ])
      }
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  /** Runs `use` while somebody is in a transaction on the page `edited`, until `use` says that he may end it. */
  const whileEdited = <A, E, R>(use: (end: Effect.Effect<void>) => Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [editing, done] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const end = Effect.asVoid(Deferred.succeed(done, undefined))
      const editor = yield* sql`update pages set links_extracted_at = now() where slug = 'edited'`.pipe(
        Effect.andThen(Deferred.succeed(editing, undefined)),
        Effect.andThen(Deferred.await(done)),
        sql.withTransaction,
        Effect.forkChild
      )
      yield* Deferred.await(editing)
      return yield* use(end).pipe(Effect.ensuring(end), Effect.tap(Fiber.join(editor)))
    })

  // An embedded brain has nobody else who could be in a transaction.
  const besideOthers = <E, R>(body: Effect.Effect<void, E, R>) =>
    Effect.flatMap(Database, ({ kind }) => (kind === "pglite" ? Effect.void : body))

  const impatient = (giveUpAfter: Duration.Input) =>
    Effect.provideService(PageLockPolicy, {
      wait: Duration.millis(50),
      firstPause: Duration.millis(20),
      longestPause: Duration.millis(50),
      giveUpAfter: Duration.fromInputUnsafe(giveUpAfter)
    })

  it.live("a page that somebody is in a transaction on for long is left, and takes no other along", () =>
    Effect.gen(function* () {
      const pages = yield* putAll(["first", "edited", "well", "last"])
      const exits = yield* whileEdited(() => commitAll(pages, (_page, outcome) => outcome)).pipe(
        impatient("100 millis")
      )
      expect(told(exits)).toEqual([1, expect.stringContaining("PageChanged"), 1, 1])
      expect(told(exits)[1]).toContain("edited was held by somebody's transaction for too long")
      expect((yield* written).pages.map(({ slug }) => slug)).toEqual(["first", "last", "well"])
    }).pipe(besideOthers, Effect.scoped, Effect.provide(layer))
  )

  it.live(
    "it is written when that transaction ends soon enough; its lease is free to be renewed meanwhile",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const pages = yield* putAll(["edited"])
        const exits = yield* whileEdited((end) =>
          Effect.gen(function* () {
            const commits = yield* Effect.forkChild(commitAll(pages, (_page, outcome) => outcome))
            const row = sql<{ readonly taken: number; readonly free: number }>`
              select (select count(*) from gbrain_cycle_locks)::int as taken, (select count(*) from (
                select 1 from gbrain_cycle_locks for update skip locked) as free)::int as free`
            const until = (free: number) =>
              Effect.repeat(Effect.delay(row, "1 millis"), {
                until: ([it]) => it?.taken === 1 && it.free === free
              })
            yield* until(0)
            yield* until(1)
            yield* end
            return yield* Fiber.join(commits)
          })
        ).pipe(impatient("1 minute"))
        expect(told(exits)).toEqual([1])
      }).pipe(besideOthers, Effect.scoped, Effect.provide(layer))
  )

  it.live("no more than eight pages share a transaction", () =>
    Effect.gen(function* () {
      const exits = yield* commitAll(
        yield* putAll(Array.from({ length: 12 }, (_, index) => `page ${index}`)),
        (_page, outcome) => outcome
      )
      expect(told(exits)).toEqual(exits.map(() => 1))
      // One, eight and three.
      expect((yield* written).transactions).toBe(3)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  for (const committed of [true, false]) {
    it.live(
      `a commit of several pages whose answer was lost, ${committed ? "after" : "before"} it took effect, is reported as done to each`,
      () =>
        Effect.gen(function* () {
          const pages = yield* putAll(["first", "one", "two", "three"])
          const exits = yield* commitAll(pages, (_page, outcome) => outcome).pipe(
            Effect.provide(FactStore.layer.pipe(Layer.provide(losingAnAnswer(committed, 1))))
          )
          expect(told(exits)).toEqual([1, 1, 1, 1])
          expect(yield* written).toMatchObject({
            pages: ["first", "one", "three", "two"].map((slug) => ({ slug, facts: [slug] })),
            transactions: 2
          })
        }).pipe(Effect.scoped, Effect.provide(layer))
    )
  }

  it.live(
    "reads the rows of its page only, however many others a source has, also those without a number",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const journal = yield* Journal
        yield* putPages([{ slug: "chats/one", body: "text" }])
        const [page] = yield* sql<{ id: number; fingerprint: string }>`
        select id, ${sql.literal(fingerprintColumns)} as fingerprint from pages where slug = 'chats/one'`
        const source = "cli:extract-conversation-facts"
        yield* sql`insert into facts (source_id, source, source_session, source_markdown_slug, row_num, fact)
        select 'default', ${source}, ${`${source}:chats/`} || other, 'chats/' || other, 0, 'said'
        from generate_series(1, 3000) as other`
        yield* sql`insert into facts (source_id, source, source_session, source_markdown_slug, row_num, fact)
        values ('default', ${source}, ${`${source}:chats/one`}, 'chats/one', 3, 'old'),
          ('default', ${source}, ${`${source}:chats/one`}, 'chats/one', null, 'older')`
        // As the database counts them within a transaction.
        const rowsRead = Effect.map(
          sql<{ readonly n: number }>`
            select (seq_tup_read + idx_tup_fetch)::int as n from pg_stat_xact_user_tables where relname = 'facts'`,
          ([row]) => row?.n ?? 0
        )
        const commit = (replace: PageOutcome["replace"]) =>
          Effect.gen(function* () {
            const before = yield* rowsRead
            yield* journal.recordVectors([{ key: "new", vector: new Float32Array(64).fill(0.1) }])
            const report = yield* (yield* PageLease).withLease("test:chats/one", (lease) =>
              Effect.flatMap(FactStore, (store) =>
                store.commit({ ...unmarked(lease, page), facts: [fact("new")], replace })
              )
            )
            const read = (yield* rowsRead) - before
            // Whoever falls asleep in the middle of it is ended.
            const [{ silence } = { silence: "" }] = yield* sql<{ readonly silence: string }>`
            select current_setting('idle_in_transaction_session_timeout') as silence`
            expect(silence).toBe("5s")
            return { report, read }
          }).pipe(sql.withTransaction)
        const kept = yield* commit({ since: 4_000_000_000_000 })
        expect(kept.report).toEqual({ inserted: 1, cleaned: 0 })
        expect(kept.read).toBeLessThan(100)
        // Whether any of the rows that go is the one that another was given up for: asked of an index as well.
        yield* Effect.flatMap(FactStore, (store) => store.makeIndex)
        const replaced = yield* commit("all")
        expect(replaced.report).toEqual({ inserted: 1, cleaned: 3 })
        expect(replaced.read).toBeLessThan(100)
        expect((yield* factsOf("chats/one")).map((row) => row.fact)).toEqual(["new"])
      }).pipe(
        Effect.scoped,
        Effect.provide(
          Layer.mergeAll(FactStore.layer, Journal.layer).pipe(
            Layer.provideMerge(PageLease.layer),
            Layer.provideMerge(brain)
          )
        )
      )
  )

  it.live(
    "writes nothing when the brain was taken to another embedding model meanwhile, even one of the same width",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* putPages([{ slug: "chats/one", body: "text" }])
        const [page] = yield* sql<{ id: number; fingerprint: string }>`
        select id, ${sql.literal(fingerprintColumns)} as fingerprint from pages where slug = 'chats/one'`
        yield* (yield* Journal).recordVectors([{ key: "a", vector: new Float32Array(64).fill(0.1) }])
        yield* sql`update config set value = 'openai:text-embedding-3-large' where key = 'embedding_model'`
        const outcome = (yield* PageLease).withLease("test:chats/one", (lease) =>
          Effect.flatMap(FactStore, (store) => store.commit({ ...unmarked(lease, page), facts: [fact("a")] }))
        )
        expect(yield* Effect.flip(outcome)).toMatchObject({
          _tag: "EmbeddingModelChanged",
          message: expect.stringContaining("openai:text-embedding-3-large at 64 dimensions")
        })
        expect(yield* factsOf("chats/one")).toEqual([])
      }).pipe(
        Effect.scoped,
        Effect.provide(
          Layer.mergeAll(FactStore.layer, Journal.layer).pipe(
            Layer.provideMerge(PageLease.layer),
            Layer.provideMerge(brain)
          )
        )
      )
  )
})

/** An outcome of the page chats/one without facts and mark. */
const unmarked = (
  lease: PageOutcome["lease"],
  page: { readonly id: number; readonly fingerprint: string } | undefined
): PageOutcome => ({
  lease,
  page: { id: page?.id ?? 0, sourceId: "default", slug: "chats/one" },
  fingerprint: page?.fingerprint ?? "",
  hasFactsFence: false,
  facts: [],
  embedding: { model: "openai:text-embedding-3-small", dimensions: 64 },
  mark: Option.none(),
  replace: "all"
})

const fact = (key: string): PageOutcome["facts"][number] => ({
  fact: key,
  kind: "fact",
  entitySlug: null,
  confidence: 1,
  notability: "low",
  context: "",
  validFrom: 0,
  metric: null,
  value: null,
  unit: null,
  period: null,
  vectorKey: key
})
