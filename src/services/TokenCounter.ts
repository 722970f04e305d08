/**
 * How many tokens a text is. OpenAI's present encoding; other providers' differ by some ten percent, which is good enough to
 * foretell a cost. What a call really used, its answer tells.
 */
import { Effect } from "effect"

/** Counts the tokens of a text. Linear in its length. */
export type TokenCounter = (text: string) => number

// Merging pairs is quadratic in a text without spaces: a slice at a time it is not, and is off by a token a slice at most.
const sliceLength = 1_000

// Text that looks like a control token is text.
const options = { disallowedSpecial: new Set<string>() }

/** Loads the encoding (two megabytes) on first use. */
export const loadTokenCounter: Effect.Effect<TokenCounter> = Effect.map(
  Effect.promise(() => import("gpt-tokenizer/encoding/o200k_base")),
  ({ countTokens }): TokenCounter =>
    (text) => {
      let tokens = 0
      for (let start = 0; start < text.length; start += sliceLength) {
        tokens += countTokens(text.slice(start, start + sliceLength), options)
      }
      return tokens
    }
)
