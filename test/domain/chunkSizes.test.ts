import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { sizeOf, together } from "../../src/domain/ChunkSizes.ts"
import { chunkText } from "../../src/domain/Chunks.ts"

describe("sizes of texts", () => {
  it("two texts together are as large as the one that they make", () => {
    const text = fc.string({
      unit: fc.constantFrom("a", "é", "中", "。", " ", "\n", "😀", "\u00a0"),
      minLength: 1
    })
    fc.assert(
      fc.property(text, text, (before, after) => {
        expect(together(sizeOf(before), sizeOf(after))).toEqual(sizeOf(before + after))
      })
    )
  })

  // Put together by measuring the whole again with each, a megabyte of these takes minutes.
  for (const piece of ["a.\n", "a; ", "a。", "- \n", "# \n"]) {
    it(`a megabyte of small pieces is measured once: ${JSON.stringify(piece)}`, () => {
      expect(chunkText(piece.repeat(1_000_000 / piece.length)).length).toBeGreaterThan(0)
    })
  }
})
