/**
 * The beginning of a text, as much as a model takes. Only a text with more bytes than the model takes tokens is looked at: a
 * token is never shorter than a byte.
 */
import { Effect } from "effect"

/** Of another provider's limit, this much by our count: its tokenizer makes other tokens. */
const ofAnotherTokenizer = 0.7

const sliceLength = 500

// Text that looks like a control token is text.
const options = { disallowedSpecial: new Set<string>() }

// The encoding of OpenAI's embedding models; two megabytes, loaded when a long text comes for the first time.
const loadCount = Effect.map(
  Effect.promise(() => import("gpt-tokenizer/encoding/cl100k_base")),
  ({ countTokens }) =>
    (text: string) =>
      countTokens(text, options)
)

/** A text for a model that takes so many tokens of it. */
export interface CutText {
  readonly text: string
  /** Whether something was left out. */
  readonly cut: boolean
}

/** Cuts a text to what `model` (`provider:model`) takes, `tokens` by its own count. */
export const cutText = (
  text: string,
  options: { readonly model: string; readonly tokens: number }
): Effect.Effect<CutText> =>
  Buffer.byteLength(text, "utf8") <= options.tokens
    ? Effect.succeed({ text, cut: false })
    : Effect.map(loadCount, (count) => {
        const own = options.model.includes("text-embedding-")
        const room = own ? options.tokens : Math.floor(options.tokens * ofAnotherTokenizer)
        let tokens = 0
        for (let start = 0; start < text.length; start += sliceLength) {
          tokens += count(text.slice(start, start + sliceLength))
          // A slice is left out whole: a few hundred characters of thirty thousand.
          if (tokens > room) return { text: wholeCharacters(text.slice(0, start)), cut: true }
        }
        return { text, cut: false }
      })

// Half of a surrogate pair is no character.
const wholeCharacters = (text: string): string => (/[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text)
