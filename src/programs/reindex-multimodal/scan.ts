/** Finds the images and PDFs of a folder: not in hidden folders, not through symbolic links, not outside of it. */
import { Effect, FileSystem, Path } from "effect"
import { pictureKind, pictureSlug } from "../../domain/Images.ts"

/** A file to look at. */
export interface FoundPicture {
  /** Relative to the folder, with forward slashes. */
  readonly path: string
  readonly slug: string
}

/** A file or folder that is left out, and why. */
export interface LeftOut {
  readonly path: string
  readonly reason: string
}

const isSkippedFolder = (name: string) => name.startsWith(".") || name === "node_modules" || name === "ops"

/** Lists the files, sorted by path; of two with the same slug the first stays. None when there is no such folder. */
export const scanPictures = Effect.fn("scanPictures")(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const info = yield* Effect.option(fs.stat(root))
  if (info._tag === "None" || info.value.type !== "Directory") return undefined

  const found: Array<FoundPicture> = []
  const leftOut: Array<LeftOut> = []
  const folders = [""]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const prefix = folder === "" ? "" : `${folder}/`
    const entries = yield* fs.readDirectoryEntries(path.join(root, folder)).pipe(
      Effect.catch((error) => {
        leftOut.push({ path: folder === "" ? "." : prefix, reason: `cannot be read (${error.message})` })
        return Effect.succeed([])
      })
    )
    for (const { name, type } of entries) {
      const relative = `${prefix}${name}`
      if (type === "Directory") {
        if (!isSkippedFolder(name)) folders.push(relative)
      } else if (pictureKind(name) !== undefined && !name.startsWith(".")) {
        if (type === "SymbolicLink") leftOut.push({ path: relative, reason: "is a symbolic link" })
        else if (type === "File") found.push({ path: relative, slug: pictureSlug(relative) })
      }
    }
  }

  found.sort((a, b) => (a.path < b.path ? -1 : 1))
  const bySlug = new Map<string, string>()
  const files = found.filter(({ path, slug }) => {
    const first = bySlug.get(slug)
    if (first === undefined) bySlug.set(slug, path)
    else leftOut.push({ path, reason: `has the same slug as ${first}: ${slug}` })
    return first === undefined
  })
  return { files, leftOut }
})
