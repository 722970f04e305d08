/**
 * Writes a segment down for the model: a heading with the page, who takes part and when, then one message a line with its
 * number, so that the model can say where it read something. What somebody wrote cannot pass for a message of its own.
 */
import { DateTime, Option } from "effect"
import type { Message } from "./Message.ts"
import type { Segment } from "./Segment.ts"

/** What the heading tells of the page. */
export interface RenderedPage {
  readonly slug: string
  readonly title: string
}

/** The text of a segment. */
export const renderSegment = (segment: Segment, page: RenderedPage): string => {
  const speakers = [...new Set(segment.messages.map((message) => message.speaker))]
  const { end, start } = segment
  const heading = [
    page.title.trim() === "" ? page.slug : page.title.trim(),
    `Conversation between ${speakers.join(" and ")}, ${start.dateKnown ? `from ${timeOf(start)} to ${timeOf(end)}` : "date unknown"}.`
  ]
  const context =
    segment.context.length === 0
      ? []
      : [
          "Just before, for understanding only:",
          ...segment.context.map((message) => `${message.speaker}: ${unnumbered(message.text)}`),
          "---"
        ]
  const lines = segment.messages.map(
    (message, index) => `[${index + 1}] ${message.speaker} (${timeOf(message)}): ${unnumbered(message.text)}`
  )
  return [...heading, "---", ...context, ...lines].join("\n")
}

// A line that begins as messages do could be cited in place of the one with that number. All other lines stay as they were written:
// what was answered about them is not asked again.
const unnumbered = (text: string): string => text.replace(numbered, "> ")

const numbered = /(?=\[ *\d+ *\])(?<=[\n\v\f\u0085\u2028\u2029][\s\p{Cf}]*)/gu

/** A message's time as far as it is known: an instant, a day, a time since the start, or nothing. */
export const timeOf = (message: Message): string => {
  const iso = Option.match(DateTime.make(message.time), { onNone: () => "", onSome: DateTime.formatIso })
  const instant = iso.replace(".000Z", "Z")
  if (message.dateKnown) return message.timeKnown ? instant : iso.slice(0, 10)
  return message.timeKnown ? iso.slice(11, 19) : "time unknown"
}
