import { describe, expect, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { excerptOf } from "../../../src/domain/search/Excerpt.ts"
import { fuse, rankOffset, spread } from "../../../src/domain/search/Fusion.ts"
import { calls, possibleNames } from "../../../src/domain/search/Names.ts"
import { longestQuestion, readQuestion } from "../../../src/domain/search/Question.ts"
import { fold, isFormOf, patternOf, piecesOf, stemOf } from "../../../src/domain/search/Spelling.ts"
import { enoughCandidates, rarity, selective } from "../../../src/domain/search/Terms.ts"

describe("a question", () => {
  const read = (text: string) => Result.getOrThrow(readQuestion(text))
  const refused = (text: string) =>
    Result.match(readQuestion(text), { onSuccess: () => "", onFailure: (it) => it.message })

  const questions: ReadonlyArray<readonly [string, ReadonlyArray<string>, boolean]> = [
    ["seed round", ["seed", "round"], false],
    ["  Seed\n\tround seed ", ["seed", "round"], false],
    ['"seed round"', ["seed", "round"], true],
    ['"seed round', ["seed", "round"], true],
    ['seed"', ["seed"], true],
    ["seed -round", ["seed"], true],
    ['seed -"round of golf" money', ["seed", "money"], true],
    ["follow-up - later", ["follow-up", "later"], false],
    ["what\u0000is\u0007this", ["what", "is", "this"], false],
    ["'; drop table pages; --", ["';", "drop", "table", "pages;"].slice(1), false],
    ["北海 录音", ["北海", "录音"], false],
    ["a\u0301 é", ["á", "é"], false]
  ]
  for (const [text, words, strict] of questions) {
    it(`${JSON.stringify(text)} has the words ${words.join(", ")}`, () => {
      expect(read(text)).toMatchObject({ words, strict })
    })
  }

  it("without a word, too long, or only with what must not be there is refused with one sentence", () => {
    for (const text of ["", "   ", "?!…", "\u0000", "🙂"])
      expect(refused(text)).toContain("Say what to look for")
    expect(refused("a".repeat(100_000))).toContain(`${longestQuestion} characters; this has 100000`)
    expect(refused('-round -"seed money"')).toContain("only says what must not be there")
  })

  it("whatever is typed is read or refused, and what is read has no control character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const question = readQuestion(text)
        if (Result.isFailure(question)) return
        expect(question.success.text).not.toMatch(/\p{Cc}/u)
        expect(question.success.text.isWellFormed()).toBe(true)
        expect(question.success.words.length).toBeGreaterThan(0)
      })
    )
  })
})

describe("spelling", () => {
  it("with and without accents is the same", () => {
    for (const [a, b] of [
      ["Tomás", "tomas"],
      ["Øygarden", "oygarden"],
      ["Łódź", "lodz"],
      ["Sinéad", "SINEAD"]
    ] as const) {
      expect(fold(a)).toBe(fold(b))
      expect(a.normalize("NFC")).toMatch(new RegExp(patternOf(b), "i"))
      expect(b).toMatch(new RegExp(patternOf(a), "i"))
    }
  })

  it("a word of a script without spaces is looked for by two characters at a time", () => {
    expect(piecesOf("北海录音")).toEqual(["北海", "海录", "录音"])
    expect(piecesOf("海")).toEqual(["海"])
    expect(piecesOf("noor@tidewell.example")).toEqual(["noor", "tidewell", "example"])
    expect(piecesOf("ليلى")).toEqual(["ليلى"])
  })

  it("forms of a word are known by its stem, other words are not", () => {
    for (const [word, lexeme] of [
      ["companies", "compani"],
      ["company", "compani"],
      ["boats", "boat"],
      ["founded", "found"]
    ] as const)
      expect({ word, form: isFormOf(word, stemOf(lexeme)) }).toEqual({ word, form: true })
    for (const [word, lexeme] of [
      ["boatswains", "boat"],
      ["band", "boat"]
    ] as const)
      expect({ word, form: isFormOf(word, stemOf(lexeme)) }).toEqual({ word, form: false })
  })

  it("patterns hold letters and digits only, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(patternOf(text)).not.toMatch(/[^\p{L}\p{N}[\]]/u)
      })
    )
  })
})

describe("words and what they are worth", () => {
  it("a rarer word is worth more, and none is worth nothing", () => {
    expect(rarity(1000, 3)).toBeGreaterThan(rarity(1000, 300))
    expect(rarity(1000, 1000)).toBeGreaterThan(0)
    expect(rarity(0, 0)).toBeGreaterThan(0)
  })

  it("candidates are looked up by the rarest words, and by one at least", () => {
    const of = (...counts: ReadonlyArray<number>) =>
      selective(counts.map((documents, index) => ({ lexeme: `w${index}`, documents }))).map(
        (it) => it.documents
      )
    expect(of(50, 3, 0, enoughCandidates)).toEqual([3, 50])
    expect(of(enoughCandidates * 3)).toEqual([enoughCandidates * 3])
    expect(of()).toEqual([])
  })
})

describe("fusion", () => {
  const list = (name: string, ...keys: ReadonlyArray<string>) => ({ name, keys })

  it("what two lists agree on comes before what one has first", () => {
    const fused = fuse([list("words", "a", "b"), list("meaning", "c", "b")])
    expect(fused.map((it) => it.key)).toEqual(["b", "a", "c"])
    expect(fused[0]).toMatchObject({ foundBy: ["words", "meaning"], score: 2 / (rankOffset + 2) })
  })

  it("keeps everything once, and the order of a list alone; the order of lists changes nothing", () => {
    const keys = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"))
    fc.assert(
      fc.property(keys, keys, (one, two) => {
        expect(fuse([list("one", ...one)]).map((it) => it.key)).toEqual(one)
        const fused = fuse([list("one", ...one), list("two", ...two)]).map((it) => it.key)
        expect([...fused].sort()).toEqual([...new Set([...one, ...two])].sort())
        expect(fuse([list("two", ...two), list("one", ...one)]).map((it) => it.key)).toEqual(fused)
      })
    )
  })

  it("a page that says much does not hide the others, and nothing is lost", () => {
    expect(spread(["a1", "a2", "a3", "b1", "x"], (hit) => (hit === "x" ? null : hit.slice(0, 1)), 2)).toEqual(
      ["a1", "a2", "b1", "x", "a3"]
    )
  })
})

describe("names", () => {
  const noor = { title: "Noor Halloran", slug: "people/noor-halloran", aliases: ["Noor", "N. Halloran"] }

  it("a name alone calls best, then the longest whole name, then a part of it", () => {
    const how = (question: string, page = noor) => calls(question, page, ["the", "of", "is", "who", "with"])
    expect(how("Noor Halloran")).toBe(3)
    expect(how("people/noor-halloran")).toBe(3)
    expect(how("noor")).toBe(3)
    expect(how("Who is Noor Halloran?")).toBeGreaterThan(how("Who is Noor with?"))
    expect(how("Who is Noor with?")).toBeGreaterThanOrEqual(1)
    expect(how("a Halloran of Ennis")).toBe(0.5)
    expect(how("Who is with the whales?", { title: "Walk with the dogs", slug: "w", aliases: [] })).toBe(0)
    expect(how("who is the", { title: "The Who", slug: "the-who", aliases: [] })).toBe(0)
    expect(how("the who", { title: "The Who", slug: "the-who", aliases: [] })).toBe(3)
    expect(how("佐藤 花", { title: "Hana Sato", slug: "people/hana-sato", aliases: ["佐藤 花"] })).toBe(3)
    expect(
      how("Tomas Lindqvist's boat", { title: "Tomás Lindqvist", slug: "p", aliases: [] })
    ).toBeGreaterThan(1)
  })

  it("every run of words could be a name, without what is around it", () => {
    expect(possibleNames("Is Noor's boat (Havbris)?")).toEqual(
      expect.arrayContaining(["Noor", "Havbris", "Noor boat", "boat Havbris"])
    )
  })
})

describe("an excerpt", () => {
  const sought = (...lexemes: ReadonlyArray<string>) => ({ lexemes, parts: [] })

  it("shows the stretch with most of the words, in whole words, and which they are", () => {
    const text = `${"Nothing here. ".repeat(40)}Kelpline led the seed round.\nIt closed. ${"Nothing there. ".repeat(40)}`
    const excerpt = excerptOf(text, sought("seed", "round", "close", "noth"))
    expect(excerpt.text).toContain("Kelpline led the seed round. It closed.")
    expect(excerpt.text).toMatch(/^….*…$/)
    expect(excerpt.matched).toEqual(expect.arrayContaining(["seed", "round", "closed"]))
    expect(excerpt.text.length).toBeLessThan(300)
  })

  it("is the beginning where nothing matches, and the whole of a short text", () => {
    expect(excerptOf("A short\ntext.", sought("whale"))).toEqual({ text: "A short text.", matched: [] })
    expect(excerptOf("word ".repeat(200), sought("whale")).text).toMatch(/^word .*word…$/)
  })

  it("finds parts where words are not set apart", () => {
    const excerpt = excerptOf("我认为这是北海最好的录音。", { lexemes: [], parts: ["录音"] })
    expect(excerpt.matched).toEqual(["录音"])
  })

  it("never cuts a character in two, has no line ends, and holds what it says matched", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 900 }),
        fc.array(fc.string({ maxLength: 4 })),
        (text, parts) => {
          const excerpt = excerptOf(text.toWellFormed(), { lexemes: parts, parts })
          expect(excerpt.text.isWellFormed()).toBe(true)
          expect(excerpt.text).not.toMatch(/\p{Cc}/u)
          for (const word of excerpt.matched) expect(excerpt.text).toContain(word)
        }
      )
    )
  })
})
