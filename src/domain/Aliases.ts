/** Other names of pages, in the one spelling in which they are kept and looked up: gbrain's. */

/** A name in lower case, in compatible characters, with single spaces, without quotes or brackets around it. */
export const normalAlias = (name: string): string =>
  name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^["'`[(]+/, "")
    .replace(/["'`\])]+$/, "")
    .trim()

/** The names under `aliases` in front matter: a list, or one line with commas. Each once. */
export const aliasesOf = (frontmatter: Readonly<Record<string, unknown>>): ReadonlyArray<string> => {
  const { aliases } = frontmatter
  const listed: ReadonlyArray<unknown> = Array.isArray(aliases)
    ? aliases
    : typeof aliases === "string"
      ? aliases.split(",")
      : []
  const names = listed.flatMap((name) => (typeof name === "string" ? normalAlias(name) : []))
  return [...new Set(names.filter((name) => name !== ""))]
}
