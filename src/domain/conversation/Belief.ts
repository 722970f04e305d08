/**
 * Which formats a text is in. The lines that look like each are counted, and what they prove is weighed: a timetable, a list of
 * properties and a log have lines that look like messages too.
 */
import type { Format } from "./Format.ts"
import { formats } from "./Formats.ts"
import { cleanSpeaker, isMonth } from "./Names.ts"

/** Lines on which formats are counted before the whole text is. */
const sampleLines = 4_000

interface Evidence {
  readonly format: Format
  readonly anchors: number
  readonly speakers: ReadonlyMap<string, number>
  /** Beginnings that words follow, on the line or below it. */
  readonly answered: number
  /** Beginnings that are no reason to believe the format. */
  readonly doubtful: number
  /** How many non-blank lines come before the first. */
  readonly before: number
}

/**
 * The formats of a text, most messages first; undefined when there is none. In lines that are `code` no message begins.
 */
export const activeFormats = (
  lines: ReadonlyArray<string>,
  code: ReadonlyArray<boolean>
): ReadonlyArray<Format> | undefined =>
  formatsOf(lines.slice(0, sampleLines), code) ??
  (lines.length > sampleLines ? formatsOf(lines, code) : undefined)

const formatsOf = (
  lines: ReadonlyArray<string>,
  code: ReadonlyArray<boolean>
): ReadonlyArray<Format> | undefined => {
  const spoken = lines.reduce((count, line, at) => (line.trim() === "" || code[at] ? count : count + 1), 0)
  const evidence = byAnchors(gather(lines, code).filter((found) => isBelievable(found, spoken)))
  const [main, ...others] = evidence.filter((found) => found.format.strength === "strong")
  // Labels inside a transcript with times are what somebody wrote; the transcript's own lines decide.
  if (main !== undefined)
    return [main, ...others.filter((other) => isOfTheSame(main, other))].map((found) => found.format)
  const [best] = [
    ...evidence.filter((found) => found.format.strength === "medium"),
    ...evidence.filter((found) => found.format.strength === "weak")
  ]
  return best === undefined ? undefined : [best.format]
}

const byAnchors = (evidence: ReadonlyArray<Evidence>) => [...evidence].sort((a, b) => b.anchors - a.anchors)

// Somebody pastes a timetable or a log into a chat: those who speak there are none of the chat's.
const isOfTheSame = (main: Evidence, other: Evidence): boolean =>
  [...other.speakers.keys()].some((speaker) => main.speakers.has(speaker)) ||
  (!timetables.has(other.format.id) && other.anchors * 4 >= main.anchors)

const gather = (lines: ReadonlyArray<string>, code: ReadonlyArray<boolean>): ReadonlyArray<Evidence> => {
  const found = formats.map((format) => ({
    format,
    anchors: 0,
    speakers: new Map<string, number>(),
    answered: 0,
    doubtful: 0,
    before: 0,
    unanswered: false
  }))
  let seen = 0
  for (const [at, raw] of lines.entries()) {
    const line = raw.trim()
    if (line === "") continue
    for (const entry of found) {
      const anchor = code[at] === true ? undefined : entry.format.anchor(line)
      if (anchor === undefined || anchor === "ignore") {
        if (entry.unanswered) entry.answered++
        entry.unanswered = false
        continue
      }
      if (entry.anchors === 0) entry.before = seen
      entry.anchors++
      if (entry.format.doubtful?.test(line) === true) entry.doubtful++
      const speaker = cleanSpeaker(anchor.speaker)
      entry.speakers.set(speaker, (entry.speakers.get(speaker) ?? 0) + 1)
      if (anchor.length < line.length) entry.answered++
      entry.unanswered = anchor.length >= line.length
    }
    if (!line.startsWith("#")) seen++
  }
  return found.filter((entry) => entry.anchors > 0)
}

/** Formats whose lines also stand in timetables and agendas: one such line proves nothing, nor do several that are there once each. */
const timetables: ReadonlySet<string> = new Set([
  "slack-paste",
  "otter",
  "discord-clock",
  "time-dash-name",
  "time-dash-name-text",
  "bracket-time-name",
  "name-paren-time",
  "clock-name"
])

/** Formats of which one line alone proves nothing. */
const neverAlone: ReadonlySet<string> = new Set([...timetables, "zoom-chat", "zoom-chat-headed"])

/** Formats of a closed set of speakers, who may go on for pages. */
const closedSets: ReadonlySet<string> = new Set([
  "markdown-heading-turn",
  "chatgpt-export-you-chatgpt",
  "speaker-letter-no-time",
  "granola"
])

/** Of a page on which a few messages are quoted somewhere, at least this part of the lines begins one. */
const leastDensity = 0.05

const isBelievable = (evidence: Evidence, spoken: number): boolean => {
  const { anchors, answered, doubtful, format, speakers } = evidence
  if (answered * 2 < anchors || doubtful * 2 >= anchors) return false
  const returns = [...speakers.values()].some((count) => count > 1)
  if (timetables.has(format.id) && !returns && isTimetable(evidence)) return false
  if (format.strength === "strong") return isStrong(evidence, anchors / spoken)
  if (closedSets.has(format.id)) return isClosedSet(evidence)
  if (speakers.size < 2 || isList(evidence, returns)) return false
  return format.strength === "medium"
    ? isMedium(evidence, anchors / spoken, returns)
    : isWeak(evidence, anchors / spoken, returns)
}

const isStrong = ({ anchors, before, format }: Evidence, density: number): boolean =>
  anchors === 1
    ? before < 3 && !neverAlone.has(format.id)
    : before < 3 || density >= leastDensity || anchors >= 10

const isClosedSet = ({ anchors, before, format, speakers }: Evidence): boolean =>
  format.id === "markdown-heading-turn"
    ? anchors >= 2 || before === 0
    : anchors >= 2 && (speakers.size >= 2 || format.id === "speaker-letter-no-time")

// An appointment is there once, often with nothing below; two people, or some with full names, may have spoken once each.
const isTimetable = ({ anchors, answered, format, speakers }: Evidence): boolean =>
  format.id === "clock-name" ||
  answered < anchors ||
  anchors === 1 ||
  (anchors > 2 && !haveFullNames(speakers))

// Labels of properties stand once each, and so do the months of a plan.
const isList = ({ speakers }: Evidence, returns: boolean): boolean =>
  [...speakers.keys()].every(isMonth) || (!returns && speakers.size >= 3 && !haveFullNames(speakers))

const haveFullNames = (speakers: ReadonlyMap<string, number>): boolean =>
  [...speakers.keys()].filter((name) => name.includes(" ")).length * 2 >= speakers.size

const isMedium = ({ anchors }: Evidence, density: number, returns: boolean): boolean =>
  density >= 0.5 || (density >= 0.1 && returns && anchors >= 3)

const isWeak = ({ anchors, format, speakers }: Evidence, density: number, returns: boolean): boolean => {
  if (format.id === "plain-name-lower-case") return density >= 0.8 && isExchange(speakers, anchors)
  return density >= 0.5 && (returns || density === 1 || (anchors >= 3 && density >= 0.8))
}

// Without capitals `key: value` looks the same: two come back, and it is not one small word in the speech of others.
const isExchange = (speakers: ReadonlyMap<string, number>, anchors: number): boolean => {
  const back = [...speakers].filter(([, count]) => count > 1)
  const small = back.filter(([name]) => /^\p{Ll}/u.test(name)).reduce((sum, [, count]) => sum + count, 0)
  return back.length >= 2 && small * 4 >= anchors
}
