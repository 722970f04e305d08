/**
 * What looks like a message and is none, and what is one although it looks like something else: names of all kinds, timetables,
 * lists, code, notices.
 */
import { describe, expect, it } from "@effect/vitest"
import { parseConversation } from "../../../src/domain/conversation/Parse.ts"
import { dayHeading } from "../../../src/domain/conversation/DayHeading.ts"

/** The messages of a text as `speaker: text`, or why there are none. */
const read = (body: string): string | ReadonlyArray<string> => {
  const parsed = parseConversation(body, { date: "2025-02-14", timezone: undefined })
  if (parsed._tag === "NotAConversation") return parsed.reason
  return parsed.messages.map((message) => `${message.speaker}: ${message.text.replaceAll("\n", "/")}`)
}

/** The same with the time of day, or the day. */
const timed = (body: string): string | ReadonlyArray<string> => {
  const parsed = parseConversation(body, { date: "2025-02-14", timezone: undefined })
  if (parsed._tag === "NotAConversation") return parsed.reason
  return parsed.messages.map(
    ({ speaker, text, time }) => `${speaker}@${new Date(time).toISOString().slice(0, 19)}: ${text}`
  )
}

const none = "no format recognised"

describe("names", () => {
  const cases: ReadonlyArray<readonly [name: string, body: string, messages: ReadonlyArray<string>]> = [
    [
      "months that are names",
      "April: I sign\nOmar: good\nApril: on Friday",
      ["April: I sign", "Omar: good", "April: on Friday"]
    ],
    [
      "a full name that begins with a month",
      "**June Park:** hi\n**Omar:** hello",
      ["June Park: hi", "Omar: hello"]
    ],
    [
      "a month in the middle of Slack",
      "Dana Reyes  9:15 AM\nhello\nApril Jones  9:16 AM\nI quit my job",
      ["Dana Reyes: hello", "April Jones: I quit my job"]
    ],
    ["a title", "**Dr. Smith:** take two\n**Omar:** thanks", ["Dr. Smith: take two", "Omar: thanks"]],
    [
      "an initial",
      "J. R. Hartley: fly fishing\nOmar: thanks",
      ["J. R. Hartley: fly fishing", "Omar: thanks"]
    ],
    ["a nickname that is a tag of HTML", "<mark> hi there\n<omar> hello", ["mark: hi there", "omar: hello"]],
    [
      "pronouns are no part of the name",
      "Dana Reyes (she/her)  9:15 AM\nhello\nOmar (he/him)  9:16 AM\nhi",
      ["Dana Reyes: hello", "Omar: hi"]
    ],
    [
      "what tells two Danas apart is",
      "Dana (PM): hi\nDana (Sales): hello\nDana (PM): so",
      ["Dana (PM): hi", "Dana (Sales): hello", "Dana (PM): so"]
    ],
    [
      "Signal, a remark behind the name",
      "Dana (Work) (2025-02-14 19:58:00 UTC): hi\nOmar (2025-02-14 20:01:00 UTC): hello",
      ["Dana (Work): hi", "Omar: hello"]
    ],
    ["emoji", "Dana 🎉: hi\nOmar 👍🏽: hello\nDana: so", ["Dana: hi", "Omar: hello", "Dana: so"]],
    [
      "no capitals",
      "dana: are you in\nomar: yes\ndana: good\nomar: bye",
      ["dana: are you in", "omar: yes", "dana: good", "omar: bye"]
    ],
    [
      "particles",
      "Maria dos Santos: oi\nJan van den Berg: hoi",
      ["Maria dos Santos: oi", "Jan van den Berg: hoi"]
    ],
    [
      "Teams, the names turned around",
      "Reyes, Dana, 2/14/2025 7:58 PM: hi\nHaddad, Omar, 2/14/2025 8:01 PM: hello",
      ["Dana Reyes: hi", "Omar Haddad: hello"]
    ],
    [
      "a link is a message where names are",
      "Dana: look\nOmar: https://x.org/report\nDana: thanks",
      ["Dana: look", "Omar: https://x.org/report", "Dana: thanks"]
    ]
  ]
  for (const [name, body, messages] of cases) it(name, () => expect(read(body)).toEqual(messages))
})

describe("timetables, lists and logs", () => {
  const notes = (count: number) =>
    Array.from({ length: count }, (_, at) => `note ${at} of a long text`).join("\n")
  const negatives: ReadonlyArray<readonly [name: string, body: string]> = [
    ["an agenda", "09:00 Welcome: Dana opens\n09:30 Roadmap: Omar shows\n10:15 Budget: Ana"],
    ["an agenda of two", "09:00 Welcome: Dana opens\n09:30 Roadmap: Omar shows"],
    [
      "an agenda with dashes",
      "09:00 - Welcome\nDana opens\n09:30 - Roadmap\nOmar shows\n10:15 - Budget\nAna"
    ],
    ["appointments", "Breakfast 8:00\nLunch 12:30\nsee you"],
    ["properties in bold", "**Revenue:** 4M\n**Headcount:** 40\n**Runway:** 18 months\n**Churn:** 2%"],
    ["properties of another language", "Datum: 3. März\nOrt: Berlin\nTeilnehmer: Dana\nErgebnis: keines"],
    ["a plan by months", "May: we hire\nJune: we launch"],
    ["dates that begin with a month", "June 3: launch\nJune 4: rest\nJune 3: again"],
    [
      "notes in which two messages are quoted",
      `${notes(20)}\n[14/02/25, 19:58:00] Dana: hi\n[14/02/25, 20:01:00] Omar: hello\n${notes(300)}`
    ],
    ["keys and values", "url: x\nkey: y\nurl: z\nkey: w"]
  ]
  for (const [name, body] of negatives) it(name, () => expect(read(body)).toBe(none))

  const whatsapp = (...texts: ReadonlyArray<string>) =>
    texts.map((text, at) => `[14/02/25, 19:5${at}:00] ${at % 2 === 0 ? "Dana" : "Omar"}: ${text}`).join("\n")

  it("a timetable in a message is what somebody wrote", () => {
    expect(read(whatsapp("09:00 Breakfast: at the hotel\n10:30 Museum: by tram", "fine"))).toEqual([
      "Dana: 09:00 Breakfast: at the hotel/10:30 Museum: by tram",
      "Omar: fine"
    ])
    expect(read(whatsapp("Breakfast 8:00\nso early\nLunch 12:30\nsee you", "fine"))).toEqual([
      "Dana: Breakfast 8:00/so early/Lunch 12:30/see you",
      "Omar: fine"
    ])
  })

  it("people who each speak once, by their full names, are a conversation", () => {
    expect(read("Dana Reyes  9:15 AM\nhello\nOmar Haddad  9:16 AM\nhi\nAna  9:17 AM\nbye")).toHaveLength(3)
    expect(
      read(
        "19:58:03 From Dana to Everyone: hi\n19:58:40 From Omar to Everyone: ho\n20:01:12 From Ana to Everyone: so"
      )
    ).toHaveLength(3)
    const body = "**Dana Reyes:** did the books\n**Omar Haddad:** nothing\n**Ana Ruiz:** was ill"
    expect(read(body)).toEqual(["Dana Reyes: did the books", "Omar Haddad: nothing", "Ana Ruiz: was ill"])
  })
})

describe("code", () => {
  it("no message begins in a block, and its lines stay as they are written", () => {
    const body = [
      "**Dana** (2025-02-14 7:58 PM): it says",
      "```",
      "[2025-02-01T10:00:00Z] worker: started",
      "  [2025-02-01T10:00:01Z] worker: failed",
      "",
      "  at line 3",
      "```",
      "**Omar** (2025-02-14 8:01 PM): I see"
    ].join("\n")
    expect(read(body)).toEqual([
      "Dana: it says/```/[2025-02-01T10:00:00Z] worker: started/  [2025-02-01T10:00:01Z] worker: failed//  at line 3/```",
      "Omar: I see"
    ])
  })

  it("a block may begin behind the words of a message", () => {
    expect(
      read("Dana: run ```\nOmar: x\n```\nOmar: done\nDana: and ```\nOmar: y\n```\nOmar: done too")
    ).toEqual(["Dana: run ```/Omar: x/```", "Omar: done", "Dana: and ```/Omar: y/```", "Omar: done too"])
  })

  it("a template in an answer is no turn", () => {
    const body =
      "## User\n\nwrite one\n\n## Assistant\n\n```markdown\n## User\nhi\n## Assistant\nhello\n```\n\n## User\n\nthanks"
    expect(read(body)).toHaveLength(3)
  })

  it("a fence that is never closed quotes nothing", () => {
    expect(read("Dana: look\n```\nOmar: at what\nDana: that")).toEqual([
      "Dana: look/```",
      "Omar: at what",
      "Dana: that"
    ])
  })

  it("a transcript that stands in a block as a whole is read", () => {
    expect(read("Copied from the chat:\n\n```\nDana: hi\nOmar: hello\nDana: so\n```")).toEqual([
      "Dana: hi",
      "Omar: hello",
      "Dana: so/```"
    ])
  })
})

describe("WhatsApp's own words", () => {
  it("notices belong to nobody, on either telephone", () => {
    const android =
      '14/02/2025, 19:57 - Dana changed the group name to "Trip: Lisbon"\n14/02/2025, 19:58 - Dana: hi\n14/02/2025, 19:59 - Omar left'
    expect(read(android)).toEqual(["Dana: hi"])
    const ios =
      "[14/02/25, 19:58:00] Dana: hi\n[14/02/25, 19:59:00] Dana added Omar\n[14/02/25, 20:01:00] Omar: hello"
    expect(read(ios)).toEqual(["Dana: hi", "Omar: hello"])
  })

  it("what stands for a picture or a deleted message is left out, and marks of editing too", () => {
    const body = [
      "14/02/2025, 19:58 - Dana: <Media omitted>",
      "14/02/2025, 19:59 - Dana: the price is 400k <This message was edited>",
      "14/02/2025, 20:00 - Omar: This message was deleted.",
      "14/02/2025, 20:01 - Omar: image omitted by mistake"
    ].join("\n")
    expect(read(body)).toEqual(["Dana: the price is 400k", "Omar: image omitted by mistake"])
  })

  it("dates with the words of more countries", () => {
    for (const [first, second] of [
      ["14/02/2025 à 19:58 - ", "14/02/2025 à 20:01 - "],
      ["14.02.25 um 19:58 - ", "14.02.25 um 20:01 - "],
      ["14.02.25 г., 19:58 - ", "14.02.25 г., 20:01 - "]
    ] as const)
      expect(timed(`${first}Dana: hi\n${second}Omar: hello`)).toEqual([
        "Dana@2025-02-14T19:58:00: hi",
        "Omar@2025-02-14T20:01:00: hello"
      ])
  })
})

describe("times", () => {
  const both = [
    "Dana@2025-02-14T19:58:00: hi",
    "Omar@2025-02-14T20:01:00: hello",
    "Dana@2025-02-14T20:02:00: so"
  ]
  const shapes: ReadonlyArray<readonly [name: string, heads: ReadonlyArray<string>]> = [
    [
      "bold, in brackets, twelve hours",
      ["**[7:58 PM] Dana:** ", "**[8:01 PM] Omar:** ", "**[8:02 PM] Dana:** "]
    ],
    ["in brackets", ["[19:58] Dana: ", "[20:01] Omar: ", "[20:02] Dana: "]],
    ["in brackets, twelve hours", ["[7:58 PM] Dana: ", "[8:01 PM] Omar: ", "[8:02 PM] Dana: "]],
    ["in parentheses", ["Dana (7:58 PM): ", "Omar (8:01 PM): ", "Dana (8:02 PM): "]],
    ["before a dash", ["19:58 - Dana: ", "20:01 - Omar: ", "20:02 - Dana: "]],
    ["before the name", ["19:58 Dana: ", "20:01 Omar: ", "20:02 Dana: "]],
    ["before the name, twelve hours", ["7:58 PM Dana: ", "8:01 PM Omar: ", "8:02 PM Dana: "]],
    ["Discord's window of the day", ["Dana — 7:58 PM\n", "Omar — 8:01 PM\n", "Dana — 8:02 PM\n"]],
    [
      "ISO with the zone's name",
      [
        "[2025-02-14 19:58:00 UTC] Dana: ",
        "[2025-02-14 20:01:00 UTC] Omar: ",
        "[2025-02-14 20:02:00 UTC] Dana: "
      ]
    ],
    [
      "ISO with the zone apart",
      [
        "[2025-02-14 20:58:00 +01:00] Dana: ",
        "[2025-02-14 20:01:00 +00:00] Omar: ",
        "[2025-02-14 20:02:00 GMT] Dana: "
      ]
    ]
  ]
  for (const [name, heads] of shapes) {
    it(name, () =>
      expect(timed(heads.map((head, at) => `${head}${["hi", "hello", "so"][at]}`).join("\n"))).toEqual(both)
    )
  }

  it("a recording's times before a dash are told by all of them together", () => {
    expect(timed("18:37 - Dana\nhi\n21:05 - Omar\nhello\n21:06 - Dana\nso")).toEqual([
      "Dana@2025-02-14T18:37:00: hi",
      "Omar@2025-02-14T21:05:00: hello",
      "Dana@2025-02-14T21:06:00: so"
    ])
    expect(timed("0:37 - Dana\nhi\n61:05 - Omar\nhello\n61:06 - Dana\nso")).toEqual([
      "Dana@2025-02-14T00:00:37: hi",
      "Omar@2025-02-14T01:01:05: hello",
      "Dana@2025-02-14T01:01:06: so"
    ])
  })

  it("days that are written in words are headings where they are marked as such", () => {
    for (const line of [
      "## 2025-02-13",
      "### Thursday, February 13, 2025",
      "--- February 13, 2025 ---",
      "Thursday, February 13th, 2025",
      "# 13 February 2025"
    ])
      expect([line, dayHeading(line)]).toEqual([line, "2025-02-13"])
    for (const line of ["February 13, 2025", "# Plans of 2025", "# 30 February 2025", "in 2025"])
      expect([line, dayHeading(line)]).toEqual([line, undefined])
    expect(
      timed(
        "**[23:10] Dana:** hi\n--- February 20, 2025 ---\n**[08:00] Omar:** morning\n**[08:05] Dana:** yes"
      )
    ).toEqual([
      expect.stringMatching(/^Dana@2025-02-1[34]T23:10/),
      "Omar@2025-02-20T08:00:00: morning",
      "Dana@2025-02-20T08:05:00: yes"
    ])
  })
})
