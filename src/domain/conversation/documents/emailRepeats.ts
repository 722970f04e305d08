/**
 * Which of the lines that mails quote also stand in another mail of the page. Programs break lines anew when they quote, so
 * words are compared rather than lines: a line is a repeat when each of its words stands in a group of four that the other
 * mail has too.
 */

/** Lines that are quoted one after the other, without their marks, and the number of the mail that quotes them. */
export interface Quotation<Line extends { readonly text: string }> {
  readonly mail: number
  readonly lines: ReadonlyArray<Line>
}

/** Words that have to be the same in a row; as many as `groupAt` takes. */
const together = 4

/** Groups of words that are looked for. On a page of more, what is quoted beyond them is kept. */
const mostGroups = 4_000_000

/** Instead of a mail's number, that no mail has said it, or that it stands on the page more than once. */
const nobody = -1
const several = -2

/**
 * The quoted lines that repeat what another mail says, or what was quoted before. `own` is what each mail says itself. Takes
 * time in proportion to the text.
 */
export const repeatedLines = <Line extends { readonly text: string }>(
  own: ReadonlyArray<ReadonlyArray<string>>,
  quotations: ReadonlyArray<Quotation<Line>>
): ReadonlySet<Line> => {
  const repeated = new Set<Line>()
  if (quotations.length === 0) return repeated
  const saidBy = wanted(quotations)
  for (const [mail, texts] of own.entries()) {
    for (const group of groupsIn(texts.map(wordsOf))) {
      const before = saidBy.get(group)
      if (before !== undefined && before !== mail) saidBy.set(group, before === nobody ? mail : several)
    }
  }
  for (const { lines, mail } of quotations) {
    const words = lines.map(({ text }) => wordsOf(text))
    const isKnown = (group: string) => {
      const by = saidBy.get(group)
      return by !== undefined && by !== nobody && by !== mail
    }
    for (const index of repeats(words, isKnown)) {
      const line = lines[index]
      if (line !== undefined) repeated.add(line)
    }
    // What was kept is on the page now: who quotes it again repeats it.
    for (const group of groupsIn(words)) if (saidBy.has(group)) saidBy.set(group, several)
  }
  return repeated
}

const wanted = (quotations: ReadonlyArray<Quotation<{ readonly text: string }>>): Map<string, number> => {
  const groups = new Map<string, number>()
  for (const { lines } of quotations) {
    for (const group of groupsIn(lines.map(({ text }) => wordsOf(text)))) {
      if (groups.size >= mostGroups) return groups
      groups.set(group, nobody)
    }
  }
  return groups
}

const wordsOf = (text: string): ReadonlyArray<string> => text.split(/\s+/).filter((word) => word !== "")

/** Every four words in a row, over the ends of lines too, and every line of fewer. */
function* groupsIn(lines: ReadonlyArray<ReadonlyArray<string>>): Generator<string> {
  const words = lines.flat()
  for (let at = 0; at + together <= words.length; at++) yield groupAt(words, at)
  for (const line of lines) if (isShort(line)) yield line.join(" ")
}

const groupAt = (words: ReadonlyArray<string>, at: number): string =>
  `${words[at]} ${words[at + 1]} ${words[at + 2]} ${words[at + 3]}`

const isShort = (line: ReadonlyArray<string>): boolean => line.length < together

/** The lines, by their place, that consist of known groups. */
const repeats = (
  lines: ReadonlyArray<ReadonlyArray<string>>,
  isKnown: (group: string) => boolean
): ReadonlyArray<number> => {
  const words = lines.flat()
  const known = new Uint8Array(words.length)
  for (let at = 0; at + together <= words.length; at++) {
    if (isKnown(groupAt(words, at))) known.fill(1, at, at + together)
  }
  let end = 0
  const covered = lines.map((line) => known.subarray(end, (end += line.length)).every((word) => word === 1))
  // A word or two, such as Yes, are the same by chance: what they belong to decides.
  const anew = lines.some((line, index) => !isShort(line) && covered[index] === false)
  return lines.flatMap((line, index) =>
    covered[index] === true || (!anew && isShort(line) && isKnown(line.join(" "))) ? [index] : []
  )
}
