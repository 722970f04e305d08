/**
 * Formats in which a message begins with a name and nothing else. Documents have such lines too, so more than one line is
 * asked for before they are believed; see `Parse.ts`.
 */
import { type Format, lineFormat } from "../Format.ts"
import { isHtmlTag, looksLikeName, looksLikeProperName } from "../Names.ts"
import { speakerOf } from "./stamped.ts"

const none = { kind: "none" } as const

const plainName = String.raw`[\p{L}+@][\p{L}\p{M}\p{N}'’.\- ]{0,60}(?:\([^()]{1,30}\))?(?: ?[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f\u200d]{1,8})?`

/** A list of links looks the same. */
const linked = /^[^:]{1,80}: https?:\/\//

/** Formats without times, the most particular first. */
export const labelledFormats: ReadonlyArray<Format> = [
  lineFormat({
    id: "markdown-heading-turn",
    strength: "medium",
    pattern: /^#{2,3} (?<who>User|Assistant|Human|System|You|ChatGPT|Claude|Gemini)$/,
    read: (g) => ({ speaker: speakerOf(g), stamp: none }),
    examples: ["## User", "### Assistant"],
    counterexamples: ["## User guide"]
  }),
  lineFormat({
    id: "chatgpt-export-you-chatgpt",
    strength: "medium",
    pattern: /^\*\*(?<who>You|ChatGPT):\*\* ?/,
    read: (g) => ({ speaker: speakerOf(g), stamp: none }),
    examples: ["**You:** hi", "**ChatGPT:**"]
  }),
  lineFormat({
    id: "speaker-letter-no-time",
    strength: "medium",
    pattern: /^(?<who>(?:Speaker|Participant) ?[A-Z0-9]{1,3}): ?/,
    read: (g) => ({ speaker: speakerOf(g), stamp: none }),
    examples: ["Speaker A: hi", "Participant 2: hi"]
  }),
  lineFormat({
    id: "bullet-bold-name",
    strength: "medium",
    pattern: /^[-*+] \*\*(?<who>[^[*:][^*:]{0,79})(?::\*\*|\*\*:) ?/,
    read: (g) => (looksLikeName(speakerOf(g)) ? { speaker: speakerOf(g), stamp: none } : undefined),
    examples: ["- **Dana:** hi", "* **Omar Haddad**: hi"],
    counterexamples: ["- **Decision:** we go"]
  }),
  lineFormat({
    id: "bold-name-no-time",
    strength: "medium",
    pattern: /^\*\*(?<who>[^[*:][^*:]{0,79})(?::\*\*|\*\*:) ?/,
    read: (g) => (looksLikeName(speakerOf(g)) ? { speaker: speakerOf(g), stamp: none } : undefined),
    examples: ["**Ana Ruiz:** hi", "**Ana Ruiz**: hi"],
    counterexamples: ["**Status:** done", "**[18:37] G T:** hi"]
  }),
  lineFormat({
    id: "irc-classic",
    strength: "medium",
    pattern: /^<[@+ ]?(?<who>[^>\s]{1,40})> (?=\S)/,
    read: (g) => (isHtmlTag(speakerOf(g)) ? undefined : { speaker: speakerOf(g), stamp: none }),
    examples: ["<ana> hi"],
    counterexamples: ["<div> hi", "</p> hi"]
  }),
  lineFormat({
    id: "granola",
    strength: "medium",
    pattern: /^(?<who>Me|Them): ?/,
    read: (g) => ({ speaker: speakerOf(g), stamp: none }),
    examples: ["Me: hi", "Them: hello"]
  }),
  lineFormat({
    id: "plain-name",
    strength: "weak",
    pattern: new RegExp(`^(?<who>${plainName}): (?=\\S)`, "u"),
    read: (g) => (looksLikeProperName(speakerOf(g)) ? { speaker: speakerOf(g), stamp: none } : undefined),
    doubtful: linked,
    examples: [
      "Dana: hi",
      "Omar Haddad: hello",
      "Dana (PM): hi",
      "Dana 🎉: hi",
      "Omar: https://example.org/report"
    ],
    counterexamples: ["Status: done", "This is what I mean: nothing", "https: no"]
  }),
  lineFormat({
    id: "plain-name-lower-case",
    strength: "weak",
    pattern: new RegExp(`^(?<who>${plainName}): (?=\\S)`, "u"),
    read: (g) =>
      looksLikeProperName(speakerOf(g)) || /^\p{Ll}+$/u.test(speakerOf(g))
        ? looksLikeName(speakerOf(g))
          ? { speaker: speakerOf(g), stamp: none }
          : undefined
        : undefined,
    doubtful: linked,
    examples: ["dana: hi", "Omar: hello"],
    counterexamples: ["status: done", "what i mean: nothing"]
  })
]
