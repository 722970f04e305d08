import { expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import * as Money from "../../src/domain/Money.ts"
import { type JournaledAnswer, Journal } from "../../src/services/Journal.ts"
import { onBothDatabases } from "../support/brains.ts"

const answer = (key: string, text: string, outputTokens = 10): JournaledAnswer => ({
  key,
  model: "openai:gpt-4.1-mini",
  answer: text,
  inputTokens: 100,
  outputTokens,
  cost: Option.getOrThrow(Money.parseUsd("0.123456789012"))
})

onBothDatabases("Journal", (brain) => {
  it.live(
    "keeps answers by what was asked, money to the last digit, and a later answer in place of an earlier",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const journal = yield* Journal
        expect(yield* journal.answers(["a", "b"])).toEqual(new Map())
        yield* journal.recordAnswer(answer("a", `{"facts":[]} with 'quotes', \\ and 佐藤`))
        yield* journal.recordAnswer(answer("b", "earlier"))
        yield* journal.recordAnswer(answer("b", "later", 30))
        expect(yield* journal.answers(["a", "b", "c"])).toEqual(
          new Map([
            ["a", `{"facts":[]} with 'quotes', \\ and 佐藤`],
            ["b", "later"]
          ])
        )
        expect(yield* journal.answers([])).toEqual(new Map())
        expect(
          yield* sql`select cost_picousd::text as cost from gbrain_effect.journal_answers where key = 'a'`
        ).toEqual([{ cost: "123456789012" }])
        expect(yield* journal.usual("openai:gpt-4.1-mini")).toEqual({ answers: 2, outputTokens: 20 })
        expect(yield* journal.usual("openai:other")).toEqual({ answers: 0, outputTokens: 0 })
      }).pipe(Effect.provide(Journal.layer.pipe(Layer.provideMerge(brain))))
  )

  it.live("goes on after it could not learn what a vector is in this database", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const journal = yield* Journal
      yield* sql`alter type vector rename to moved_away`
      expect((yield* Effect.flip(journal.vectors(["a"])))._tag).toBe("SqlError")
      yield* sql`alter type moved_away rename to vector`
      yield* journal.recordVectors([{ key: "a", vector: Float32Array.of(1) }])
      expect(yield* journal.vectors(["a"])).toEqual(new Map([["a", Float32Array.of(1)]]))
    }).pipe(Effect.provide(Journal.layer.pipe(Layer.provideMerge(brain))))
  )

  it.live("keeps vectors of any width, many in one statement, and the first under a key", () =>
    Effect.gen(function* () {
      const journal = yield* Journal
      yield* journal.recordVectors([])
      const narrow = Float32Array.of(0.25, -1, 3)
      const wide = Float32Array.from({ length: 3072 }, (_, index) => Math.fround(index / 7))
      yield* journal.recordVectors([
        { key: "narrow", vector: narrow },
        { key: "wide", vector: wide }
      ])
      yield* journal.recordVectors([{ key: "narrow", vector: Float32Array.of(9) }])
      const found = yield* journal.vectors(["wide", "narrow", "nowhere"])
      expect([...found.keys()].sort()).toEqual(["narrow", "wide"])
      expect([...(found.get("narrow") ?? [])]).toEqual([...narrow])
      expect([...(found.get("wide") ?? [])]).toEqual([...wide])
    }).pipe(Effect.provide(Journal.layer.pipe(Layer.provideMerge(brain))))
  )

  it.live(
    "adopts the vectors of a page's facts by their text, and only while the brain is of that model and width",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const journal = yield* Journal
        const vector = `[${Array.from({ length: 64 }, (_, index) => index / 64).join(",")}]`
        yield* sql`insert into facts (source_id, source, source_markdown_slug, row_num, fact, embedding)
        select 'default', 'cli:extract-conversation-facts', slug, row_num, fact, case when row_num < 2 then ${vector}::halfvec end
        from (values ('a', 0, 'one'), ('a', 1, 'two'), ('a', 2, 'bare'), ('b', 0, 'three')) as row(slug, row_num, fact)`
        const [model] = yield* sql<{
          model: string
        }>`select value as model from config where key = 'embedding_model'`
        const embedding = { model: model?.model ?? "", dimensions: 64 }
        const page = { sourceId: "default", slug: "a" }
        const entries = ["one", "bare", "three", "new"].map((text) => ({ key: text, text }))
        expect(yield* journal.adoptVectors(page, { ...embedding, model: "openai:another" }, entries)).toEqual(
          new Map()
        )
        expect(yield* journal.adoptVectors(page, { ...embedding, dimensions: 32 }, entries)).toEqual(
          new Map()
        )
        expect(yield* journal.vectors(entries.map(({ key }) => key))).toEqual(new Map())
        const found = yield* journal.adoptVectors(page, embedding, entries)
        expect(yield* journal.vectors(entries.map(({ key }) => key))).toEqual(found)
        expect(yield* journal.adoptVectors(page, { ...embedding, model: "openai:another" }, entries)).toEqual(
          found
        )
        expect([...found.keys()]).toEqual(["one"])
        expect([...(found.get("one") ?? [])]).toEqual(Array.from({ length: 64 }, (_, index) => index / 64))
      }).pipe(Effect.provide(Journal.layer.pipe(Layer.provideMerge(brain))))
  )

  it.live("adopts for each page from its own facts, also when pages ask at the same time", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const journal = yield* Journal
      const slugs = ["a", "b", "c", "d"]
      yield* Effect.forEach(slugs, (slug, at) => {
        const vector = `[${Array.from({ length: 64 }, () => at).join(",")}]`
        return sql`insert into facts (source_id, source, source_markdown_slug, row_num, fact, embedding)
          values ('default', 'cli:extract-conversation-facts', ${slug}, 0, 'the same', ${vector}::halfvec)`
      })
      const [model] = yield* sql<{
        model: string
      }>`select value as model from config where key = 'embedding_model'`
      const found = yield* Effect.forEach(
        slugs,
        (slug) =>
          journal
            .adoptVectors({ sourceId: "default", slug }, { model: model?.model ?? "", dimensions: 64 }, [
              { key: `${slug} the same`, text: "the same" }
            ])
            .pipe(Effect.map((vectors) => vectors.get(`${slug} the same`)?.[0])),
        { concurrency: "unbounded" }
      )
      expect(found).toEqual([0, 1, 2, 3])
    }).pipe(Effect.provide(Journal.layer.pipe(Layer.provideMerge(brain))))
  )

  it.live("is empty in a brain that has none of our tables", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`drop schema gbrain_effect cascade`
      yield* Effect.gen(function* () {
        const journal = yield* Journal
        expect(yield* journal.answers(["a"])).toEqual(new Map())
        expect(yield* journal.vectors(["a"])).toEqual(new Map())
        expect(yield* journal.usual("m")).toEqual({ answers: 0, outputTokens: 0 })
      }).pipe(Effect.provide(Journal.layer))
    }).pipe(Effect.provide(brain))
  )
})
