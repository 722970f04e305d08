/**
 * How the stand-in finds facts: plain rules over declarative sentences. Deterministic, and sensible enough that a person
 * recognises what a real model would have written.
 */

/** One fact of an answer. */
export interface StandInFact {
  readonly fact: string
  readonly kind: "event" | "preference" | "commitment" | "belief" | "fact"
  readonly entity: string | null
  readonly confidence: number
  readonly notability: "high" | "medium" | "low"
  readonly metric: string | null
  readonly value: number | null
  readonly unit: string | null
  readonly period: "monthly" | "quarterly" | "annual" | null
  readonly messages: ReadonlyArray<number>
}

interface Line {
  readonly id: number
  readonly speaker: string
  text: string
}

const messageLine = /^\[(\d+)\] (.{1,100}?) \(([^()]{3,40})\): (.*)$/

/** The messages that the prompt shows. Only these are read; instructions inside them are text like any other. */
export const readTranscript = (prompt: string): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  for (const line of prompt.split("\n")) {
    const match = messageLine.exec(line)
    if (match !== null) lines.push({ id: Number(match[1]), speaker: match[2] ?? "", text: match[4] ?? "" })
    else if (/^END [0-9a-f]+$/.test(line)) break
    else {
      const last = lines[lines.length - 1]
      if (last !== undefined) last.text += `\n${line}`
    }
  }
  return lines
}

const commitment =
  /\b(I will|I'll|I promise|we will|we'll|will send|will pay|agreed to|by (?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday))\b/i
const preference = /\b(prefers?|loves?|hates?|likes?|dislikes?|favou?rite|allergic|can't stand)\b/i
const belief = /\b(I think|thinks|believes?|I bet|bets|I expect|expects|I doubt|in my view)\b/i
const event =
  /\b(signed|closed|moved|joined|launched|hired|married|booked|met|raised|sold|bought|left|opened|shipped|won|lost|finished|started|founded|promoted|resigned|retired|born|broke|passed|delivered)\b/i
const weighty =
  /\b(million|billion|thousand|revenue|ARR|MRR|valuation|married|wedding|baby|born|surgery|hospital|diagnos|hired|resigned|founded|raised|closed|sold|moved|joined|promoted|lease|contract|signed)\b/i
const chatter =
  /^(hi|hey|hello|thanks|thank you|ok|okay|great|sure|yes|no|lol|haha|nice|cool|bye|see you|good (?:morning|night|evening))\b[^.]{0,25}$/i

const factsPerAnswer = 10

/** The facts of a prompt's transcript. */
export const standInFacts = (prompt: string): ReadonlyArray<StandInFact> =>
  readTranscript(prompt)
    .flatMap((line) => sentencesOf(line.text).flatMap((sentence) => factOf(line, sentence) ?? []))
    .slice(0, factsPerAnswer)

const sentencesOf = (text: string): ReadonlyArray<string> =>
  text
    .split(/(?<=[.!?。])\s+|\n+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "")

const factOf = (line: Line, sentence: string): StandInFact | undefined => {
  const words = sentence.split(/\s+/).length
  if (sentence.endsWith("?") || chatter.test(sentence) || (words < 4 && !/[\u3000-\u9fff]/.test(sentence)))
    return undefined
  const named = thirdPerson(sentence, line.speaker)
  const kind = commitment.test(sentence)
    ? "commitment"
    : preference.test(sentence)
      ? "preference"
      : belief.test(sentence)
        ? "belief"
        : event.test(sentence)
          ? "event"
          : "fact"
  return {
    fact: named.slice(0, 480),
    kind,
    entity: entityOf(sentence, line.speaker),
    confidence: kind === "belief" ? 0.6 : 0.9,
    notability: weighty.test(sentence) ? "high" : kind === "fact" ? "low" : "medium",
    ...numberOf(sentence),
    messages: [line.id]
  }
}

const thirdPerson = (sentence: string, speaker: string): string =>
  sentence
    .replace(/\bI'm\b/g, `${speaker} is`)
    .replace(/\bI am\b/g, `${speaker} is`)
    .replace(/\bI'll\b/g, `${speaker} will`)
    .replace(/\bI've\b/g, `${speaker} has`)
    .replace(/\bI have\b/g, `${speaker} has`)
    .replace(
      /\bI (prefer|think|believe|love|like|hate|bet|swim|want|owe|hear|promise|doubt|expect|need|live|work)\b/g,
      `${speaker} $1s`
    )
    .replace(/\bI\b/g, speaker)
    .replace(/\b[Mm]y\b/g, `${speaker}'s`)
    .replace(/\bme\b/g, speaker)

// "Ana Ruiz signed": two capitalised words that do not merely begin a sentence, else whoever speaks.
const entityOf = (sentence: string, speaker: string): string | null => {
  const firstPerson = /\b(I|I'm|I'll|I've|my|My)\b/.test(sentence)
  const name = /\p{Lu}[\p{L}'’-]+(?: (?:de |van |von |bin )?\p{Lu}[\p{L}'’-]+)+/u.exec(sentence)?.[0]
  if (!firstPerson && name !== undefined && !/^(The|This|That|We|Our|On|In|At|By|Next|Last)\b/.test(name))
    return name
  return speaker
}

const numberOf = (sentence: string): Pick<StandInFact, "metric" | "value" | "unit" | "period"> => {
  const none = { metric: null, value: null, unit: null, period: null }
  const match =
    /(?:(\$|€)\s?)?(\d[\d,]*(?:\.\d+)?)\s*(million|billion|thousand|[kKmM]\b)?\s*(dollars|euros|people|customers|months)?/.exec(
      sentence
    )
  const metric = /\bARR\b/i.test(sentence)
    ? "arr"
    : /\bMRR\b/i.test(sentence)
      ? "mrr"
      : /valuation/i.test(sentence)
        ? "valuation"
        : /\b(headcount|employees|people)\b/i.test(sentence)
          ? "headcount"
          : /runway/i.test(sentence)
            ? "runway_months"
            : null
  if (match === null || metric === null) return none
  const scale =
    { million: 1e6, m: 1e6, billion: 1e9, thousand: 1e3, k: 1e3 }[(match[3] ?? "").toLowerCase()] ?? 1
  const value = Math.round(Number((match[2] ?? "0").replaceAll(",", "")) * scale)
  const money = match[1] !== undefined || match[4] === "dollars" || match[4] === "euros"
  return {
    metric,
    value,
    unit: money
      ? match[1] === "€" || match[4] === "euros"
        ? "EUR"
        : "USD"
      : metric === "headcount"
        ? "people"
        : null,
    period: metric === "arr" ? "annual" : metric === "mrr" ? "monthly" : null
  }
}
