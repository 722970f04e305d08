/** Tables and paragraphs for people. */
import Table from "cli-table3"
import { Console } from "effect"

/** The width to write for: the terminal's, or a page's when there is none. */
export const outputWidth = (): number => (process.stdout.isTTY ? (process.stdout.columns ?? 100) : 120)

/**
 * Text without control characters except ends of lines. What is shown comes from pages and models; none of it may move a
 * terminal's cursor, colour it or set its title.
 */
export const printable = (text: string): string => text.replace(/(?!\n)\p{Cc}/gu, " ")

const noBorder = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  "
}

/** A table without borders; the columns in `widths` that have a width wrap their text. */
export const table = (
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  widths: ReadonlyArray<number | null> = []
): string => {
  const made = new Table({
    head: [...head],
    chars: noBorder,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
    wordWrap: true,
    colWidths: head.map((_, index) => widths[index] ?? null)
  })
  for (const row of rows) made.push(row.map(printable))
  return made
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
}

/** Prints words for people. */
export const print = (text: string) => Console.log(printable(text))

/** Prints a value as JSON, for `--json`. */
export const printJson = (value: unknown) => Console.log(JSON.stringify(value, null, 2))
