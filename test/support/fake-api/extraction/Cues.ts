/** What a statement is and how much it matters, told by the words in it. */

/** What a fact is. */
export type Kind = "commitment" | "preference" | "belief" | "event" | "fact"

const cues: ReadonlyArray<readonly [Exclude<Kind, "fact">, RegExp]> = [
  [
    "commitment",
    /\b(?:I|we)(?: will|['’]ll)\b|\b(?:I am|I['’]m|we are|we['’]re) going to\b|\bpromis(?:e|es|ed)\b|\bcommit(?:s|ted)? to\b|\bby (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|tonight|noon|next (?:week|month|quarter|year)|(?:the )?end of|eod)\b/i
  ],
  [
    "preference",
    /\b(?:prefer|love|hate|enjoy|dislike)(?:s|d|red)?\b|\blikes\b|\b(?:I|we|they|you|really|also|always|don['’]t|didn['’]t|would) like\b|\bfavou?rite\b|\bcan['’]t stand\b/i
  ],
  [
    "belief",
    /\b(?:think|believe|bet|guess|suspect|expect|doubt)(?:s|ed)?\b|\bthought\b|\bin (?:my|our) (?:opinion|view)\b|\bfeels? (?:like|that)\b/i
  ],
  [
    "event",
    /\b(?:signed|closed|moved|joined|launched|hired|fired|married|booked|met|bought|sold|acquired|raised|started|left|quit|promoted|born|died|graduated|founded|opened|shipped|visited|won|lost|announced|resigned|retired|broke|agreed|engaged|celebrated|finished|completed|released|merged|elected|appointed|diagnosed|arrived|travelled|traveled|flew|cancelled|canceled|switched|paid|presented|published)\b/i
  ]
]

/** What a statement is. Where several cues are in it, the first one in the sentence counts: "I think we closed it" is a belief. */
export const kindOf = (sentence: string): Kind => {
  let kind: Kind = "fact"
  let first = Number.POSITIVE_INFINITY
  for (const [candidate, cue] of cues) {
    const at = sentence.search(cue)
    if (at >= 0 && at < first) {
      kind = candidate
      first = at
    }
  }
  return kind
}

const matters = [
  // money
  /[$€£]\s?\d|\b(?:dollars?|euros?|pounds|usd|eur|gbp|revenue|arr|mrr|funding|raised|valuation|budget|salary|invested|investment|invoice|debt|runway|profit)\b/i,
  // jobs
  /\b(?:hired|fired|laid off|joined|promoted|resigned|quit|retired|ceo|cto|cfo|founder|co-founder|founded|new job|job offer|appointed|left (?:the company|his|her|my))\b/i,
  // family
  /\b(?:married|engaged|wedding|divorced?|pregnant|baby|born|daughter|son|wife|husband|mother|father|died|funeral)\b/i,
  // health
  /\b(?:hospital|surgery|diagnosed|cancer|illness|sick|injured|recovering|pregnancy)\b/i,
  // large events
  /\b(?:acquired|acquisition|merged|merger|ipo|signed|closed|launched|moved to|graduated|bankrupt\w*|elected)\b/i
]
const chatter =
  /\b(?:weather|raining|sunny|lunch|coffee|traffic|weekend|tired|sleepy|lol|haha|snack|parking|elevator|nap)\b/i

/** How much a statement matters. */
export const notabilityOf = (sentence: string): "high" | "medium" | "low" =>
  matters.some((cue) => cue.test(sentence)) ? "high" : chatter.test(sentence) ? "low" : "medium"

const hedge =
  /\b(?:maybe|perhaps|might|may be|probably|possibly|not sure|i guess|roughly|apparently|i heard)\b/i

/** How plainly it is said, 0 to 1. */
export const confidenceOf = (sentence: string, kind: Kind): number =>
  hedge.test(sentence) ? 0.5 : kind === "belief" ? 0.7 : 0.9
