/**
 * What a question's words are worth: a word that few chunks have says more than one that many have, and only the rarer ones
 * need to be looked up to find whatever could be an answer.
 */

/** A stemmed word of a question. */
export interface Lexeme {
  readonly lexeme: string
  /** Chunks that have it. */
  readonly documents: number
}

/** A word with its weight. */
export interface Weighted {
  readonly word: string
  readonly weight: number
}

/** What a word is worth that `documents` of `total` chunks have: the logarithm of how rare it is. */
export const rarity = (total: number, documents: number): number =>
  Math.log(1 + Math.max(total, documents, 1) / (documents + 0.5))

/** Chunks that are counted and looked at for one word, at most, and for all words of a question, about. */
export const enoughCandidates = 5000

/**
 * How many chunks have a word that at least `enoughCandidates` have: nobody counts further, so half way between that and all
 * `total`, on the scale that rarity is measured on.
 */
export const estimated = (total: number, counted: number): number =>
  counted < enoughCandidates ? counted : Math.round(Math.sqrt(counted * Math.max(total, counted)))

/**
 * The words by which candidates are looked up: the rarest ones, until they lead to `enoughCandidates` chunks. At least one,
 * however common. What all words are worth is counted on the candidates.
 */
export const selective = (lexemes: ReadonlyArray<Lexeme>): ReadonlyArray<Lexeme> => {
  const rarestFirst = lexemes
    .filter((it) => it.documents > 0)
    .sort((a, b) => a.documents - b.documents || (a.lexeme < b.lexeme ? -1 : 1))
  let sum = 0
  return rarestFirst.filter((it, index) => {
    sum += it.documents
    return index === 0 || sum <= enoughCandidates
  })
}
