/** What a link says, by the words around it; and what the fields of the front matter say. */
import { describe, expect, it } from "@effect/vitest"
import { wordsAround } from "../../../src/domain/links/Context.ts"
import { namedPages } from "../../../src/domain/links/FrontMatterLinks.ts"
import { linkType, roleOf } from "../../../src/domain/links/LinkTypes.ts"

const sentences: ReadonlyArray<readonly [type: string, words: string]> = [
  ["founded", "Founded by Noor in January 2024"],
  ["founded", "she is a co-founder"],
  ["founded", "the founders include Ana"],
  ["invested_in", "funded by Kelpline"],
  ["invested_in", "led Tidewell's Series A"],
  ["invested_in", "invests in ports"],
  ["invested_in", "wrote the first check"],
  ["advises", "advises the harbour"],
  ["advises", "came as a technical advisor"],
  ["advises", "on its advisory board"],
  ["works_at", "is CTO of Tidewell"],
  ["works_at", "spent three long years at Hafenwerk"],
  ["works_at", "senior engineer at Azul"],
  ["works_at", "promoted to staff engineer at Azul"],
  ["founded", "founded and is CEO of Tidewell"],
  ["invested_in", "Advisor to, and early investor in, Azul"],
  // As gbrain's schema pack has it, which is asked first and knows small letters only.
  ["works_at", "joined as a technical advisor"],
  ["advises", "an advisor to, and early investor in, Azul"],
  ["invested_in", "Founded by Noor, funded by Kelpline"],
  ["founded", "陈伟创立了海声"],
  ["invested_in", "红杉投资了海声"],
  ["advises", "担任顾问"],
  ["works_at", "他在海声工作"],
  ["cited", "文中引用"],
  ["mentions", "a port in the north"],
  ["mentions", "profoundedness"]
]

describe("the type of a link", () => {
  for (const [type, words] of sentences) {
    it(`${words}: ${type}`, () => {
      expect(linkType("concept", words, "companies/x", () => undefined)).toBe(type)
    })
  }

  it("everybody that a meeting links attended it, and what media link is mentioned, where the pack says nothing", () => {
    expect(linkType("meeting", "Founded by", "people/ana", () => undefined)).toBe("attended")
    expect(linkType("meeting", "Ewa invested in", "companies/azul", () => undefined)).toBe("invested_in")
    expect(linkType("media", "Founded by", "people/ana", () => undefined)).toBe("mentions")
    expect(linkType("constructor", "", "people/ana", () => undefined)).toBe("mentions")
  })

  it("where the words say nothing, a person's page says it of every company", () => {
    const role = () => roleOf("Ana is a partner at Kelpline. Her companies are listed below.")
    expect(linkType("person", "see also", "companies/azul", role)).toBe("invested_in")
    expect(linkType("person", "see also", "people/omar", role)).toBe("mentions")
    expect(linkType("concept", "see also", "companies/azul", role)).toBe("mentions")
  })

  const roles: ReadonlyArray<readonly [text: string, role: string | undefined]> = [
    ["a seed investor", "invested_in"],
    ["She is an advisor", "advises"],
    ["He is a senior engineer at Azul", "works_at"],
    ["She works on batteries at Azul", "works_at"],
    ["She lives in Porto", undefined]
  ]
  for (const [text, role] of roles) {
    it(`${text}: ${role ?? "no role"}`, () => {
      expect(roleOf(text)).toBe(role)
    })
  }

  it("reads a megabyte in one pass", () => {
    for (const piece of ["led ", "works on ", "spent ", "heads up ", "advisory ", "在", "is an "]) {
      expect(roleOf(piece.repeat(1_000_000 / piece.length))).toBe(undefined)
      expect(linkType("concept", piece.repeat(50), "x", () => undefined)).toBe("mentions")
    }
  })
})

describe("the words around a link", () => {
  it("are one line, of a sentence or two", () => {
    expect(wordsAround("a\n  b\tc", 3)).toBe("a b c")
    expect(wordsAround("x ".repeat(1000), 1000).length).toBeLessThanOrEqual(240)
  })
  it("never end in half a character", () => {
    for (let at = 118; at < 124; at++) expect(wordsAround("😀".repeat(200), at).isWellFormed()).toBe(true)
  })
})

/** Links of the front matter, as `field: type direction target (folders)`. */
const read = (frontmatter: Record<string, unknown>, type: string) =>
  namedPages(frontmatter, type).map(
    (page) =>
      `${page.field}: ${page.type} ${page.direction === "outgoing" ? "->" : "<-"} ${page.target} (${page.folders.join(", ")})`
  )

const fields: ReadonlyArray<
  readonly [name: string, type: string, frontmatter: Record<string, unknown>, links: ReadonlyArray<string>]
> = [
  [
    "where a person works",
    "person",
    { company: "Azul Ports" },
    ["company: works_at -> Azul Ports (companies)"]
  ],
  [
    "in several places",
    "person",
    { companies: ["Azul", "Tidewell"] },
    ["companies: works_at -> Azul (companies)", "companies: works_at -> Tidewell (companies)"]
  ],
  ["what a person founded", "person", { founded: "Tidewell" }, ["founded: founded -> Tidewell (companies)"]],
  ["who works at a company", "company", { key_people: ["Noor"] }, ["key_people: works_at <- Noor (people)"]],
  ["a company's partner", "company", { partner: "Ana" }, ["partner: yc_partner <- Ana (people)"]],
  [
    "who funded it",
    "company",
    { investors: [{ name: "Kelpline" }] },
    ["investors: invested_in <- Kelpline (companies, funds, people)"]
  ],
  [
    "who led a deal",
    "deal",
    { lead: "Kelpline" },
    ["lead: led_round <- Kelpline (companies, funds, people)"]
  ],
  [
    "who attended",
    "meeting",
    { attendees: ["Noor", "Ewa"] },
    ["attendees: attended <- Noor (people)", "attendees: attended <- Ewa (people)"]
  ],
  [
    "where it is discussed",
    "concept",
    { sources: "[[2025-01-20-board]]" },
    ["sources: discussed_in <- 2025-01-20-board (source, media)"]
  ],
  ["where it is from", "note", { source: "media/film" }, ["source: source -> media/film ()"]],
  [
    "what is related",
    "note",
    { related: ["[[a/b#c|d]]"], see_also: "e" },
    ["related: related_to -> a/b ()", "see_also: related_to -> e ()"]
  ],
  ["a company means nothing on a note", "note", { company: "Azul" }, []],
  [
    "numbers, nothing and empty names",
    "person",
    { company: [3, null, "", {}, { role: "x" }, "[[]]", true] },
    ["company: works_at -> [[]] (companies)"]
  ],
  ["Chinese", "meeting", { attendees: ["陈伟"] }, ["attendees: attended <- 陈伟 (people)"]]
]

describe("the front matter", () => {
  for (const [name, type, frontmatter, links] of fields) {
    it(name, () => {
      expect(read(frontmatter, type)).toEqual(links)
    })
  }
  it("tells who it was, with the role", () => {
    const [page] = namedPages({ key_people: [{ name: "Noor", role: "CEO" }] }, "company")
    expect(page?.context).toBe("frontmatter.key_people: Noor (CEO)")
  })
})
