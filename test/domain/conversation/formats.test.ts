/** Every transcript format: what it reads, what it does not take for itself, and the times that come out. */
import { describe, expect, it } from "@effect/vitest"
import { formats } from "../../../src/domain/conversation/Formats.ts"
import { parseConversation } from "../../../src/domain/conversation/Parse.ts"

const context = { date: "2025-02-14", timezone: undefined }

/** The messages of a text as `speaker@time: text`, or why there are none. */
const read = (body: string, timezone?: string): string | ReadonlyArray<string> => {
  const parsed = parseConversation(body, { ...context, timezone })
  if (parsed._tag === "NotAConversation") return parsed.reason
  return parsed.messages.map(
    (message) =>
      `${message.speaker}@${new Date(message.time).toISOString().slice(0, 19)}: ${message.text.replaceAll("\n", "/")}`
  )
}

const dana = "Dana Reyes@2025-02-14T19:58:00: Cabin booked"
const omar = "Omar@2025-02-14T20:01:00: Great"
const untimed = (speaker: string, text: string) => `${speaker}@2025-02-14T00:00:00: ${text}`

const cases: ReadonlyArray<readonly [name: string, body: string, messages: ReadonlyArray<string>]> = [
  [
    "imessage-slack, with a continuation",
    "**Dana Reyes** (2025-02-14 7:58 PM): Cabin booked\nfor two\n**Omar** (2025-02-14 8:01 PM): Great",
    [`${dana}/for two`, omar]
  ],
  [
    "telegram in brackets, emoji stripped",
    "**[19:58] 👤 Dana Reyes:** Cabin booked\n**[20:01] 🤖 Omar:** Great",
    [dana, omar]
  ],
  [
    "bold with time since the start",
    "**Dana Reyes** (00:00): Cabin booked\n**Omar** (01:23:45): Great",
    ["Dana Reyes@2025-02-14T00:00:00: Cabin booked", "Omar@2025-02-14T01:23:45: Great"]
  ],
  [
    "B6: minutes and seconds are no time of day",
    "**Dana Reyes** (02:10): one\n**Omar** (02:47): two\n**Dana Reyes** (03:21): three",
    [
      "Dana Reyes@2025-02-14T00:02:10: one",
      "Omar@2025-02-14T00:02:47: two",
      "Dana Reyes@2025-02-14T00:03:21: three"
    ]
  ],
  [
    "B6: minutes beyond 59",
    "**Dana Reyes** (58:00): one\n**Omar** (102:10): two",
    ["Dana Reyes@2025-02-14T00:58:00: one", "Omar@2025-02-14T01:42:10: two"]
  ],
  [
    "bold with a clock of twelve hours, over a date heading",
    "## 2025-02-13\n**Me** (11:58 PM): boarding\n## 2025-02-14\n**Dana** (12:02 AM): safe flight",
    ["Me@2025-02-13T23:58:00: boarding", "Dana@2025-02-14T00:02:00: safe flight"]
  ],
  [
    "bold with a dash",
    "**Dana Reyes** 19:58 — Cabin booked\n- for two\n**Omar** 20:01 - Great",
    [`${dana}/- for two`, omar]
  ],
  [
    "speakers by letter",
    "Speaker A: We sign on Friday.\nSpeaker B: I told the bank.",
    [untimed("Speaker A", "We sign on Friday."), untimed("Speaker B", "I told the bank.")]
  ],
  [
    "participants by number",
    "Participant 1: hi there\nParticipant 2: hello",
    [untimed("Participant 1", "hi there"), untimed("Participant 2", "hello")]
  ],
  [
    "ChatGPT",
    "**You:**\n\nHow large?\n\n**ChatGPT:**\n\nThis large.\n\nOr larger.",
    [untimed("You", "How large?"), untimed("ChatGPT", "This large./Or larger.")]
  ],
  [
    "bold names",
    "**Dana Reyes:** the lease ends in June\n**Omar**: then we move",
    [untimed("Dana Reyes", "the lease ends in June"), untimed("Omar", "then we move")]
  ],
  [
    "bulleted names",
    "- **Dana Reyes:** hi\n- **Omar:** hello",
    [untimed("Dana Reyes", "hi"), untimed("Omar", "hello")]
  ],
  ["plain names", "Dana: hi\nOmar: hello", [untimed("Dana", "hi"), untimed("Omar", "hello")]],
  [
    "plain names in Chinese",
    "陈伟: 你好\n佐藤花: こんにちは",
    [untimed("陈伟", "你好"), untimed("佐藤花", "こんにちは")]
  ],
  ["Granola", "Me: hi\nThem: hello", [untimed("Me", "hi"), untimed("Them", "hello")]],
  [
    "Telegram's text export",
    "Dana Reyes, [Feb 14, 2025 at 7:58:00 PM]\nCabin booked\n\nOmar, [Feb 14, 2025 at 8:01:00 PM]\nGreat",
    [dana, omar]
  ],
  [
    "WhatsApp in brackets, day first",
    "[14/02/25, 19:58:00] Dana Reyes: Cabin booked\n[14/02/25, 20:01:00] Omar: Great",
    [dana, omar]
  ],
  [
    "WhatsApp in brackets, month first, found out from the whole file",
    "[2/3/25, 7:58:00 PM] Dana Reyes: one\n[2/14/25, 8:01:00 PM] Omar: Great",
    ["Dana Reyes@2025-02-03T19:58:00: one", omar]
  ],
  [
    "WhatsApp with dots",
    "[14.02.25, 19:58:00] Dana Reyes: Cabin booked\n[14.02.25, 20:01:00] Omar: Great",
    [dana, omar]
  ],
  [
    "WhatsApp with marks of direction and a narrow space",
    "\u200e[14/02/25, 7:58:00\u202fPM] Dana Reyes: Cabin booked\n\u200e[14/02/25, 8:01:00\u202fPM] Omar: \u200eGreat",
    [dana, omar]
  ],
  [
    "WhatsApp with a dash and a notice",
    "2/14/25, 7:57 PM - Messages are encrypted.\n2/14/25, 7:58\u202fPM - Dana Reyes: Cabin booked\n2/14/25, 8:01 PM - Omar: Great",
    [dana, omar]
  ],
  [
    "WhatsApp with a dash, a clock of 24 hours",
    "14/02/2025, 19:58 - Dana Reyes: Cabin booked\n14/02/2025, 20:01 - Omar: Great",
    [dana, omar]
  ],
  [
    "Discord's older export",
    "[02/14/2025 7:58 PM] Dana Reyes\nCabin booked\n\n[02/14/2025 8:01 PM] Omar\nGreat",
    [dana, omar]
  ],
  [
    "Discord's newer export",
    "[14-Feb-25 07:58 PM] Dana Reyes\nCabin booked\n\n[14-Feb-25 08:01 PM] Omar\nGreat",
    [dana, omar]
  ],
  [
    "Discord copied from the window; yesterday is the day before",
    "Dana Reyes — Today at 7:58 PM\nCabin booked\nOmar — Yesterday at 8:01 PM\nGreat",
    [dana, "Omar@2025-02-13T20:01:00: Great"]
  ],
  ["Teams", "Dana Reyes, 2/14/2025 7:58 PM: Cabin booked\nOmar, 2/14/2025 8:01 PM: Great", [dana, omar]],
  [
    "Signal",
    "Dana Reyes (2025-02-14 19:58:00 UTC): Cabin booked\nOmar (2025-02-14 20:01:00 UTC): Great",
    [dana, omar]
  ],
  [
    "Matrix",
    "[19:58] @dana:matrix.org: Cabin booked\n[20:01] @omar:example.org: Great",
    ["dana@2025-02-14T19:58:00: Cabin booked", "omar@2025-02-14T20:01:00: Great"]
  ],
  ["IRC", "<dana> Cabin booked\n<omar> Great", [untimed("dana", "Cabin booked"), untimed("omar", "Great")]],
  [
    "WeeChat",
    "19:58 <dana> Cabin booked\n20:01 <omar> Great",
    ["dana@2025-02-14T19:58:00: Cabin booked", "omar@2025-02-14T20:01:00: Great"]
  ],
  [
    "headings as turns",
    "## User\n\nWhat?\n\n## Assistant\n\nThat.",
    [untimed("User", "What?"), untimed("Assistant", "That.")]
  ],
  [
    "Slack in bullets",
    "- **Dana Reyes** (Fri 19:58)\n  Cabin booked\n\n  for two\n- **Omar** (Fri 20:01)\n  Great",
    [`${dana}/for two`, omar]
  ],
  ["Slack copied from the window", "Dana Reyes  7:58 PM\nCabin booked\nOmar  8:01 PM\nGreat", [dana, omar]],
  [
    "Otter",
    "Dana Reyes  0:03\nWelcome.\n\nOmar  1:02:10\nThanks.",
    ["Dana Reyes@2025-02-14T00:00:03: Welcome.", "Omar@2025-02-14T01:02:10: Thanks."]
  ],
  [
    "time, dash, name",
    "0:12 - Omar\nwe start\n62:40 - Dana Reyes\nok",
    ["Omar@2025-02-14T00:00:12: we start", "Dana Reyes@2025-02-14T01:02:40: ok"]
  ],
  [
    "ISO times with zones",
    "[2025-02-14T20:58:00+01:00] Dana Reyes: Cabin booked\n[2025-02-14T20:01:00Z] Omar: Great",
    [dana, omar]
  ],
  [
    "Zoom's chat",
    "19:58:00 From Dana Reyes to Everyone: Cabin booked\n20:01:00 From Omar to Everyone: Great",
    [dana, omar]
  ],
  [
    "WebVTT",
    "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\n<v Dana Reyes>Cabin booked.</v>\n\n00:00:04.000 --> 00:00:06.000\n<v Omar>Great.</v>",
    ["Dana Reyes@2025-02-14T00:00:01: Cabin booked.", "Omar@2025-02-14T00:00:04: Great."]
  ],
  [
    "SubRip",
    "1\n00:00:01,000 --> 00:00:03,000\nDana: Cabin booked.\n\n2\n00:00:04,000 --> 00:00:06,000\nOmar: Great.",
    ["Dana@2025-02-14T00:00:01: Cabin booked.", "Omar@2025-02-14T00:00:04: Great."]
  ],
  [
    "Facebook Messenger",
    "Dana Reyes\nCabin booked\nFeb 14, 2025, 7:58 PM\nOmar\nGreat\nFeb 14, 2025, 8:01 PM",
    [dana, omar]
  ],
  [
    "an e-mail thread, without what it quotes",
    "From: Dana Reyes <d@x.org>\nDate: Fri, 14 Feb 2025 20:58:00 +0100\nSubject: Cabin\n\nBooked.\n\nFrom: Omar <o@x.org>\nDate: Fri, 14 Feb 2025 20:01:00 +0000\nSubject: Re: Cabin\n\nGreat\n\nOn Fri, Feb 14, 2025 Dana Reyes wrote:\n> Booked.",
    ["Dana Reyes@2025-02-14T19:58:00: Cabin/Booked.", omar]
  ],
  ["one message alone", "**Dana Reyes** (2025-02-14 7:58 PM): Cabin booked", [dana]],
  [
    "midnight passes",
    "**[23:58] Dana:** late\n**[00:05] Omar:** later",
    ["Dana@2025-02-14T23:58:00: late", "Omar@2025-02-15T00:05:00: later"]
  ],
  [
    "a telephone number keeps its plus",
    "[14/02/25, 19:58:00] +1 555 0100: Cabin booked\n[14/02/25, 20:01:00] Omar: Great",
    ["+1 555 0100@2025-02-14T19:58:00: Cabin booked", omar]
  ],
  [
    "a time that cannot be keeps its message",
    "[14/02/25, 19:58:00] Dana Reyes: Cabin booked\n[45/13/25, 29:58:00] Omar: what",
    [dana, "Omar@2025-02-14T19:58:00: what"]
  ]
]

describe("formats", () => {
  for (const [name, body, messages] of cases) it(name, () => expect(read(body)).toEqual(messages))

  for (const format of formats) {
    it(`${format.id} reads its examples, and not its counterexamples`, () => {
      for (const example of format.examples)
        expect(format.anchor(example)).toMatchObject({ speaker: expect.any(String) })
      for (const counterexample of format.counterexamples)
        expect(format.anchor(counterexample)).toBeUndefined()
    })
  }

  it("a time zone in the front matter converts, over a change to summer time too", () => {
    expect(read("**[19:58] Dana Reyes:** hi there\n**[20:01] Omar:** Great", "Europe/Berlin")).toEqual([
      "Dana Reyes@2025-02-14T18:58:00: hi there",
      "Omar@2025-02-14T19:01:00: Great"
    ])
    const summer =
      "**Dana Reyes** (2025-07-14 7:58 PM): hi\n**Omar** (2025-03-30 2:30 AM): in the hour that is not there"
    expect(read(summer, "Europe/Berlin")).toEqual([
      "Dana Reyes@2025-07-14T17:58:00: hi",
      expect.stringMatching(/^Omar@2025-03-30T0[01]:30:00/)
    ])
  })
})

describe("what is no conversation", () => {
  const negatives: ReadonlyArray<readonly [name: string, body: string]> = [
    ["prose", "We met on Friday and agreed on three things.\n\nIt was good to see everybody."],
    [
      "B9: HTML",
      Array.from({ length: 20 }, (_, index) =>
        index % 5 === 0 ? `<div> block ${index}` : `Prose number ${index} goes on and on.`
      ).join("\n")
    ],
    ["a list of properties", "Status: done\nOwner: Ana\nDue: Friday\nPriority: high"],
    ["bold labels in notes", "**Decision:** we go.\n**Owner:** Ana\n**Next steps:** call the bank"],
    ["an agenda with times", "Meeting 9:15 AM\nLunch 12:30 PM\nWe left at around 3:00 PM"],
    ["links", "Docs: https://example.org\nRepo: https://example.com"],
    ["nothing at all", " \n\n "]
  ]
  for (const [name, body] of negatives) it(name, () => expect(read(body)).toBe("no format recognised"))

  it("headings that may be speakers are declined rather than guessed", () => {
    expect(read("## User\n\nhi\n\n## Claude Code\n\nhello\n\n## User\n\nbye")).toBe(
      "headings that may be speakers"
    )
  })
})
