import { describe, expect, it } from "@effect/vitest"
import { Result } from "effect"
import { effectiveDateOf } from "../../src/domain/EffectiveDate.ts"
import { hashedContent, parsePage } from "../../src/domain/Markdown.ts"
import { splitBody } from "../../src/domain/TimelineSplit.ts"
import { typeOfSlug } from "../../src/domain/PageTypes.ts"
import { slugOfPath } from "../../src/domain/Slug.ts"
import { sha256Hex } from "../../src/services/Sha256.ts"
import { hostilePieces, megabyteOf } from "../support/hostile.ts"

// What gbrain 0.46 made of these files: learnt by running it, not by reasoning.
const files = [
  {
    path: "people/josé-ñandú.md",
    file: '---\ntype: person\ntitle: José Ñandú\naliases: [Pepe Ñandú, "J. Ñandú"]\ntags: [friend, "Öl", sea]\ncompany: Kelpline Ventures\n---\nJosé works at [[companies/kelpline-ventures|Kelpline]] and knows [[Ewa Nowak]], [[people/maja-lindqvist#Early years|Maja]].\nSee [[wiki:concepts/quiet-construction]] and [Azul](../companies/azul-ports.md).\n\n## Timeline\n\n- **2024-03-04** | Met [[people/dan-whitlock]] in Porto\n- **2024-05** | Joined Azul\n- **2023-12-31** | Source: notes — Left the Institute\n',
    slug: "people/jose-nandu",
    type: "person",
    title: "José Ñandú",
    date: undefined,
    timeline: "## Timeline",
    tags: ["friend", "sea", "Öl"],
    hash: "4f554667be31d995552e60363b2cedf5ae7a6e2741e99f1185deb67ddd6dad75"
  },
  {
    path: "people/李小龙.md",
    file: "---\ntitle: 李小龙\n---\n李小龙 founded [[companies/海上公司]]. 这是一个很长的句子。他住在上海。\n\n---\n\n## Timeline\n- **2024-01-02** | 见了 [[people/josé-ñandú]]\n",
    slug: "people/李小龙",
    type: "person",
    title: "李小龙",
    date: undefined,
    timeline: "## Timeline",
    tags: [],
    hash: "779acd4835970d34f8e999458aa531681db70158ff4af841f49f6a1abf8ea709"
  },
  {
    path: "meetings/2024-02-03-sync.md",
    file: '---\ntype: meeting\ntitle: Sync of February\ndate: 2024-02-03\nattendees:\n  - Ewa Nowak\n  - people/dan-whitlock\n  - "[[people/hana-sato]]"\nsource: email\n---\n# Sync\n\nAttendees: [[people/ewa-nowak]], Dan Whitlock\n\n## Notes\n- Discussed src/core/engine.ts:120 and `lib/parser/main.py` and [[src/cli.ts]]\n- Ewa invested in [[companies/tidewell]].\n\n## Timeline\n\n### 2024-02-03 — Sync held\nIt went well.\n\n- 2024-02-04: Follow-up sent\n- **2024-02-05** - Answer came\n',
    slug: "meetings/2024-02-03-sync",
    type: "meeting",
    title: "Sync of February",
    date: "filename 2024-02-03",
    timeline: "",
    tags: [],
    hash: "49516e2838053e1b0135cd51d8d2d6f2ea45f4a9bc32b37264df09d5e5cba3f6"
  },
  {
    path: "meetings/no-date-2024-07-08.md",
    file: "# A meeting with no front matter\n\nWe talked with [[dan-whitlock]] and [[Hana Sato|Hana]] about [[projects/listening-post/]].\n\n---\n\nJust a rule, no timeline.\n\n---\n\n## History\n- **2024-07-08** | [[people/ewa-nowak|Ewa]] hired\n",
    slug: "meetings/no-date-2024-07-08",
    type: "meeting",
    title: "A meeting with no front matter",
    date: "date 2024-07-08",
    timeline: "## History",
    tags: [],
    hash: "6d87497a59313a5108bf6d558b0734cef98a944f7c0a70a1c54f6e57a6270cc7"
  },
  {
    path: "Apple Notes/2017-05-03 Ohm’s Law & Café.md",
    file: "Ohm’s law note. [[People/Dan-Whitlock]] said so. Ünïcödé.\n",
    slug: "apple-notes/2017-05-03-ohms-law-cafe",
    type: "apple-note",
    title: "Ohm’s Law & Café",
    date: "date 2017-05-03",
    timeline: "",
    tags: [],
    hash: "b62812880c23d5c53a0acb5c88f8299e89518b1e62a343370c0ff1970414a493"
  },
  {
    path: "notes/dates.md",
    file: '---\ntitle: Dates\npublished: 2022-02-02T10:00:00Z\ncreated: 2021-01-01\nnumber: 5\nnested: {b: 1, a: 2, É: 3, z: 4, Z: 5}\nnull_field: null\nlist: [b, a]\ntags: "one, two"\nslug: notes/dates\n---\nText\n',
    slug: "notes/dates",
    type: "note",
    title: "Dates",
    date: "published 2022-02-02",
    timeline: "",
    tags: ["one", "two"],
    hash: "6439e068d84d2bfbc513470bcc1d400500b991205939ace462edaf88e20e5f1f"
  },
  {
    path: "notes/event.md",
    file: '---\ntitle: 2024\ntype: event\nevent_date: 2024-13-45\ndate: "2024-05-06"\n---\n',
    slug: "notes/event",
    type: "event",
    title: "2024",
    date: "event_date 2025-02-14",
    timeline: "",
    tags: [],
    hash: "a32620ff562aed937cc6f72d53c42139d185f20a8577e55313d2be1f374aed64"
  },
  {
    path: "notes/only-heading.md",
    file: "# Heading Title Here\n\nbody\n",
    slug: "notes/only-heading",
    type: "note",
    title: "Heading Title Here",
    date: undefined,
    timeline: "",
    tags: [],
    hash: "6497e9a8cae0e4afd7c980a42c8967543546a2e6e6986d7232c43c493260e7a6"
  },
  {
    path: "notes/crlf.md",
    file: "---\r\ntitle: CRLF\r\ntags: [x]\r\n---\r\nLine one\r\n\r\n<!-- timeline -->\r\n- **2024-01-01** | Thing\r\n",
    slug: "notes/crlf",
    type: "note",
    title: "CRLF",
    date: undefined,
    timeline: "- **2024-01-01** | Thing",
    tags: ["x"],
    hash: "3f7b04e02f73aaf281e40da31abd30b7280b31ce41ebc61f3fdabbd187a1c089"
  },
  {
    path: "notes/bom.md",
    file: "﻿---\ntitle: BOM\n---\nHello\n",
    slug: "notes/bom",
    type: "note",
    title: "BOM",
    date: undefined,
    timeline: "",
    tags: [],
    hash: "a347bc940a048e54d4df6ff84fe5f3a320e36bda6098c8b08a3c6df17409859e"
  },
  {
    path: "notes/Title With CAPS_and_underscores.md",
    file: "x [[notes/dates]]\n",
    slug: "notes/title-with-caps_and_underscores",
    type: "note",
    title: "Title With CAPS and underscores",
    date: undefined,
    timeline: "",
    tags: [],
    hash: "2660c9f3b634d9ca37b63a1a7a3db169511b1b328ea2810aebd5daa10c9ef17a"
  },
  {
    path: "notes/h3timeline.md",
    file: "Text\n\n---\n\n### Timeline\n- **2024-02-09** | Nope?\n\n## Timeline\n- 2024-02-10 — dash\n- [2024-02-11] bracket\n* **2024-02-12**: colon\n",
    slug: "notes/h3timeline",
    type: "note",
    title: "H3timeline",
    date: undefined,
    timeline: "",
    tags: [],
    hash: "3ceacf0ae57a24c02159f81fdce13acdf28e0882bbb7b3194bccfc779c365aaa"
  },
  {
    path: "notes/rule-timeline.md",
    file: "Text before\n\n--- timeline ---\n- **2024-01-09** | Something\n",
    slug: "notes/rule-timeline",
    type: "note",
    title: "Rule Timeline",
    date: undefined,
    timeline: "- **2024-01-09** | Something",
    tags: [],
    hash: "3db7044a20448f096db6dc1776fa0b05d648b933dffc861f9360db29991f69cd"
  },
  {
    path: "deals/seed-round.md",
    file: "---\ntype: deal\ntitle: Seed round\nlead: companies/ocean-fund\ninvestors:\n  - companies/kelpline-ventures\n  - Ewa Nowak\ndeal_date: 2024-09-09\n---\nLed by Ocean Fund.\n",
    slug: "deals/seed-round",
    type: "deal",
    title: "Seed round",
    date: undefined,
    timeline: "",
    tags: [],
    hash: "65a355e76246cd68c48c3577f7307ebc61f4a0587c92c76b883f2783158e15e0"
  },
  {
    path: "inbox/2024-11-12-thought.mdx",
    file: "Some thought about [[kofi-asante]].\n",
    slug: "inbox/2024-11-12-thought",
    type: "note",
    title: "Thought.Mdx",
    date: "date 2024-11-12",
    timeline: "",
    tags: [],
    hash: "f3f7d9fe65ca2229e6a41a8e97bee8222c435535c96c8663321904802341f6ee"
  },
  {
    path: "daily/2024-06-01.md",
    file: "# 2024-06-01\n\nMet [Hana](people/hana-sato) at [[Saltmarsh Bank]]. Works at [[companies/tidewell]]. CEO of [[companies/hafenwerk]]\n",
    slug: "daily/2024-06-01",
    type: "note",
    title: "2024-06-01",
    date: "filename 2024-06-01",
    timeline: "",
    tags: [],
    hash: "07dcb31b7a3caa967cfc078d78808561144e4f4285c72c0db385c4c20401444f"
  },
  {
    path: "notes/empty.md",
    file: "",
    slug: "notes/empty",
    type: "note",
    title: "Empty",
    date: undefined,
    timeline: "",
    tags: [],
    hash: "f40d8f09316f51b3f2f3477936725363f9c025ab0fee2502bd5a3c35b08f1729"
  }
]

const parse = (content: string, path: string) => Result.getOrThrow(parsePage(content, path))

describe("a file as a page", () => {
  it.each(files)("$path becomes the page that gbrain makes of it, with the same hash", (expected) => {
    const page = parse(expected.file, expected.path)
    expect({
      slug: page.slug,
      type: page.type,
      title: page.title,
      date: page.effectiveDate && `${page.effectiveDate.source} ${page.effectiveDate.date.slice(0, 10)}`,
      timeline: page.timeline.split("\n")[0],
      tags: [...page.tags].sort(),
      hash: sha256Hex(hashedContent(page))
    }).toEqual({
      slug: expected.slug,
      type: expected.type,
      title: expected.title,
      date: expected.date,
      timeline: expected.timeline,
      tags: expected.tags,
      hash: expected.hash
    })
  })

  it("front matter counts in the order of the file, without what programs stamp on it", () => {
    const hashed = (yaml: string) => hashedContent(parse(`---\n${yaml}\n---\nText`, "notes/a.md"))
    expect(hashed("b: 1\na: 2")).not.toBe(hashed("a: 2\nb: 1"))
    expect(hashed("a: 2\ncaptured_at: 2024-01-01\nquarantine: {reason: x}\nembed_skip: {bytes: 1}")).toBe(
      hashed("a: 2")
    )
  })

  it("a slug in front matter may spell its path in another way, and may not be another page's", () => {
    const withSlug = (slug: string) => parsePage(`---\nslug: ${slug}\n---\nText`, "people/jose.md")
    expect(Result.getOrThrow(withSlug("people/José")).slug).toBe("people/josé")
    expect(Result.getFailure(withSlug("people/maria")).pipe((failure) => failure._tag)).toBe("Some")
  })

  it.each([
    ["holds itself", "a: &a [*a]", "holds itself"],
    ["holds itself in its title", "title: &t [*t]\nb: 1", "holds itself"],
    ["holds itself in two ways", "a: &a {b: *a, c: [*a, *a]}", "holds itself"],
    ["nests without need", `a: ${"[".repeat(200)}${"]".repeat(200)}`, "nests deeper"],
    [
      "says little, and means more than memory holds",
      ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        .concat(
          Array.from(
            { length: 12 },
            (_, n) => `a${n + 1}: &a${n + 1} [${Array.from({ length: 10 }, () => `*a${n}`).join(", ")}]`
          )
        )
        .join("\n"),
      "aliases"
    ]
  ])("front matter that %s is named", (_, yaml, reason) => {
    expect(parsePage(`---\n${yaml}\n---\nText`, "a.md")).toMatchObject({
      _tag: "Failure",
      failure: expect.stringContaining(reason)
    })
  })

  it("an alias that stands for little is written out", () => {
    expect(parsePage("---\na: &a [1, 2]\nb: *a\n---\n", "a.md")).toMatchObject({
      success: { frontmatter: { a: [1, 2], b: [1, 2] } }
    })
  })

  it("broken YAML is named; a motto between two rules is text", () => {
    expect(Result.isFailure(parsePage("---\ntitle: [oops\n  x: : y\n---\nBody", "notes/a.md"))).toBe(true)
    const motto = parse("---\n[All is [well\n---\nBody", "notes/a.md")
    expect(motto.compiledTruth).toContain("All is")
  })
})

describe("the timeline of a page", () => {
  it.each([
    ["a comment", "Text\n<!-- timeline -->\n- 2024: x", "Text", "\n- 2024: x".slice(1)],
    ["a decorated rule", "Text\n--- Timeline ---\n- x", "Text", "- x"],
    ["a rule above its heading", "Text\n\n---\n\n## History\nProse", "Text\n\n", "\n## History\nProse"],
    [
      "a section of dated bullets, up to the next one",
      "Text\n## Timeline\n- **2024-01-02** | a\n  more\n\n- 2023: b\n## Next\nRest",
      "Text\n## Next\nRest",
      "## Timeline\n- **2024-01-02** | a\n  more\n\n- 2023: b"
    ],
    [
      "not a section of prose",
      "Text\n## History\nOnce upon a time",
      "Text\n## History\nOnce upon a time",
      ""
    ],
    ["not without text above it", "## Timeline\n- 2024: x", "## Timeline\n- 2024: x", ""],
    ["not in code", "Text\n```\n## Timeline\n- 2024: x\n```", "Text\n```\n## Timeline\n- 2024: x\n```", ""],
    ["not a bare rule", "Text\n---\nMore", "Text\n---\nMore", ""]
  ])("%s", (_, body, compiledTruth, timeline) => {
    const split = splitBody(body)
    expect({ truth: split.compiledTruth.trim(), timeline: split.timeline.trim() }).toEqual({
      truth: compiledTruth.trim(),
      timeline: timeline.trim()
    })
  })
})

describe("the date of a page", () => {
  const latest = Date.UTC(2026, 0, 1)
  it.each([
    [
      "event_date before date",
      "notes/a",
      { date: "2024-01-02", event_date: "2024-01-01" },
      "event_date 2024-01-01"
    ],
    [
      "a name before a field, in meetings",
      "meetings/2024-03-04-x",
      { date: "2024-01-02" },
      "filename 2024-03-04"
    ],
    ["a field before a name, elsewhere", "notes/2024-03-04-x", { date: "2024-01-02" }, "date 2024-01-02"],
    [
      "not before 1990, not after the latest",
      "notes/2024-03-04-x",
      { event_date: "1980-01-01", date: "2030-01-01" },
      "filename 2024-03-04"
    ],
    ["no bare year", "notes/a", { date: 2024 }, undefined],
    ["no date in the middle of a name", "notes/on-2024-03-04", {}, undefined]
  ])("%s", (_, slug, frontmatter, expected) => {
    const found = effectiveDateOf({ slug, frontmatter, name: slug.split("/")[1] ?? "" }, latest)
    expect(found && `${found.source} ${found.date.slice(0, 10)}`).toBe(expected)
  })
})

describe("slugs and types", () => {
  it.each([
    ["שָׁלוֹם.md", "שלום"],
    ["Ǆ/A.md", "ǆ/a"],
    ["notes/v1.0.0.md", "notes/v1.0.0"]
  ])("the slug of %s is %s", (path, slug) => {
    expect(slugOfPath(path)).toBe(slug)
  })

  it.each([
    ["brain/people/ana", "person"],
    ["orgs/acme", "company"],
    ["wiki/analysis/x", "analysis"],
    ["conversations/x", "conversation"],
    ["x", "concept"]
  ])("%s is a %s", (slug, type) => {
    expect(typeOfSlug(slug)).toBe(type)
  })
})

describe("front matter that cannot be read", () => {
  it.each(["title: [a", 'title: "a', "title: a: b"])("%s: the reason is whole", (fields) => {
    const parsed = parsePage(`---\n${fields}\n---\nText`, "a.md")
    const reason = Result.isFailure(parsed) ? parsed.failure : "none"
    expect(reason).toMatch(/^the front matter cannot be read: \w.*[^:\s]$/)
  })
})

describe("gaps", () => {
  const gap = "\n".repeat(1500)
  it("in front matter are refused, if it has fields", () => {
    const parsed = parsePage(`---\ntitle: Ana${gap}---\nText`, "a.md")
    expect(parsed).toEqual(Result.fail("the front matter cannot be read: it is mostly empty lines"))
  })

  it.each([
    ["below front matter", `---\ntitle: Ana\n---\nText${gap}---\ntitle: Bo\n---\n`],
    ["above what would be some", `${gap}---\ntitle: Ana\n---\nText`],
    ["in a text", `Text${gap}Text`]
  ])("%s are gaps", (_, content) => {
    expect(Result.isSuccess(parsePage(content, "a.md"))).toBe(true)
  })
})

describe("files of a megabyte that are made to be slow", () => {
  const hostile: ReadonlyArray<readonly [name: string, start: string, piece: string]> = [
    ["fields", "---\n", "a: "],
    ["rules", "", "---\n"],
    ["front matter that never ends", "---\n", "a\n"],
    ["lists that open", "---\na: ", "["],
    ["quotes that open", '---\na: "', '\\"'],
    ["blanks", "---\na: b", " "],
    ["headings", "", "# "],
    ["headings of a timeline", "", "## Timeline\n"],
    ["bullets", "", "- "],
    ["dates", "", "- **2024-01-01** | "]
  ]
  for (const [name, start, piece] of hostile) {
    it(name, () => {
      // A rule that is not linear does not come back from here.
      const text = start + piece.repeat(Math.ceil(1_000_000 / piece.length))
      for (const content of [text, `${text}\n---\nText`]) {
        const parsed = parsePage(content, "a.md")
        if (Result.isSuccess(parsed)) {
          const { compiledTruth, timeline } = parsed.success
          expect(compiledTruth.length + timeline.length).toBeLessThanOrEqual(content.length)
        } else expect(parsed.failure).toContain("front matter")
      }
    })
  }

  for (const [name, piece] of hostilePieces) {
    it(`${name}, in front matter and below it`, () => {
      for (const start of ["", "---\n", "---\na: ", "---\na:\n  - "]) {
        const content = start + megabyteOf(piece)
        for (const whole of [content, `${content}\n---\nText`]) {
          const parsed = parsePage(whole, "a.md")
          if (Result.isFailure(parsed)) expect(parsed.failure).toContain("front matter")
        }
      }
    })

    it(`${name}, parted into what is known and what happened`, () => {
      for (const start of ["", "Known.\n---\n", "Known.\n\n## Timeline\n\n- 2024\n"]) {
        const body = `${start}${megabyteOf(piece)}`
        const { compiledTruth, timeline } = splitBody(body)
        expect(compiledTruth.length + timeline.length).toBeLessThanOrEqual(body.length)
      }
    })
  }
})
