/** Reads an embeddings answer: vectors as base64 of little-endian 32-bit floats, or as plain numbers; checked. */
import { Option, Result, Schema } from "effect"

const Embeddings = Schema.Struct({
  data: Schema.Array(Schema.Struct({ index: Schema.optionalKey(Schema.Int), embedding: Schema.Unknown })),
  usage: Schema.optionalKey(
    Schema.NullOr(
      Schema.Struct({
        prompt_tokens: Schema.optionalKey(Schema.Finite),
        total_tokens: Schema.optionalKey(Schema.Finite)
      })
    )
  )
})

const decode = Schema.decodeUnknownOption(Embeddings)

/**
 * The vectors of an answer in the order of the texts. Fails, with what is wrong, when their number or width is not as asked,
 * an index is missing or doubled, or a value is not finite.
 */
export const decodeVectors = (
  data: unknown,
  count: number,
  dimensions: number
): Result.Result<
  { readonly vectors: ReadonlyArray<Float32Array>; readonly inputTokens: Option.Option<number> },
  string
> => {
  const answer = decode(data)
  if (Option.isNone(answer)) return Result.fail("the answer holds no embeddings")
  const items = answer.value.data
  if (items.length !== count) return Result.fail(`${items.length} vectors came for ${count} texts`)
  const vectors: Array<Float32Array | undefined> = Array.from({ length: count }, () => undefined)
  for (const [place, item] of items.entries()) {
    const vector = readVector(item.embedding)
    if (vector === undefined) return Result.fail("a vector is neither base64 nor numbers")
    if (vector.length !== dimensions) {
      return Result.fail(`a vector has ${vector.length} dimensions where ${dimensions} are configured`)
    }
    if (!vector.every((component) => Number.isFinite(component)))
      return Result.fail("a vector holds a value that is no number")
    const index = item.index ?? place
    if (index < 0 || index >= count || vectors[index] !== undefined)
      return Result.fail("the vectors' indexes are wrong")
    vectors[index] = vector
  }
  const usage = answer.value.usage
  return Result.succeed({
    vectors: vectors.filter((vector) => vector !== undefined),
    inputTokens: Option.fromNullishOr(usage?.prompt_tokens ?? usage?.total_tokens)
  })
}

const readVector = (value: unknown): Float32Array | undefined => {
  if (typeof value === "string") {
    const bytes = Buffer.from(value, "base64")
    if (bytes.length % 4 !== 0) return undefined
    // A view would start at any offset of the shared pool; a Float32Array may not.
    return new Float32Array(new Uint8Array(bytes).buffer)
  }
  return Array.isArray(value) && value.every((component) => typeof component === "number")
    ? Float32Array.from(value)
    : undefined
}
