/** What counts as a reference in a page's text, and what does not. */
import { describe, expect, it } from "@effect/vitest"
import { referencesIn } from "../../../src/domain/links/References.ts"

/** References as `kind target`, with `@source` for a qualified one. */
const read = (text: string): ReadonlyArray<string> =>
  referencesIn(text).map(
    ({ kind, sourceId, target }) => `${kind} ${target}${sourceId === undefined ? "" : ` @${sourceId}`}`
  )

const cases: ReadonlyArray<readonly [name: string, text: string, references: ReadonlyArray<string>]> = [
  ["a markdown link to a file", "see [Ana](../people/ana-ruiz.md).", ["markdown ../people/ana-ruiz"]],
  ["a markdown link to a slug", "[Ana](people/ana-ruiz)", ["markdown people/ana-ruiz"]],
  ["a markdown link beside the page", "[Ana](ana-ruiz.md)", ["markdown ana-ruiz"]],
  ["a word in parentheses is no link", "as he wrote [sic](reference)", []],
  ["an escaped path", "[Ana](people/ana%20ruiz.md)", ["markdown people/ana ruiz"]],
  ["a wrong escape is taken as it is", "[Ana](people/100%.md)", ["markdown people/100%"]],
  ["a path with spaces in angle brackets", "[Ana](<people/Ana Ruiz.md>)", ["markdown people/Ana Ruiz"]],
  ["a title after the path", '[Ana](people/ana.md "who she is")', ["markdown people/ana"]],
  ["a heading after the path", "[Ana](people/ana.md#work)", ["markdown people/ana"]],
  ["parentheses in the path", "[x](wiki/Mercury_(planet).md)", ["markdown wiki/Mercury_(planet)"]],
  ["an address is no page", "[x](https://example.org/people/ana) [y](mailto:a@b.c) [z](//cdn/x.md)", []],
  ["a heading of the same page", "[x](#work) [[#work]]", []],
  ["a wikilink", "[[people/ana-ruiz]]", ["wikilink people/ana-ruiz"]],
  ["with an alias", "[[people/ana-ruiz|Ana]]", ["wikilink people/ana-ruiz"]],
  ["in a table, where the bar is escaped", "| [[people/ana-ruiz\\|Ana]] |", ["wikilink people/ana-ruiz"]],
  ["with a heading", "[[people/ana-ruiz#Work|Ana]]", ["wikilink people/ana-ruiz"]],
  ["with a block", "[[people/ana-ruiz^a1]]", ["wikilink people/ana-ruiz"]],
  ["with its extension", "[[people/ana-ruiz.md]]", ["wikilink people/ana-ruiz"]],
  ["qualified by a source", "[[work:people/ana-ruiz|Ana]]", ["wikilink people/ana-ruiz @work"]],
  ["a bare name", "[[Ana Ruiz]]", ["wikilink Ana Ruiz"]],
  ["an address in brackets is no page", "[[https://example.org/a]]", []],
  ["a wikilink over two lines is none", "[[ana\nruiz]]", []],
  [
    "one in the words of a link is part of them",
    "[see [[acme]]](companies/acme.md)",
    ["markdown companies/acme"]
  ],
  ["a path in a sentence", "ask people/ana-ruiz.", ["plain people/ana-ruiz"]],
  ["a path in parentheses", "Ana (people/ana-ruiz) said", ["plain people/ana-ruiz"]],
  ["an address in a sentence is no path", "https://example.org/people/ana and /etc/passwd", []],
  [
    "code is shown, not said",
    "`[[a/b]]` and\n```\n[x](people/y.md) people/z\n```\n[[c/d]]",
    ["wikilink c/d"]
  ],
  ["a fence that is never closed hides the rest", "```\n[[a/b]]", []],
  ["Chinese", "[[人物/陈伟|陈]] 和 [陈](../人物/陈伟.md)", ["wikilink 人物/陈伟", "markdown ../人物/陈伟"]],
  ["Hebrew", "ראו [[אנשים/דנה כהן]]", ["wikilink אנשים/דנה כהן"]],
  [
    "accents",
    "[[people/José Muñoz]] et people/josé-muñoz",
    ["wikilink people/José Muñoz", "plain people/josé-muñoz"]
  ],
  ["each time it is said", "[[a/b]] [[a/b]]", ["wikilink a/b", "wikilink a/b"]],
  ["an image", "![Ana](media/ana.jpg)", ["markdown media/ana.jpg"]],
  ["nothing", "", []]
]

describe("references", () => {
  for (const [name, text, references] of cases) {
    it(name, () => {
      expect(read(text)).toEqual(references)
    })
  }

  it("know their place", () => {
    const text = "Before. [Ana Ruiz](people/ana.md) and [[b/c]]"
    expect(referencesIn(text).map(({ at }) => text.slice(at, at + 5))).toEqual(["[Ana ", "[[b/c"])
  })
})

describe("pages of a megabyte that are made to be slow", () => {
  const hostile: ReadonlyArray<readonly [name: string, piece: string]> = [
    ["brackets that open", "["],
    ["pairs of brackets", "[["],
    ["brackets that close", "]"],
    ["links begun", "]("],
    ["links begun, with parentheses", "](a(b"],
    ["labels", "[a]("],
    ["wikilinks begun", "[[a|"],
    ["wikilinks in labels", "[[a]]x"],
    ["backticks", "`a\n"],
    ["fences", "```a"],
    ["slashes", "a/"],
    ["paths of letters", "äß/"],
    ["code paths", "src/a.ts/"],
    ["blanks", " "],
    ["percent signs", "[a](b/%E0%"],
    ["plain paths, more than a call takes arguments", "a/b "],
    ["markdown links", "[a](b/c) "],
    ["wikilinks", "[[a]] "]
  ]
  for (const [name, piece] of hostile) {
    it(name, () => {
      // A rule that is not linear does not come back from here.
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length))
      expect(referencesIn(text).length).toBeLessThanOrEqual(text.length)
      expect(referencesIn(`${text}]](x.md)`).length).toBeLessThanOrEqual(text.length)
    })
  }
})
