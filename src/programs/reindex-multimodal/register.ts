/**
 * Looks through the folders of sources for images and PDFs that have no page yet, or are other files than when they got one. A run
 * gives them pages, whose chunks are then to be embedded; a plan only counts them.
 */
import { Effect, Option, Stream } from "effect"
import { billedPixels, mostPixels } from "../../domain/Images.ts"
import { BrainConfig } from "../../services/BrainConfig.ts"
import { type PictureOrigin, type PicturePage, PicturePages } from "../../services/PicturePages.ts"
import { type Picture, Pictures } from "../../services/Pictures.ts"
import { Sources } from "../../services/Sources.ts"
import { type FoundPicture, type LeftOut, scanPictures } from "./scan.ts"

/** What was found in the folders. */
export interface Registered {
  files: number
  unchanged: number
  created: number
  updated: number
  /** Pages whose files are gone. */
  removed: number
  /** Images and pages of PDFs in the new and changed files, and the pixels that they are paid for. */
  images: number
  pixels: number
  /** Pages of the changed files. */
  readonly changedPages: Array<number>
  readonly leftOut: Array<LeftOut>
}

/** Files read and decoded at a time: the processor's work. */
const filesAtOnce = 4

/** Pages written in one transaction, and names looked up by one statement. */
const batchSize = 100

/** How far the looking is. */
export type OnLook = (done: number, total: number) => Effect.Effect<void>

/** Looks through the folders of the sources; with `write` false nothing is written. */
export const registerPictures = Effect.fn("registerPictures")(function* (
  sourceIds: ReadonlyArray<string>,
  options: { readonly write: boolean; readonly onLook?: OnLook | undefined }
) {
  const sources = yield* Sources
  const repository = yield* (yield* BrainConfig).get("sync.repo_path")
  const registered: Registered = {
    files: 0,
    unchanged: 0,
    created: 0,
    updated: 0,
    removed: 0,
    images: 0,
    pixels: 0,
    changedPages: [],
    leftOut: []
  }
  for (const { id, localPath } of yield* sources.all) {
    if (!sourceIds.includes(id)) continue
    const directory = localPath ?? (id === "default" ? Option.getOrNull(repository) : null)
    if (directory === null) continue
    yield* registerFolder({ sourceId: id, directory }, options, registered)
  }
  return registered
})

const registerFolder = Effect.fnUntraced(function* (
  origin: PictureOrigin,
  { onLook, write }: { readonly write: boolean; readonly onLook?: OnLook | undefined },
  registered: Registered
) {
  const pages = yield* PicturePages
  const pictures = yield* Pictures
  const scan = yield* scanPictures(origin.directory)
  if (scan === undefined) {
    registered.leftOut.push({
      path: origin.directory,
      reason: `is the folder of the source ${origin.sourceId}, and there is no such folder`
    })
    return
  }
  registered.leftOut.push(...scan.leftOut)
  registered.files += scan.files.length
  let done = 0

  const lookUp = Effect.fnUntraced(function* (files: ReadonlyArray<FoundPicture>) {
    const known = yield* pages.hashes(
      origin.sourceId,
      files.map(({ slug }) => slug)
    )
    return files.map((file) => ({ file, known: known.get(file.slug) }))
  })
  type LookedUp = Effect.Success<ReturnType<typeof lookUp>>[number]

  const lookAt = Effect.fnUntraced(function* ({ file, known }: LookedUp) {
    const leaveOut = (reason: string) => {
      registered.leftOut.push({ path: file.path, reason })
      return [] as ReadonlyArray<PicturePage>
    }
    if (known?.picture === false) return leaveOut(`has the slug of another page: ${file.slug}`)
    const looked = yield* Effect.result(
      pictures.inspect({ root: origin.directory, path: file.path }, known?.hash ?? undefined)
    )
    if (looked._tag === "Failure") return leaveOut(looked.failure.message)
    if (looked.success === "known") {
      registered.unchanged++
      return []
    }
    if (known === undefined) registered.created++
    else {
      registered.updated++
      registered.changedPages.push(known.id)
    }
    registered.images += looked.success.pages
    registered.pixels += pixelsOf(looked.success)
    return [{ ...file, picture: looked.success }]
  })

  yield* Stream.fromIterable(scan.files).pipe(
    Stream.grouped(batchSize),
    Stream.mapEffect(lookUp),
    Stream.flattenIterable,
    Stream.mapEffect(
      (file) => Effect.tap(lookAt(file), () => onLook?.(++done, scan.files.length) ?? Effect.void),
      { concurrency: filesAtOnce }
    ),
    Stream.flattenIterable,
    Stream.grouped(batchSize),
    Stream.mapEffect((batch) => (write ? pages.write(origin, batch) : Effect.void)),
    Stream.runDrain
  )
  // What could not be read is not gone, and neither is what is in a folder that could not be read. A folder without any
  // pictures may be one whose disk is away.
  if (
    write &&
    scan.files.length > 0 &&
    !scan.leftOut.some(({ path }) => path === "." || path.endsWith("/"))
  ) {
    registered.removed += yield* pages.removeOthers(origin, [
      ...scan.files.map(({ slug }) => slug),
      ...scan.leftOut.map(({ path }) => path.toLowerCase())
    ])
  }
})

/** A page of a PDF is drawn as large as is paid for. */
const pixelsOf = ({ pages, size }: Picture): number =>
  size === null ? pages * mostPixels : billedPixels(size)
