/** Says who "I" is: a sentence that can be understood without knowing who spoke it. */

const present: Readonly<Record<string, string>> = {
  am: "is",
  are: "is",
  have: "has",
  do: "does",
  "don't": "doesn't",
  "haven't": "hasn't",
  "aren't": "isn't",
  go: "goes",
  try: "tries",
  miss: "misses",
  wish: "wishes",
  guess: "guesses",
  discuss: "discusses",
  push: "pushes",
  were: "was",
  "weren't": "wasn't"
}
const regular = new Set(
  (
    "prefer love hate like enjoy think believe bet promise want need know live work run own use expect hope plan feel say see " +
    "get make take give keep read write play own drink eat drive speak trust doubt suspect agree disagree commit pay earn " +
    "manage lead build teach study remember recommend suggest find mean owe report own dislike"
  ).split(" ")
)
const adverb =
  "(?:(?:really|also|always|never|just|still|usually|often|actually|now|absolutely|strongly|honestly) )?"

/**
 * `sentence` with the first person replaced by `speaker`: "I'll call" said by Ana is "Ana will call", "my" is "Ana's", "we"
 * is "Ana's team".
 */
export const withoutFirstPerson = (sentence: string, speaker: string): string => {
  const own = /s$/i.test(speaker) ? `${speaker}'` : `${speaker}'s`
  const plain = sentence.replace(/’/g, "'")
  return subject(subject(plain, first, speaker), plural, `${own} team`)
    .replace(/\b(?:my|My)\b(?!')/g, () => own)
    .replace(/\b(?:our|Our)\b(?!')/g, () => `${own} team's`)
    .replace(/\b(?:mine|me|Me)\b(?!')/g, (word) => (word === "mine" ? own : speaker))
    .replace(/\bmyself\b/gi, () => speaker)
    .replace(/\bus\b(?!')/g, () => `${own} team`)
    .replace(/\b(?:ours)\b/gi, () => `${own} team's`)
}

const contractions: Readonly<Record<string, string>> = {
  ll: "will",
  m: "is",
  re: "is",
  ve: "has",
  d: "would"
}

const forms = (pronoun: string): RegExp =>
  new RegExp(`\\b${pronoun}(?:'(ll|m|re|ve|d)\\b|(?= )( ${adverb})([A-Za-z']+)|\\b(?!'))`, "g")
const first = forms("I")
const plural = forms("[Ww]e")

const subject = (text: string, pronoun: RegExp, name: string): string =>
  text.replace(
    pronoun,
    (
      _whole: string,
      contraction: string | undefined,
      between: string | undefined,
      verb: string | undefined
    ) => {
      if (contraction !== undefined) return `${name} ${contractions[contraction] ?? ""}`
      if (between === undefined || verb === undefined) return name
      return `${name}${between}${present[verb] ?? (regular.has(verb) ? `${verb}s` : verb)}`
    }
  )
