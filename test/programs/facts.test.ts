import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { listFacts } from "../../src/programs/facts/listFacts.ts"
import { SqlClient } from "effect/sql"
import { onBothDatabases } from "../support/brains.ts"

interface Saying {
  readonly page: string
  readonly fact: string
  readonly day: string
  readonly entity?: string | null
  /** The direction of the fact's vector, in degrees of a plane. */
  readonly angle?: number
}

const say = Effect.fnUntraced(function* (sayings: ReadonlyArray<Saying>) {
  const sql = yield* SqlClient.SqlClient
  for (const [row, { angle = 0, day, entity = "people/ana", fact, page }] of sayings.entries()) {
    const radians = (angle * Math.PI) / 180
    const vector = [Math.cos(radians), Math.sin(radians), ...Array.from({ length: 62 }, () => 0)]
    yield* sql`insert into facts (source_id, source, source_markdown_slug, row_num, fact, entity_slug, valid_from, embedding)
      values ('default', 'cli:extract-conversation-facts', ${page}, ${row}, ${fact}, ${entity}, ${day}::timestamptz,
        ${JSON.stringify(vector)}::halfvec)`
  }
})

const everything = {
  sourceId: Option.none<string>(),
  entity: Option.none<string>(),
  page: Option.none<string>(),
  query: Option.none<string>(),
  limit: 50
}

onBothDatabases("listing facts", (brain) => {
  describe("what several pages say", () => {
    it.effect("is listed once, where it was said last, with the other pages", () =>
      Effect.gen(function* () {
        yield* say([
          { page: "a", fact: "Ana moved to Bergen.", day: "2025-01-01" },
          { page: "b", fact: "ana moved to Bergen.", day: "2025-02-01", angle: 90 },
          { page: "c", fact: "Ana has moved to Bergen.", day: "2025-03-01", angle: 5 }
        ])
        const facts = yield* listFacts(everything)
        expect(facts.map(({ also_on, page }) => ({ page, also_on }))).toEqual([
          { page: "c", also_on: ["a"] },
          { page: "b", also_on: ["a"] }
        ])
      }).pipe(Effect.provide(brain))
    )

    it.effect("stays apart when the numbers differ, or whom it is about", () =>
      Effect.gen(function* () {
        yield* say([
          { page: "a", fact: "Ana lent 100 euros.", day: "2025-01-01" },
          { page: "b", fact: "Ana lent 200 euros.", day: "2025-02-01" },
          { page: "c", fact: "Ana lent 100 euros.", day: "2025-03-01", entity: "people/another-ana" }
        ])
        const facts = yield* listFacts(everything)
        expect(facts.map(({ also_on }) => also_on)).toEqual([[], [], []])
      }).pipe(Effect.provide(brain))
    )

    it.effect("is still listed for the page that was asked about", () =>
      Effect.gen(function* () {
        yield* say([
          { page: "a", fact: "Ana moved to Bergen.", day: "2025-01-01" },
          { page: "b", fact: "Ana moved to Bergen.", day: "2025-02-01" }
        ])
        const facts = yield* listFacts({ ...everything, page: Option.some("a") })
        expect(facts.map(({ also_on, page }) => ({ page, also_on }))).toEqual([{ page: "a", also_on: ["b"] }])
      }).pipe(Effect.provide(brain))
    )
  })

  describe("facts that contain words", () => {
    it.effect("are found in any form, without accents, in any script, with all of the words", () =>
      Effect.gen(function* () {
        yield* say([
          { page: "a", fact: "Tomás signed the charter of the boat.", day: "2025-01-01" },
          { page: "b", fact: "王伟搬到了青岛。", day: "2025-01-02", angle: 45 },
          { page: "c", fact: "Ana keeps a boat.", day: "2025-01-03", angle: 90 }
        ])
        const saying = (text: string) =>
          Effect.map(listFacts({ ...everything, query: Option.some(text) }), (facts) =>
            facts.map((fact) => fact.page)
          )
        expect(yield* saying("boats")).toEqual(["c", "a"])
        expect(yield* saying("tomas charters")).toEqual(["a"])
        expect(yield* saying("青岛")).toEqual(["b"])
        expect(yield* saying("boat -charter")).toEqual(["c"])
        expect(yield* saying("boat whale")).toEqual([])
      }).pipe(Effect.provide(brain))
    )

    it.effect("are left out when they no longer hold, or when their page is gone", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* say([
          { page: "a", fact: "Ana keeps a boat.", day: "2025-01-01" },
          { page: "b", fact: "Ana kept two boats.", day: "2025-01-02" },
          { page: "c", fact: "Ana sold a boat.", day: "2025-01-03" }
        ])
        yield* sql`update facts set superseded_by = (select min(id) from facts) where source_markdown_slug = 'b'`
        yield* sql`insert into pages (slug, type, title, deleted_at) values ('c', 'note', 'C', now())`
        const facts = yield* listFacts({ ...everything, query: Option.some("boat") })
        expect(facts.map((fact) => fact.page)).toEqual(["a"])
      }).pipe(Effect.provide(brain))
    )
  })
})
