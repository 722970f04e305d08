/** How pages are cut, whether a cut fits, and what is written to get from one to another. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { chunksFit } from "../../src/domain/ChunkFit.ts"
import { type ChunkPlan, hasChanges, planChunks, type StoredChunk } from "../../src/domain/ChunkPlan.ts"
import { chunkPage, chunkText, type PageChunk } from "../../src/domain/Chunks.ts"

const words = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `w${from + i}`).join(" ")

describe("cuts", () => {
  it("a page that gbrain keeps out of search has no chunks", () => {
    const page = { compiledTruth: "a", timeline: "b" }
    expect(chunkPage({ ...page, frontmatter: { embed_skip: { reason: "oversized" } } })).toEqual([])
    expect(chunkPage({ ...page, frontmatter: { quarantine: { reason: "junk_pattern" } } })).toEqual([])
    expect(chunkPage({ ...page, frontmatter: { quarantine: null } })).toHaveLength(2)
  })
  it("Chinese text is cut as small as its tokens are many", () => {
    const text = "我们在海边走了很久。".repeat(500)
    for (const chunk of chunkText(text)) expect(chunk.length).toBeLessThan(2500)
  })
  it("fit the text they were made of, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("word ", "\n\n", "\n", "End. ", "海。", "longer ", "  "), {
          maxLength: 3000
        }),
        (parts) => {
          const text = parts.join("")
          expect(chunksFit(text, chunkText(text))).toBe(true)
        }
      ),
      { numRuns: 60 }
    )
  })
  const text = `${words(400)}\n\n${words(400, 400)}`
  const cases: ReadonlyArray<readonly [why: string, chunks: ReadonlyArray<string>, fits: boolean]> = [
    ["somebody else's borders, without repeats", [words(500), words(300, 500)], true],
    ["somebody else's borders, with repeats", [words(500), words(350, 450)], true],
    ["the end is missing", [words(500), words(200, 500)], false],
    ["the middle is missing", [words(300), words(400, 400)], false],
    ["the beginning is missing", [words(700, 100)], false],
    ["a word was changed", [words(500), `new ${words(299, 501)}`], false],
    ["none", [], false]
  ]
  for (const [why, chunks, fits] of cases) it(why, () => expect(chunksFit(text, chunks)).toBe(fits))
  it("an empty text is cut into none", () => {
    expect(chunksFit(" \n", [])).toBe(true)
    expect(chunksFit("", ["old"])).toBe(false)
  })
  it("takes no longer than the text is long", () => {
    const hostile = "a".repeat(1_000_000)
    expect(chunksFit(hostile, chunkText(hostile))).toBe(true)
    expect(chunksFit(hostile, [`${"a".repeat(9_000)}b`])).toBe(false)
    expect(chunksFit(hostile, [hostile])).toBe(false)
  })
})

const stored = (...texts: ReadonlyArray<string>): ReadonlyArray<StoredChunk> =>
  texts.map((text, index) => ({ id: index + 1, index, text, source: "compiled_truth" }))
const wanted = (...texts: ReadonlyArray<string>): ReadonlyArray<PageChunk> =>
  texts.map((text) => ({ text, source: "compiled_truth" }))

/** The chunks as they are when a plan was written: text by place, with ids. */
const after = (before: ReadonlyArray<StoredChunk>, plan: ChunkPlan) => {
  const moved = new Map(plan.moved.map((chunk) => [chunk.id, chunk]))
  return [
    ...before
      .filter((chunk) => !plan.removed.includes(chunk.id))
      .map((chunk) => ({ ...chunk, ...moved.get(chunk.id) })),
    ...plan.added.map((chunk) => ({ ...chunk, id: 0 }))
  ].sort((a, b) => a.index - b.index)
}

describe("plans", () => {
  it("nothing to do", () => {
    const plan = planChunks(stored("a", "b"), wanted("a", "b"))
    expect(plan).toEqual({ kept: 2, moved: [], added: [], removed: [] })
    expect(hasChanges(plan)).toBe(false)
  })
  it("one is put before the others: they move and keep their rows", () => {
    expect(planChunks(stored("a", "b"), wanted("new", "a", "b"))).toEqual({
      kept: 0,
      moved: [
        { id: 1, index: 1, source: "compiled_truth" },
        { id: 2, index: 2, source: "compiled_truth" }
      ],
      added: [{ text: "new", source: "compiled_truth", index: 0 }],
      removed: []
    })
  })
  it("a chunk goes to another part of the page", () => {
    expect(planChunks(stored("a"), [{ text: "a", source: "timeline" }])).toMatchObject({
      moved: [{ id: 1, index: 0, source: "timeline" }],
      added: [],
      removed: []
    })
  })
  it("what another program made stays behind the rest", () => {
    const picture: StoredChunk = { id: 5, index: 1, text: "a.png", source: "image_asset" }
    const plan = planChunks([...stored("a"), picture], wanted("a", "b"))
    expect(plan.moved).toEqual([{ id: 5, index: 2, source: "image_asset" }])
    expect(plan.removed).toEqual([])
  })
  it("a sample of code keeps its row as long as the page shows it", () => {
    const sample = (id: number, text: string): StoredChunk => ({ id, index: id, text, source: "fenced_code" })
    const plan = planChunks(
      [...stored("a"), sample(5, "const f = 1"), sample(6, "const g = 1")],
      [...wanted("a", "b"), { text: "const g = 1", source: "fenced_code" }]
    )
    expect(plan.moved).toEqual([{ id: 6, index: 2, source: "fenced_code" }])
    expect(plan.removed).toEqual([5])
  })
  it("leads to the wanted chunks, keeps every row it can, and writes nothing the second time", () => {
    const text = fc.constantFrom("a", "b", "c", "d", "e")
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), fc.array(text, { maxLength: 8 }), (before, then) => {
        const old = stored(...before)
        const plan = planChunks(old, wanted(...then))
        const now = after(old, plan)
        expect(now.map((chunk) => chunk.text)).toEqual(then)
        expect(now.map((chunk) => chunk.index)).toEqual(then.map((_, index) => index))
        const common = ["a", "b", "c", "d", "e"].reduce(
          (sum, it) =>
            sum + Math.min(before.filter((x) => x === it).length, then.filter((x) => x === it).length),
          0
        )
        expect(plan.kept + plan.moved.length).toBe(common)
        const stored2 = now.map((chunk, index) => ({ ...chunk, id: index + 1 }))
        expect(hasChanges(planChunks(stored2, wanted(...then)))).toBe(false)
      })
    )
  })
})
