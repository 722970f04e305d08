/**
 * What somebody looks for, made fit to be looked for. The form is that of web searches: words, `"words in this order"`, and
 * `-word` for what must not be there. Nothing that is written here is an error of form but nothing at all, and too much.
 */
import { Result, Schema } from "effect"

/** There is nothing to look for, or too much. */
export class BadQuestion extends Schema.TaggedError<BadQuestion>()("BadQuestion", {
  message: Schema.String
}) {}

/** The most characters (UTF-16 units) of a question: a page of text, far more than anybody asks. */
export const longestQuestion = 4000

/** Words that are looked up, at most; those that follow still count for the meaning. */
export const mostWords = 64

/** A question, ready to be looked for. */
export interface Question {
  /** In one line, composed (NFC), without control characters. */
  readonly text: string
  /** Its words between spaces, each once; without quotes, and without those that must not be there. */
  readonly words: ReadonlyArray<string>
  /** Whether it asks for words in their order or for the absence of words: then only what fits to the letter will do. */
  readonly strict: boolean
}

/** Reads a question. */
export const readQuestion = (asked: string): Result.Result<Question, BadQuestion> => {
  if (asked.length > longestQuestion) {
    return Result.fail(
      new BadQuestion({
        message: `What is looked for may have ${longestQuestion} characters; this has ${asked.length}. Ask with fewer words.`
      })
    )
  }
  const text = asked
    .toWellFormed()
    .normalize("NFC")
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim()
  if (!/[\p{L}\p{N}]/u.test(text)) {
    return Result.fail(
      new BadQuestion({
        message:
          'Say what to look for, in words or numbers, such as "seed round". Signs alone are not looked for.'
      })
    )
  }
  const parts = text.split(" ")
  const unwanted = (part: string) => /^-["\p{L}\p{N}]/u.test(part)
  const words = [...new Map(wanted(parts).map((word) => [word.toLowerCase(), word])).values()]
  if (words.length === 0) {
    return Result.fail(
      new BadQuestion({ message: `"${text}" only says what must not be there. Say also what to look for.` })
    )
  }
  return Result.succeed({
    text,
    words: words.slice(0, mostWords),
    strict: text.includes('"') || parts.some(unwanted)
  })
}

// `-"two words"` leaves out both; a quote that is never closed closes at the end.
const wanted = (parts: ReadonlyArray<string>): ReadonlyArray<string> => {
  let quoted = false
  let leftOut = false
  return parts.flatMap((part) => {
    const opens = !quoted && /^-?"/.test(part)
    if (!quoted) leftOut = part.startsWith("-") && part.length > 1
    const quotes = part.split('"').length - 1
    const drop = leftOut
    if (quotes % 2 === 1) quoted = opens ? true : !quoted
    const word = part.replaceAll('"', " ").trim()
    return drop || !/[\p{L}\p{N}]/u.test(word) ? [] : word.split(" ")
  })
}
