import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { initBrain } from "../../src/services/Brain.ts"
import { onBothDatabases } from "../support/brains.ts"

/** The columns of a brain of gbrain's, schema version 140: `table | column | type | not null | default`. */
const expected = readFileSync(new URL("../fixtures/gbrain-columns.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => line.split("|").map((cell) => cell.trim()))

// A brain of the tests has narrower vectors.
const width = (type: string) => type.replace(/\((64|1536)\)/, "(D)")

onBothDatabases("a new brain", (brain) => {
  it.live("has gbrain's tables and columns, with their types and which may be null", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const rows = yield* sql<{ table: string; column: string; type: string; required: boolean }>`
        select relname as table, attname as column, format_type(atttypid, atttypmod) as type, attnotnull as required
        from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped`
      const found = new Map(rows.map((row) => [`${row.table}.${row.column}`, row]))
      for (const [table, column, type = "", required] of expected) {
        const row = found.get(`${table}.${column}`)
        expect({ table, column, type: width(row?.type ?? "missing"), required: row?.required }).toEqual({
          table,
          column,
          type: width(type),
          required: required === "not null"
        })
      }
      expect(found.size).toBe(expected.length)
    }).pipe(Effect.provide(brain))
  )

  it.live("is not made for a width that its model never has", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`drop schema gbrain_effect cascade`
      yield* sql`drop schema public cascade`
      yield* sql`create schema public`
      const make = (model: string, dimensions: number) =>
        initBrain({ embeddingModel: Option.some(model), embeddingDimensions: Option.some(dimensions) })
      const error = yield* Effect.flip(make("voyage:voyage-4", 1536))
      expect(error).toMatchObject({ _tag: "ImpossibleWidth" })
      expect(error).toHaveProperty("message", expect.stringContaining("256, 512, 1024 or 2048 dimensions"))
      expect(yield* sql`select to_regclass('pages') as pages`).toEqual([{ pages: null }])
      expect(yield* make("voyage:voyage-4", 512)).toMatchObject({ created: true, embeddingDimensions: 512 })
    }).pipe(Effect.provide(brain))
  )

  it.live("is found again by init, unchanged; another model or width is refused", () =>
    Effect.gen(function* () {
      const again = yield* initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.some(64) })
      expect(again).toMatchObject({ created: false, embeddingDimensions: 64 })
      const error = yield* Effect.flip(
        initBrain({ embeddingModel: Option.none(), embeddingDimensions: Option.some(128) })
      )
      expect(error).toMatchObject({ _tag: "BrainExists" })
    }).pipe(Effect.provide(brain))
  )
})
