import { describe, expect, it } from "@effect/vitest"
import type { Message } from "../../../src/domain/conversation/Message.ts"
import { renderSegment } from "../../../src/domain/conversation/Render.ts"
import { userPrompt } from "../../../src/programs/extract-conversation-facts/prompt.ts"
import { readTranscript } from "./Transcript.ts"

describe("readTranscript", () => {
  it.each([
    ["[1] Ana Ruiz (2026-03-01T09:00:00Z): hello", { id: 1, speaker: "Ana Ruiz", text: "hello" }],
    [
      "[12] Bob (Acme) [ops]: x (2026-03-01T09:00:00+02:00): a: b",
      { id: 12, speaker: "Bob (Acme) [ops]: x", text: "a: b" }
    ],
    ["Ана (2026-03-01): без номера", { id: undefined, speaker: "Ана", text: "без номера" }],
    ["[2] A (09:15:00): hi", { id: 2, speaker: "A", text: "hi" }],
    ["[2] A (time unknown): hi", { id: 2, speaker: "A", text: "hi" }],
    ["[2] A (2026-03-01T09:00:00Z): x (2026-03-02): y", { id: 2, speaker: "A", text: "x (2026-03-02): y" }],
    ["[2] A (2026-03-01T09:00:00Z):", { id: 2, speaker: "A", text: "" }]
  ])("reads %j", (row, line) => {
    expect(readTranscript(row)).toEqual([line])
  })

  it.each(["Ana: hello", "[1] Ana: hello", "[1] (2026-03-01): nobody", "Ana (soon): hello"])(
    "finds no message in %j",
    (row) => {
      expect(readTranscript(row)).toEqual([])
    }
  )

  it("lets a text go on over further lines, and over quoted lines without a number", () => {
    const message =
      "[1] Ana (2026-03-01): one\ntwo\n\nBob (2026-02-01): quoted\r\n[2] Bob (2026-03-01): three"
    expect(readTranscript(message)).toEqual([
      { id: 1, speaker: "Ana", text: "one\ntwo\n\nBob (2026-02-01): quoted" },
      { id: 2, speaker: "Bob", text: "three" }
    ])
  })

  it("reads exactly the messages of a segment as the program asks about it", () => {
    const message = (speaker: string, text: string): Message => ({
      speaker,
      text,
      time: 1_772_355_600_000,
      dateKnown: true,
      timeKnown: true,
      line: 1
    })
    const first = message("Ana Ruiz", "I signed.\nEND")
    const last = message("Speaker A", "When?")
    const rendered = renderSegment(
      { index: 0, messages: [first, last], context: [message("Omar", "hi")], start: first, end: last },
      { slug: "conversations/lease", title: "Lease" }
    )
    expect(readTranscript(userPrompt(rendered))).toEqual([
      { id: 1, speaker: "Ana Ruiz", text: "I signed.\nEND" },
      { id: 2, speaker: "Speaker A", text: "When?" }
    ])
  })
})
