/**
 * The stand-in's multimodal embeddings, in Voyage's form and in that of OpenAI's kind: requests read and checked as providers check
 * them, and made into texts that tell images apart, of which the rest of the server makes vectors.
 */
import { createHash } from "node:crypto"
import sharp from "sharp"

/** A request, understood. */
export interface MultimodalRequest {
  /** A text for each input: its own words, or what the image is. */
  readonly inputs: ReadonlyArray<string>
  readonly pixels: number
  /** All words that are no image. */
  readonly words: string
  /** Words of refusal, as a provider has them. */
  readonly refusal: string | undefined
}

/** What an image is called in rules and logs: `image image/png 40x30 <start of its digest>`. */
const nameOf = async (url: unknown): Promise<{ name: string; pixels: number } | string> => {
  const match = /^data:(image\/(?:png|jpeg|webp|gif));base64,([A-Za-z0-9+/]+=*)$/.exec(String(url))
  if (match === null) return "image must be a data URL of image/png, image/jpeg, image/webp or image/gif"
  const bytes = Buffer.from(match[2] ?? "", "base64")
  if (bytes.length > 20 * 1024 * 1024) return "image is larger than 20 MB"
  try {
    const { format, height, width } = await sharp(bytes).metadata()
    await sharp(bytes).stats()
    if (`image/${format}` !== match[1]) return `image is ${format}, not ${match[1]}`
    if (width * height > 16_000_000) return "image has more than 16 million pixels"
    const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 16)
    return { name: `image ${match[1]} ${width}x${height} ${digest}`, pixels: width * height }
  } catch {
    return "image cannot be decoded"
  }
}

interface Part {
  readonly type?: unknown
  readonly text?: unknown
  readonly image_base64?: unknown
  readonly image_url?: unknown
}

const urlOf = (part: Part): unknown =>
  part.type === "image_base64"
    ? part.image_base64
    : typeof part.image_url === "object" && part.image_url !== null && "url" in part.image_url
      ? part.image_url.url
      : part.image_url

/** Reads the inputs of a request of either form. */
export const readMultimodal = async (asked: {
  readonly inputs?: ReadonlyArray<{ readonly content: ReadonlyArray<Part> }>
  readonly input?: ReadonlyArray<Part>
}): Promise<MultimodalRequest> => {
  // Of OpenAI's kind: the parts of one input.
  const contents = asked.inputs?.map(({ content }) => content) ?? [asked.input ?? []]
  const inputs: Array<string> = []
  const words: Array<string> = []
  let pixels = 0
  let refusal: string | undefined
  if (contents.length > 1000) refusal = "more than 1000 inputs"
  for (const content of contents) {
    const names: Array<string> = []
    for (const part of content) {
      if (typeof part.text === "string") {
        names.push(part.text)
        words.push(part.text)
        continue
      }
      const named = await nameOf(urlOf(part))
      if (typeof named === "string") refusal ??= named
      else {
        names.push(named.name)
        pixels += named.pixels
      }
    }
    inputs.push(names.join(" "))
  }
  return { inputs, pixels, words: words.join("\n"), refusal }
}

/** Whether a request to the embeddings endpoint has parts for input, rather than texts. */
export const hasParts = (asked: { readonly input?: unknown }): boolean =>
  Array.isArray(asked.input) && asked.input.some((part) => typeof part === "object")
