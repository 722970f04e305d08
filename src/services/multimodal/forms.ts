/**
 * The two forms in which images are sent to be embedded, and what their answers say was used:
 * - Voyage's own endpoint, many inputs a request, paid for by text tokens and pixels;
 * - the embeddings endpoint of OpenAI's kind with content parts for input, one input a request: a list is one input in parts to some
 *   servers and several inputs to others.
 */
import { Option, Schema } from "effect"
import { billedPixels, type SentImage } from "../../domain/Images.ts"
import { boundTokens } from "../ModelCall.ts"
import { UsedCount } from "../openai/usage.ts"

/** What a vector is made of. */
export type MultimodalInput =
  { readonly type: "text"; readonly text: string } | { readonly type: "image"; readonly image: SentImage }

/** Tokens and pixels. */
export interface Used {
  readonly inputTokens: number
  readonly imagePixels: number
}

/** A way to ask. */
export interface Form {
  readonly path: string
  /** The most inputs of a request. */
  readonly inputs: number
  readonly body: (model: string, inputs: ReadonlyArray<MultimodalInput>) => Readonly<Record<string, unknown>>
  /** The most that inputs can use. */
  readonly worst: (inputs: ReadonlyArray<MultimodalInput>) => Used
  /** What was used, by an answer; what it does not tell is taken to be the worst. */
  readonly usedBy: (answer: unknown, worst: Used) => Used
}

const dataUrl = ({ bytes, mime }: SentImage): string =>
  `data:${mime};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")}`

const textsOf = (inputs: ReadonlyArray<MultimodalInput>) =>
  inputs.flatMap((input) => (input.type === "text" ? [input.text] : []))

const pixelsOf = (inputs: ReadonlyArray<MultimodalInput>) =>
  inputs.reduce((sum, input) => sum + (input.type === "image" ? billedPixels(input.image) : 0), 0)

const Usage = Schema.Struct({
  usage: Schema.Struct({
    text_tokens: Schema.optionalKey(Schema.NullOr(UsedCount)),
    image_pixels: Schema.optionalKey(Schema.NullOr(UsedCount)),
    prompt_tokens: Schema.optionalKey(Schema.NullOr(UsedCount)),
    total_tokens: Schema.optionalKey(Schema.NullOr(UsedCount))
  })
})

const usageIn = (answer: unknown) =>
  Option.getOrUndefined(Option.map(Schema.decodeUnknownOption(Usage)(answer), ({ usage }) => usage))

/** Voyage's form. */
export const voyageForm: Form = {
  path: "/multimodalembeddings",
  inputs: 32,
  body: (model, inputs) => ({
    model,
    input_type: "document",
    // What does not fit is refused and named, rather than cut without a word.
    truncation: false,
    inputs: inputs.map((input) => ({
      content: [
        input.type === "text"
          ? { type: "text", text: input.text }
          : { type: "image_base64", image_base64: dataUrl(input.image) }
      ]
    }))
  }),
  worst: (inputs) => ({ inputTokens: boundTokens(...textsOf(inputs)), imagePixels: pixelsOf(inputs) }),
  usedBy: (answer, worst) => {
    const usage = usageIn(answer)
    return {
      inputTokens: usage?.text_tokens ?? worst.inputTokens,
      // Pixels told may be those of before small images were enlarged; paid for are those of after.
      imagePixels: Math.max(usage?.image_pixels ?? 0, worst.imagePixels)
    }
  }
}

/** The finest that vision models look: a token for fourteen pixels square, and a few around the image. */
const pixelsPerPatch = 14 * 14
const tokensAroundImage = 64

/** The form of servers of OpenAI's kind. Images count as tokens there. */
export const openAiForm: Form = {
  path: "/embeddings",
  inputs: 1,
  body: (model, inputs) => ({
    model,
    input_type: "document",
    input: inputs.map((input) =>
      input.type === "text"
        ? { type: "input_text", text: input.text }
        : { type: "image_url", image_url: { url: dataUrl(input.image) } }
    )
  }),
  worst: (inputs) => ({
    inputTokens: inputs.reduce(
      (sum, input) =>
        input.type === "text"
          ? sum
          : sum + tokensAroundImage + Math.ceil((input.image.width * input.image.height) / pixelsPerPatch),
      boundTokens(...textsOf(inputs))
    ),
    imagePixels: 0
  }),
  usedBy: (answer, worst) => {
    const usage = usageIn(answer)
    return { inputTokens: usage?.prompt_tokens ?? usage?.total_tokens ?? worst.inputTokens, imagePixels: 0 }
  }
}
