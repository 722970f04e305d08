/** Which files are code, as which pages. */
import { describe, expect, it } from "@effect/vitest"
import { codePageOf, hashedCode, isMinified } from "../../../src/domain/code/CodePage.ts"
import { languageOfPath } from "../../../src/domain/code/Languages.ts"
import { isIgnored, readRules } from "../../../src/domain/GitIgnore.ts"

describe("languages", () => {
  it.each([
    ["a.ts", "typescript"],
    ["a.d.mts", "typescript"],
    ["A.TSX", "tsx"],
    ["x/y.jsx", "javascript"],
    ["a.h", "c"],
    ["a.hpp", "cpp"],
    ["a.kts", "kotlin"],
    ["main.tf", "unknown"],
    ["a.svelte", "html"]
  ])("%s is %s", (path, language) => {
    expect(languageOfPath(path)?.id).toBe(language)
  })
  it.each(["a.md", "a.png", "Makefile", "ts", "a.ts/readme", ".gitignore"])("%s is no code", (path) => {
    expect(languageOfPath(path)).toBeUndefined()
  })
})

describe("pages of code", () => {
  it("slug, title, front matter and tags are the original's", () => {
    expect(codePageOf("src/core/Sync Übung.test.ts")).toMatchObject({
      slug: "src-core-sync-ubung-test-ts",
      title: "src/core/Sync Übung.test.ts (typescript)",
      frontmatter: { language: "typescript", file: "src/core/Sync Übung.test.ts" },
      tags: ["code", "typescript"]
    })
  })
  it("the content hash is made of what the original makes it of, in its order", () => {
    const page = codePageOf("a.go")
    expect(page && hashedCode(page, "package a")).toBe(
      '{"title":"a.go (go)","type":"code","content":"package a","lang":"go","chunker_version":5}'
    )
  })
  it.each([
    ["a.min.js", "x", true],
    ["a.js", "x".repeat(9_000), false],
    ["a.js", "x".repeat(5_000_000), true],
    ["a.js", "a line that somebody wrote\n".repeat(10_000), false],
    ["a.min.d/b.js", "x", false]
  ])("%s is minified: %#", (path, text, minified) => {
    expect(isMinified(path, text)).toBe(minified)
  })
})

describe(".gitignore", () => {
  const rules = [
    readRules("*.log\n/build\nsub/deep/\n!keep.log", "", ""),
    readRules("# words\n!a.log\n*.ts", "sub/", "")
  ]
  it.each([
    ["x.log", [0], true],
    ["keep.log", [0], false],
    ["build/", [0], true],
    ["sub/build/", [0], false],
    ["sub/deep/", [0], true],
    ["sub/a.log", [0, 1], false],
    ["sub/b.log", [0, 1], true],
    ["sub/x/a.ts", [0, 1], true],
    ["a.ts", [0], false]
  ])("%s by the files %j: %j", (path, which, ignored) => {
    expect(
      isIgnored(
        rules.filter((_, index) => which.includes(index)),
        path
      )
    ).toBe(ignored)
  })
  it("a file above the folder that is read counts paths from where it is", () => {
    expect(isIgnored([readRules("/packages/a/out", "", "packages/a/")], "out/")).toBe(true)
    expect(isIgnored([readRules("/out", "", "packages/a/")], "out/")).toBe(false)
  })
})
