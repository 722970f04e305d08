/**
 * Images as multimodal models take them: which files are images, how large an image is sent, and what it counts as. The numbers
 * are Voyage's, whose endpoint others imitate: larger images than two million pixels are shrunk and smaller ones than fifty thousand
 * enlarged before they are looked at, and are paid for as such.
 */

/** Fewer pixels are counted as so many. */
export const fewestPixels = 50_000

/** An image with more pixels says no more to the model, and is paid for as one with so many. */
export const mostPixels = 2_000_000

/** Pixels that count as one token. */
const pixelsPerToken = 560

/** A file that pictures are made of. */
export type PictureKind = "image" | "pdf"

/** What is sent to a model. */
export interface SentImage {
  readonly mime: string
  readonly bytes: Uint8Array
  readonly width: number
  readonly height: number
}

/** The pixels that an image is paid for. */
export const billedPixels = (size: { readonly width: number; readonly height: number }): number =>
  Math.min(mostPixels, Math.max(fewestPixels, size.width * size.height))

/** How many tokens so many pixels count as. */
export const imageTokens = (pixels: number): number => Math.ceil(pixels / pixelsPerToken)

/** The size of an image within the pixels that count, its shape kept. Sides are at least one pixel long. */
export const fitWithin = (
  size: { readonly width: number; readonly height: number },
  pixels: number = mostPixels
): { readonly width: number; readonly height: number } => {
  if (size.width * size.height <= pixels) return size
  const shrink = Math.sqrt(pixels / (size.width * size.height))
  const width = Math.max(1, Math.floor(size.width * shrink))
  // A line is as long as the other side of it leaves room for.
  const height = Math.max(1, Math.min(Math.floor(size.height * shrink), Math.floor(pixels / width)))
  return { width: Math.min(width, Math.floor(pixels / height)), height }
}

const images: ReadonlySet<string> = new Set([
  "png",
  "jpg",
  "jpeg",
  "gif",
  "webp",
  "avif",
  "heic",
  "heif",
  "tif",
  "tiff"
])

/** What a file is by its name; none of both for most. */
export const pictureKind = (path: string): PictureKind | undefined => {
  const ending = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ""
  if (ending === "pdf") return "pdf"
  return images.has(ending) ? "image" : undefined
}

/** The slug of a picture: gbrain keeps the ending, so that `plan.png` and `plan.pdf` beside `plan.md` are pages of their own. */
export const pictureSlug = (path: string): string => path.replaceAll("\\", "/").toLowerCase()

/** What a chunk says of the picture that it stands for. */
export const captionOf = (filename: string, page: { readonly number: number; readonly of: number } | null) =>
  page === null ? filename : `${filename}, page ${page.number} of ${page.of}`
