/**
 * The fixtures of the behavioural notes on the original, F1 to F20: what it reads, read as it reads it; where it reads
 * something wrong, read right; what it does not recognise, recognised.
 */
import { describe, expect, it } from "@effect/vitest"
import { parseConversation } from "../../../src/domain/conversation/Parse.ts"
import { segmentConversation } from "../../../src/domain/conversation/Segment.ts"

interface Fixture {
  readonly name: string
  readonly body: string
  readonly format: string
  readonly said: ReadonlyArray<string>
  readonly date?: string
  readonly timezone?: string
}

const read = ({ body, date, timezone }: Pick<Fixture, "body" | "date" | "timezone">) =>
  parseConversation(body, { date: date ?? "2025-02-14", timezone })

const lines = (...all: ReadonlyArray<string | ReadonlyArray<string>>): string => all.flat().join("\n")

const fixtures: ReadonlyArray<Fixture> = [
  {
    name: "F1 imessage-slack: two messages, a continuation",
    body: lines(
      "**Dana Reyes** (2025-02-03 7:58 PM): Cabin is booked for the 14th",
      "lockbox code is 4471",
      "**Omar Haddad** (2025-02-03 8:01 PM): Great, I will drive"
    ),
    format: "imessage-slack",
    said: [
      "2025-02-03T19:58:00Z Dana Reyes: Cabin is booked for the 14th/lockbox code is 4471",
      "2025-02-03T20:01:00Z Omar Haddad: Great, I will drive"
    ]
  },
  {
    name: "F2 telegram-bracket, in the time zone of the front matter",
    body: lines("**[18:37] 👤 Dana Reyes:** train is late", "**[18:39] 🤖 Trip Bot:** rebooked on the 19:05"),
    format: "telegram-bracket",
    timezone: "Europe/Berlin",
    said: [
      "2025-02-14T17:37:00Z Dana Reyes: train is late",
      "2025-02-14T17:39:00Z Trip Bot: rebooked on the 19:05"
    ]
  },
  {
    name: "F3 bold-paren-time from zero",
    body: lines(
      "**Dana Reyes** (00:00): kick-off, budget is 40k",
      "**Omar Haddad** (00:03): I take the vendor list"
    ),
    format: "bold-paren-time",
    said: [
      "2025-02-14T00:00:00Z Dana Reyes: kick-off, budget is 40k",
      "2025-02-14T00:00:03Z Omar Haddad: I take the vendor list"
    ]
  },
  {
    name: "F3 gap variant: minutes and seconds",
    body: lines(
      "**Dana Reyes** (02:10): one",
      "**Omar Haddad** (02:47): two",
      "**Dana Reyes** (03:21): three"
    ),
    format: "bold-paren-time",
    said: [
      "2025-02-14T00:02:10Z Dana Reyes: one",
      "2025-02-14T00:02:47Z Omar Haddad: two",
      "2025-02-14T00:03:21Z Dana Reyes: three"
    ]
  },
  {
    name: "F4 bold-paren-time-12h under date headings",
    body: lines(
      "## 2025-02-13",
      "**Me** (11:58 PM): boarding now",
      "## 2025-02-14",
      "**Dana** (12:02 AM): safe flight"
    ),
    format: "bold-paren-time-12h",
    said: ["2025-02-13T23:58:00Z Me: boarding now", "2025-02-14T00:02:00Z Dana: safe flight"]
  },
  {
    name: "F5 bold-time-dash",
    body: lines(
      "**Dana Reyes** 09:15 — shipped the parser",
      "- migration is reversible",
      "**Omar** 09:18 - nice"
    ),
    format: "bold-time-dash",
    said: [
      "2025-02-14T09:15:00Z Dana Reyes: shipped the parser/- migration is reversible",
      "2025-02-14T09:18:00Z Omar: nice"
    ]
  },
  {
    name: "F6 speaker-letter",
    body: lines("Speaker A: We sign on Friday.", "Speaker B: I told the bank."),
    format: "speaker-letter-no-time",
    said: ["2025-02-14 Speaker A: We sign on Friday.", "2025-02-14 Speaker B: I told the bank."]
  },
  {
    name: "F7 ChatGPT's export",
    body: lines(
      ["**You:**", "", "How do I size a heat pump?", "", "**ChatGPT:**", ""],
      ["Start from the heat loss.", "", "Then choose a unit.", "", "**You:**", "", "Thanks, going with 8 kW."]
    ),
    format: "chatgpt-export-you-chatgpt",
    said: [
      "2025-02-14 You: How do I size a heat pump?",
      "2025-02-14 ChatGPT: Start from the heat loss./Then choose a unit.",
      "2025-02-14 You: Thanks, going with 8 kW."
    ]
  },
  {
    name: "F8 bold-name-no-time",
    body: lines("**Dana Reyes:** the lease ends in June", "**Omar Haddad:** then we move in May"),
    format: "bold-name-no-time",
    said: ["2025-02-14 Dana Reyes: the lease ends in June", "2025-02-14 Omar Haddad: then we move in May"]
  },
  {
    name: "F9 telegram-text-export, seconds kept",
    body: lines(
      ["Dana Reyes, [Feb 3, 2025 at 7:58:07 PM]", "Cabin booked", ""],
      ["Omar Haddad, [Feb 3, 2025 at 8:01:00 PM]", "Great"]
    ),
    format: "telegram-text-export",
    said: ["2025-02-03T19:58:07Z Dana Reyes: Cabin booked", "2025-02-03T20:01:00Z Omar Haddad: Great"]
  },
  {
    name: "F10 whatsapp-iso, the day first",
    body: lines("[03/02/25, 19:58:00] Dana Reyes: Cabin booked", "[03/02/25, 20:01:00] Omar: Great"),
    format: "whatsapp-iso",
    said: ["2025-02-03T19:58:00Z Dana Reyes: Cabin booked", "2025-02-03T20:01:00Z Omar: Great"]
  },
  {
    name: "F10 negative twin: there is no month 14, so the month comes first",
    body: lines("[2/3/25, 19:58:00] Dana Reyes: Cabin booked", "[2/14/25, 20:01:00] Omar: Great"),
    format: "whatsapp-iso",
    said: ["2025-02-03T19:58:00Z Dana Reyes: Cabin booked", "2025-02-14T20:01:00Z Omar: Great"]
  },
  {
    name: "F11 whatsapp-us with a notice and a narrow space",
    body: lines(
      "2/14/25, 7:57 PM - Messages are encrypted.",
      "2/14/25, 7:58\u202fPM - Dana Reyes: Cabin booked",
      "2/14/25, 8:01 PM - Omar: Great"
    ),
    format: "whatsapp-us",
    said: ["2025-02-14T19:58:00Z Dana Reyes: Cabin booked", "2025-02-14T20:01:00Z Omar: Great"]
  },
  {
    name: "F12 discord-export",
    body: lines([
      "[02/14/2025 7:58 PM] Dana Reyes",
      "Cabin booked",
      "",
      "[02/14/2025 8:01 PM] Omar",
      "Great"
    ]),
    format: "discord-export",
    said: ["2025-02-14T19:58:00Z Dana Reyes: Cabin booked", "2025-02-14T20:01:00Z Omar: Great"]
  },
  {
    name: "F13 teams-export",
    body: lines("Dana Reyes, 2/14/2025 7:58 PM: Cabin booked", "Omar Haddad, 2/14/2025 8:01 PM: Great"),
    format: "teams-export",
    said: ["2025-02-14T19:58:00Z Dana Reyes: Cabin booked", "2025-02-14T20:01:00Z Omar Haddad: Great"]
  },
  {
    name: "F14 signal-export, whatever zone the page names",
    body: lines(
      "Dana Reyes (2025-02-14 19:58:00 UTC): Cabin booked",
      "Omar (2025-02-14 20:01:00 UTC): Great"
    ),
    format: "signal-export",
    timezone: "Asia/Tokyo",
    said: ["2025-02-14T19:58:00Z Dana Reyes: Cabin booked", "2025-02-14T20:01:00Z Omar: Great"]
  },
  {
    name: "F15 discord-classic: yesterday is the day before",
    body: lines("Dana Reyes — Today at 7:58 PM", "Cabin booked", "Omar — Yesterday at 8:01 PM", "Great"),
    format: "discord-classic",
    said: ["2025-02-14T19:58:00Z Dana Reyes: Cabin booked", "2025-02-13T20:01:00Z Omar: Great"]
  },
  {
    name: "F16 matrix",
    body: lines("[18:37] @dana:matrix.org: hi", "[18:38] @omar:example.org: hey"),
    format: "matrix-element",
    said: ["2025-02-14T18:37:00Z dana: hi", "2025-02-14T18:38:00Z omar: hey"]
  },
  {
    name: "F17 irc",
    body: lines("<dana> hi", "<omar> hey"),
    format: "irc-classic",
    said: ["2025-02-14 dana: hi", "2025-02-14 omar: hey"]
  },
  {
    name: "F17 weechat",
    body: lines("18:37 <dana> hi", "18:39 <omar> hey"),
    format: "irc-weechat",
    said: ["2025-02-14T18:37:00Z dana: hi", "2025-02-14T18:39:00Z omar: hey"]
  },
  {
    name: "F18 headings as turns",
    body: lines("## User", "", "What is the deploy command?", "", "## Assistant", "", "make deploy"),
    format: "markdown-heading-turn",
    said: ["2025-02-14 User: What is the deploy command?", "2025-02-14 Assistant: make deploy"]
  },
  {
    name: "F19 Slack's collector",
    body: lines([
      "- **Dana** (Mon 11:18)",
      "  Quick update",
      "",
      "  second paragraph",
      "- **Omar** (Mon 11:20)",
      "  ok"
    ]),
    format: "slack-block",
    said: ["2025-02-14T11:18:00Z Dana: Quick update/second paragraph", "2025-02-14T11:20:00Z Omar: ok"]
  },
  {
    name: "F20 WebVTT with voices",
    body: lines(
      [
        "WEBVTT",
        "",
        "NOTE made by hand",
        "",
        "1",
        "00:00:01.000 --> 00:00:03.000",
        "<v Dana Reyes>hello there.</v>"
      ],
      ["", "2", "00:00:04.500 --> 00:00:06.000", "<v Omar>good morning.</v>"]
    ),
    format: "webvtt",
    said: ["2025-02-14T00:00:01Z Dana Reyes: hello there.", "2025-02-14T00:00:04.500Z Omar: good morning."]
  },
  {
    name: "F20 plain names",
    body: lines("Dana: hi", "Omar: hello"),
    format: "plain-name",
    said: ["2025-02-14 Dana: hi", "2025-02-14 Omar: hello"]
  },
  {
    name: "F20 minutes, seconds and a name over the words",
    body: lines("0:12 - Omar", "we start", "0:40 - Dana", "ready"),
    format: "time-dash-name",
    said: ["2025-02-14T00:00:12Z Omar: we start", "2025-02-14T00:00:40Z Dana: ready"]
  },
  {
    name: "F20 e-mail with a quoted reply",
    body: lines(
      [
        "From: Dana Reyes <dana@example.org>",
        "To: Omar <omar@example.org>",
        "Date: Fri, 14 Feb 2025 20:58:00 +0100"
      ],
      ["Subject: Cabin", "", "Booked for the weekend.", "", "From: Omar <omar@example.org>"],
      ["Date: Fri, 14 Feb 2025 20:01:00 +0000", "Subject: Re: Cabin", "", "Great, I will drive.", ""],
      ["On Fri, Feb 14, 2025 at 8:58 PM Dana Reyes <dana@example.org> wrote:", "> Booked for the weekend."]
    ),
    format: "email",
    said: [
      "2025-02-14T19:58:00Z Dana Reyes: Cabin/Booked for the weekend.",
      "2025-02-14T20:01:00Z Omar: Great, I will drive."
    ]
  },
  {
    name: "F20 bulleted names",
    body: lines("- **Dana:** hi", "- **Omar:** hello"),
    format: "bullet-bold-name",
    said: ["2025-02-14 Dana: hi", "2025-02-14 Omar: hello"]
  }
]

/** What other programs and countries write, beyond the fixtures. */
const elsewhere: ReadonlyArray<Fixture> = [
  ...(
    [
      ["Germany", "14.02.25, 19:58 - ", "14.02.25, 20:01 - "],
      ["Brazil, no comma", "14/02/2025 19:58 - ", "14/02/2025 20:01 - "],
      ["Spain", "14/2/25, 19:58 - ", "14/2/25, 20:01 - "],
      ["Mexico", "14/2/2025, 7:58 p. m. - ", "14/2/2025, 8:01 p. m. - "],
      ["the Netherlands", "14-02-2025 19:58 - ", "14-02-2025 20:01 - "],
      ["Sweden", "2025-02-14 19:58 - ", "2025-02-14 20:01 - "],
      ["Denmark, dots in the time", "14.02.2025 19.58 - ", "14.02.2025 20.01 - "],
      ["Finland", "14.2.2025 klo 19.58 - ", "14.2.2025 klo 20.01 - "],
      ["Japan", "2025/02/14 19:58 - ", "2025/02/14 20:01 - "],
      ["China", "2025/2/14 下午7:58 - ", "2025/2/14 下午8:01 - "],
      ["Korea", "2025. 2. 14. 오후 7:58 - ", "2025. 2. 14. 오후 8:01 - "],
      ["Australia", "14/2/25, 7:58 pm - ", "14/2/25, 8:01 pm - "]
    ] as const
  ).map(([country, first, second]) => ({
    name: `WhatsApp of ${country} (Android)`,
    body: lines(`${first}Dana Reyes: Cabin booked`, `${second}Omar: Great`),
    format: "whatsapp-us",
    said: ["2025-02-14T19:58:00Z Dana Reyes: Cabin booked", "2025-02-14T20:01:00Z Omar: Great"]
  })),
  ...(
    [
      ["the United States", "[2/14/25, 7:58:00 PM] ", "[2/14/25, 8:01:00 PM] "],
      ["Germany", "[14.02.25, 19:58:00] ", "[14.02.25, 20:01:00] "],
      ["Sweden", "[2025-02-14 19:58:00] ", "[2025-02-14 20:01:00] "],
      ["Italy", "[14/02/25, 19:58:00] ", "[14/02/25, 20:01:00] "],
      ["Spain", "[14/2/25, 7:58:00 p. m.] ", "[14/2/25, 8:01:00 p. m.] "],
      ["Denmark", "[14.02.2025 19.58.00] ", "[14.02.2025 20.01.00] "],
      ["Finland", "[14.2.2025 klo 19.58.00] ", "[14.2.2025 klo 20.01.00] "],
      ["China", "[2025/2/14 下午7:58:00] ", "[2025/2/14 下午8:01:00] "]
    ] as const
  ).map(([country, first, second]) => ({
    name: `WhatsApp of ${country} (iOS)`,
    body: lines(`${first}Dana Reyes: Cabin booked`, `${second}Omar: Great`),
    format: country === "Sweden" ? "iso-bracket" : "whatsapp-iso",
    said: ["2025-02-14T19:58:00Z Dana Reyes: Cabin booked", "2025-02-14T20:01:00Z Omar: Great"]
  })),
  {
    name: "Slack copied with the time on a line of its own",
    body: lines(
      ["Dana Reyes", "  7:58 PM", "Cabin booked", "for two", "Omar", "  8:01 PM", "Great"],
      ["Dana Reyes", "  8:02 PM", "See you"]
    ),
    format: "slack-paste",
    said: [
      "2025-02-14T19:58:00Z Dana Reyes: Cabin booked/for two",
      "2025-02-14T20:01:00Z Omar: Great",
      "2025-02-14T20:02:00Z Dana Reyes: See you"
    ]
  },
  {
    name: "Slack copied on a clock of 24 hours",
    body: lines("Dana Reyes  19:58", "Cabin booked", "Omar  20:01", "Great", "Dana Reyes  20:02", "See you"),
    format: "otter",
    said: [
      "2025-02-14T19:58:00Z Dana Reyes: Cabin booked",
      "2025-02-14T20:01:00Z Omar: Great",
      "2025-02-14T20:02:00Z Dana Reyes: See you"
    ]
  },
  {
    name: "Slack with a status emoji and an app",
    body: lines("Dana Reyes :palm_tree:  7:58 PM", "Cabin booked", "Trip Bot APP  8:01 PM", "Great"),
    format: "slack-paste",
    said: ["2025-02-14T19:58:00Z Dana Reyes: Cabin booked", "2025-02-14T20:01:00Z Trip Bot: Great"]
  },
  {
    name: "Otter's turns, seconds apart",
    body: lines("Dana Reyes  0:03", "Welcome.", "", "Omar  0:05", "Thanks.", "", "Dana Reyes  0:09", "So."),
    format: "otter",
    said: [
      "2025-02-14T00:00:03Z Dana Reyes: Welcome.",
      "2025-02-14T00:00:05Z Omar: Thanks.",
      "2025-02-14T00:00:09Z Dana Reyes: So."
    ]
  },
  {
    name: "Zoom's chat with the words on the next line",
    body: lines(
      [
        "19:58:00 From Dana Reyes to Everyone:",
        "\tCabin booked",
        "20:01:00 From Omar to Dana Reyes(Direct Message):"
      ],
      "\tGreat"
    ),
    format: "zoom-chat-headed",
    said: ["2025-02-14T19:58:00Z Dana Reyes: Cabin booked", "2025-02-14T20:01:00Z Omar: Great"]
  },
  {
    name: "Zoom's transcript",
    body: lines(
      ["WEBVTT", "", "1", "00:00:01.000 --> 00:00:03.000", "Dana Reyes: Cabin booked.", ""],
      ["2", "00:00:04.000 --> 00:00:06.000", "Omar: Great."]
    ),
    format: "webvtt",
    said: ["2025-02-14T00:00:01Z Dana Reyes: Cabin booked.", "2025-02-14T00:00:04Z Omar: Great."]
  },
  {
    name: "Granola's Me and Them",
    body: lines("Me: hi", "", "Them: hello", "Me: we sign on Friday"),
    format: "granola",
    said: ["2025-02-14 Me: hi", "2025-02-14 Them: hello", "2025-02-14 Me: we sign on Friday"]
  },
  {
    name: "participants by number",
    body: lines("Participant 1: we sign", "Participant 2: on Friday"),
    format: "speaker-letter-no-time",
    said: ["2025-02-14 Participant 1: we sign", "2025-02-14 Participant 2: on Friday"]
  },
  {
    name: "Discord's newer export",
    body: lines("[14-Feb-25 07:58 PM] dana#1234", "Cabin booked", "", "[14-Feb-25 08:01 PM] Omar", "Great"),
    format: "discord-export-named-month",
    said: ["2025-02-14T19:58:00Z dana#1234: Cabin booked", "2025-02-14T20:01:00Z Omar: Great"]
  },
  {
    name: "ISO times in brackets",
    body: lines("[2025-02-14T19:58:00Z] Dana: Cabin booked", "[2025-02-14T21:01:00+01:00] Omar: Great"),
    format: "iso-bracket",
    said: ["2025-02-14T19:58:00Z Dana: Cabin booked", "2025-02-14T20:01:00Z Omar: Great"]
  },
  {
    name: "Facebook Messenger",
    body: lines([
      "Dana Reyes",
      "Cabin booked",
      "Feb 14, 2025 7:58:00 PM",
      "Omar",
      "Great",
      "Feb 14, 2025 8:01:00 PM"
    ]),
    format: "facebook-messenger",
    said: ["2025-02-14T19:58:00Z Dana Reyes: Cabin booked", "2025-02-14T20:01:00Z Omar: Great"]
  },
  {
    name: "e-mail with folded headers and a zone with a colon",
    body: lines(
      ["From: Dana Reyes <dana@example.org>", "To: Omar <omar@example.org>,", "  Ana <ana@example.org>"],
      ["Date: 14 Feb 2025 20:58:00 +01:00", "Subject: Cabin", "", "Booked."]
    ),
    format: "email",
    said: ["2025-02-14T19:58:00Z Dana Reyes: Cabin/Booked."]
  },
  {
    name: "e-mail whose history hangs below, as Outlook writes it",
    body: lines(
      [
        "From: Omar <omar@example.org>",
        "Sent: Friday, February 14, 2025 8:01 PM",
        "To: Dana Reyes",
        "Subject: RE: Cabin"
      ],
      ["", "Great", "", "________________________________"],
      [
        "From: Dana Reyes <dana@example.org>",
        "Sent: Friday, February 14, 2025 7:58 PM",
        "To: Omar",
        "Subject: Cabin"
      ],
      ["", "Booked."]
    ),
    format: "email",
    said: ["2025-02-14T20:01:00Z Omar: RE: Cabin/Great", "2025-02-14T19:58:00Z Dana Reyes: Booked."]
  },
  {
    name: "an attribution that was wrapped",
    body: lines(
      [
        "From: Omar <omar@example.org>",
        "Date: Fri, 14 Feb 2025 20:01:00 +0000",
        "Subject: Re: Cabin",
        "",
        "Great",
        ""
      ],
      ["On Fri, Feb 14, 2025 at 8:58 PM Dana Reyes", "<dana@example.org> wrote:", "", "> Booked."]
    ),
    format: "email",
    said: ["2025-02-14T20:58:00Z Dana Reyes: Booked.", "2025-02-14T20:01:00Z Omar: Re: Cabin/Great"]
  }
]

describe("fixtures", () => {
  for (const fixture of [...fixtures, ...elsewhere]) {
    it(fixture.name, () => {
      const parsed = read(fixture)
      if (parsed._tag !== "Conversation") return expect.fail(parsed.detail)
      expect(parsed.formats).toEqual([fixture.format])
      expect(
        parsed.messages.map((message) => {
          const iso = new Date(message.time).toISOString()
          const when = message.timeKnown ? iso.replace(".000Z", "Z") : iso.slice(0, 10)
          return `${when} ${message.speaker}: ${message.text.replaceAll("\n", "/")}`
        })
      ).toEqual(fixture.said)
      // The original loses fewer than two messages, and silences of an hour: here nothing is lost.
      expect(segmentConversation(parsed).flatMap((segment) => segment.messages)).toHaveLength(
        fixture.said.length
      )
    })
  }

  it("F17 negative: prose with tags of HTML is no chat", () => {
    const body = Array.from({ length: 20 }, (_, index) =>
      index % 5 === 0 ? `<div> block number ${index}` : `A sentence of prose, number ${index}, goes on here.`
    ).join("\n")
    expect(read({ body })).toMatchObject({ _tag: "NotAConversation", reason: "no format recognised" })
  })

  it("F18 decline: a heading that may be a speaker is declined, not guessed", () => {
    const body = lines("## User", "", "hi", "", "## Claude Code", "", "hello", "", "## User", "", "bye")
    expect(read({ body })).toMatchObject({
      _tag: "NotAConversation",
      reason: "headings that may be speakers",
      detail: expect.stringContaining("Claude Code")
    })
  })

  it("formats can be mixed line by line", () => {
    const body = lines(
      "**Dana Reyes** (2025-02-14 7:58 PM): Cabin booked",
      "**Omar** (2025-02-14 8:01 PM): Great",
      "[14/02/25, 20:05:00] Dana Reyes: from my phone now"
    )
    const parsed = read({ body })
    expect(parsed._tag === "Conversation" ? parsed.messages.map((it) => it.text) : parsed.detail).toEqual([
      "Cabin booked",
      "Great",
      "from my phone now"
    ])
  })
})
