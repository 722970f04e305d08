/**
 * Names of symbols as edges and chunks write them. A chunk says `Users.render`, `Users#render` or `users::render`, by its language; an
 * edge says `Users::render` whatever the language, `./users::render` when it knows the module, or `render` alone.
 */

/** A name that an edge leads to. */
export interface TargetName {
  /** The class or module before the last `::`, if there is one. */
  readonly owner: string | undefined
  /** What is named; `*` for all of a module. */
  readonly name: string
}

/** Takes the name of a target apart. */
export const targetName = (written: string): TargetName => {
  const at = written.lastIndexOf("::")
  return at <= 0
    ? { owner: undefined, name: written }
    : { owner: written.slice(0, at), name: written.slice(at + 2) }
}

/** A qualified name with one separator, so that two ways of writing it compare. */
export const plainName = (qualified: string): string => qualified.replace(/::|#/g, ".")

/** The last part of a qualified name. */
export const lastPartOf = (qualified: string): string => plainName(qualified).split(".").pop() ?? qualified

/** What a qualified name is in; empty when it is in nothing. */
export const outerOf = (qualified: string): string => plainName(qualified).split(".").slice(0, -1).join(".")

/** The ways in which chunks may write a name. */
export const formsOf = ({ name, owner }: TargetName): ReadonlyArray<string> =>
  owner === undefined ? [name] : [`${owner}::${name}`, `${plainName(owner)}.${name}`, `${owner}#${name}`]

const families: ReadonlyArray<ReadonlyArray<string>> = [
  ["typescript", "tsx", "javascript", "vue", "svelte", "astro"],
  ["java", "kotlin", "scala"],
  ["c", "cpp", "objc"]
]

/** Languages that can call each other share a family; a name of another is a coincidence. */
export const familyOf = (language: string | null): string =>
  families.find((family) => language !== null && family.includes(language))?.[0] ?? language ?? ""

/** Languages in which a name of another file is to be imported by that name before it can be used. */
export const importsByName = (language: string | null): boolean =>
  ["typescript", "python", "rust"].includes(familyOf(language))

/** Languages in which a method of the own class is called by its name alone. */
export const callsOwnMethods = (language: string | null): boolean =>
  ["java", "c_sharp", "ruby", "c", "swift"].includes(familyOf(language))
