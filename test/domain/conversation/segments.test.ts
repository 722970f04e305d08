/** Segments: everything that was said reaches the model once, in pieces that fit, and stays where it is when more is said. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Conversation, Message } from "../../../src/domain/conversation/Message.ts"
import { parseConversation } from "../../../src/domain/conversation/Parse.ts"
import { renderSegment } from "../../../src/domain/conversation/Render.ts"
import { defaultSegmentOptions, segmentConversation } from "../../../src/domain/conversation/Segment.ts"

const conversationOf = (messages: ReadonlyArray<Message>): Conversation => ({
  _tag: "Conversation",
  messages,
  participants: [...new Set(messages.map((message) => message.speaker))],
  formats: ["test"],
  warnings: []
})

const message = (index: number, minute: number, text: string): Message => ({
  speaker: index % 2 === 0 ? "Ana" : "Omar",
  text,
  time: minute * 60_000,
  dateKnown: true,
  timeKnown: true,
  line: index + 1
})

const messages = fc
  .array(
    fc.record({
      gap: fc.integer({ min: -10, max: 90 }),
      text: fc.string({ minLength: 1, maxLength: 9000, unit: "grapheme" })
    }),
    {
      minLength: 1,
      maxLength: 60
    }
  )
  .map((items) => {
    let minute = 0
    return items.map(({ gap, text }, index) =>
      message(index, (minute += gap), text.trim() === "" ? "x" : text)
    )
  })

const letters = (text: string) => text.replace(/\s+/g, "")

describe("segments", () => {
  it("nothing is lost, nothing is doubled, everything fits", () => {
    fc.assert(
      fc.property(messages, (said) => {
        const segments = segmentConversation(conversationOf(said))
        expect(letters(segments.flatMap((segment) => segment.messages.map((it) => it.text)).join(""))).toBe(
          letters(said.map((it) => it.text).join(""))
        )
        for (const segment of segments) {
          expect(segment.messages.length).toBeLessThanOrEqual(30)
          expect(renderSegment(segment, { slug: "a/b", title: "T" }).length).toBeLessThanOrEqual(8_000)
        }
      }),
      { numRuns: 60 }
    )
  })

  it("what is appended leaves earlier segments as they were", () => {
    fc.assert(
      fc.property(messages, messages, (before, after) => {
        const last = before[before.length - 1]?.time ?? 0
        const more = after.map((it) => ({ ...it, time: it.time + last }))
        const short = segmentConversation(conversationOf(before))
        const long = segmentConversation(conversationOf([...before, ...more]))
        expect(long.slice(0, short.length - 1)).toEqual(short.slice(0, -1))
      }),
      { numRuns: 60 }
    )
  })

  it("a silence of more than thirty minutes cuts, one of thirty does not, and time that runs backwards does not", () => {
    const cut = (minutes: ReadonlyArray<number>) =>
      segmentConversation(conversationOf(minutes.map((minute, index) => message(index, minute, "x")))).length
    expect(cut([0, 30])).toBe(1)
    expect(cut([0, 31])).toBe(2)
    expect(cut([100, 0, 1])).toBe(1)
  })

  it("31 messages are two segments, and the second shows what came just before", () => {
    const said = Array.from({ length: 31 }, (_, index) => message(index, index, `number ${index}`))
    const [first, second] = segmentConversation(conversationOf(said))
    expect(first?.messages).toHaveLength(30)
    expect(second?.messages.map((it) => it.text)).toEqual(["number 30"])
    expect(second?.context.map((it) => it.text)).toEqual(["number 28", "number 29"])
    expect(renderSegment(second ?? expect.fail(), { slug: "a", title: "" })).toContain(
      "[1] Ana (1970-01-01T00:30:00Z): number 30"
    )
  })

  it("one message of 50,000 characters is split between words, whole characters only", () => {
    const text = Array.from({ length: 10_000 }, (_, index) => (index % 7 === 0 ? "🎉" : `w${index}`)).join(
      " "
    )
    const segments = segmentConversation(conversationOf([message(0, 0, text)]))
    expect(segments.length).toBeGreaterThan(5)
    expect(segments.flatMap((segment) => segment.messages.map((it) => it.text)).join(" ")).toBe(text)
    for (const segment of segments) expect(segment.messages[0]?.text.isWellFormed()).toBe(true)
    expect(defaultSegmentOptions.maxLength).toBeLessThanOrEqual(6_500)
  })
})

describe("reading takes time in proportion to the text", () => {
  // Each of these would take hours if any pattern could backtrack over the line.
  const upsetting = [
    "**".repeat(500_000),
    "[".repeat(1_000_000),
    "a ".repeat(500_000),
    "<".repeat(1_000_000),
    `**${"a".repeat(1_000_000)}`,
    `${"Name ".repeat(200_000)}:`,
    "1:1:1:".repeat(160_000),
    "- **a** (".repeat(110_000)
  ]
  for (const [index, text] of upsetting.entries()) {
    it(`a line of a megabyte made to upset a pattern, ${index + 1}`, () => {
      expect(parseConversation(text, { date: undefined, timezone: undefined })._tag).toBe("NotAConversation")
    })
  }

  it("a mail that goes on with a megabyte of headers", () => {
    const mail = `From: Dana\nDate: Fri, 14 Feb 2025 20:58:00 +0100\n\nBooked.\n\n`
    for (const more of ["To: Omar\n", "From: Omar\n", " and Ana\n", "On Friday\n", "Dana\n7:58 PM\n"]) {
      const parsed = parseConversation(mail + more.repeat(1_000_000 / more.length), {
        date: undefined,
        timezone: undefined
      })
      expect(parsed).toMatchObject({ _tag: "Conversation", formats: ["email"] })
    }
  })

  it("a page of 30 MB", () => {
    const line =
      "**Dana Reyes** (2025-02-03 7:58 PM): The cabin is booked for the fourteenth and the key is under the stone."
    const body = Array.from({ length: 290_000 }, () => line).join("\n")
    const parsed = parseConversation(body, { date: undefined, timezone: undefined })
    expect(parsed._tag === "Conversation" ? parsed.messages.length : 0).toBe(290_000)
  })

  it("any text at all is read without a fault", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 3000 }), (text) => {
        expect(["Conversation", "NotAConversation"]).toContain(
          parseConversation(text, { date: text, timezone: text })._tag
        )
      }),
      { numRuns: 300 }
    )
  })
})
