/** A symbol's full name, as people of its language write it: `Users.render`, `Users#render`, `users::render`. */

/** Joins a symbol's name to those of what it is in. The rule is the original's, so that either finds what the other wrote. */
export const qualifiedName = (
  language: string,
  name: string,
  symbolType: string,
  within: ReadonlyArray<string>
): string => {
  if (within.length === 0) return name
  const path = language === "rust" || language === "ruby" ? "::" : "."
  const last = language === "ruby" && symbolType === "function" ? "#" : path
  return `${within.join(path)}${last}${name}`
}
