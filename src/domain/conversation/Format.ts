/**
 * What a transcript format is: how the line that begins a message looks. A line is matched by its first characters only, with
 * patterns whose repetitions are bounded, so that recognising a line takes the same time however long it is.
 */
import type { Stamp } from "./Stamp.ts"

/** The beginning of a message. */
export interface Anchor {
  readonly speaker: string
  readonly stamp: Stamp
  /** How many characters of the line the beginning takes; what follows is text. */
  readonly length: number
}

/**
 * How much a matching line proves. `strong`: its shape occurs in transcripts only. `medium`: it also occurs in documents, so
 * that several speakers are asked for. `weak`: `Name: text`, which needs all the care there is.
 */
export type Strength = "strong" | "medium" | "weak"

/** A format. */
export interface Format {
  readonly id: string
  readonly strength: Strength
  /**
   * Reads the start of a line, which is trimmed. `"ignore"` is a line of the format that is no message, such as WhatsApp's
   * notices.
   */
  readonly anchor: (line: string) => Anchor | "ignore" | undefined
  /** Lines that begin a message where the format is believed, and are no reason to believe it. */
  readonly doubtful?: RegExp
  /** Lines that begin a message in this format; each is a test. */
  readonly examples: ReadonlyArray<string>
  /** Lines that look like it and do not. */
  readonly counterexamples: ReadonlyArray<string>
}

/** Characters of a line that its beginning is looked for in. */
export const prefixLength = 240

/** A format from one pattern over the start of a line. */
export const lineFormat = (options: {
  readonly id: string
  readonly strength: Strength
  readonly pattern: RegExp
  readonly read: (
    groups: Readonly<Record<string, string | undefined>>
  ) => { readonly speaker: string; readonly stamp: Stamp } | "ignore" | undefined
  readonly doubtful?: RegExp
  readonly examples: ReadonlyArray<string>
  readonly counterexamples?: ReadonlyArray<string>
}): Format => ({
  id: options.id,
  strength: options.strength,
  ...(options.doubtful === undefined ? {} : { doubtful: options.doubtful }),
  examples: options.examples,
  counterexamples: options.counterexamples ?? [],
  anchor: (line) => {
    const match = options.pattern.exec(line.length > prefixLength ? line.slice(0, prefixLength) : line)
    if (match === null) return undefined
    const found = options.read(match.groups ?? {})
    return found === undefined || found === "ignore" ? found : { ...found, length: match[0].length }
  }
})
