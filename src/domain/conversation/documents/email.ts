/**
 * E-mail as text: blocks of headers, each followed by a body. A thread has several; one alone is a conversation of one
 * message. What a mail quotes is left out where it stands in another mail of the page; what stands nowhere else is a message
 * of whoever is quoted, before the one that quotes it, or stays behind its `>` where that is not told.
 */
import type { RawConversation, RawMessage } from "../RawMessage.ts"
import { isSeparator, readHeaders } from "./emailHeaders.ts"
import {
  type BodyLine,
  type QuotedLine,
  type Quotes,
  readQuotes,
  type Saying,
  type Voice
} from "./emailQuotes.ts"
import { type Quotation, repeatedLines } from "./emailRepeats.ts"

/** Reads e-mail; undefined when the text does not begin a message with From and a date, or an address and a subject. */
export const readEmail = (lines: ReadonlyArray<string>): RawConversation | undefined => {
  const thread = readThread(lines)
  if (thread === undefined) return undefined
  const mails = thread.mails.map((mail) => ({ ...mail, quotes: readQuotes(mail.body, mail) }))
  const repeated = repeatedLines(
    mails.map(({ quotes }) => quotes.lines.filter(({ depth }) => depth === 0).map(({ text }) => text)),
    mails.flatMap(({ quotes }, index) => quotationsIn(quotes, index))
  )
  const messages = [
    ...thread.before,
    ...mails.flatMap((mail) => messagesOf(mail.line, mail.quotes, repeated))
  ].filter((message) => message.text !== "")
  return messages.length === 0 ? undefined : { formats: ["email"], messages }
}

interface Mail extends Saying {
  readonly line: number
  readonly subject: string
  readonly body: Array<BodyLine>
}

interface Thread {
  /** What somebody wrote above it. */
  readonly before: ReadonlyArray<RawMessage>
  readonly mails: ReadonlyArray<Mail>
}

/** Lines that somebody may write above a mail; more of them mean that this is a document about e-mail. */
const mostLinesBefore = 2

const readThread = (lines: ReadonlyArray<string>): Thread | undefined => {
  const before: Array<BodyLine> = []
  const mails: Array<Mail> = []
  let separated = false
  for (let at = 0; at < lines.length;) {
    const { end, headers } = readHeaders(lines, at)
    const last = mails.at(-1)
    const first = last === undefined
    if (
      headers !== undefined &&
      (first ? before.length === 0 || headers.addressed : headers.certain || separated)
    ) {
      while (isSeparator(last?.body.at(-1)?.text ?? "")) last?.body.pop()
      // A thread has one subject: that of its first mail is said.
      const body = first && headers.subject !== "" ? [{ text: headers.subject, line: at + 1 }] : []
      mails.push({ ...headers, line: at + 1, body })
      separated = false
      at = end
      continue
    }
    for (; at < end; at++) {
      const text = lines[at]?.trim() ?? ""
      if (text === "") continue
      separated = isSeparator(text)
      if (/^_{5,}$/.test(text)) continue
      if (last !== undefined) last.body.push({ text, line: at + 1 })
      // Headings and what is quoted say nothing here.
      else if (!separated && !/^(#|---|\*\*\*|>)/.test(text)) before.push({ text, line: at + 1 })
      if (before.length > mostLinesBefore) return undefined
    }
  }
  return mails.length === 0 ? undefined : { before: unknownMessage(before), mails }
}

const unknownMessage = (said: ReadonlyArray<BodyLine>): ReadonlyArray<RawMessage> => {
  const text = said.map((line) => line.text).join("\n")
  return said
    .slice(0, 1)
    .map(({ line }) => ({ speaker: "Unknown", text, stamp: { kind: "none" }, line, heading: undefined }))
}

const quotationsIn = ({ lines }: Quotes, mail: number): ReadonlyArray<Quotation<QuotedLine>> => {
  const found: Array<Quotation<QuotedLine> & { readonly lines: Array<QuotedLine> }> = []
  let depth = 0
  for (const line of lines) {
    const said = line.introduces ? 0 : line.depth
    if (said > 0 && said === depth) found.at(-1)?.lines.push(line)
    else if (said > 0) found.push({ mail, lines: [line] })
    depth = said
  }
  return found
}

/** What is left of a mail, which begins on a line, when repeats are gone: whom it quotes, and then who wrote it. */
const messagesOf = (
  line: number,
  { lines, voices }: Quotes,
  repeated: ReadonlySet<QuotedLine>
): ReadonlyArray<RawMessage> => {
  const heard = new Set<Voice>()
  for (const quoted of lines) if (!quoted.introduces && !repeated.has(quoted)) heard.add(quoted.voice)
  const told = new Map<Voice, Array<QuotedLine>>(voices.map((voice) => [voice, []]))
  for (const quoted of lines) {
    const { introduces, voice } = quoted
    if (introduces ? voice.answered && heard.has(voice) : !repeated.has(quoted))
      told.get(tellerOf(voice))?.push(quoted)
  }
  return [...told].map(([{ depth, parent, saying }, said]) => ({
    speaker: saying.speaker,
    stamp: saying.stamp,
    text: said.map((quoted) => marked(quoted, depth)).join("\n"),
    line: parent === undefined ? line : (said[0]?.line ?? line),
    heading: undefined
  }))
}

/** In whose message the words of a voice are: what was answered stays with its answers. */
const tellerOf = (voice: Voice): Voice => {
  let teller = voice
  while (teller.answered && teller.parent !== undefined) teller = teller.parent
  return teller
}

const marked = ({ depth, text }: QuotedLine, from: number): string =>
  depth > from ? `${">".repeat(depth - from)} ${text}` : text
