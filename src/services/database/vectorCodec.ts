/**
 * pgvector's binary form, so that vectors travel as their floats: the client knows PostgreSQL's own types, and the number
 * that an extension's type has is another in every database.
 */
import { PgTypes } from "@effect/sql-pg"
import { Effect, Result } from "effect"
import type { SqlClient } from "effect/sql"

const headerBytes = 4

/** `vector` on the wire: the width as 16 bits, 16 bits unused, then floats of 32 bits, all big-endian. */
const vectorCodec: PgTypes.Codec<Float32Array> = {
  encode: (vector) => {
    const bytes = new Uint8Array(headerBytes + 4 * vector.length)
    const view = new DataView(bytes.buffer)
    view.setInt16(0, vector.length)
    for (let index = 0; index < vector.length; index++)
      view.setFloat32(headerBytes + 4 * index, vector[index] ?? 0)
    return Result.succeed(bytes)
  },
  decode: (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const width = view.getInt16(0)
    return Result.succeed(
      Float32Array.from({ length: width }, (_, index) => view.getFloat32(headerBytes + 4 * index))
    )
  }
}

/** Makes parameters that are arrays of vectors. */
export type VectorArray = (vectors: ReadonlyArray<Float32Array>) => Effect.Effect<PgTypes.Parameter>

/** Teaches `types`, the registry of the open client, the type `vector` of this database. */
export const vectorArrays = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, types: PgTypes.Registry) {
  const [row] = yield* sql<{ readonly element: number; readonly arrays: number }>`
    select oid::int as element, typarray::int as arrays from pg_type where oid = 'vector'::regtype`
  const element = row?.element ?? 0
  types.register(element, vectorCodec, { arrayOid: row?.arrays ?? 0 })
  const make: VectorArray = (vectors) =>
    Effect.orDie(Effect.fromResult(PgTypes.array(vectors, element, types)))
  return make
})
