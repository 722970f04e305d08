/**
 * Words as they may be spelled: with accents or without, as parts of other words, in scripts that set no spaces between
 * words. For what an index of stemmed words does not know.
 */

/** Small letters without accents. */
export const fold = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .replace(/[øłđħŧı]/g, (letter) => unaccented[letter] ?? letter)

/** Letters with a stroke or without a dot, which no normal form takes apart. */
const unaccented: Readonly<Record<string, string>> = { ø: "o", ł: "l", đ: "d", ħ: "h", ŧ: "t", ı: "i" }

/** Scripts whose words stand without spaces, or carry their particles with them, as in Korean. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Hangul}]/u

/** Whether a word is of a script without spaces between words: then a part of it may be the word. */
export const isUnspaced = (word: string): boolean => unspaced.test(word)

/**
 * The pieces of a word to look for inside other words: its runs of letters and digits; where words are not set apart, every two
 * characters that follow each other.
 */
export const piecesOf = (word: string): ReadonlyArray<string> =>
  (word.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).flatMap((run) => {
    if (!isUnspaced(run)) return run.length < 2 ? [] : [run]
    const characters = Array.from(run)
    if (characters.length <= 2) return [run]
    return characters.slice(1).map((character, index) => `${characters[index] ?? ""}${character}`)
  })

// Every letter that loses an accent when it is folded, under what is left of it.
const accented = new Map<string, string>()
for (let code = 0xc0; code < 0x250; code++) {
  const letter = String.fromCharCode(code)
  const base = fold(letter)
  if (/^[a-z]$/.test(base)) accented.set(base, `${accented.get(base) ?? ""}${letter}`)
}

/** A regular expression of PostgreSQL's for a text with or without accents; anything but letters and digits is left out. */
export const patternOf = (text: string): string =>
  Array.from(
    fold(text)
      .match(/[\p{L}\p{N}]+/gu)
      ?.join("") ?? ""
  )
    .map((letter) => {
      const others = accented.get(letter)
      return others === undefined ? letter : `[${letter}${others}]`
    })
    .join("")

/** Endings of up to so many letters are taken for forms of the same word. */
const longestEnding = 4

/** What forms of a stemmed word begin with: stemming may have changed its last letter, as in `compani` for `company`. */
export const stemOf = (lexeme: string): string => {
  const folded = fold(lexeme)
  return folded.length > 4 ? folded.slice(0, -1) : folded
}

/** Whether a folded word is a form of a word with this `stemOf`. */
export const isFormOf = (word: string, stem: string): boolean =>
  word.startsWith(stem) && word.length <= stem.length + longestEnding
