/** A message as it was found in the text, before its time is worked out. */
import type { Stamp } from "./Stamp.ts"

/** A message as found. */
export interface RawMessage {
  readonly speaker: string
  readonly text: string
  readonly stamp: Stamp
  readonly line: number
  /** The date heading that it stands under, `YYYY-MM-DD`. */
  readonly heading: string | undefined
}

/** What a reader of a whole document found. */
export interface RawConversation {
  readonly formats: ReadonlyArray<string>
  readonly messages: ReadonlyArray<RawMessage>
}
