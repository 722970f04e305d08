/** How large a piece of text is, for those who cut it. */

const eastAsian = /[\u4e00-\u9fff\u3040-\u309f\u30a0-\u30ff\uac00-\ud7af]/g

/** From this share of such characters on, a text is one whose words are not set apart. */
const eastAsianShare = 0.3

/** Words; in text whose words are not set apart each character is one. */
export const countWords = (text: string): number => {
  const characters = text.replace(/\s/g, "").length
  if (characters === 0) return 0
  return countEastAsian(text) / characters >= eastAsianShare ? characters : (text.match(/\S+/g) ?? []).length
}

const countEastAsian = (text: string): number => (text.match(eastAsian) ?? []).length

/** A longer run without a space is no word: an address, a number, an encoded file. */
const longestWord = 24

/** About how many tokens a text is, rather too many than too few, without the megabytes that an exact count needs. */
export const estimateTokens = (text: string): number => {
  const foreign = countEastAsian(text)
  if (foreign > 0) {
    const spaces = (text.match(/\s/g) ?? []).length
    return Math.ceil(foreign + (text.length - foreign - spaces) * 0.75 + spaces * 0.1)
  }
  let tokens = 0
  for (const word of text.match(/\S+/g) ?? [])
    tokens += word.length > longestWord ? word.length * 0.7 : word.length / 4
  return Math.ceil(tokens)
}
