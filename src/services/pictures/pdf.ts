/** PDF files with PDFium: how many pages they have, and each page as an image with its text. Fails with the reason, in words. */
import type { PDFiumLibrary } from "@hyzyla/pdfium"
import { Effect } from "effect"
import { mostPixels, type SentImage } from "../../domain/Images.ts"
import { pngOf } from "./image.ts"

/** A page as an image, and the text on it. */
export interface PdfPage {
  readonly image: SentImage
  readonly text: string
}

/** A document that is open. */
export interface PdfDocument {
  readonly pages: number
  /** A page, counted from 0. Each can be drawn once. */
  readonly draw: (index: number) => Effect.Effect<PdfPage, string>
}

/** No document that anybody reads has more; a damaged one may say so. */
const mostPages = 5_000

/** Pixels to a point, at most: 144 to the inch, at which small print can be read. */
const mostScale = 2

/** Text kept of a page. */
const mostText = 20_000

// Drawing is the processor's work and is done in this thread; after a crash of the library a new one is loaded.
let library: typeof PDFiumLibrary.prototype | undefined

const load = Effect.suspend(() =>
  library === undefined
    ? Effect.map(
        Effect.promise(async () => (await import("@hyzyla/pdfium")).PDFiumLibrary.init()),
        (loaded) => (library ??= loaded)
      )
    : Effect.succeed(library)
)

const reasonFor = (cause: unknown): string => {
  const said = cause instanceof Error ? cause.message : String(cause)
  if (cause instanceof Error && cause.name === "RuntimeError") library = undefined
  return /password/i.test(said)
    ? "is encrypted; save it without a password"
    : `is no PDF, or is damaged (${said})`
}

/** Opens a document; it is closed when the scope ends. */
export const openPdf = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const pdfium = yield* load
  const document = yield* Effect.acquireRelease(
    Effect.tryPromise({ try: () => pdfium.loadDocument(bytes), catch: reasonFor }),
    // A library that crashed cannot close anything either.
    (opened) => Effect.ignore(Effect.try({ try: () => opened.destroy(), catch: reasonFor }))
  )
  const pages = yield* Effect.try({ try: () => document.getPageCount(), catch: reasonFor })
  if (pages === 0) return yield* Effect.fail("has no pages")
  if (pages > mostPages)
    return yield* Effect.fail(`says it has ${pages} pages, more than the ${mostPages} taken on`)

  const draw = Effect.fnUntraced(function* (index: number) {
    const { bitmap, text } = yield* Effect.tryPromise({
      try: async () => {
        const page = document.getPage(index)
        const { originalHeight, originalWidth } = page.getOriginalSize()
        // A page is closed by being drawn: its text comes first.
        const text = page.getText()
        const scale = Math.min(mostScale, Math.sqrt(mostPixels / (originalWidth * originalHeight)))
        return { text, bitmap: await page.render({ scale, render: "bitmap" }) }
      },
      catch: reasonFor
    })
    const png = yield* pngOf(bitmap)
    return {
      image: { mime: "image/png", bytes: png, width: bitmap.width, height: bitmap.height },
      text: tidy(text)
    } satisfies PdfPage
  })

  return { pages, draw } satisfies PdfDocument
})

const tidy = (text: string): string =>
  text
    .replace(/(?!\n)\p{Cc}+/gu, " ")
    .replace(/ *\n\s*/g, "\n")
    .trim()
    .slice(0, mostText)
    .toWellFormed()
