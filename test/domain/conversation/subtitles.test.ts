/** Subtitles: whose words they are, and that captions without punctuation are read in pieces, in time linear in the text. */
import { describe, expect, it } from "@effect/vitest"
import { parseConversation } from "../../../src/domain/conversation/Parse.ts"

interface Cue {
  readonly from: number
  readonly to: number
  readonly text: string
}

const two = (number: number) => String(number).padStart(2, "0")
const at = (seconds: number) =>
  `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.000`

const vtt = (cues: ReadonlyArray<Cue>): string =>
  ["WEBVTT", ...cues.flatMap(({ from, text, to }) => ["", `${at(from)} --> ${at(to)}`, text])].join("\n")

/** Cues of a second each, one after the other. */
const spoken = (...texts: ReadonlyArray<string>): string =>
  vtt(texts.map((text, index) => ({ from: index, to: index + 1, text })))

const srt = (...texts: ReadonlyArray<string>): string =>
  texts
    .map(
      (text, index) =>
        `${index + 1}\n${at(index).replace(".", ",")} --> ${at(index + 1).replace(".", ",")}\n${text}\n`
    )
    .join("\n")

const messages = (body: string) => {
  const parsed = parseConversation(body, { date: "2025-02-14", timezone: undefined })
  return parsed._tag === "Conversation" ? parsed.messages : expect.fail(parsed.detail)
}

const said = (body: string): ReadonlyArray<string> =>
  messages(body).map(({ speaker, text }) => `${speaker}: ${text}`)

describe("captions without punctuation", () => {
  // A text that is looked through again for each cue would take minutes.
  it("32,000 cues are messages of some hundred characters, each at its own time and line", () => {
    const cues = Array.from({ length: 32_000 }, (_, index) => ({
      from: index * 2,
      to: index * 2 + 2,
      text: `and then there is number ${index} of them which goes on`
    }))
    const found = messages(vtt(cues))
    expect(found.map(({ text }) => text).join(" ")).toBe(cues.map(({ text }) => text).join(" "))
    expect(found.length).toBeGreaterThan(3_000)
    expect(found.length).toBeLessThan(8_000)
    expect(Math.max(...found.map(({ text }) => text.length))).toBeLessThanOrEqual(400)
    const start = Date.UTC(2025, 1, 14)
    for (const { line, text, time } of found) {
      const cue = Number(/\d+/.exec(text)?.[0])
      expect([time - start, line]).toEqual([cue * 2_000, cue * 3 + 4])
    }
  })

  it("a silence of some seconds begins a message", () => {
    const body = vtt([
      { from: 0, to: 2, text: "we have news" },
      { from: 5, to: 7, text: "from the bank" },
      { from: 13, to: 15, text: "are you there" }
    ])
    expect(said(body)).toEqual(["Unknown: we have news from the bank", "Unknown: are you there"])
  })

  it("a sentence ends behind a quotation mark, too", () => {
    expect(said(spoken("He said “we sign.”", "Then he left."))).toHaveLength(2)
  })
})

describe("voice tags", () => {
  it("where there are some, a colon is only a colon", () => {
    expect(
      said(
        spoken(
          "<v Dana Reyes>We have news.</v>",
          "So here is the thing: we sign on Friday.",
          "Remember: Friday it is.",
          "Omar Haddad: he will come.",
          "<v Omar>Good.</v>"
        )
      )
    ).toEqual([
      "Dana Reyes: We have news.",
      "Dana Reyes: So here is the thing: we sign on Friday.",
      "Dana Reyes: Remember: Friday it is.",
      "Dana Reyes: Omar Haddad: he will come.",
      "Omar: Good."
    ])
  })

  it("two on one line are two voices", () => {
    expect(said(spoken("<v Dana>Hi.</v> <v.loud Omar>I quit.</v>", "<i>Today.</i>"))).toEqual([
      "Dana: Hi.",
      "Omar: I quit.",
      "Omar: Today."
    ])
  })
})

describe("labels", () => {
  it("are no sentences and no openings of sentences", () => {
    expect(
      said(
        srt(
          "Dana Reyes: We have news.",
          "So here is the thing: we sign.",
          "Remember: it is Friday.",
          "At 10:30 we met.",
          "Lisbon: that is where.",
          "Bring the keys."
        )
      )
    ).toEqual([
      "Dana Reyes: We have news.",
      "Dana Reyes: So here is the thing: we sign.",
      "Dana Reyes: Remember: it is Friday.",
      "Dana Reyes: At 10:30 we met.",
      "Dana Reyes: Lisbon: that is where.",
      "Dana Reyes: Bring the keys."
    ])
  })

  it("of one word are names when they return, or when every second cue has one", () => {
    expect(
      said(srt("Dana: We have news.", "We sign.", "On Friday.", "At noon.", "In Porto.", "Dana: Good news."))
    ).toEqual([
      "Dana: We have news.",
      "Dana: We sign.",
      "Dana: On Friday.",
      "Dana: At noon.",
      "Dana: In Porto.",
      "Dana: Good news."
    ])
    expect(said(srt("Dana: We have news.", "We sign.", "Omar: Great."))).toEqual([
      "Dana: We have news.",
      "Dana: We sign.",
      "Omar: Great."
    ])
  })

  it("stand behind the marks of broadcasters, too", () => {
    expect(said(spoken("&gt;&gt; Dana Reyes: We sign.", "&gt;&gt; Omar Haddad: Great."))).toEqual([
      "Dana Reyes: We sign.",
      "Omar Haddad: Great."
    ])
  })
})

describe("entities", () => {
  it("are read in WebVTT, once, and in names", () => {
    expect(
      said(
        spoken(
          "<v Dana &amp; Omar>Smith &amp; Sons&nbsp;pay &lt;400k&gt;.&lrm;</v>",
          "&rlm;It&#39;s &amp;lt; that &copy;."
        )
      )
    ).toEqual(["Dana & Omar: Smith & Sons pay <400k>.", "Dana & Omar: It's &lt; that &copy;."])
  })

  it("are none in SubRip", () => {
    expect(said(srt("Dana Reyes: R&amp;D pays."))).toEqual(["Dana Reyes: R&amp;D pays."])
  })
})
