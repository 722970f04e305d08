/**
 * Finds the files of a folder that are to be pages: not in hidden folders or folders of dependencies, not what `.gitignore` leaves out,
 * not through symbolic links, not outside of the folder.
 */
import { Effect, FileSystem, Option, Path, Schema } from "effect"
import { codePageOf } from "../../domain/code/CodePage.ts"
import { type IgnoreRules, isIgnored, readRules } from "../../domain/GitIgnore.ts"
import { slugOfPath } from "../../domain/Slug.ts"

/** The folder cannot be imported. */
export class BadDirectory extends Schema.TaggedError<BadDirectory>()("BadDirectory", {
  directory: Schema.String,
  message: Schema.String
}) {}

/** Which files are taken. */
export const strategies = ["markdown", "code", "all"] as const

/** Which files are taken. */
export type Strategy = (typeof strategies)[number]

/** A file to import. */
export interface FoundFile {
  /** Relative to the folder, with forward slashes. */
  readonly path: string
  readonly slug: string
  readonly kind: "markdown" | "code"
}

/** A file that is left out, and why. */
export interface SkippedFile {
  readonly path: string
  readonly reason: string
}

/** How to look. */
export interface ScanOptions {
  readonly strategy: Strategy
  /** Files too that `.gitignore` leaves out. */
  readonly includeIgnored: boolean
}

/** Markdown, and what git would take. */
export const defaultScanOptions: ScanOptions = { strategy: "markdown", includeIgnored: false }

/** Folders of what others wrote or programs made; the original leaves them out too. */
const foreignFolders: ReadonlySet<string> = new Set(["node_modules", "vendor", "dist", "build", "venv"])

const isHiddenFolder = (name: string) => name.startsWith(".") || name.endsWith(".raw")

/** Files that describe a folder rather than being pages of it; gbrain leaves them out too. */
const notPages: ReadonlySet<string> = new Set(["schema.md", "index.md", "log.md", "README.md", "RESOLVER.md"])

/** Lists the files, sorted by path; of two with the same slug the first stays. */
export const scanDirectory = Effect.fn("scanDirectory")(function* (
  directory: string,
  options: ScanOptions = defaultScanOptions
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = path.resolve(directory)
  const info = yield* Effect.option(fs.stat(root))
  if (info._tag === "None" || info.value.type !== "Directory") {
    return yield* new BadDirectory({
      directory,
      message: `${directory} is no folder. Name the folder of the brain's files.`
    })
  }

  const files: Array<FoundFile> = []
  const skipped: Array<SkippedFile> = []
  let ignored = 0
  const rulesIn = (folder: string) =>
    options.includeIgnored
      ? Effect.succeed(Option.none<string>())
      : Effect.option(fs.readFileString(path.join(folder, ".gitignore")))
  const above = options.includeIgnored ? [] : yield* rulesAbove(root)
  const folders: Array<{ readonly folder: string; readonly rules: ReadonlyArray<IgnoreRules> }> = [
    { folder: "", rules: above }
  ]
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const { folder } = next
    const prefix = folder === "" ? "" : `${folder}/`
    const entries = yield* fs.readDirectoryEntries(path.join(root, folder)).pipe(
      Effect.catch((error) => {
        skipped.push({ path: folder === "" ? "." : prefix, reason: `cannot be read (${error.message})` })
        return Effect.succeed([])
      })
    )
    // A repository inside this one: what is in it is somebody else's.
    if (folder !== "" && entries.some((entry) => entry.name === ".git" && entry.type === "File")) {
      skipped.push({ path: prefix, reason: "is a git submodule" })
      continue
    }
    const own = entries.some((entry) => entry.name === ".gitignore" && entry.type === "File")
      ? yield* rulesIn(path.join(root, folder))
      : Option.none<string>()
    const rules = Option.isSome(own) ? [...next.rules, readRules(own.value, prefix)] : next.rules
    for (const entry of entries) {
      const relative = `${prefix}${entry.name}`
      if (entry.type === "Directory") {
        if (isHiddenFolder(entry.name)) continue
        if (foreignFolders.has(entry.name)) {
          if (options.strategy !== "markdown") skipped.push({ path: `${relative}/`, reason: foreign })
        } else if (isIgnored(rules, `${relative}/`)) ignored++
        else folders.push({ folder: relative, rules })
        continue
      }
      const found = fileAt(relative, entry.name, options.strategy)
      if (found === undefined) continue
      if (isIgnored(rules, relative)) ignored++
      else if (entry.type === "SymbolicLink") skipped.push({ path: relative, reason: "is a symbolic link" })
      else if (found.kind === "markdown" && /[[\]\p{Cc}]/u.test(relative)) {
        skipped.push({ path: relative, reason: "has brackets in its name, which no link to it could spell" })
      } else if (entry.type === "File") files.push(found)
    }
  }
  return { root, ignored, ...distinctSlugs(files, skipped) }
})

const foreign = "holds what others wrote or programs made"

const fileAt = (path: string, name: string, strategy: Strategy): FoundFile | undefined => {
  if (name.startsWith(".")) return undefined
  if (/\.mdx?$/i.test(name)) {
    return strategy === "code" || notPages.has(name)
      ? undefined
      : { path, slug: slugOfPath(path), kind: "markdown" }
  }
  if (strategy === "markdown") return undefined
  const page = codePageOf(path)
  return page === undefined ? undefined : { path, slug: page.slug, kind: "code" }
}

const distinctSlugs = (found: ReadonlyArray<FoundFile>, before: ReadonlyArray<SkippedFile>) => {
  const files = found.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const skipped = [...before]
  const bySlug = new Map<string, string>()
  const distinct = files.filter((file) => {
    const first = bySlug.get(file.slug)
    if (file.slug === "") skipped.push({ path: file.path, reason: "its name makes no slug" })
    else if (first !== undefined)
      skipped.push({ path: file.path, reason: `has the same slug as ${first}: ${file.slug}` })
    else bySlug.set(file.slug, file.path)
    return file.slug !== "" && first === undefined
  })
  return { files: distinct, skipped }
}

/** The rules of the folders between the repository's own folder and the one that is read, when that is inside a repository. */
const rulesAbove = Effect.fnUntraced(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const isRepository = (folder: string) =>
    Effect.orElseSucceed(fs.exists(path.join(folder, ".git")), () => false)
  const rules: Array<IgnoreRules> = []
  let above = ""
  for (let folder = root; !(yield* isRepository(folder));) {
    const parent = path.dirname(folder)
    if (parent === folder) return []
    above = `${path.basename(folder)}/${above}`
    folder = parent
    const text = yield* Effect.option(fs.readFileString(path.join(folder, ".gitignore")))
    if (Option.isSome(text)) rules.unshift(readRules(text.value, "", above))
  }
  return rules
})
