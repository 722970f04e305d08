/**
 * What a mail says itself, and what it quotes of others: lines behind `>`, introduced by `On Friday, Dana wrote:` or by the
 * headers of the mail they are from.
 */
import { looksLikeName } from "../Names.ts"
import type { Stamp } from "../Stamp.ts"
import { stampOf } from "./emailDates.ts"
import { addressIn, isSeparator, readHeaders, senderOf } from "./emailHeaders.ts"

/** Who said something, and when. */
export interface Saying {
  readonly speaker: string
  readonly stamp: Stamp
}

/** Somebody whose words are in a mail: who wrote it, or whom it quotes. */
export interface Voice {
  readonly saying: Saying
  /** How many `>` stand before these words. */
  readonly depth: number
  /** Who quotes them; undefined for who wrote the mail. */
  readonly parent: Voice | undefined
  /** Whether words of the one who quotes stand in between: answers, that mean little without what they answer. */
  answered: boolean
}

/** A line of a mail. */
export interface QuotedLine {
  readonly voice: Voice
  readonly depth: number
  readonly text: string
  readonly line: number
  /** Whether it only introduces the voice. */
  readonly introduces: boolean
}

/** A line as it stands on the page, from 1. */
export interface BodyLine {
  readonly text: string
  readonly line: number
}

/** The lines of a mail that are not blank, and everybody whose words they are, who is quoted before who quotes. */
export interface Quotes {
  readonly lines: ReadonlyArray<QuotedLine>
  readonly voices: ReadonlyArray<Voice>
}

/** Tells whose each line of a mail is. */
export const readQuotes = (body: ReadonlyArray<BodyLine>, saying: Saying): Quotes => {
  const unquoted = body.map(unquote).filter(({ text }) => text !== "")
  const introductionAt = introductionsIn(unquoted)
  const lines: Array<QuotedLine> = []
  const voices: Array<Voice> = []
  let top: Voice = { saying, depth: 0, parent: undefined, answered: false }
  const latest = new Map<Voice, Voice>()

  const closeTo = (depth: number) => {
    for (; top.depth > depth && top.parent !== undefined; top = top.parent) voices.push(top)
  }

  for (let at = 0; at < unquoted.length;) {
    const introduction = introductionAt(at)
    const end = introduction?.end ?? at + 1
    const { depth } = unquoted[at] ?? { depth: 0 }
    closeTo(introduction === undefined ? depth : Math.min(depth, introduction.depth - 1))
    if (introduction === undefined) {
      // Quoting goes on after an answer.
      for (
        let quoted = latest.get(top);
        quoted !== undefined && quoted.depth <= depth;
        quoted = latest.get(top)
      ) {
        quoted.answered = true
        top = quoted
      }
    } else {
      const quoted: Voice = { ...introduction, parent: top, answered: false }
      latest.set(top, quoted)
      top = quoted
    }
    for (const line of unquoted.slice(at, end))
      lines.push({ ...line, voice: top, introduces: introduction !== undefined })
    at = end
  }
  closeTo(0)
  return { lines, voices: [...voices, top] }
}

interface Unquoted extends BodyLine {
  readonly depth: number
}

const unquote = ({ line, text }: BodyLine): Unquoted => {
  let depth = 0
  let at = 0
  for (; text[at] === ">" || (depth > 0 && text[at] === " "); at++) if (text[at] === ">") depth++
  return { depth, text: text.slice(at).trim(), line }
}

interface Introduction {
  readonly saying: Saying
  /** Of the words that it introduces. */
  readonly depth: number
  readonly end: number
}

const introductionsIn = (lines: ReadonlyArray<Unquoted>): ((at: number) => Introduction | undefined) => {
  const texts = lines.map(({ text }) => text)
  let headless = 0

  const headersAt = (at: number): Introduction | undefined => {
    const { depth, text } = lines[at] ?? { depth: 0, text: "" }
    // Headers without a mark begin a mail of their own, and are not in its body.
    if (depth === 0 || at < headless) return undefined
    const start = isSeparator(text) ? at + 1 : at
    if (lines[start]?.depth !== depth) return undefined
    const { end, headers } = readHeaders(texts, start)
    if (headers !== undefined && (headers.certain || start > at)) return { saying: headers, depth, end }
    headless = end
    return undefined
  }

  const continues = (depth: number, at: number, last: number): boolean =>
    lines[last]?.depth === depth &&
    (last === at || (leads.test(texts[at] ?? "") && !leads.test(texts[last] ?? "")))

  const attributionAt = (at: number): Introduction | undefined => {
    const depth = lines[at]?.depth ?? 0
    // Programs wrap: "On Fri, Feb 14, 2025 at 8:58 PM Dana" and, on the next line, "<dana@x.org> wrote:".
    for (let end = at + 1; end <= at + mostAttributionLines && continues(depth, at, end - 1); end++) {
      const next = lines[end]
      if (next !== undefined && next.depth <= depth) continue
      const saying = readAttribution(texts.slice(at, end).join(" "))
      return saying && { saying, depth: depth + 1, end }
    }
    return undefined
  }

  return (at) => headersAt(at) ?? attributionAt(at)
}

const leads = /^(?:On|Am|Le|El|Il|Op|Em) /
const mostAttributionLines = 3
const mostAttribution = 300

const wrote = "(?:wrote|a écrit|escribió|ha scritto|escreveu)"
const schrieb = "(?:schrieb|schreef)"

const attributions: ReadonlyArray<RegExp> = [
  new RegExp(String.raw`^(?<on>On|Le|El|Il|Em) (?<both>.{4,200}?),? ${wrote} ?:$`),
  new RegExp(String.raw`^(?:Am|Op) (?<when>.{4,120}?),? ${schrieb} (?<who>.{1,160}?) ?:$`),
  new RegExp(String.raw`^(?<who>.{1,160}?) ${schrieb} (?:am|op) (?<when>.{4,120}?) ?:$`),
  new RegExp(String.raw`^(?<who>[^<>]{1,80}<[^<>\s]{3,160}>) (?:${wrote}|${schrieb}) ?:$`)
]

/** Who wrote what is quoted below, and when; undefined when the line has no address and no date, or names nobody. */
const readAttribution = (text: string): Saying | undefined => {
  if (!text.endsWith(":") || text.length > mostAttribution) return undefined
  for (const attribution of attributions) {
    const found = attribution.exec(text)?.groups
    if (found === undefined) continue
    const { when, who } =
      found["both"] === undefined
        ? { when: found["when"] ?? "", who: found["who"] ?? "" }
        : parted(found["both"])
    const speaker = senderOf(who.trim())
    const addressed = addressIn(who) !== undefined
    if (speaker === "" || (!addressed && !(/\d/.test(when) && looksLikeName(speaker)))) continue
    return { speaker, stamp: stampOf(when, found["on"] === "On" ? "English" : "other") }
  }
  return undefined
}

const afterTime = /^(?:[\s,)]|[AaPp]\.? ?[Mm]\b\.?|(?:Uhr|h|UTC|GMT|CES?T|[ECMP][SD]T)\b)*/

/** `Fri, 14 Feb 2025 at 10:00 AM, Omar <omar@x.org>` is a date up to its last number, and then a name. */
const parted = (text: string): { readonly when: string; readonly who: string } => {
  const open = text.search(/[<[(]?[^\s<>()[\]]{1,64}@/)
  const before = open < 0 ? text : text.slice(0, open)
  const lastNumber = /^.*\d[^\s,]{0,20}/.exec(before)?.[0].length
  const start = lastNumber ?? before.trimEnd().replace(/,$/, "").lastIndexOf(", ") + 1
  const at = start + (afterTime.exec(text.slice(start))?.[0].length ?? 0)
  return { when: text.slice(0, at), who: text.slice(at) }
}
