/** What times mean, and that it does not change when more is said. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { parseConversation } from "../../../src/domain/conversation/Parse.ts"
import { renderSegment } from "../../../src/domain/conversation/Render.ts"
import { segmentConversation } from "../../../src/domain/conversation/Segment.ts"

const times = (body: string): ReadonlyArray<string> => {
  const parsed = parseConversation(body, { date: "2025-02-14", timezone: undefined })
  if (parsed._tag !== "Conversation") return expect.fail(parsed.detail)
  return parsed.messages.map((message) => new Date(message.time).toISOString().slice(5, 19))
}

/** What would be asked about a page, and so what its answers are journaled by. */
const questions = (body: string): ReadonlyArray<string> => {
  const parsed = parseConversation(body, { date: "2025-02-14", timezone: undefined })
  if (parsed._tag !== "Conversation") return []
  return segmentConversation(parsed).map((segment) => renderSegment(segment, { slug: "a", title: "A" }))
}

const colons = (...stamps: ReadonlyArray<string>) =>
  stamps
    .map((stamp, index) => `**${index % 2 === 0 ? "Dana" : "Omar"}** (${stamp}): number ${index}`)
    .join("\n")

describe("(02:47): a time of day, or since the start", () => {
  const cases: ReadonlyArray<readonly [name: string, stamps: ReadonlyArray<string>, first: string]> = [
    ["from zero", ["00:00", "00:41", "01:15"], "02-14T00:00:00"],
    ["from zero, turns seconds apart", ["00:02", "00:03", "00:05"], "02-14T00:00:02"],
    ["some minutes in, growing by many", ["02:10", "02:47", "03:21"], "02-14T00:02:10"],
    ["beyond 23", ["21:58", "22:40", "24:02"], "02-14T00:21:58"],
    ["with hours", ["0:58:00", "1:02:10"], "02-14T00:58:00"],
    ["a chat in the morning", ["09:00", "09:01", "09:40"], "02-14T09:00:00"],
    ["a slow chat over the day", ["09:00", "11:30", "17:45"], "02-14T09:00:00"],
    ["a chat at night, minutes apart", ["01:10", "01:12", "01:13"], "02-14T01:10:00"],
    ["a chat over midnight", ["23:50", "00:05", "00:06"], "02-14T23:50:00"],
    ["one message", ["09:40"], "02-14T09:40:00"]
  ]
  for (const [name, stamps, first] of cases) {
    it(name, () => expect(times(colons(...stamps))[0]).toBe(first))
  }

  it("after a dozen, only a number that is no hour changes what was decided", () => {
    const chat = Array.from({ length: 12 }, (_, index) => `09:${String(index).padStart(2, "0")}`)
    const before = times(colons(...chat))
    expect(times(colons(...chat, "12:40", "18:55", "22:10", "23:59")).slice(0, 12)).toEqual(before)
    expect(times(colons(...chat, "24:10"))[0]).toBe("02-14T00:09:00")
    const recording = Array.from({ length: 12 }, (_, index) => `00:${String(index * 4).padStart(2, "0")}`)
    const seconds = times(colons(...recording))
    expect(times(colons(...recording, "00:10", "00:02")).slice(0, 12)).toEqual(seconds)
  })
})

describe("a time of day further back", () => {
  const after = (...stamps: ReadonlyArray<string>) =>
    times(
      stamps
        .map((stamp, index) => `**${index % 2 === 0 ? "Me" : "Dana"}** (${stamp}): number ${index}`)
        .join("\n")
    )

  it("is of the next day, most often its morning", () => {
    expect(after("8:30 PM", "8:35 PM", "9:00 AM", "9:10 AM", "8:00 AM")).toEqual([
      "02-14T20:30:00",
      "02-14T20:35:00",
      "02-15T09:00:00",
      "02-15T09:10:00",
      "02-15T08:00:00"
    ])
    expect(times("[21:05] Ana: late\n[21:09] Omar: yes\n[10:00] Ana: early\n[09:00] Omar: so")).toEqual([
      "02-14T21:05:00",
      "02-14T21:09:00",
      "02-15T10:00:00",
      "02-15T09:00:00"
    ])
    expect(after("5:00 PM", "2:59 PM", "12:58 PM")).toEqual([
      "02-14T17:00:00",
      "02-15T14:59:00",
      "02-16T12:58:00"
    ])
    expect(after("11:58 PM", "12:02 AM")).toEqual(["02-14T23:58:00", "02-15T00:02:00"])
  })

  it("by two hours or less is disorder of the same day", () => {
    expect(after("5:00 PM", "4:59 PM", "5:02 PM", "3:02 PM", "5:03 PM")).toEqual([
      "02-14T17:00:00",
      "02-14T16:59:00",
      "02-14T17:02:00",
      "02-14T15:02:00",
      "02-14T17:03:00"
    ])
  })

  it("under a heading with its date is of that day, but for what comes after midnight", () => {
    const under = (...stamps: ReadonlyArray<string>) =>
      times(
        ["## 2025-02-20", ...stamps.map((stamp, index) => `**Me** (${stamp}): number ${index}`)].join("\n")
      )
    expect(under("8:35 PM", "9:00 AM", "11:58 PM", "12:02 AM")).toEqual([
      "02-20T20:35:00",
      "02-20T09:00:00",
      "02-20T23:58:00",
      "02-21T00:02:00"
    ])
  })
})

describe("03/02: February or March", () => {
  it("is the country's guess until a date leaves no doubt", () => {
    const day = (text: string) => `[${text}, 19:58:00] Dana: hello there`
    expect(times([day("03/02/25"), day("04/02/25")].join("\n"))).toEqual(["02-03T19:58:00", "02-04T19:58:00"])
    expect(times([day("03/02/25"), day("02/14/25")].join("\n"))).toEqual(["03-02T19:58:00", "02-14T19:58:00"])
  })

  it("capitals of AM and PM are of a country that begins with the month", () => {
    const said = (text: string) => times(`${text} - Dana: hi there\n${text} - Omar: hello`)[0]
    expect(said("2/3/25, 7:58 PM")).toBe("02-03T19:58:00")
    expect(said("2/3/25, 7:58 pm")).toBe("03-02T19:58:00")
    expect(said("2/3/25, 7:58 p. m.")).toBe("03-02T19:58:00")
  })
})

describe("a conversation in several time zones", () => {
  it("takes each line by the zone that it names, and the others by the page's", () => {
    const parsed = parseConversation(
      [
        "[2025-07-01T10:00:00+01:00] Dana: in Lisbon",
        "[2025-07-01T09:05:00Z] Omar: in Reykjavik",
        "[2025-07-01T11:10:00] Ines: in Madrid",
        "[2025-12-01T10:15:00] Ines: in Madrid, in winter",
        "[2025-07-01T05:20:00-04:00] Ben: in New York"
      ].join("\n"),
      { date: undefined, timezone: "Europe/Madrid" }
    )
    expect(
      parsed._tag === "Conversation"
        ? parsed.messages.map(
            (message) => `${message.speaker} ${new Date(message.time).toISOString().slice(0, 16)}`
          )
        : parsed.detail
    ).toEqual([
      "Dana 2025-07-01T09:00",
      "Omar 2025-07-01T09:05",
      "Ines 2025-07-01T09:10",
      "Ines 2025-12-01T09:15",
      "Ben 2025-07-01T09:20"
    ])
    expect(parsed._tag === "Conversation" && parsed.warnings).toEqual([])
  })
})

describe("an appended line changes no earlier question", () => {
  const two = (number: number) => String(number).padStart(2, "0")
  const stamped = fc.record({
    day: fc.integer({ min: 1, max: 28 }),
    month: fc.integer({ min: 1, max: 12 }),
    hour: fc.integer({ min: 0, max: 23 }),
    minute: fc.integer({ min: 0, max: 59 })
  })

  it("once a date has told the order of day and month", () => {
    const line = (at: { day: number; month: number; hour: number; minute: number }, index: number) =>
      `[${two(at.day)}/${two(at.month)}/25, ${two(at.hour)}:${two(at.minute)}:00] ${index % 2 === 0 ? "Dana" : "Omar"}: number ${index}`
    fc.assert(
      fc.property(
        fc.array(stamped, { minLength: 1, maxLength: 80 }),
        fc.array(stamped, { minLength: 1, maxLength: 20 }),
        (before, after) => {
          const told = [{ day: 28, month: 2, hour: 9, minute: 0 }, ...before]
          const short = questions(told.map(line).join("\n"))
          const long = questions([...told, ...after].map(line).join("\n"))
          expect(long.slice(0, short.length - 1)).toEqual(short.slice(0, -1))
        }
      ),
      { numRuns: 60 }
    )
  })

  it("once a dozen times have told their kind", () => {
    fc.assert(
      fc.property(
        fc.array(stamped, { minLength: 12, maxLength: 80 }),
        fc.array(stamped, { minLength: 1, maxLength: 20 }),
        (before, after) => {
          const stampOf = (at: { hour: number; minute: number }) => `${two(at.hour)}:${two(at.minute)}`
          const short = questions(colons(...before.map(stampOf)))
          const long = questions(colons(...[...before, ...after].map(stampOf)))
          expect(long.slice(0, short.length - 1)).toEqual(short.slice(0, -1))
        }
      ),
      { numRuns: 60 }
    )
  })
})
