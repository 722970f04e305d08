/** The words around a place in a text: what a link is typed by, and what is shown with it. */

/** How many characters of the text make a context; a sentence or two. */
const width = 240

/** The words around `at`, on one line. */
export const wordsAround = (text: string, at: number): string => {
  // A cut through a pair of surrogates leaves half a character, which no database takes.
  const words = text.slice(Math.max(0, at - width / 2), at + width / 2).toWellFormed()
  return (blanks.test(words) ? words.replace(/\s+/g, " ") : words).trim()
}

/** Blanks other than single spaces. */
const blanks = /\s\s|[^\S ]/
