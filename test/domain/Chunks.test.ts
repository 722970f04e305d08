import { describe, expect, it } from "@effect/vitest"
import { array, assert, constantFrom, integer, oneof, property } from "fast-check"
import { chunksFit } from "../../src/domain/ChunkFit.ts"
import { chunkText } from "../../src/domain/Chunks.ts"
import { sha256Hex } from "../../src/services/Sha256.ts"
import { hostilePieces, megabyteOf } from "../support/hostile.ts"

const sentence = "The quick brown fox jumps over the lazy dog; it was a fine day. "
const texts = {
  prose: Array.from(
    { length: 60 },
    (_, index) => `Paragraph ${index}. ${sentence.repeat((index % 7) + 1)}`
  ).join("\n\n"),
  lines: Array.from(
    { length: 400 },
    (_, index) =>
      `**Ana** (2024-03-15 9:${String(index % 60).padStart(2, "0")} AM): line ${index}, said at sea`
  ).join("\n"),
  chinese: Array.from({ length: 120 }, (_, index) => `第${index}句，海上的站很安静。`).join("")
}

const table = (...rows: ReadonlyArray<string>) =>
  [
    "<!--- gbrain:facts:begin -->",
    "| # | claim | kind | confidence | visibility | notability | valid_from | valid_until | source | context |",
    "|---|-------|------|------------|------------|------------|------------|-------------|--------|---------|",
    ...rows,
    "<!--- gbrain:facts:end -->"
  ].join("\n")
const isIll = "| 1 | Is ill | fact | 1.0 | private | high | 2024-01-01 |  | note |  |"
const inPorto = "| 2 | Lives in Porto | fact | 1.0 | world | high | 2024-01-01 |  | note |  |"

describe("chunks", () => {
  // Learnt by running gbrain 0.46 over the same texts: how many, and the hash of all of them.
  it.each([
    ["prose", 9, "bbbdc622280a2449"],
    ["lines", 8, "fb8d4ef1357b786c"],
    ["chinese", 4, "1c73179c113387c3"]
  ] as const)("of %s are cut where gbrain cuts", (name, count, hash) => {
    const chunks = chunkText(texts[name])
    expect({ count: chunks.length, hash: sha256Hex(JSON.stringify(chunks)).slice(0, 16) }).toEqual({
      count,
      hash
    })
  })

  it("hold no take and no private fact", () => {
    const takes = "<!--- gbrain:takes:begin -->\nsecret\n<!--- gbrain:takes:end -->"
    expect(chunkText(`Known.\n\n${takes}\n\n## Facts\n\n${table(isIll, inPorto)}\n`)).toEqual([
      `Known.\n\n\n\n## Facts\n\n${table(inPorto)}`
    ])
  })

  it("are never longer than an embedding model takes, and break no character, whatever the text is", () => {
    const word = oneof(
      constantFrom("sea", "done. ", "\n", "\n\n", "海", "。", "; ", "😀", "https://x.yz/"),
      integer({ min: 1, max: 4000 }).map((length) => "x".repeat(length))
    )
    assert(
      property(array(word, { maxLength: 60 }), (words) => {
        const text = words.join("")
        const chunks = chunkText(text)
        return (
          chunks.every((chunk) => chunk.length > 0 && chunk.length <= 6000 && chunk.isWellFormed()) &&
          chunks.length > 0 === (text.trim() !== "")
        )
      }),
      { numRuns: 200 }
    )
  })
})

describe("chunks of a megabyte that is made to be slow", () => {
  // More words than a piece has: without them a text that has few words is cut by its length and nothing else.
  const words = "word ".repeat(400)
  for (const [name, piece] of hostilePieces) {
    it(name, () => {
      const text = words + megabyteOf(piece)
      const chunks = chunkText(text)
      expect(chunks.every((chunk) => chunk.length <= 6000)).toBe(true)
      // Whether a cut through a program's block fits, nobody promises.
      expect(chunksFit(text, chunks) || piece.includes("gbrain:")).toBe(true)
    })
  }

  it("a word that is Chinese and then is not", () => {
    const text = `${words}${"中".repeat(300_000)}${"a".repeat(700_000)}`
    expect(chunksFit(text, chunkText(text))).toBe(true)
  })
})
