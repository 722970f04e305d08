/** A conversation, read from the text of a page: who said what, when, on which line. */

/** One message. */
export interface Message {
  readonly speaker: string
  readonly text: string
  /**
   * Epoch milliseconds, for order and gaps. It is a date in the world only when `dateKnown`; otherwise days count from
   * 1970-01-01.
   */
  readonly time: number
  /** Whether the conversation, or the page, tells the date. */
  readonly dateKnown: boolean
  /** Whether the conversation tells the time of day, or the time since its start. */
  readonly timeKnown: boolean
  /** The line of the body the message starts on, from 1. */
  readonly line: number
}

/** A conversation that was recognised. It has at least one message. */
export interface Conversation {
  readonly _tag: "Conversation"
  readonly messages: ReadonlyArray<Message>
  /** In order of first appearance. */
  readonly participants: ReadonlyArray<string>
  /** The formats that were found, most messages first. */
  readonly formats: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

/** Why a text is no conversation. */
export type NotAConversationReason =
  /** No known format is in it: prose, notes, lists. */
  | "no format recognised"
  /** Turns with headings of one speaker, and other headings that look like speakers we would have to guess. */
  | "headings that may be speakers"

/** A text that is no conversation. */
export interface NotAConversation {
  readonly _tag: "NotAConversation"
  readonly reason: NotAConversationReason
  /** For a reader: what was found. */
  readonly detail: string
}

/** What a page tells about when its conversation took place. */
export interface DateContext {
  /** `YYYY-MM-DD` of the front matter, or of the page's effective date. */
  readonly date: string | undefined
  /** IANA name of the time zone that times without one are in. UTC when undefined. */
  readonly timezone: string | undefined
}
