/** What a comment says, without the signs that make it one. */

/** Longer ones are kept by their beginning; the whole stands in the chunk. */
const maxComment = 2000

/** The words of a comment, of several that follow each other, or of a documentation string. */
export const wordsOfComment = (text: string): string =>
  text
    .slice(0, maxComment * 2)
    .split("\n")
    .map((line) =>
      line
        .trim()
        .replace(/^(?:\/\*+!?|\/\/+!?|#+|--+\[*|\*+(?!\/)|[rRuUbB]?"""|[rRuUbB]?''')\s?/, "")
        .replace(/(?:\*+\/|"""|''')$/, "")
        .trimEnd()
    )
    .join("\n")
    .trim()
    .slice(0, maxComment)
