/** What a page tells of days: in bullets, under headings, in citations. */
import { describe, expect, it } from "@effect/vitest"
import { isDay } from "../../../src/domain/timeline/Dates.ts"
import { timelineOf } from "../../../src/domain/timeline/Timeline.ts"

/** Entries as `date source: summary / detail`; the page itself is no source to name. */
const read = (text: string): ReadonlyArray<string> =>
  timelineOf(text).map(
    ({ date, detail, source, summary }) =>
      `${date}${source === "markdown" ? "" : ` ${source}`}: ${summary}${detail === "" ? "" : ` / ${detail}`}`
  )

const cases: ReadonlyArray<readonly [name: string, text: string, entries: ReadonlyArray<string>]> = [
  ["a dated bullet", "- **2024-03-15** | Seed round closed", ["2024-03-15: Seed round closed"]],
  [
    "with its source",
    "- **2024-03-15** | Board minutes — Seed round closed",
    ["2024-03-15 Board minutes: Seed round closed"]
  ],
  ["with a hyphen as the dash", "- **2024-03-15** | Minutes - closed", ["2024-03-15 Minutes: closed"]],
  [
    "after a dash another dash is part of the sentence",
    "- **2024-03-15** - Ana — and Omar — met",
    ["2024-03-15: Ana — and Omar — met"]
  ],
  ["without a bullet", "**2024-03-15** | Founded", ["2024-03-15: Founded"]],
  ["indented", "  - **2024-03-15** | Founded", ["2024-03-15: Founded"]],
  ["with two dashes", "- **2024-03-15** -- Founded", ["2024-03-15: Founded"]],
  [
    "dashes in links and within words are content",
    "- **2024-03-15** | Named in [Deals — Q1](../a-b.md) by a-b",
    ["2024-03-15: Named in [Deals — Q1](../a-b.md) by a-b"]
  ],
  [
    "lines that follow are the detail",
    "- **2024-03-15** | Founded\n  in Bergen\n  by two\n\nAfter",
    ["2024-03-15: Founded / in Bergen by two"]
  ],
  [
    "the next bullet is its own",
    "- **2024-03-15** | A\n- **2024-03-16** | B",
    ["2024-03-15: A", "2024-03-16: B"]
  ],
  ["another list is no detail", "- **2024-03-15** | A\n- other", ["2024-03-15: A"]],
  ["a day that does not exist", "- **2024-02-30** | A\n- **2024-13-01** | B\n- **0000-01-01** | C", []],
  ["a date that is not bold is none", "- 2024-03-15 - A", []],
  ["in Chinese", "- 2020年1月2日 | 公司成立", ["2020-01-02: 公司成立"]],
  ["in Chinese, bold, with a source", "- **2020年11月02日** | 会议 — 成立", ["2020-11-02 会议: 成立"]],
  ["in Hebrew", "- **2024-03-15** | החברה נוסדה", ["2024-03-15: החברה נוסדה"]],
  [
    "with ends of lines of Windows",
    "- **2024-03-15** | A\r\n- **2024-03-16** | B\r\n",
    ["2024-03-15: A", "2024-03-16: B"]
  ],
  [
    "a heading that is a date",
    "### 2024-03-15 — Seed round\nTwo million.\n\nFrom Kelpline.\n## Next\nx",
    ["2024-03-15: Seed round / Two million.\n\nFrom Kelpline."]
  ],
  [
    "a heading without a title",
    "### 2024-03-15\n\nSeed round closed.\nTwo million.",
    ["2024-03-15: Seed round closed. / Two million."]
  ],
  ["a heading with nothing below", "### 2024-03-15\n### 2024-03-16 - B", ["2024-03-16: B"]],
  ["other headings are none", "## 2024-03-15 — A\n#### 2024-03-15 — B", []],
  [
    "a citation",
    "Tidewell raised two million. [Source: Board minutes, 2024-03-15]",
    ["2024-03-15 Board minutes: Tidewell raised two million. / Source: Board minutes"]
  ],
  [
    "a citation of a source with commas",
    "A. [Source: Ana, Omar and Ewa, 2024-03-15]",
    ["2024-03-15 Ana, Omar and Ewa: A. / Source: Ana, Omar and Ewa"]
  ],
  [
    "a citation over lines of one paragraph",
    "- Tidewell\n  raised. [Source: X, 2024-03-15]\n- other",
    ["2024-03-15 X: Tidewell raised. / Source: X"]
  ],
  [
    "two citations",
    "A. [Source: X, 2024-03-15] [Source: Y, 2024-03-16]",
    ["2024-03-15 X: A. / Source: X", "2024-03-16 Y: A. / Source: Y"]
  ],
  ["a citation without a date, or in code", "A. [Source: X]\n\n`B [Source: Y, 2024-03-15]`", []],
  [
    "a bullet's own citation is told once",
    "- **2024-03-15** | A [Source: X, 2024-03-15]",
    ["2024-03-15: A [Source: X, 2024-03-15]"]
  ],
  ["the same twice is one", "- **2024-03-15** | A\n- **2024-03-15** | A", ["2024-03-15: A"]],
  ["nothing", "", []]
]

describe("a timeline", () => {
  for (const [name, text, entries] of cases) {
    it(name, () => {
      expect(read(text)).toEqual(entries)
    })
  }

  it("a source of thousands of letters is cut, since no index would take it", () => {
    const [entry] = timelineOf(`- **2024-03-15** | ${"é".repeat(5000)} — A`)
    expect(entry).toMatchObject({ summary: "A" })
    expect(entry?.source.length).toBe(200)
  })

  it("knows the calendar", () => {
    expect(["2024-02-29", "2000-02-29", "2023-12-31"].every(isDay)).toBe(true)
    expect(["2023-02-29", "1900-02-29", "2023-04-31", "2023-00-10", "2023-1-1", ""].some(isDay)).toBe(false)
  })
})

describe("pages of a megabyte that are made to be slow", () => {
  const pieces = [
    " ",
    "-",
    "*",
    "- **2024-03-15** |",
    "- **2024-03-15** | a\n",
    "- **2024-03-15** | a\n\n\n\n",
    "### 2024-03-15\n",
    "### 2024-03-15 ",
    "[Source:",
    "[Source: a,",
    "[Source: a, 2024-03-15]",
    "2024-",
    "2020年1月2日 ",
    "x\n"
  ]
  for (const piece of pieces) {
    it(JSON.stringify(piece), () => {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length))
      expect(timelineOf(`2024-\n${text}`).length).toBeLessThanOrEqual(2)
      expect(timelineOf(`- **2024-03-15** |${text}`).length).toBeLessThanOrEqual(3)
    })
  }
})
