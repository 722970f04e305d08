/** Formats in which every message begins with a name and a time, its text on the same line. All are strong evidence. */
import { type Format, lineFormat } from "../Format.ts"
import { looksLikeName, looksLikeProperName } from "../Names.ts"
import { clockOf, monthOf, type Stamp, yearOf } from "../Stamp.ts"

type Groups = Readonly<Record<string, string | undefined>>

const clock = (g: Groups) => clockOf(g["h"] ?? "", g["min"] ?? "", g["s"], g["ap"] ?? halfOf(g["half"]))

/** The half of the day, where it is written before the time: 下午7:58, 오후 7:58. */
const halfOf = (word: string | undefined): string | undefined =>
  word === undefined ? undefined : /^(上午|午前|오전|凌晨|清晨|早上)$/.test(word) ? "AM" : "PM"

const isoDate = (g: Groups): Stamp => ({
  kind: "full",
  year: Number(g["y"]),
  month: Number(g["mo"]),
  day: Number(g["d"]),
  clock: clock(g)
})

const time = String.raw`(?<h>\d{1,2}):(?<min>\d{2})(?::(?<s>\d{2}))?`
const meridiem = String.raw`(?: ?(?<ap>[AaPp])\.? ?[Mm]\.?)`

// Numbers with slashes, dots or dashes, in whatever order a country writes them.
const numericDate = String.raw`(?<a>\d{1,4})[/.\-](?<b>\d{1,2})[/.\-](?<c>\d{1,4})`

const numeric = (g: Groups, prefers: "day" | "month"): Stamp => {
  const [a = "", b = "", c = ""] = [g["a"], g["b"], g["c"]]
  return a.length === 4
    ? { kind: "full", year: Number(a), month: Number(b), day: Number(c), clock: clock(g) }
    : { kind: "numeric", first: Number(a), second: Number(b), year: yearOf(c), prefers, clock: clock(g) }
}

// What telephones write differs by country: "14.2.2025 klo 19.58", "2025. 2. 14. 오후 7:58", "2025/2/14 下午7:58".
const phoneDate = String.raw`(?<a>\d{1,4})[/.\-] ?(?<b>\d{1,2})[/.\-] ?(?<c>\d{1,4})\.?(?: ?г\.)?`
const phoneTime = String.raw`(?:(?:klo|à|às|um|alle|a las|at) )?(?:(?<half>上午|下午|午前|午後|오전|오후|凌晨|清晨|早上|中午|晚上) ?)?(?<h>\d{1,2})[:.](?<min>\d{2})(?:[:.](?<s>\d{2}))?`

// Where AM and PM are capitals, the month comes first; pm and p. m. are of countries that begin with the day.
const phone = (g: Groups): Stamp => numeric(g, /^[AP]/.test(g["ap"] ?? "") ? "month" : "day")

// Without a name it is a notice; so is `Dana changed the group name to "Trip: Lisbon"`.
const isNotice = (who: string | undefined): boolean => who === undefined || / \p{L}+.* ["“„«]/u.test(who)

const speaker = (g: Groups) => g["who"] ?? ""

/** Formats with a name, a time and a text on one line, gbrain's order first. */
export const stampedFormats: ReadonlyArray<Format> = [
  lineFormat({
    id: "imessage-slack",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^\*\*(?<who>[^*]{1,80})\*\* \((?<y>\d{4})-(?<mo>\d{2})-(?<d>\d{2}) ${time}${meridiem}?\): ?`
    ),
    read: (g) => ({ speaker: speaker(g), stamp: isoDate(g) }),
    examples: ["**Ana Ruiz** (2024-03-15 9:00 AM): hi", "**Ana Ruiz** (2024-03-15 18:05): hi"],
    counterexamples: ["**Ana Ruiz** (2024-03-15): hi"]
  }),
  lineFormat({
    id: "telegram-bracket",
    strength: "strong",
    pattern: new RegExp(String.raw`^\*\*\[${time}${meridiem}?\] (?<who>[^*]{1,80}):\*\* ?`),
    read: (g) => ({ speaker: speaker(g), stamp: { kind: "clock", clock: clock(g) } }),
    examples: ["**[18:37] G T:** hi", "**[6:37 PM] Dana:** hi", "**[18:37] 👤 Dana Reyes:** train is late"]
  }),
  lineFormat({
    id: "bold-paren-time-12h",
    strength: "strong",
    pattern: new RegExp(String.raw`^\*\*(?<who>[^*]{1,80})\*\* \(${time}${meridiem}\): ?`),
    read: (g) => ({ speaker: speaker(g), stamp: { kind: "clock", clock: clock(g) } }),
    examples: ["**Me** (9:04 AM): hi", "**Dana** (12:02 AM): safe flight"]
  }),
  lineFormat({
    id: "bold-paren-time",
    strength: "strong",
    pattern: /^\*\*(?<who>[^*]{1,80})\*\* \((?<p1>\d{1,3}):(?<p2>\d{2})(?::(?<p3>\d{2}))?\): ?/,
    read: (g) => ({ speaker: speaker(g), stamp: { kind: "colons", parts: parts(g) } }),
    examples: ["**Ana Ruiz** (00:00): hi", "**Ana Ruiz** (01:23:45): hi", "**Ana Ruiz** (102:10): hi"]
  }),
  lineFormat({
    id: "bold-time-dash",
    strength: "strong",
    pattern: new RegExp(String.raw`^\*\*(?<who>[^*]{1,80})\*\* ${time}${meridiem}? [-–—] ?`),
    read: (g) => ({ speaker: speaker(g), stamp: { kind: "clock", clock: clock(g) } }),
    examples: ["**Ana Ruiz** 09:15 — hi", "**Omar** 09:18 - nice"]
  }),
  lineFormat({
    id: "signal-export",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^(?<who>[^()]{1,80}(?:\([^()]{1,40}\))?) \((?<y>\d{4})-(?<mo>\d{2})-(?<d>\d{2}) ${time} UTC\): ?`
    ),
    read: (g) => ({ speaker: speaker(g), stamp: { ...isoDate(g), offsetMinutes: 0 } }),
    examples: ["Ana Ruiz (2024-03-15 18:37:00 UTC): hi", "Ana (Work) (2024-03-15 18:37:00 UTC): hi"]
  }),
  lineFormat({
    id: "iso-bracket",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^\[(?<y>\d{4})-(?<mo>\d{2})-(?<d>\d{2})[T ]${time}(?:\.\d{1,9})?(?: ?(?<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?\] (?<who>[^:]{1,80}): ?`
    ),
    read: (g) => {
      const stamp = isoDate(g)
      const offset = offsetOf(g["zone"])
      return {
        speaker: speaker(g),
        stamp: offset === undefined ? stamp : { ...stamp, offsetMinutes: offset }
      }
    },
    examples: [
      "[2025-02-14T19:58:00Z] Dana Reyes: hi",
      "[2025-02-14T19:58:00+01:00] Dana Reyes: hi",
      "[2025-02-14 19:58:00 UTC] Dana Reyes: hi"
    ]
  }),
  lineFormat({
    id: "whatsapp-iso",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^\[${phoneDate},? ${phoneTime}${meridiem}?\] (?:(?<who>[^:]{1,80}):(?: |$))?`
    ),
    read: (g) => (isNotice(g["who"]) ? "ignore" : { speaker: speaker(g), stamp: phone(g) }),
    examples: [
      "[15/03/24, 18:37:00] Ana Ruiz: hi",
      "[2/14/25, 7:58:00 PM] Dana Reyes: hi",
      "[14.02.25, 19:58:00] Dana Reyes: hi",
      "[2025/2/14 下午7:58:00] Dana Reyes: hi"
    ],
    counterexamples: ["[15/03/24] Ana Ruiz: hi"]
  }),
  lineFormat({
    id: "whatsapp-us",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^${phoneDate},? ${phoneTime}${meridiem}? [-–] (?:(?<who>[^:]{1,80}):(?: |$))?`
    ),
    read: (g) => (isNotice(g["who"]) ? "ignore" : { speaker: speaker(g), stamp: phone(g) }),
    examples: [
      "3/15/24, 6:37 PM - Ana Ruiz: hi",
      "14/02/2025, 19:58 - Dana Reyes: hi",
      "14.02.25, 19:58 - Dana Reyes: hi",
      "2025-02-14, 19:58 - Dana Reyes: hi",
      "14.2.2025 klo 19.58 - Dana Reyes: hi",
      "2025. 2. 14. 오후 7:58 - Dana Reyes: hi"
    ],
    counterexamples: ["3/15/24 - Ana Ruiz: hi"]
  }),
  lineFormat({
    id: "teams-export",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^(?<who>[^,:]{1,80})(?:, (?<given>[^,:\d][^,:]{0,40}))?, ${numericDate} ${time}${meridiem}?: ?`
    ),
    // A directory turns names around: "Reyes, Dana".
    read: (g) => ({
      speaker: g["given"] === undefined ? speaker(g) : `${g["given"]} ${speaker(g)}`,
      stamp: numeric(g, "month")
    }),
    examples: ["Ana Ruiz, 3/15/2024 6:37 PM: hi", "Reyes, Dana, 3/15/2024 6:37 PM: hi"]
  }),
  lineFormat({
    id: "matrix-element",
    strength: "strong",
    pattern: new RegExp(String.raw`^\[${time}\] @(?<who>[^:\s]{1,80}):[^\s:]{1,100}(?::\d{1,5})?: ?`),
    read: (g) => ({ speaker: speaker(g), stamp: { kind: "clock", clock: clock(g) } }),
    examples: ["[18:37] @ana:matrix.org: hi"]
  }),
  lineFormat({
    id: "irc-weechat",
    strength: "strong",
    pattern: new RegExp(String.raw`^\[?${time}\]? <[@+ ]?(?<who>[^>\s]{1,40})> ?`),
    read: (g) => ({ speaker: speaker(g), stamp: { kind: "clock", clock: clock(g) } }),
    examples: ["18:37 <ana> hi", "[18:37] <@ana> hi"]
  }),
  lineFormat({
    id: "zoom-chat",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^${time}(?<gap>[\t ]+)(?<from>From )?(?<who>[^:\t]{1,80}?)(?: to [^:\t]{1,60}?)?(?:\((?:Direct Message|Privately)\))? ?:[\t ]+`,
      "i"
    ),
    // An agenda has neither seconds, nor a tab, nor who it is from.
    read: (g) =>
      speaker(g).startsWith("-") || (g["s"] === undefined && g["from"] === undefined && g["gap"] === " ")
        ? undefined
        : { speaker: speaker(g), stamp: { kind: "clock", clock: clock(g) } },
    examples: ["19:58:03 From Dana Reyes to Everyone: hi", "00:03:12\tDana Reyes:\thi"],
    counterexamples: ["19:58 is when the train leaves", "09:00 Welcome: Dana opens"]
  }),
  lineFormat({
    id: "clock-name",
    strength: "medium",
    pattern: new RegExp(String.raw`^${time}${meridiem}? (?<who>[^:]{1,80}): `),
    read: (g) =>
      looksLikeProperName(speaker(g))
        ? { speaker: speaker(g), stamp: { kind: "clock", clock: clock(g) } }
        : undefined,
    examples: ["19:58 Dana: hi", "7:58 PM Dana Reyes: hi"],
    counterexamples: ["19:58 is when it leaves: so"]
  }),
  // Times of day, or since the start: which, all of them tell together.
  lineFormat({
    id: "bracket-time-name",
    strength: "strong",
    pattern: new RegExp(String.raw`^\[${time}${meridiem}?\] (?<who>[^:@<>[\]]{1,80}): ?`),
    read: (g) => (looksLikeName(speaker(g)) ? { speaker: speaker(g), stamp: clockOrElapsed(g) } : undefined),
    examples: ["[00:03] Dana Reyes: hi", "[6:37 PM] Omar: hi"],
    counterexamples: ["[18:37] Status: done"]
  }),
  lineFormat({
    id: "name-paren-time",
    strength: "strong",
    pattern: new RegExp(String.raw`^(?<who>[^()*:#>[\]]{1,80}) \(${time}${meridiem}?\): ?`),
    read: (g) => (looksLikeName(speaker(g)) ? { speaker: speaker(g), stamp: clockOrElapsed(g) } : undefined),
    examples: ["Dana Reyes (00:03): hi", "Omar (6:37 PM): hi"],
    counterexamples: ["Deadline (18:00): send it"]
  }),
  lineFormat({
    id: "time-dash-name-text",
    strength: "strong",
    pattern: new RegExp(String.raw`^${time}${meridiem}? [-–—] (?<who>[^:]{1,80}): `),
    read: (g) =>
      looksLikeProperName(speaker(g)) ? { speaker: speaker(g), stamp: clockOrElapsed(g) } : undefined,
    examples: ["0:12 - Omar: hi", "6:37 PM — Dana Reyes: hi"],
    counterexamples: ["18:00 - we meet there: bring it"]
  })
]

const clockOrElapsed = (g: Groups): Stamp =>
  g["ap"] === undefined
    ? {
        kind: "colons",
        parts: [g["h"], g["min"], g["s"]].flatMap((part) => (part === undefined ? [] : [Number(part)]))
      }
    : { kind: "clock", clock: clock(g) }

const parts = (g: Groups): ReadonlyArray<number> =>
  [g["p1"], g["p2"], g["p3"]].flatMap((part) => (part === undefined ? [] : [Number(part)]))

const offsetOf = (zone: string | undefined): number | undefined => {
  if (zone === undefined) return undefined
  if (/^[A-Z]/.test(zone)) return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return zone.startsWith("-") ? -minutes : minutes
}

/** A month by its English name, as in `Mar 15, 2024`. */
export const namedDate = (g: Groups): Stamp => ({
  kind: "full",
  year: yearOf(g["y"] ?? ""),
  month: monthOf(g["month"] ?? ""),
  day: Number(g["d"]),
  clock: clock(g)
})

export {
  clock as clockOfGroups,
  isoDate,
  meridiem,
  numeric,
  numericDate,
  parts as colonParts,
  speaker as speakerOf,
  time
}
