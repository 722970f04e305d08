/** Samples of code in a page: what stands in them is shown, not said, and links nothing. */

const samples = /```[\s\S]*?(?:```|$)|`[^`\n]*`/g

/** The text with its code replaced by blanks of the same length, so that places stay what they are. Ends of lines stay too. */
export const blankCode = (text: string): string =>
  text.includes("`") ? text.replace(samples, (code) => code.replace(/[^\n]/g, " ")) : text

/** The text with its code and its wikilinks blanked: around a plain path gbrain reads only what else is said. */
export const blankLinks = (text: string): string =>
  blankCode(text).replace(/\[\[[^\]]*\]\]/g, (link) => " ".repeat(link.length))
