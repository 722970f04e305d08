/** Finds the markdown files of a folder: not in hidden folders, not through symbolic links, not outside of it. */
import { Effect, FileSystem, Path, Schema } from "effect"
import { slugOfPath } from "../../domain/Slug.ts"

/** The folder cannot be imported. */
export class BadDirectory extends Schema.TaggedError<BadDirectory>()("BadDirectory", {
  directory: Schema.String,
  message: Schema.String
}) {}

/** A file to import. */
export interface FoundFile {
  /** Relative to the folder, with forward slashes. */
  readonly path: string
  readonly slug: string
}

/** A file that is left out, and why. */
export interface SkippedFile {
  readonly path: string
  readonly reason: string
}

/** Folders of what programs made or fetched; gbrain leaves them out too. */
const notPageFolders: ReadonlySet<string> = new Set(["node_modules", "vendor", "dist", "build", "venv"])

const isSkippedFolder = (name: string) =>
  name.startsWith(".") || name.endsWith(".raw") || notPageFolders.has(name)

/** Files that describe a folder rather than being pages of it; gbrain leaves them out too. */
const notPages: ReadonlySet<string> = new Set(["schema.md", "index.md", "log.md", "README.md", "RESOLVER.md"])

/** Lists the files, sorted by path; of two with the same slug the first stays. */
export const scanDirectory = Effect.fn("scanDirectory")(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = path.resolve(directory)
  const info = yield* Effect.option(fs.stat(root))
  if (info._tag === "None" || info.value.type !== "Directory") {
    return yield* new BadDirectory({
      directory,
      message: `${directory} is no folder. Name the folder of the brain's markdown files.`
    })
  }

  const files: Array<FoundFile> = []
  const skipped: Array<SkippedFile> = []
  const folders = [""]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const prefix = folder === "" ? "" : `${folder}/`
    const entries = yield* fs.readDirectoryEntries(path.join(root, folder)).pipe(
      Effect.catch((error) => {
        skipped.push({ path: folder === "" ? "." : prefix, reason: `cannot be read (${error.message})` })
        return Effect.succeed([])
      })
    )
    // A folder with a file of that name is another repository's, a submodule.
    if (folder !== "" && entries.some((entry) => entry.name === ".git" && entry.type === "File")) continue
    for (const entry of entries) {
      const relative = `${prefix}${entry.name}`
      if (entry.type === "Directory") {
        if (!isSkippedFolder(entry.name)) folders.push(relative)
      } else if (/\.mdx?$/i.test(entry.name) && !entry.name.startsWith(".") && !notPages.has(entry.name)) {
        if (entry.type === "SymbolicLink") skipped.push({ path: relative, reason: "is a symbolic link" })
        else if (/[[\]\p{Cc}]/u.test(relative))
          skipped.push({
            path: relative,
            reason: "has brackets in its name, which no link to it could spell"
          })
        else if (entry.type === "File") files.push({ path: relative, slug: slugOfPath(relative) })
      }
    }
  }

  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  const bySlug = new Map<string, string>()
  const distinct = files.filter((file) => {
    const first = bySlug.get(file.slug)
    if (file.slug === "") skipped.push({ path: file.path, reason: "its name makes no slug" })
    else if (first !== undefined)
      skipped.push({ path: file.path, reason: `has the same slug as ${first}: ${file.slug}` })
    else bySlug.set(file.slug, file.path)
    return file.slug !== "" && first === undefined
  })
  return { root, files: distinct, skipped }
})
