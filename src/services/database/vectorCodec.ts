/**
 * pgvector's binary form, so that vectors travel as their floats: the client knows PostgreSQL's own types, and the number
 * that an extension's type has is another in every database.
 */
import { endianness } from "node:os"
import { PgTypes } from "@effect/sql-pg"
import { Effect, Result } from "effect"
import type { SqlClient } from "effect/sql"

const headerBytes = 4

const isLittleEndian = endianness() === "LE"

/** `vector` on the wire: the width as 16 bits, 16 bits unused, then floats of 32 bits, all big-endian. */
const vectorCodec: PgTypes.Codec<Float32Array> = {
  encode: (vector) => {
    const bytes = Buffer.allocUnsafe(headerBytes + 4 * vector.length)
    bytes.writeInt16BE(vector.length, 0)
    bytes.writeInt16BE(0, 2)
    const floats = bytes.subarray(headerBytes)
    floats.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength))
    if (isLittleEndian) floats.swap32()
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
