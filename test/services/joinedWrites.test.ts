/** Which writes share a statement: rows of one statement have the same `cmin`, the number of the command in its transaction. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type Write, writeTogether } from "../../src/services/database/joinedWrites.ts"
import { onBothDatabases } from "../support/brains.ts"
import { testsOn } from "../support/testsOn.ts"

onBothDatabases("writes that are joined", (brain) => {
  const test = testsOn(brain)

  const writing = Effect.fnUntraced(function* (
    writes: (sql: SqlClient.SqlClient, write: (name: string, rows?: number) => Write) => ReadonlyArray<Write>
  ) {
    const sql = yield* SqlClient.SqlClient
    return yield* Effect.gen(function* () {
      yield* sql`create temp table said (word text) on commit drop`
      const write = (name: string, rows = 1): Write => ({
        rows,
        steps: [{ name, statement: sql`insert into said values (${name}) returning word` }]
      })
      yield* writeTogether(sql, writes(sql, write))
      const rows = yield* sql<{ readonly words: ReadonlyArray<string> }>`
        select array_agg(word order by word) as words from said group by cmin::text::int order by cmin::text::int`
      return rows.map(({ words }) => words)
    }).pipe(sql.withTransaction)
  })

  test("all that fit are one statement, in which a step reads what an earlier one returned", () =>
    Effect.gen(function* () {
      const found = yield* writing((sql, write) => [
        write("a"),
        {
          rows: 1,
          steps: [
            ...write("b").steps,
            { name: "again", statement: sql`insert into said select word || '!' from b` }
          ]
        },
        write("c")
      ])
      expect(found).toEqual([["a", "b", "b!", "c"]])
    }))

  test("five thousand rows a statement, and as many as it takes for one that has more", () =>
    Effect.gen(function* () {
      const found = yield* writing((_, write) => [
        write("a", 4000),
        write("b", 1000),
        write("c", 1),
        write("d", 9000),
        write("e", 1)
      ])
      expect(found).toEqual([["a", "b"], ["c"], ["d"], ["e"]])
    }))

  test("those of one name go one after the other", () =>
    Effect.gen(function* () {
      expect(yield* writing((_, write) => [write("a"), write("b"), write("a")])).toEqual([["a", "b"], ["a"]])
    }))

  test("nothing to write is no statement", () =>
    Effect.gen(function* () {
      expect(yield* writing(() => [])).toEqual([])
    }))
})
