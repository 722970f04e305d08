/** A file of code as a page: the original's rules, so that both programs make the same page, with the same content hash, of the same file. */
import { slugOfCode } from "../links/CodePaths.ts"
import { type CodeLanguage, languageOfPath } from "./Languages.ts"

/** A file of code. */
export interface CodePage {
  readonly slug: string
  readonly title: string
  readonly language: CodeLanguage
  readonly frontmatter: { readonly language: string; readonly file: string }
  readonly tags: ReadonlyArray<string>
}

/** The original's number of its rules, which is part of the content hash. Ours are counted in the page's own column. */
const hashedVersion = 5

/** The page that a file is; nothing when it is no code. */
export const codePageOf = (path: string): CodePage | undefined => {
  const language = languageOfPath(path)
  return language === undefined
    ? undefined
    : {
        slug: slugOfCode(path),
        title: `${path} (${language.id})`,
        language,
        frontmatter: { language: language.id, file: path },
        tags: ["code", language.id]
      }
}

/** What the content hash is made of. Equal files at the same place have equal texts. */
export const hashedCode = (page: CodePage, content: string): string =>
  JSON.stringify({
    title: page.title,
    type: "code",
    content,
    lang: page.language.id,
    chunker_version: hashedVersion
  })

/** The largest file of code: the original's limit, in bytes. */
export const largestCode = 5_000_000

/** Lines of this length on average are a program's, not a person's. */
const minifiedLine = 500

/** Whether a program wrote the text for programs: minified scripts, data on one line. Short files are never too much. */
export const isMinified = (path: string, text: string): boolean => {
  if (/\.min\.[^./]+$/.test(path)) return true
  if (text.length < 10_000) return false
  let lines = 1
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++
  return text.length / lines > minifiedLine
}
