/** What a folder's `.gitignore` files leave out, as git reads them: the nearest file that says anything decides. */
import ignore from "ignore"

/** The rules of one `.gitignore`. */
export interface IgnoreRules {
  /** The folder it is in, relative to the folder that is read, with a slash at the end; empty for that folder itself. */
  readonly folder: string
  /** What comes before paths in that folder when the file is above it, with a slash at the end. */
  readonly above: string
  readonly matcher: ReturnType<typeof ignore>
}

/** Reads a `.gitignore`. Lines that are no patterns say nothing. */
export const readRules = (text: string, folder: string, above = ""): IgnoreRules => ({
  folder,
  above,
  matcher: ignore({ allowRelativePaths: false }).add(text.replace(/^\ufeff/, ""))
})

/** Whether a path is left out. `rules` are those of its folder and of the folders above, the outermost first; folders end with a slash. */
export const isIgnored = (rules: ReadonlyArray<IgnoreRules>, path: string): boolean => {
  for (let index = rules.length - 1; index >= 0; index--) {
    const rule = rules[index]
    if (rule === undefined) continue
    const { ignored, unignored } = rule.matcher.test(`${rule.above}${path.slice(rule.folder.length)}`)
    if (ignored) return true
    if (unignored) return false
  }
  return false
}
