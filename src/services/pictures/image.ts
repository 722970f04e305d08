/** Image files with `sharp`: looked at, and made into what a model takes. Fails with the reason, in words. */
import { Effect } from "effect"
import sharp from "sharp"
import { fitWithin, mostPixels, type SentImage } from "../../domain/Images.ts"

/** What decoding an image may take: a hundred megapixels are four hundred megabytes. */
const mostDecoded = 100_000_000

/** Formats that every multimodal endpoint takes as they are. */
const sentAsIs: ReadonlySet<string> = new Set(["png", "jpeg", "webp", "gif"])

/** An image as it is in its file. */
export interface FoundImage {
  readonly mime: string
  readonly width: number
  readonly height: number
}

const open = (bytes: Uint8Array) => sharp(bytes, { limitInputPixels: mostDecoded })

const attempt = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({
    try: work,
    catch: (cause) => {
      const said = cause instanceof Error ? cause.message : String(cause)
      if (/pixel limit/i.test(said)) return `has more than ${mostDecoded / 1_000_000} million pixels`
      if (/compression format has not been built in/i.test(said))
        return "is a HEIC photograph in HEVC, which cannot be decoded here; save it as JPEG"
      return `is no image, or is damaged (${
        said
          .split("\n")
          .at(-1)
          ?.replace(/^Input buffer /, "") ?? ""
      })`
    }
  })

/**
 * What an image is. With `thorough` all of it is decoded, so that one that is cut in the middle is found here and not by a
 * provider, for money.
 */
export const inspectImage = Effect.fnUntraced(function* (bytes: Uint8Array, thorough: boolean) {
  const metadata = yield* attempt(() => open(bytes).metadata())
  if (thorough) yield* attempt(() => open(bytes).stats())
  const { height, width } = metadata.autoOrient
  return { mime: metadata.mediaType ?? `image/${metadata.format}`, width, height } satisfies FoundImage
})

/**
 * The image to send: as it is where it can be, else upright, its first frame only, within the pixels that count, as JPEG; as PNG
 * where it has transparent parts.
 */
export const toSent = Effect.fnUntraced(function* (bytes: Uint8Array): Effect.fn.Return<SentImage, string> {
  const metadata = yield* attempt(() => open(bytes).metadata())
  const size = metadata.autoOrient
  const upright = (metadata.orientation ?? 1) === 1
  if (
    sentAsIs.has(metadata.format) &&
    upright &&
    (metadata.pages ?? 1) === 1 &&
    size.width * size.height <= mostPixels
  ) {
    return { mime: `image/${metadata.format}`, bytes, ...size }
  }
  const fitted = fitWithin(size)
  const resized = open(bytes).autoOrient().resize(fitted.width, fitted.height, { fit: "fill" })
  const made = metadata.hasAlpha ? resized.png() : resized.jpeg({ quality: 90 })
  const { data } = yield* attempt(() => made.toBuffer({ resolveWithObject: true }))
  return { mime: metadata.hasAlpha ? "image/png" : "image/jpeg", bytes: data, ...fitted }
})

/** A PNG from rows of red, green, blue and opacity. */
export const pngOf = (raw: { readonly data: Uint8Array; readonly width: number; readonly height: number }) =>
  attempt(() =>
    sharp(raw.data, { raw: { width: raw.width, height: raw.height, channels: 4 } })
      .removeAlpha()
      .png()
      .toBuffer()
  )
