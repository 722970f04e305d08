/** Which files a module may be: `./users` of `src/app.ts` is `src/users.ts`, or `src/users/index.ts`, ... */
import { familyOf } from "./Names.ts"

const scripts = ["ts", "tsx", "js", "jsx", "mts", "cts", "mjs", "cjs", "vue", "svelte"]

/**
 * Paths that a module may have, seen from the file that imports it, the likeliest first; none when it is somebody else's, such as a
 * package that was installed.
 */
export const pathsOfModule = (
  module: string,
  from: { readonly path: string; readonly language: string | null }
): ReadonlyArray<string> => {
  const folders = from.path.split("/").slice(0, -1)
  switch (familyOf(from.language)) {
    case "typescript":
      return /^\.{1,2}(?:\/|$)/.test(module) ? scriptFiles(joined(folders, module)) : []
    case "python":
      return pythonFiles(module, folders)
    case "rust":
      return rustFiles(module, folders)
    case "java":
      return underAnyFolder(folders, module.replaceAll(".", "/")).flatMap((path) =>
        ["java", "kt", "scala"].map((extension) => `${path}.${extension}`)
      )
    case "php":
      return phpFiles(module, folders)
    case "ruby":
      return [joined(folders, module), ...underAnyFolder(folders, module)].map((path) =>
        path.endsWith(".rb") ? path : `${path}.rb`
      )
    case "c":
      return [joined(folders, module), ...underAnyFolder(folders, module)]
    default:
      return module.startsWith(".") ? [joined(folders, module)] : []
  }
}

const separators: Readonly<Record<string, string>> = { python: ".", java: ".", php: "\\" }

/**
 * The module that an imported thing is when it is a file of its own, as a class of Java is: `com.acme` and `Users` are
 * `com.acme.Users`. Nothing in languages where a file is imported by its path.
 */
export const moduleInside = (module: string, name: string, language: string | null): string | undefined => {
  const separator = separators[familyOf(language)]
  if (separator === undefined || name === "*" || name === "") return undefined
  return module.endsWith(separator) ? `${module}${name}` : `${module}${separator}${name}`
}

const joined = (folders: ReadonlyArray<string>, path: string): string => {
  const parts = [...folders]
  for (const step of path.split("/")) {
    if (step === "..") parts.pop()
    else if (step !== "." && step !== "") parts.push(step)
  }
  return parts.join("/")
}

// What is written as a script's import may be compiled from another: `./users.js` is `users.ts`.
const scriptFiles = (path: string): ReadonlyArray<string> => {
  const bare = path.replace(/\.[mc]?[jt]sx?$/, "")
  return [
    path,
    ...scripts.map((extension) => `${bare}.${extension}`),
    ...scripts.map((extension) => `${path}.${extension}`),
    ...scripts.map((extension) => (path === "" ? `index.${extension}` : `${path}/index.${extension}`))
  ]
}

const pythonFiles = (module: string, folders: ReadonlyArray<string>): ReadonlyArray<string> => {
  const dots = /^\.*/.exec(module)?.[0].length ?? 0
  const path = module.slice(dots).replaceAll(".", "/")
  const from =
    dots === 0
      ? underAnyFolder(folders, path)
      : [[...folders.slice(0, folders.length - dots + 1), ...(path === "" ? [] : [path])].join("/")]
  return from.flatMap((it) => [`${it}.py`, `${it}/__init__.py`])
}

/** The first words of a namespace may stand for a folder of any name, such as `src`. */
const phpFiles = (module: string, folders: ReadonlyArray<string>): ReadonlyArray<string> => {
  const parts = module.split("\\").filter((part) => part !== "")
  return [0, 1, 2]
    .filter((dropped) => dropped === 0 || parts.length - dropped > 0)
    .flatMap((dropped) => underAnyFolder(folders, parts.slice(dropped).join("/")))
    .map((path) => `${path}.php`)
}

const rustFiles = (module: string, folders: ReadonlyArray<string>): ReadonlyArray<string> => {
  const parts = module.split("::")
  const ups = parts.filter((part) => part === "super").length
  const path = parts.filter((part) => !["crate", "self", "super"].includes(part)).join("/")
  const roots =
    parts[0] === "crate"
      ? underAnyFolder(folders, path)
      : [joined(folders.slice(0, folders.length - ups), path)]
  return roots.flatMap((it) => [`${it}.rs`, `${it}/mod.rs`])
}

/** A path seen from every folder above, the nearest first: any of them may be the root of the sources. */
const underAnyFolder = (folders: ReadonlyArray<string>, path: string): ReadonlyArray<string> =>
  Array.from({ length: folders.length + 1 }, (_, up) =>
    [...folders.slice(0, folders.length - up), path].join("/")
  )
