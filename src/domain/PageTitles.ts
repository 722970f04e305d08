/** Titles for pages whose front matter has none. The rules are gbrain's: a title is part of the content hash. */

/** The text of the first heading of the first level, outside of code; empty when there is none. */
export const firstHeading = (body: string): string => {
  let inCode = false
  for (const line of body.split("\n")) {
    if (/^\s*(`{3,}|~{3,})/.test(line)) inCode = !inCode
    else if (!inCode) {
      const heading = /^#(?!#)\s+(.+?)\s*$/.exec(line)?.[1]
      if (heading !== undefined) return heading.replace(/\s+#+\s*$/, "").trim()
    }
  }
  return ""
}

/** The last part of a slug as words: `people/ana-ruiz` is Ana Ruiz. */
export const titleOfSlug = (slug: string): string =>
  capitalised((slug.split("/").pop() ?? slug).replace(/[-_]/g, " "))

/** A file's name as words, without its date: `2024-05-06 On tides.md` is On tides. */
export const titleOfFileName = (name: string): string => {
  const words = name
    .replace(/\.md$/i, "")
    .replace(/^\d{4}-\d{2}-\d{2}[\s_-]+/, "")
    .replace(/^\d{4}\s+\d{2}\s+\d{2}\s+/, "")
    .replace(/[-_]/g, " ")
    .replace(/\s+/g, " ")
    .trim()
  const isPlain = words === words.toLowerCase() || words === words.toUpperCase()
  return (isPlain ? capitalised(words) : words) || "Untitled"
}

// `\w` knows ASCII only, so that a letter after an accented one becomes large too. gbrain has it so.
const capitalised = (words: string): string => words.replace(/\b\w/g, (letter) => letter.toUpperCase())
