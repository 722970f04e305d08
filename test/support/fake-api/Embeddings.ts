/** Answers to calls for embeddings, as they should be and as they come from a server that is broken. */
import type { Completion } from "./Chat.ts"
import { vectorOf } from "./HashedEmbedding.ts"
import type { EmbeddingsCall } from "./Requests.ts"
import type { Fault } from "./Settings.ts"

/** Embeds each text, in `dimensions` dimensions where the call names none, with the fault if it is one of embeddings. */
export const embed = (call: EmbeddingsCall, fault: Fault | undefined, dimensions: number): Completion => {
  const asked = call.dimensions ?? dimensions
  const width = fault === "other-width" ? asked + 1 : asked
  const data = call.inputs.map((input, index) => {
    const vector = vectorOf(input, width)
    if (fault === "nan" && index === 0) vector[0] = Number.NaN
    return { object: "embedding", index, embedding: encode(vector, call.encoding) }
  })
  if (fault === "too-few-vectors") data.pop()
  if (fault === "shuffled") data.reverse()
  const usage = { prompt_tokens: call.promptTokens, total_tokens: call.promptTokens }
  const body = JSON.stringify({
    object: "list",
    data,
    model: call.model,
    ...(fault === "no-usage" ? {} : { usage })
  })
  return { body, promptTokens: call.promptTokens, completionTokens: 0 }
}

// Bytes on the wire are little-endian 32-bit floats, as the machines this runs on have them.
const encode = (vector: Float32Array, encoding: "float" | "base64") =>
  encoding === "base64"
    ? Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64")
    : [...vector]
