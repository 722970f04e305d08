/**
 * Cuts a conversation into segments, each a question to the model: at silences, and before a segment grows too long.
 * Everything that was said is in exactly one segment; nothing is dropped, a message too long for one is split. Cuts depend
 * only on what comes before them, so that a page to which messages are appended keeps its earlier segments, and what was
 * paid for them.
 */
import type { Conversation, Message } from "./Message.ts"

/** How conversations are cut. */
export interface SegmentOptions {
  /** A silence longer than this begins a new segment. Milliseconds. */
  readonly gapMillis: number
  readonly maxMessages: number
  /** The most characters of text in a segment, names and times included. */
  readonly maxLength: number
}

/** gbrain's values. */
export const defaultSegmentOptions: SegmentOptions = {
  gapMillis: 30 * 60_000,
  maxMessages: 30,
  maxLength: 6_000
}

/** A piece of a conversation. */
export interface Segment {
  /** From 0, over the page. */
  readonly index: number
  /** The messages it is about. The model knows them by their place, from 1. */
  readonly messages: ReadonlyArray<Message>
  /** A few messages before it, for understanding only. */
  readonly context: ReadonlyArray<Message>
  readonly start: Message
  readonly end: Message
}

/** Messages before a segment that are shown with it when no silence lies between. */
const contextMessages = 2

/** How much of a message that is shown for context only is shown. */
const contextLength = 200

/** Characters around the text of a message when it is rendered: number, time, punctuation. */
const framing = 40

/** Cuts a conversation. Deterministic; a conversation has at least one segment. */
export const segmentConversation = (
  conversation: Conversation,
  options: SegmentOptions = defaultSegmentOptions
): ReadonlyArray<Segment> => {
  const segments: Array<Segment> = []
  let open: Array<Message> = []
  let length = 0
  let context: ReadonlyArray<Message> = []

  const close = (nextContext: ReadonlyArray<Message>) => {
    const [start] = open
    const end = open[open.length - 1]
    if (start !== undefined && end !== undefined) {
      segments.push({ index: segments.length, messages: open, context, start, end })
    }
    context = nextContext
    open = []
    length = 0
  }

  for (const message of conversation.messages.flatMap((whole) => splitMessage(whole, options.maxLength))) {
    const size = message.text.length + message.speaker.length + framing
    const last = open[open.length - 1]
    // Time that runs backwards is disorder in the export, not silence.
    if (last !== undefined && message.time - last.time > options.gapMillis) close([])
    else if (
      open.length >= options.maxMessages ||
      (last !== undefined && length + size > options.maxLength)
    ) {
      close(open.slice(-contextMessages).map(shorten))
    }
    open.push(message)
    length += size
  }
  close([])
  return segments
}

const shorten = (message: Message): Message =>
  message.text.length <= contextLength
    ? message
    : { ...message, text: `${message.text.slice(0, wholeCharacters(message.text, contextLength))}…` }

/** Splits a message that no segment could hold, at paragraphs, sentences or words, else between characters. */
const splitMessage = (message: Message, maxLength: number): ReadonlyArray<Message> => {
  const room = Math.max(200, maxLength - message.speaker.length - framing)
  if (message.text.length <= room) return [message]
  const pieces: Array<Message> = []
  for (let rest = message.text; rest !== "";) {
    const at = rest.length <= room ? rest.length : cutAt(rest, room)
    const text = rest.slice(0, at).trim()
    if (text !== "") pieces.push({ ...message, text })
    rest = rest.slice(at)
  }
  return pieces
}

const cutAt = (text: string, room: number): number => {
  const window = text.slice(0, room)
  const least = Math.floor(room / 2)
  for (const boundary of ["\n", ". ", "? ", "! ", "。", "؟", ", ", " "]) {
    const at = window.lastIndexOf(boundary)
    if (at >= least) return at + boundary.length
  }
  return wholeCharacters(text, room)
}

// Never between the two halves of one character.
const wholeCharacters = (text: string, length: number): number => {
  const unit = text.charCodeAt(length - 1)
  return unit >= 0xd800 && unit <= 0xdbff ? length - 1 : length
}
