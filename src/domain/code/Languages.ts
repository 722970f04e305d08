/** Languages of code: which files are code, what their language is called, and whether a grammar comes with us for it. */

/** A language, by the name that the brain keeps. */
export interface CodeLanguage {
  readonly id: string
  /** As people write it. */
  readonly name: string
  /** Its files are read by a grammar; those of the others are cut as plain text. */
  readonly parsed: boolean
}

const parsed = (id: string, name: string): CodeLanguage => ({ id, name, parsed: true })
const plain = (id: string, name: string): CodeLanguage => ({ id, name, parsed: false })

const languages: ReadonlyArray<readonly [language: CodeLanguage, extensions: string]> = [
  [parsed("typescript", "TypeScript"), "ts mts cts"],
  [parsed("tsx", "TSX"), "tsx"],
  [parsed("javascript", "JavaScript"), "js jsx mjs cjs"],
  [parsed("python", "Python"), "py"],
  [parsed("ruby", "Ruby"), "rb"],
  [parsed("go", "Go"), "go"],
  [parsed("rust", "Rust"), "rs"],
  [parsed("java", "Java"), "java"],
  [parsed("c_sharp", "C#"), "cs"],
  [parsed("cpp", "C++"), "cpp cc cxx hpp hxx hh"],
  [parsed("c", "C"), "c h"],
  [parsed("php", "PHP"), "php"],
  [parsed("swift", "Swift"), "swift"],
  [parsed("kotlin", "Kotlin"), "kt kts"],
  [parsed("scala", "Scala"), "scala sc"],
  [parsed("lua", "Lua"), "lua"],
  [parsed("bash", "Bash"), "sh bash"],
  [parsed("elixir", "Elixir"), "ex exs"],
  [parsed("dart", "Dart"), "dart"],
  [parsed("solidity", "Solidity"), "sol"],
  [plain("elm", "Elm"), "elm"],
  [plain("ocaml", "OCaml"), "ml mli"],
  [plain("zig", "Zig"), "zig"],
  [plain("css", "CSS"), "css"],
  [plain("html", "HTML"), "html htm astro svelte"],
  [plain("vue", "Vue"), "vue"],
  [plain("json", "JSON"), "json"],
  [plain("yaml", "YAML"), "yaml yml"],
  [plain("toml", "TOML"), "toml"],
  [plain("sql", "SQL"), "sql"],
  // The original knows these files as code and no language for them.
  [plain("unknown", "HCL"), "tf tfvars hcl"]
]

const byExtension: ReadonlyMap<string, CodeLanguage> = new Map(
  languages.flatMap(([language, extensions]) =>
    extensions.split(" ").map((extension) => [extension, language] as const)
  )
)

/** The language of a file, by its name; nothing when the file is no code. */
export const languageOfPath = (path: string): CodeLanguage | undefined => {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase()
  const dot = name.lastIndexOf(".")
  return dot < 0 ? undefined : byExtension.get(name.slice(dot + 1))
}
