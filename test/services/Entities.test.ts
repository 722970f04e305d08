import { expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { Entities } from "../../src/services/Entities.ts"
import { onBothDatabases } from "../support/brains.ts"
import { putPages } from "../support/extraction.ts"

onBothDatabases("Entities", (brain) => {
  it.live("a look that failed is not remembered", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const entities = yield* Entities
      yield* putPages([{ slug: "people/ana", title: "Ana", type: "person", body: "x" }])
      yield* sql`alter table page_aliases rename to moved_away`
      expect((yield* Effect.flip(entities.resolve("default", "Ana")))._tag).toBe("SqlError")
      yield* sql`alter table moved_away rename to page_aliases`
      expect(yield* entities.resolve("default", "Ana")).toEqual(Option.some("people/ana"))
    }).pipe(Effect.provide(Entities.layer.pipe(Layer.provideMerge(brain))))
  )

  it.live(
    "a name leads to the one page it means, the surest way first, and to none when it may mean two",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const entities = yield* Entities
        const page = (slug: string, title: string, type = "person", sourceId = "default") => ({
          slug,
          title,
          type,
          sourceId,
          body: "x"
        })
        yield* sql`insert into sources (id, name) values ('work', 'work')`
        yield* putPages([
          page("people/ana-ruiz", "Ana Ruiz"),
          page("people/josé-peña", "José Peña"),
          page("companies/azul", "Azul Ports, S.A.", "company"),
          page("people/one", "Sam Lee"),
          page("people/two", "Sam Lee"),
          page("chats/sam", "Kim Berg", "conversation"),
          page("people/gone", "Gone Person"),
          page("people/percent", "100%_sure"),
          page("people/elsewhere", "Only At Work", "person", "work")
        ])
        yield* sql`update pages set deleted_at = now() where slug = 'people/gone'`
        yield* sql`insert into page_aliases (source_id, alias_norm, slug) values ('default', 'the port', 'companies/azul')`
        const cases: ReadonlyArray<readonly [name: string, slug: string | undefined]> = [
          ["people/ana-ruiz", "people/ana-ruiz"],
          ["Ana Ruiz", "people/ana-ruiz"],
          ["  ana   RUIZ ", "people/ana-ruiz"],
          ["The Port", "companies/azul"],
          ["Azul", "companies/azul"],
          ["Azul Ports, S.A.", "companies/azul"],
          ["José Peña", "people/josé-peña"],
          // Two of them: neither.
          ["Sam Lee", undefined],
          // A conversation quotes people; it is none.
          ["Kim Berg", undefined],
          ["Gone Person", undefined],
          ["Only At Work", undefined],
          ["100%_sure", "people/percent"],
          ["100x_sure", undefined],
          ["%", undefined],
          ["", undefined],
          ["Nobody Known", undefined]
        ]
        for (const [name, slug] of cases) {
          expect([name, yield* entities.resolve("default", name)]).toEqual([
            name,
            Option.fromUndefinedOr(slug)
          ])
        }
        expect(yield* entities.resolve("work", "Only At Work")).toEqual(Option.some("people/elsewhere"))
      }).pipe(Effect.provide(Entities.layer.pipe(Layer.provideMerge(brain))))
  )

  it.live("a name is looked up once, however often it is asked for", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const entities = yield* Entities
      yield* putPages([{ slug: "people/ana-ruiz", type: "person", title: "Ana Ruiz", body: "x" }])
      expect(yield* entities.resolve("default", "Ana Ruiz")).toEqual(Option.some("people/ana-ruiz"))
      yield* sql`update pages set deleted_at = now()`
      expect(yield* entities.resolve("default", "Ana Ruiz")).toEqual(Option.some("people/ana-ruiz"))
    }).pipe(Effect.provide(Entities.layer.pipe(Layer.provideMerge(brain))))
  )
})
