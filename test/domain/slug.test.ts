/** What is a slug stays one, and everything becomes one. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { slugOfPath, slugSegment } from "../../src/domain/Slug.ts"

describe("slugs", () => {
  it.each([
    ["people/ana-ruiz", "people/ana-ruiz"],
    ["people/ana-ruiz.md", "people/ana-ruiz"],
    ["a.b_c-d/2024-03-15", "a.b_c-d/2024-03-15"],
    ["notes/a.mdx", "notes/a"],
    ["a/b.MD", "a/b"],
    ["a//b", "a/b"],
    ["a/./b/../c", "a/b/c"],
    ["a--b", "a-b"],
    ["-a-", "a"],
    ["a-/b", "a/b"],
    ["José Muñoz", "jose-munoz"],
    ["人物/陈伟.md", "人物/陈伟"],
    ["אנשים/דנה כהן", "אנשים/דנה-כהן"]
  ])("the slug of %s is %s", (path, slug) => expect(slugOfPath(path)).toBe(slug))

  it("a slug is its own slug, whatever it was made of", () => {
    const part = fc.stringMatching(/^[a-zA-Z0-9_.é陈 \\/-]{0,20}$/)
    fc.assert(
      fc.property(part, (text) => {
        const slug = slugOfPath(`${text}/x`)
        expect(slugOfPath(slug)).toBe(slug)
        expect(slug.split("/").map(slugSegment).join("/")).toBe(slug)
      })
    )
  })

  it("takes no longer than a path is long", () => {
    for (const piece of ["a", "-", ".", "a-", "a/", "/", "é"]) {
      expect(slugOfPath(`${piece.repeat(500_000)}!`).length).toBeLessThanOrEqual(1_000_000)
    }
  })
})
