/** WebVTT and SubRip: cues with a time range and the words spoken, the speaker in a voice tag or before a colon. */
import { cleanSpeaker, looksLikeName } from "../Names.ts"
import type { RawConversation, RawMessage } from "../RawMessage.ts"

const range = /^(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3}) --> /
const voice = /^<v(?:\.[^ >]{1,40})? ([^>]{1,80})>/
const label = /^([^:<>]{1,60}): ?/

/** Reads subtitles; undefined when the text is none. */
export const readSubtitles = (lines: ReadonlyArray<string>): RawConversation | undefined => {
  const first = lines.findIndex((line) => line.trim() !== "")
  const isVtt = lines[first]?.trim().startsWith("WEBVTT") === true
  const isSrt = /^\d{1,6}$/.test(lines[first]?.trim() ?? "") && range.test(lines[first + 1]?.trim() ?? "")
  if (!isVtt && !isSrt) return undefined

  const messages: Array<RawMessage> = []
  let millis = 0
  let inCue = false
  let speaker = "Unknown"
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    const time = range.exec(line)
    if (time !== null) {
      const [, h = "0", m = "0", s = "0", ms = "0"] = time
      millis = ((Number(h) * 60 + Number(m)) * 60 + Number(s)) * 1000 + Number(ms.padEnd(3, "0"))
      inCue = true
      continue
    }
    if (line === "") inCue = false
    if (!inCue) continue
    const tagged = voice.exec(line)
    const labelled = tagged === null ? label.exec(line) : null
    const name =
      tagged?.[1] ?? (labelled !== null && looksLikeName(labelled[1] ?? "") ? labelled[1] : undefined)
    const text = (name === undefined ? line : line.slice((tagged ?? labelled)?.[0].length ?? 0))
      .replace(/<[^<>]{1,80}>/g, "")
      .trim()
    if (name !== undefined) speaker = cleanSpeaker(name)
    const last = messages[messages.length - 1]
    // A sentence runs on through several cues: one message, at the time it began.
    const runsOn = last !== undefined && last.speaker === speaker && !/[.!?…]$/.test(last.text)
    if (text === "") continue
    if (runsOn) messages[messages.length - 1] = { ...last, text: `${last.text} ${text}` }
    else
      messages.push({
        speaker,
        text,
        stamp: { kind: "elapsed", millis },
        line: index + 1,
        heading: undefined
      })
  }
  return messages.length === 0 ? undefined : { formats: [isVtt ? "webvtt" : "srt"], messages }
}
