/**
 * Reads the conversation in a page's text. Documents with a structure of their own (subtitles, e-mail) are read as such; for
 * the rest, every known line format is counted, those that are believable are kept, and the text is read line by line. What
 * follows the beginning of a message belongs to it. Reading takes time linear in the text.
 */
import { readEmail } from "./documents/email.ts"
import { readMessenger } from "./documents/messenger.ts"
import { readSubtitles } from "./documents/subtitles.ts"
import type { Format } from "./Format.ts"
import { formats } from "./Formats.ts"
import { joinHeads } from "./Heads.ts"
import type { Conversation, DateContext, NotAConversation } from "./Message.ts"
import { cleanSpeaker, looksLikeProperName } from "./Names.ts"
import type { RawConversation, RawMessage } from "./RawMessage.ts"
import { resolveTimes } from "./Times.ts"

/** Lines on which formats are counted before the whole text is. */
const sampleLines = 4_000

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

const dateHeading = /^#{1,4} (\d{4}-\d{2}-\d{2})$/

interface Evidence {
  readonly format: Format
  readonly anchors: number
  readonly speakers: ReadonlyMap<string, number>
  /** Beginnings that words follow, on the line or below it. */
  readonly answered: number
  /** How many non-blank lines come before the first. */
  readonly before: number
}

const readLines = (lines: ReadonlyArray<string>): RawConversation | NotAConversation => {
  const sample = lines.length > sampleLines ? lines.slice(0, sampleLines) : lines
  const active = activeFormats(sample) ?? (sample === lines ? undefined : activeFormats(lines))
  if (active === undefined) return notRecognised(lines)
  const { messages, used } = collect(lines, active)
  const folded = active.some((format) => format.id === "markdown-heading-turn")
    ? foldedSpeakers(lines, active)
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

const activeFormats = (lines: ReadonlyArray<string>): ReadonlyArray<Format> | undefined => {
  const nonBlank = lines.reduce((count, line) => (line.trim() === "" ? count : count + 1), 0)
  const evidence = gather(lines).filter((found) => isBelievable(found, nonBlank))
  const strong = evidence.filter((found) => found.format.strength === "strong")
  // Labels inside a transcript with times are what somebody wrote; the transcript's own lines decide.
  if (strong.length > 0) return byAnchors(strong).map((found) => found.format)
  const medium = byAnchors(evidence.filter((found) => found.format.strength === "medium"))
  const [best] = medium.length > 0 ? medium : byAnchors(evidence)
  return best === undefined ? undefined : [best.format]
}

const byAnchors = (evidence: ReadonlyArray<Evidence>) => [...evidence].sort((a, b) => b.anchors - a.anchors)

const gather = (lines: ReadonlyArray<string>): ReadonlyArray<Evidence> => {
  const found = formats.map((format) => ({
    format,
    anchors: 0,
    speakers: new Map<string, number>(),
    answered: 0,
    before: 0,
    unanswered: false
  }))
  let seen = 0
  for (const raw of lines) {
    const line = raw.trim()
    if (line === "") continue
    for (const entry of found) {
      const anchor = entry.format.anchor(line)
      if (anchor === undefined || anchor === "ignore") {
        if (entry.unanswered) entry.answered++
        entry.unanswered = false
        continue
      }
      if (entry.anchors === 0) entry.before = seen
      entry.anchors++
      const speaker = cleanSpeaker(anchor.speaker)
      entry.speakers.set(speaker, (entry.speakers.get(speaker) ?? 0) + 1)
      if (anchor.length < line.length) entry.answered++
      entry.unanswered = anchor.length >= line.length
    }
    if (!line.startsWith("#")) seen++
  }
  return found.filter((entry) => entry.anchors > 0)
}

/** Formats whose lines also stand in timetables and agendas: one such line proves nothing. */
const needsCompany: ReadonlySet<string> = new Set([
  "slack-paste",
  "otter",
  "time-dash-name",
  "zoom-chat",
  "zoom-chat-headed"
])

/** Formats of a closed set of speakers, who may go on for pages. */
const closedSets: ReadonlySet<string> = new Set([
  "markdown-heading-turn",
  "chatgpt-export-you-chatgpt",
  "speaker-letter-no-time",
  "granola"
])

const isBelievable = (
  { anchors, answered, before, format, speakers }: Evidence,
  nonBlank: number
): boolean => {
  if (answered * 2 < anchors) return false
  const density = anchors / nonBlank
  const returns = [...speakers.values()].some((count) => count > 1)
  switch (format.strength) {
    case "strong":
      return anchors >= 2 || (before < 3 && !needsCompany.has(format.id))
    case "medium":
      if (format.id === "markdown-heading-turn") return anchors >= 2 || before === 0
      if (closedSets.has(format.id))
        return anchors >= 2 && (speakers.size >= 2 || format.id === "speaker-letter-no-time")
      return speakers.size >= 2 && (density >= 0.5 || (density >= 0.1 && returns && anchors >= 3))
    case "weak":
      return (
        speakers.size >= 2 && density >= 0.5 && (returns || density === 1 || (anchors >= 3 && density >= 0.8))
      )
  }
}

const collect = (lines: ReadonlyArray<string>, active: ReadonlyArray<Format>) => {
  const messages: Array<RawMessage> = []
  const used = new Set<Format>()
  let heading: string | undefined
  let open:
    | { readonly speaker: string; readonly message: Omit<RawMessage, "text">; readonly text: Array<string> }
    | undefined

  const close = () => {
    if (open !== undefined) messages.push({ ...open.message, text: open.text.join("\n").trim() })
    open = undefined
  }

  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    if (line === "") continue
    const day = dateHeading.exec(line)?.[1]
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
  active: ReadonlyArray<Format>
): ReadonlyArray<string> => {
  const found = new Set<string>()
  let fenced = false
  for (const raw of lines) {
    const line = raw.trim()
    if (line.startsWith("```")) fenced = !fenced
    if (fenced || found.size >= 10) continue
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
