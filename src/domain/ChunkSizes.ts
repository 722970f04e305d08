/** How large a piece of text is, for those who cut it. */

const eastAsian = /[\u4e00-\u9fff\u3040-\u309f\u30a0-\u30ff\uac00-\ud7af]/g

/** From this share of such characters on, a text is one whose words are not set apart. */
const eastAsianShare = 0.3

/** What the words of a text are counted by. Sizes of pieces make that of the text that they are put together to. */
export interface TextSize {
  readonly characters: number
  readonly eastAsian: number
  readonly words: number
  readonly beginsInWord: boolean
  readonly endsInWord: boolean
}

/** The size of a text. */
export const sizeOf = (text: string): TextSize => {
  const words = text.match(/\S+/g) ?? []
  return {
    characters: words.reduce((sum, word) => sum + word.length, 0),
    eastAsian: countEastAsian(text),
    words: words.length,
    beginsInWord: /^\S/.test(text),
    endsInWord: /^\S/.test(text.slice(-1))
  }
}

/** The size of one text and another, neither of them empty, behind it. */
export const together = (before: TextSize, after: TextSize): TextSize => ({
  characters: before.characters + after.characters,
  eastAsian: before.eastAsian + after.eastAsian,
  words: before.words + after.words - (before.endsInWord && after.beginsInWord ? 1 : 0),
  beginsInWord: before.beginsInWord,
  endsInWord: after.endsInWord
})

/** Words in a text of this size; in text whose words are not set apart each character is one. */
export const wordsIn = ({ characters, eastAsian: foreign, words }: TextSize): number =>
  characters > 0 && foreign / characters >= eastAsianShare ? characters : words

/** Words in a text. */
export const countWords = (text: string): number => wordsIn(sizeOf(text))

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
