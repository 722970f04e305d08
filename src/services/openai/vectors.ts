/** Reads an embeddings answer: vectors as base64 of little-endian 32-bit floats, or as plain numbers; checked. */
import { Option, Result, Schema } from "effect"
import { UsedCount } from "./usage.ts"

const Embeddings = Schema.Struct({
  model: Schema.optionalKey(Schema.NullOr(Schema.String)),
  data: Schema.Array(Schema.Struct({ index: Schema.optionalKey(Schema.Int), embedding: Schema.Unknown })),
  // Read apart: vectors are no worse for what is said about their price.
  usage: Schema.optionalKey(Schema.Unknown)
})

const EmbeddingsUsage = Schema.Struct({
  prompt_tokens: Schema.optionalKey(Schema.NullOr(UsedCount)),
  total_tokens: Schema.optionalKey(Schema.NullOr(UsedCount))
})

const decode = Schema.decodeUnknownOption(Embeddings)

const decodeUsage = Schema.decodeUnknownOption(EmbeddingsUsage)

/** What an answer holds, in the order of the inputs. */
export interface DecodedVectors {
  readonly vectors: ReadonlyArray<Float32Array>
  /** Which of them hold a value that is no number. */
  readonly notFinite: ReadonlyArray<number>
  /** None when the server does not tell, or tells what cannot be. */
  readonly inputTokens: Option.Option<number>
  /** The model that answered, as the server calls it. */
  readonly answeredBy: Option.Option<string>
}

/** What is wrong with an answer. */
export interface BadAnswer {
  readonly reason: "BadVectors" | "WrongWidth"
  readonly message: string
}

/**
 * The vectors of an answer in the order of the texts. Fails, with what is wrong, when their number or width is not as asked, or
 * an index is missing or doubled.
 */
export const decodeVectors = (
  data: unknown,
  count: number,
  dimensions: number
): Result.Result<DecodedVectors, BadAnswer> => {
  const answer = decode(data)
  if (Option.isNone(answer)) return bad("the answer holds no embeddings")
  const items = answer.value.data
  if (items.length !== count) return bad(`${items.length} vectors came for ${count} texts`)
  const vectors: Array<Float32Array | undefined> = Array.from({ length: count }, () => undefined)
  const notFinite: Array<number> = []
  for (const [place, item] of items.entries()) {
    const vector = readVector(item.embedding)
    if (vector === undefined) return bad("a vector is neither base64 nor numbers")
    if (vector.length !== dimensions) {
      return Result.fail({
        reason: "WrongWidth",
        message: `a vector has ${vector.length} dimensions where ${dimensions} are configured`
      })
    }
    const index = item.index ?? place
    if (index < 0 || index >= count || vectors[index] !== undefined)
      return bad("the vectors' indexes are wrong")
    if (!isFinite(vector)) notFinite.push(index)
    vectors[index] = vector
  }
  const { model, usage } = answer.value
  return Result.succeed({
    vectors: vectors.filter((vector) => vector !== undefined),
    notFinite,
    inputTokens: Option.flatMap(decodeUsage(usage), (told) =>
      Option.fromNullishOr(told.prompt_tokens ?? told.total_tokens)
    ),
    answeredBy: Option.fromNullishOr(model)
  })
}

const bad = (message: string) => Result.fail({ reason: "BadVectors", message } as const)

const isFinite = (vector: Float32Array): boolean => {
  for (let index = 0; index < vector.length; index++) if (!Number.isFinite(vector[index])) return false
  return true
}

const readVector = (value: unknown): Float32Array | undefined => {
  if (typeof value === "string") {
    const bytes = Buffer.from(value, "base64")
    if (bytes.length % 4 !== 0) return undefined
    // A view could start at any offset of the shared pool; a Float32Array may not.
    return bytes.byteOffset % 4 === 0
      ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
      : new Float32Array(new Uint8Array(bytes).buffer)
  }
  return Array.isArray(value) && value.every((component) => typeof component === "number")
    ? Float32Array.from(value)
    : undefined
}
