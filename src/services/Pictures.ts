/**
 * Image files and PDFs of a source's folder: what they are, and what of them is sent to a model. Only files inside the folder are
 * read, wherever links lead; what a file cannot give is told in words.
 */
import { Context, Effect, FileSystem, Layer, Path, Schema, Semaphore } from "effect"
import { type PictureKind, pictureKind, type SentImage } from "../domain/Images.ts"
import { inspectImage, toSent } from "./pictures/image.ts"
import { openPdf } from "./pictures/pdf.ts"
import { sha256OfBytes } from "./Sha256.ts"

/** A file is no picture, or cannot be read as one. */
export class PictureProblem extends Schema.TaggedError<PictureProblem>()("PictureProblem", {
  path: Schema.String,
  /** What is wrong, to be read after the file's name: "is empty". */
  message: Schema.String
}) {}

/** A file in the folder of a source. */
export interface PictureFile {
  /** The source's folder. */
  readonly root: string
  /** Relative to the folder, with forward slashes. */
  readonly path: string
}

/** What a file is. */
export interface Picture {
  readonly kind: PictureKind
  /** SHA-256 of its bytes, in hexadecimal. */
  readonly hash: string
  readonly bytes: number
  readonly mime: string
  /** Of an image; of a PDF, whose pages are drawn as large as is good for them, none. */
  readonly size: { readonly width: number; readonly height: number } | null
  /** 1 for an image. */
  readonly pages: number
}

/** One image to send, and the text that is known of it. */
export interface DrawnPage {
  /** Counted from 0. */
  readonly index: number
  /** How many pages the file has. */
  readonly of: number
  readonly image: SentImage
  /** Text on the page of a PDF; empty for an image. */
  readonly text: string
}

/** Larger files are left out. */
const mostBytes = 50 * 1024 * 1024

/** PDFs that are open at a time: each may take some hundred megabytes. */
const pdfsAtOnce = 2

/** Pictures. */
export class Pictures extends Context.Service<
  Pictures,
  {
    /** What a file is; all of it is read and decoded, unless its content is one of the `known` hashes already. */
    readonly inspect: (
      file: PictureFile,
      known: string | undefined
    ) => Effect.Effect<Picture | "known", PictureProblem>
    /**
     * Draws pages of a file, one after the other, and hands each to `each` as soon as it is there. A page that cannot be drawn
     * is handed over as its problem. Fails when the file is not what it was, by its `hash`.
     */
    readonly draw: <E, R>(
      file: PictureFile,
      hash: string | null,
      pages: ReadonlyArray<number>,
      each: (
        page: DrawnPage | { readonly index: number; readonly problem: string }
      ) => Effect.Effect<void, E, R>
    ) => Effect.Effect<void, PictureProblem | E, R>
  }
>()("gbrain/Pictures") {
  /** Pictures of the file system. */
  static readonly layer = Layer.effect(
    Pictures,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const pdfs = yield* Semaphore.make(pdfsAtOnce)

      const read = Effect.fnUntraced(function* (file: PictureFile) {
        const problem = (message: string) => new PictureProblem({ path: file.path, message })
        const root = yield* Effect.mapError(fs.realPath(file.root), () =>
          problem(`is in ${file.root}, and there is no such folder`)
        )
        const real = yield* Effect.mapError(fs.realPath(path.join(root, file.path)), () =>
          problem(`is not in ${file.root} any more`)
        )
        if (!real.startsWith(`${root}${path.sep}`)) {
          return yield* problem(`leads out of ${file.root}; only files inside a source's folder are read`)
        }
        const info = yield* Effect.mapError(fs.stat(real), (error) =>
          problem(`cannot be read (${error.message})`)
        )
        if (info.type !== "File") return yield* problem("is no file")
        if (info.size === 0n) return yield* problem("is empty")
        if (info.size > mostBytes) {
          return yield* problem(`has ${info.size} bytes, more than the ${mostBytes} that are taken on`)
        }
        return yield* Effect.mapError(fs.readFile(real), (error) =>
          problem(`cannot be read (${error.message})`)
        )
      })

      const inWords =
        (file: PictureFile) =>
        <A, R>(effect: Effect.Effect<A, string, R>) =>
          Effect.mapError(effect, (message) => new PictureProblem({ path: file.path, message }))

      return Pictures.of({
        inspect: Effect.fn("Pictures.inspect")(function* (file, known) {
          const bytes = yield* read(file)
          const hash = sha256OfBytes(bytes)
          if (hash === known) return "known"
          const kind = pictureKind(file.path)
          if (kind === undefined) {
            return yield* new PictureProblem({ path: file.path, message: "is neither image nor PDF" })
          }
          const found = { kind, hash, bytes: bytes.length }
          if (kind === "pdf") {
            const { pages } = yield* openPdf(bytes).pipe(Effect.scoped, inWords(file), (opened) =>
              pdfs.withPermit(opened)
            )
            return { ...found, mime: "application/pdf", size: null, pages }
          }
          const { mime, ...size } = yield* inWords(file)(inspectImage(bytes, true))
          return { ...found, mime, size, pages: 1 }
        }),
        draw: Effect.fn("Pictures.draw")(function* (file, hash, pages, each) {
          const bytes = yield* read(file)
          if (hash !== null && sha256OfBytes(bytes) !== hash) {
            return yield* new PictureProblem({
              path: file.path,
              message: "has changed since it was looked at; run again"
            })
          }
          if (pictureKind(file.path) !== "pdf") {
            const image = yield* inWords(file)(toSent(bytes))
            return yield* each({ index: 0, of: 1, image, text: "" })
          }
          yield* pdfs.withPermit(
            Effect.scoped(
              Effect.gen(function* () {
                const document = yield* inWords(file)(openPdf(bytes))
                for (const index of pages) {
                  const drawn = yield* Effect.result(document.draw(index))
                  yield* each(
                    drawn._tag === "Success"
                      ? { index, of: document.pages, ...drawn.success }
                      : { index, problem: drawn.failure }
                  )
                }
              })
            )
          )
        })
      })
    })
  )
}
