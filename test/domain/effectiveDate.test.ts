/** Which day a page is about, as a table. */
import { describe, expect, it } from "@effect/vitest"
import { effectiveDateOf, furthestAhead } from "../../src/domain/EffectiveDate.ts"

const now = Date.UTC(2026, 0, 15)

const dateOf = (slug: string, frontmatter: Readonly<Record<string, unknown>>, filename = "note.md") => {
  const stated = effectiveDateOf({ slug, frontmatter, name: filename }, now + furthestAhead)
  return stated === undefined ? "none" : `${stated.source} ${stated.date}`
}

describe("which field counts", () => {
  const all = { published: "2024-03-03", date: "2024-02-02", event_date: "2024-01-01" }
  const cases: ReadonlyArray<readonly [why: string, said: string, expected: string]> = [
    ["the day of the event first", dateOf("a/b", all), "event_date 2024-01-01T00:00:00.000Z"],
    ["then the date", dateOf("a/b", { ...all, event_date: "soon" }), "date 2024-02-02T00:00:00.000Z"],
    [
      "then when it was published",
      dateOf("a/b", { published: all.published }, "2020-01-01.md"),
      "published 2024-03-03T00:00:00.000Z"
    ],
    ["then the file's name", dateOf("a/b", {}, "2020-01-01-minutes.md"), "filename 2020-01-01T00:00:00.000Z"],
    [
      "a meeting's file is named by its day",
      dateOf("meetings/2020-01-01-x", all, "2020-01-01-x.md"),
      "filename 2020-01-01T00:00:00.000Z"
    ],
    [
      "and so is a day's",
      dateOf("daily/2020-01-01", all, "2020-01-01.md"),
      "filename 2020-01-01T00:00:00.000Z"
    ],
    ["a meeting without a day in its name", dateOf("meetings/x", all), "event_date 2024-01-01T00:00:00.000Z"],
    ["a day within a name is no day of the page", dateOf("a/b", {}, "report-2020-01-01.md"), "none"],
    ["other fields say nothing", dateOf("a/b", { created: "2024-01-01" }), "none"],
    ["nothing says nothing", dateOf("a/b", {}), "none"]
  ]
  for (const [why, said, expected] of cases) it(why, () => expect(said).toBe(expected))
})

describe("what is a date", () => {
  const cases: ReadonlyArray<readonly [value: unknown, expected: string]> = [
    ["2024-03-15", "2024-03-15T00:00:00.000Z"],
    [" 2024-03-15 ", "2024-03-15T00:00:00.000Z"],
    ["2024-03-15T00:00:00.000Z", "2024-03-15T00:00:00.000Z"],
    ["2024-03-15T10:00:00+02:00", "2024-03-15T08:00:00.000Z"],
    ["2024-03-15 10:00", "2024-03-15T10:00:00.000Z"],
    ["2024-03-15 10:00:00 +0200", "2024-03-15T08:00:00.000Z"],
    ["2024-03", "2024-03-01T00:00:00.000Z"],
    ["2024", "2024-01-01T00:00:00.000Z"],
    ["2024/3/15", "2024-03-15T00:00:00.000Z"],
    ["March 15, 2024", "2024-03-15T00:00:00.000Z"],
    ["15 Mar 2024", "2024-03-15T00:00:00.000Z"],
    [Date.UTC(2024, 2, 15), "2024-03-15T00:00:00.000Z"],
    ["2024-02-30", "none"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["2023-02-29", "none"],
    ["Sprint 12", "none"],
    ["next Friday", "none"],
    ["", "none"],
    ["1989-12-31", "none"],
    ["1990-01-01", "1990-01-01T00:00:00.000Z"],
    ["2027-01-15", "2027-01-15T00:00:00.000Z"],
    ["2027-01-16", "none"],
    [2024, "none"],
    [null, "none"],
    [["2024-03-15"], "none"],
    [true, "none"]
  ]
  for (const [value, expected] of cases) {
    it(JSON.stringify(value), () => {
      expect(dateOf("a/b", { date: value })).toBe(expected === "none" ? "none" : `date ${expected}`)
    })
  }
})
