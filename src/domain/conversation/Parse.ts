/**
 * Reads the conversation in a page's text. Documents with a structure of their own (subtitles, e-mail) are read as such; for
 * the rest, every known line format is counted, those that are believable are kept, and the text is read line by line. What
 * follows the beginning of a message belongs to it. Reading takes time linear in the text.
 */
import { activeFormats } from "./Belief.ts"
import { codeLines } from "./Code.ts"
import { dayHeading } from "./DayHeading.ts"
import { readEmail } from "./documents/email.ts"
import { readMessenger } from "./documents/messenger.ts"
import { readSubtitles } from "./documents/subtitles.ts"
import type { Format } from "./Format.ts"
import { joinHeads } from "./Heads.ts"
import type { Conversation, DateContext, NotAConversation } from "./Message.ts"
import { cleanSpeaker, looksLikeProperName } from "./Names.ts"
import type { RawConversation, RawMessage } from "./RawMessage.ts"
import { resolveTimes } from "./Times.ts"

/** Reads `body`. The result says which formats were found, or why there is no conversation. */
export const parseConversation = (body: string, context: DateContext): Conversation | NotAConversation => {
  const lines = toLines(body)
  const raw = readSubtitles(lines) ?? readEmail(lines) ?? readMessenger(lines) ?? readLines(lines)
  if ("_tag" in raw) return raw
  const spoken = raw.messages.filter((message) => message.text !== "")
  const { messages, warnings } = resolveTimes(spoken, context)
  if (messages.length === 0) return notRecognised(lines)
  return {
    _tag: "Conversation",
    messages,
    participants: [...new Set(messages.map((message) => message.speaker))],
    formats: raw.formats,
    warnings
  }
}

// Exports put invisible marks of direction and unusual spaces around names and times.
const toLines = (body: string): ReadonlyArray<string> =>
  joinHeads(
    body
      .replace(/^\ufeff/, "")
      .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
      .replace(/[\u00a0\u202f]/g, " ")
      .split(/\r\n|\r|\n/)
  )

const readLines = (lines: ReadonlyArray<string>): RawConversation | NotAConversation => {
  // A transcript that stands in one block as a whole is one nevertheless.
  const quoted = codeLines(lines)
  const outside = activeFormats(lines, quoted)
  const code = outside === undefined ? lines.map(() => false) : quoted
  const active = outside ?? (quoted.includes(true) ? activeFormats(lines, code) : undefined)
  if (active === undefined) return notRecognised(lines)
  const { messages, used } = collect(lines, code, active)
  const folded = active.some((format) => format.id === "markdown-heading-turn")
    ? foldedSpeakers(lines, code, active)
    : []
  if (folded.length > 0 && new Set(messages.map((message) => message.speaker)).size < 2) {
    return {
      _tag: "NotAConversation",
      reason: "headings that may be speakers",
      detail: `headings that may be speakers: ${folded.join(", ")}; rename them to "## User" and "## Assistant" if they are`
    }
  }
  return { formats: active.filter((format) => used.has(format)).map((format) => format.id), messages }
}

const collect = (
  lines: ReadonlyArray<string>,
  code: ReadonlyArray<boolean>,
  active: ReadonlyArray<Format>
) => {
  const messages: Array<RawMessage> = []
  const used = new Set<Format>()
  let heading: string | undefined
  let open:
    | { readonly speaker: string; readonly message: Omit<RawMessage, "text">; readonly text: Array<string> }
    | undefined

  const close = () => {
    if (open !== undefined)
      messages.push({ ...open.message, text: withoutNotices(open.text.join("\n").trim()) })
    open = undefined
  }

  for (const [index, raw] of lines.entries()) {
    if (code[index] === true) {
      open?.text.push(raw.trimEnd())
      continue
    }
    const line = raw.trim()
    if (line === "") continue
    const day = dayHeading(line)
    if (day !== undefined) {
      heading = day
      continue
    }
    const first = firstAnchor(line, active)
    if (first === undefined) {
      open?.text.push(line)
    } else if (first.anchor === "ignore") {
      close()
    } else {
      const { anchor, format } = first
      close()
      used.add(format)
      const speaker = cleanSpeaker(anchor.speaker)
      const rest = line.slice(anchor.length)
      open = {
        speaker,
        message: { speaker, stamp: anchor.stamp, line: index + 1, heading },
        text: rest === "" ? [] : [rest]
      }
    }
  }
  close()
  return { messages, used }
}

const noMessage =
  /^(?:<media omitted>|(?:image|video|audio|sticker|gif|document|contact card) omitted|(?:this message was|you) deleted(?: this message)?\.?)$/i

// What WhatsApp writes in place of a message, or behind one.
const withoutNotices = (text: string): string => {
  const words = text.replace(/ ?<this message was edited>$/i, "")
  return noMessage.test(words) ? "" : words
}

const firstAnchor = (line: string, active: ReadonlyArray<Format>) => {
  for (const format of active) {
    const anchor = format.anchor(line)
    if (anchor !== undefined) return { anchor, format }
  }
  return undefined
}

const headingsOfDocuments =
  /^(summary|notes?|tasks?|agenda|overview|context|background|decisions?|next steps|action items?|timeline|references?|transcript|introduction|conclusion|todo|links?|details?|questions?|answers?|see also|results?)$/i

/** Headings that are not turns but could be, such as `## Claude` beside `## User`. */
const foldedSpeakers = (
  lines: ReadonlyArray<string>,
  code: ReadonlyArray<boolean>,
  active: ReadonlyArray<Format>
): ReadonlyArray<string> => {
  const found = new Set<string>()
  for (const [at, raw] of lines.entries()) {
    const line = raw.trim()
    if (code[at] === true || found.size >= 10) continue
    const label = /^#{1,6} (.{1,48})$/.exec(line)?.[1]?.trim()
    if (label === undefined || firstAnchor(line, active) !== undefined) continue
    if (label.split(" ").length <= 2 && !headingsOfDocuments.test(label) && looksLikeProperName(label))
      found.add(label)
  }
  return [...found]
}

const notRecognised = (lines: ReadonlyArray<string>): NotAConversation => ({
  _tag: "NotAConversation",
  reason: "no format recognised",
  detail: lines.some((line) => line.trim() !== "")
    ? "the text is in no known transcript format"
    : "the page has no text"
})
