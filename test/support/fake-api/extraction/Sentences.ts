/** Cuts a message into sentences and leaves out those that state nothing: questions, greetings, fragments, requests. */

/** The statements of a message, without their closing mark. */
export const statementsOf = (text: string): ReadonlyArray<string> =>
  text
    .split(/\n+/)
    .flatMap(sentencesOf)
    .flatMap((sentence) => {
      const statement = withoutOpening(sentence)
      return isStatement(statement) ? [statement.replace(/[.!\s]+$/, "")] : []
    })

const abbreviation =
  /(?:^|[\s(])(?:mr|mrs|ms|dr|prof|st|inc|corp|ltd|co|jr|sr|vs|no|approx|e\.g|i\.e|[a-z])\.$/i

const sentencesOf = (row: string): ReadonlyArray<string> => {
  const sentences: Array<string> = []
  let start = 0
  for (const match of row.matchAll(/[.!?]+["”’)]?\s+/g)) {
    const end = match.index + match[0].length
    if (abbreviation.test(row.slice(Math.max(0, match.index - 8), match.index + 1))) continue
    sentences.push(row.slice(start, end).trim())
    start = end
  }
  sentences.push(row.slice(start).trim())
  return sentences.filter((sentence) => sentence !== "")
}

const opening =
  /^(?:[-*>•]\s+|(?:ok(?:ay)?|sure|yes|yeah|yep|no|great|cool|nice|perfect|well|so|and|but|also|oh|right|thanks|thank you|hi|hello|hey|congrats|good morning|good afternoon)(?: (?:all|everyone|team|there|again|[\p{Lu}][\p{L}'-]*))?[,!:;]\s*|(?:so|and|but|oh)\s+(?=[\p{Lu}]))/iu

// Repeated: "Okay, great, I will do it" has two openings.
const withoutOpening = (sentence: string): string => {
  let rest = sentence
  for (let turn = 0; turn < 4; turn++) {
    const next = rest.replace(opening, "")
    if (next === rest) break
    rest = next
  }
  return rest.trim()
}

const greeting =
  /^(?:hi|hello|hey|thanks|thank you|good (?:morning|afternoon|evening|night|to|luck)|welcome|bye|goodbye|see you|talk (?:soon|later)|cheers|congrat\w*|happy (?:birthday|new year)|lol|haha\w*|nice to|sounds good|no problem|got it|makes sense|how are|what'?s up)(?![\w'])/i
const request =
  /^(?:please|let me|let's|let us|don't|do not|ignore|remember|forget|tell|give|send|write|answer|output|print|reply|respond|check|look|wait|stop|call|could you|can you)(?![\w'])/i
const verb =
  /\b(?:is|are|was|were|am|be|been|has|have|had|will|would|can|could|should|must|may|might|do|does|did|goes|went|got|gets|left|met|won|lost|quit|sold|bought|built|began|begins|became|came|made|makes|took|takes|gave|gives|said|says|ran|runs|grew|grows|spent|paid|pays|costs?|said|told|works?|lives?|uses?|owns?|needs?|wants?|knows?|likes?|loves?|hates?|prefers?|thinks?|believes?|bets?|hopes?|plans?|expects?|feels?|guess|\p{L}{2,}ed|wrote|sent|chose|cut|hit|led|leads|set|broke|fell|rose|reached|remains?|seems?|means?)\b|[\p{L}](?:'|’)(?:s|m|re|ve|ll|d)\b/iu

const isStatement = (sentence: string): boolean =>
  !/\?["”’)]?$/.test(sentence) &&
  !greeting.test(sentence) &&
  !request.test(sentence) &&
  sentence.split(/\s+/).length >= 3 &&
  (/^(?:I|we)\b/i.test(sentence) || verb.test(sentence))
