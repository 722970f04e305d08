/** Where a reference may lead, from the page it stands on. */
import { describe, expect, it } from "@effect/vitest"
import { codePathsIn, slugOfCode } from "../../../src/domain/links/CodePaths.ts"
import { leadsOf } from "../../../src/domain/links/Leads.ts"
import { referencesIn } from "../../../src/domain/links/References.ts"

const leads = (text: string, from: string) => {
  const [reference] = referencesIn(text)
  if (reference === undefined) throw new Error("there is no reference")
  return leadsOf(reference, from)
}

const slugs: ReadonlyArray<
  readonly [name: string, text: string, from: string, slugs: ReadonlyArray<string>]
> = [
  ["up one folder", "[x](../people/ana.md)", "meetings/m", ["people/ana"]],
  ["up from deeper down", "[x](../people/ana.md)", "wiki/meetings/m", ["wiki/people/ana"]],
  ["up beyond the root ends at the root", "[x](../../../people/ana.md)", "meetings/m", ["people/ana"]],
  ["beside the page", "[x](./ana.md)", "people/m", ["people/ana"]],
  [
    "from the root, then nearer places",
    "[x](people/ana.md)",
    "wiki/a/m",
    ["people/ana", "wiki/a/people/ana", "wiki/people/ana"]
  ],
  ["a name beside the page", "[x](ana.md)", "people/m", ["ana", "people/ana"]],
  ["as written, then as a slug", "[[people/Ana Ruiz]]", "m", ["people/Ana Ruiz", "people/ana-ruiz"]],
  ["a leading slash is the root", "[x](/people/ana.md)", "m", ["people/ana"]],
  ["a path in a sentence is meant as it is", "see people/ana", "wiki/m", ["people/ana"]],
  ["a path within Chinese", "参见people/alice的页面", "m", ["参见people/alice的页面", "people/alice"]]
]

describe("leads", () => {
  for (const [name, text, from, expected] of slugs) {
    it(name, () => {
      expect(leads(text, from).slugs).toEqual(expected)
    })
  }

  it("a bare name may be that of any page", () => {
    expect(leads("[[José Muñoz]]", "m")).toMatchObject({ names: ["josé muñoz", "jose-munoz"], suffix: "" })
  })
  it("a path may be the end of a longer one", () => {
    expect(leads("[[entities/AI 3.0]]", "m")).toMatchObject({
      names: ["ai 3.0", "ai-3.0"],
      suffix: "/entities/ai-3.0"
    })
  })
  it("a markdown link names a place, not a page", () => {
    expect(leads("[x](people/ana.md)", "m").names).toEqual([])
  })
})

const code: ReadonlyArray<readonly [name: string, text: string, paths: ReadonlyArray<string>]> = [
  ["with a line", "see `src/core/sync.ts:42`.", ["src/core/sync.ts 42"]],
  ["at the end of a sentence", "It is in lib/a-b.py.", ["lib/a-b.py"]],
  ["below another folder", "../repo/src/x.go", ["src/x.go"]],
  ["elsewhere than code is kept", "foo/bar.js", []],
  ["no file of code", "docs/readme.pdf", []],
  ["each once, with its first line", "src/a.rs:7 and src/a.rs:9", ["src/a.rs 7"]],
  ["a word that ends like a folder", "mysrc/a.ts", []]
]

describe("files of code", () => {
  for (const [name, text, paths] of code) {
    it(name, () => {
      expect(
        codePathsIn(text).map(({ line, path }) => (line === undefined ? path : `${path} ${line}`))
      ).toEqual(paths)
    })
  }
  it("have slugs without folders", () => {
    expect(slugOfCode("src/core/Sync.test.ts")).toBe("src-core-sync-test-ts")
  })
  it("are found in a megabyte of paths in one pass", () => {
    expect(codePathsIn("src/".repeat(250_000))).toEqual([])
    expect(codePathsIn("src/a.ts ".repeat(110_000))).toHaveLength(1)
  })
})
