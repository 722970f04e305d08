/** WebVTT and SubRip: cues with a time range and the words spoken, the speaker in a voice tag or before a colon. */
import { cleanSpeaker, looksLikeProperName } from "../Names.ts"
import type { RawConversation, RawMessage } from "../RawMessage.ts"

const range =
  /^(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3}) --> (?:(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3}))?/
const voice = /<v(?:\.[^ >]{1,40})? ([^>]{1,80})>/g
const label = /^(?:>{1,3} ?)?([^:<>]{1,60}):(?![\d/]) ?/

/** Captions made by a machine have no full stops: a sentence that grew to this many characters is a message. */
const longestRunOn = 400

/** Who is silent for longer than this begins another message. */
const longPause = 5_000

/** Words that stand before a colon at the beginning of a sentence, and are nobody's name. */
const openings: ReadonlySet<string> = new Set(
  (
    "again also and anyway basically because but caution finally first hello hey hi hint listen look now okay ok or " +
    "please plus remember second see so sorry still summary thanks then therefore third though today warning well"
  ).split(" ")
)

/** Reads subtitles; undefined when the text is none. */
export const readSubtitles = (lines: ReadonlyArray<string>): RawConversation | undefined => {
  const first = lines.findIndex((line) => line.trim() !== "")
  const isVtt = lines[first]?.trim().startsWith("WEBVTT") === true
  const isSrt = /^\d{1,6}$/.test(lines[first]?.trim() ?? "") && range.test(lines[first + 1]?.trim() ?? "")
  if (!isVtt && !isSrt) return undefined

  const words = readCues(lines)
  const plain = isVtt ? (text: string) => decodeEntities(withoutTags(text)) : withoutTags
  // Where voices are tagged, a colon is only a colon.
  const pieces = words.some(({ text }) => text.search(voice) >= 0)
    ? words.flatMap((line) => splitAtVoices(line, plain))
    : splitAtLabels(words.map((line) => ({ ...line, text: plain(line.text) })))
  const messages = joinPieces(pieces)
  return messages.length === 0 ? undefined : { formats: [isVtt ? "webvtt" : "srt"], messages }
}

/** When words are on the screen, in milliseconds since the start. */
interface Cue {
  readonly start: number
  readonly end: number
}

/** A line of a cue. */
interface CueLine {
  readonly cue: Cue
  readonly text: string
  readonly line: number
}

/** What one person says on a line; the name where it is written. */
interface Piece extends CueLine {
  readonly speaker: string | undefined
}

const readCues = (lines: ReadonlyArray<string>): ReadonlyArray<CueLine> => {
  const found: Array<CueLine> = []
  let cue: Cue | undefined
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    const time = range.exec(line.slice(0, 80))
    if (time !== null) {
      const start = millisOf(time.slice(1, 5))
      cue = { start, end: time[8] === undefined ? start : millisOf(time.slice(5, 9)) }
    } else if (line === "") cue = undefined
    else if (cue !== undefined) found.push({ cue, text: line, line: index + 1 })
  }
  return found
}

const millisOf = ([hour = "0", minute = "0", second = "0", millis = "0"]: ReadonlyArray<string>): number =>
  ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + Number(millis.padEnd(3, "0"))

const withoutTags = (text: string): string => text.replace(/<[^<>]{1,80}>/g, "")

// Marks of direction are left out, as they are everywhere else.
const entities: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["nbsp", " "],
  ["lrm", ""],
  ["rlm", ""],
  ["quot", '"'],
  ["#39", "'"]
])

const decodeEntities = (text: string): string =>
  text.replace(/&(#39|[a-z]{2,4});/g, (whole, name: string) => entities.get(name) ?? whole)

const splitAtVoices = (line: CueLine, plain: (text: string) => string): ReadonlyArray<Piece> => {
  const tags = [...line.text.matchAll(voice)]
  const before = { ...line, text: plain(line.text.slice(0, tags[0]?.index)), speaker: undefined }
  const tagged = tags.map((tag, index) => ({
    ...line,
    text: plain(line.text.slice(tag.index + tag[0].length, tags[index + 1]?.index)),
    speaker: cleanSpeaker(plain(tag[1] ?? ""))
  }))
  return [before, ...tagged]
}

const splitAtLabels = (lines: ReadonlyArray<CueLine>): ReadonlyArray<Piece> => {
  const labels = lines.map(labelOf)
  const believed = believedSpeakers(lines, labels)
  return lines.map((line, index) => {
    const found = labels[index]
    return found === undefined || !believed.has(found.speaker)
      ? { ...line, speaker: undefined }
      : { ...line, text: line.text.slice(found.length), speaker: found.speaker }
  })
}

interface Label {
  readonly speaker: string
  readonly length: number
}

const labelOf = ({ text }: CueLine): Label | undefined => {
  const match = label.exec(text.slice(0, 80))
  const speaker = cleanSpeaker(match?.[1] ?? "")
  const words = speaker.toLowerCase().split(" ")
  return match !== null &&
    /\p{L}/u.test(speaker) &&
    looksLikeProperName(speaker) &&
    words.length <= 4 &&
    !openings.has(words[0] ?? "")
    ? { speaker, length: match[0].length }
    : undefined
}

/** Whose labels are names: who returns, who has a surname, and everybody where every second cue has a label. */
const believedSpeakers = (
  lines: ReadonlyArray<CueLine>,
  labels: ReadonlyArray<Label | undefined>
): ReadonlySet<string> => {
  const counts = new Map<string, number>()
  const labelled = new Set<Cue>()
  for (const [index, { cue }] of lines.entries()) {
    const speaker = labels[index]?.speaker
    if (speaker === undefined) continue
    counts.set(speaker, (counts.get(speaker) ?? 0) + 1)
    labelled.add(cue)
  }
  const everybody = labelled.size * 2 >= new Set(lines.map((line) => line.cue)).size
  const believed = [...counts].filter(([name, count]) => everybody || count > 1 || name.includes(" "))
  return new Set(believed.map(([name]) => name))
}

/** A message that may go on in the next piece. */
interface Open {
  readonly message: Omit<RawMessage, "text">
  readonly texts: Array<string>
  readonly length: number
  readonly end: number
}

/** A sentence runs on through several cues: one message, at the time it began. */
const joinPieces = (pieces: ReadonlyArray<Piece>): ReadonlyArray<RawMessage> => {
  const messages: Array<Open> = []
  let speaker = "Unknown"
  for (const piece of pieces) {
    const text = piece.text.trim()
    speaker = piece.speaker ?? speaker
    if (text === "") continue
    const { end, start } = piece.cue
    const last = messages.at(-1)
    if (last !== undefined && last.message.speaker === speaker && runsOn(last, text, start)) {
      last.texts.push(text)
      messages[messages.length - 1] = { ...last, length: last.length + 1 + text.length, end }
    } else {
      const message = {
        speaker,
        stamp: { kind: "elapsed" as const, millis: start },
        line: piece.line,
        heading: undefined
      }
      messages.push({ message, texts: [text], length: text.length, end })
    }
  }
  return messages.map(({ message, texts }) => ({ ...message, text: texts.join(" ") }))
}

const runsOn = (last: Open, text: string, start: number): boolean =>
  last.length + text.length < longestRunOn &&
  start - last.end <= longPause &&
  !/[.!?…。！？؟]["'”’»)\]]{0,3}$/.test(last.texts.at(-1)?.slice(-8) ?? "")
