/** Formats in which a line with name and time stands alone, and the text comes below it. All are strong evidence. */
import { type Format, lineFormat } from "../Format.ts"
import { looksLikeSpeakerLine } from "../Names.ts"
import {
  clockOfGroups as clock,
  colonParts,
  isoDate,
  meridiem,
  namedDate,
  numeric,
  numericDate,
  speakerOf,
  time
} from "./stamped.ts"

/** Formats with a heading line a message. */
export const headedFormats: ReadonlyArray<Format> = [
  lineFormat({
    id: "telegram-text-export",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^(?<who>[^[\]]{1,80}), \[(?<month>[A-Za-z]{3,9})\.? (?<d>\d{1,2}), (?<y>\d{4}) at ${time}${meridiem}?\]$`
    ),
    read: (g) => ({ speaker: speakerOf(g), stamp: namedDate(g) }),
    examples: ["Ana Ruiz, [Mar 15, 2024 at 6:37:00 PM]"]
  }),
  lineFormat({
    id: "discord-export",
    strength: "strong",
    pattern: new RegExp(String.raw`^\[${numericDate} ${time}${meridiem}?\] (?<who>[^:\]]{1,80})$`),
    read: (g) => ({ speaker: speakerOf(g), stamp: numeric(g, g["ap"] === undefined ? "day" : "month") }),
    examples: ["[03/15/2024 6:37 PM] Ana Ruiz"]
  }),
  lineFormat({
    id: "discord-export-named-month",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^\[(?<d>\d{1,2})-(?<month>[A-Za-z]{3})-(?<y>\d{2,4}) ${time}${meridiem}?\] (?<who>[^:\]]{1,80})$`
    ),
    read: (g) => ({ speaker: speakerOf(g), stamp: namedDate(g) }),
    examples: ["[14-Feb-25 07:58 PM] Dana Reyes"]
  }),
  lineFormat({
    id: "discord-classic",
    strength: "strong",
    pattern: new RegExp(String.raw`^(?<who>[^—]{1,80}?) ?— ?(?<day>Today|Yesterday) at ${time}${meridiem}?$`),
    read: (g) => ({
      speaker: speakerOf(g),
      stamp: { kind: "clock", clock: clock(g), daysBack: g["day"] === "Yesterday" ? 1 : 0 }
    }),
    examples: ["Ana Ruiz — Today at 6:37 PM", "Omar — Yesterday at 8:01 PM"]
  }),
  lineFormat({
    id: "discord-dated",
    strength: "strong",
    pattern: new RegExp(String.raw`^(?<who>[^—]{1,80}?) ?— ?${numericDate},? ${time}${meridiem}?$`),
    read: (g) => ({ speaker: speakerOf(g), stamp: numeric(g, "month") }),
    examples: ["Ana Ruiz — 02/14/2025 7:58 PM"]
  }),
  lineFormat({
    id: "discord-clock",
    strength: "strong",
    pattern: new RegExp(String.raw`^(?<who>[^—]{1,80}?) ?— ?${time}${meridiem}?$`),
    read: (g) =>
      looksLikeSpeakerLine(speakerOf(g))
        ? { speaker: speakerOf(g), stamp: { kind: "clock", clock: clock(g) } }
        : undefined,
    examples: ["Dana — 9:01 AM", "Omar Haddad — 21:05"],
    counterexamples: ["Deadline — 18:00"]
  }),
  lineFormat({
    id: "slack-block",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^[-*] \*\*(?<who>[^*]{1,80})\*\* \((?:[A-Za-z]{3,9},? )?${time}${meridiem}?\)$`
    ),
    read: (g) => ({ speaker: speakerOf(g), stamp: { kind: "clock", clock: clock(g) } }),
    examples: ["- **Dana** (Mon 11:18)", "- **Omar** (11:20)"]
  }),
  lineFormat({
    id: "slack-paste",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^(?<who>[^\d:[\]()*#>][^:[\]()*#>]{0,79}?(?: \([^():\d]{1,40}\))?)(?: ?:[a-z0-9_+-]{1,40}:){0,3}(?: APP)? {1,4}\[?${time} (?<ap>[AP])M\]?$`
    ),
    read: (g) =>
      looksLikeSpeakerLine(speakerOf(g))
        ? { speaker: speakerOf(g), stamp: { kind: "clock", clock: clock(g) } }
        : undefined,
    examples: [
      "Dana Reyes  9:15 AM",
      "Omar 10:02 PM",
      "Dana Reyes :palm_tree:  9:15 AM",
      "Trip Bot APP  9:16 AM",
      "Dana Reyes (she/her)  9:15 AM"
    ],
    counterexamples: ["Meeting 9:15 AM", "We left at around 9:15 AM"]
  }),
  // Otter's times since the start, and Slack's on a clock of 24 hours: which, all of them tell together.
  lineFormat({
    id: "otter",
    strength: "strong",
    pattern:
      /^(?<who>[^\d:[\]()*#>][^:[\]()*#>]{0,79}?(?: \([^():\d]{1,40}\))?) {1,4}(?<p1>\d{1,3}):(?<p2>\d{2})(?::(?<p3>\d{2}))?$/,
    read: (g) =>
      looksLikeSpeakerLine(speakerOf(g))
        ? { speaker: speakerOf(g), stamp: { kind: "colons", parts: colonParts(g) } }
        : undefined,
    examples: ["Dana Reyes  0:03", "Omar Haddad  1:02:10"],
    counterexamples: ["Meeting 10:30", "Ratio 16:9 and 4:3"]
  }),
  lineFormat({
    id: "time-dash-name",
    strength: "strong",
    pattern: /^(?<p1>\d{1,3}):(?<p2>\d{2})(?::(?<p3>\d{2}))? [-–—] (?<who>[^:]{1,80})$/,
    read: (g) =>
      looksLikeSpeakerLine(speakerOf(g))
        ? { speaker: speakerOf(g), stamp: { kind: "colons", parts: colonParts(g) } }
        : undefined,
    examples: ["0:12 - Omar", "01:02 - Dana Reyes"],
    counterexamples: ["10:30 - coffee with the whole of the team outside"]
  }),
  lineFormat({
    id: "zoom-chat-headed",
    strength: "strong",
    pattern: new RegExp(
      String.raw`^(?:(?<y>\d{4})-(?<mo>\d{2})-(?<d>\d{2}) )?${time}[\t ]+From (?<who>[^:\t]{1,80}?)(?: to [^:\t]{1,60}?)?(?:\((?:Direct Message|Privately)\))? ?:$`,
      "i"
    ),
    read: (g) => ({
      speaker: speakerOf(g),
      stamp: g["y"] === undefined ? { kind: "clock", clock: clock(g) } : isoDate(g)
    }),
    examples: [
      "19:58:03 From Dana Reyes to Everyone:",
      "2025-02-14 19:58:03 From Dana Reyes to Everyone:",
      "19:58:03 From Omar to Dana Reyes(Direct Message):"
    ],
    counterexamples: ["19:58:03 From Dana Reyes to Everyone: hi", "19:58 Agenda:"]
  })
]
