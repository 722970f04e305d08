/** The person or company that a statement names. */

const ordinary = new Set(
  (
    "i we he she it they you my our his her its their your the a an this that these those there here who what when where why how " +
    "in on at by for from to with of and or but so if as after before since while because although then yesterday today tomorrow " +
    "tonight last next every each all some many most few both no not yes ok okay maybe perhaps also just now never always please " +
    "thanks hi hello hey monday tuesday wednesday thursday friday saturday sunday january february march april may june july " +
    "august september october november december ceo cto cfo coo vp arr mrr nrr gmv usd eur gbp api ai ipo pr hr q1 q2 q3 q4 " +
    "ignore great good nice actually honestly btw fyi everyone everybody somebody nobody nothing revenue sales churn headcount " +
    "one two three four five six seven eight nine ten dr mr mrs ms prof english internet during between about only still even"
  ).split(" ")
)

const name = /\p{Lu}[\p{L}\p{N}'’.&-]*(?:(?: (?:of|de|da|van|von|la|der|&))* \p{Lu}[\p{L}\p{N}'’.&-]*)*/gu

/** What stands before the name of a place. */
const beforePlace =
  /\b(?:in|(?:moved?|flew|travell?ed|drove|went|trip|relocated?|flight) (?:back )?(?:to|from|through))\s$/i

/** The first name of a person or company in a statement, not of a place; none when it names nobody. */
export const nameIn = (sentence: string): string | undefined => {
  for (const match of sentence.matchAll(name)) {
    const words = match[0]
      .split(" ")
      .map((word) => word.replace(/(?:['’]s|['’](?:ll|d|ve|m|re)|[.'’-]+)$/u, ""))
    while (words[0] !== undefined && ordinary.has(words[0].toLowerCase())) words.shift()
    while (words.length > 0 && ordinary.has(words.at(-1)?.toLowerCase() ?? "")) words.pop()
    const found = words.join(" ")
    const opens = match.index === 0 && words.length === 1 && sentence.startsWith(found)
    if (found.length < 2 || (opens && !opensWithName(sentence, found))) continue
    if (beforePlace.test(sentence.slice(0, match.index))) continue
    return found
  }
  return undefined
}

// Any first word is capitalised. One alone is a name when a verb in the third person follows, or a genitive.
const opensWithName = (sentence: string, word: string): boolean =>
  /^(?:['’]s|,| (?:and \p{Lu}|is|was|has|had|will|would|did|does|can|could|just|also|\p{Ll}+(?:ed|s)|got|met|left|quit|won|lost|sold|bought|went|told|said|made|took|built|ran|grew|knows?)(?!\p{L}))/u.test(
    sentence.slice(word.length)
  )

const placeholder =
  /^(?:speaker|participant|spk|guest|user|person|caller|unknown|anonymous|other|attendee)(?:[ _-]?(?:[a-z]?\d{1,4}|[a-z]))?$/i

/** Whether a speaker's label is no name: `Speaker A`, `Participant 2`, `Unknown`. */
export const isPlaceholder = (speaker: string): boolean => placeholder.test(speaker.trim())
