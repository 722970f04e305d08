/** What is known of embedding models: their widths, how they are asked for one, and what they take in a request. */
import { describe, expect, it } from "@effect/vitest"
import { Option } from "effect"
import { defaultWidth, widthParameter, widthProblem } from "../../src/domain/EmbeddingDimensions.ts"
import { embeddingLimits } from "../../src/domain/EmbeddingLimits.ts"

describe("widths", () => {
  it("each provider is asked for a width in its own words, and a model of one width is not asked", () => {
    expect(widthParameter("openai:text-embedding-3-small", 512)).toEqual({ dimensions: 512 })
    expect(widthParameter("text-embedding-3-large", 3072)).toEqual({ dimensions: 3072 })
    expect(widthParameter("google:gemini-embedding-2", 768)).toEqual({ dimensions: 768 })
    expect(widthParameter("openrouter:openai/text-embedding-3-small", 512)).toEqual({ dimensions: 512 })
    expect(widthParameter("voyage:voyage-4", 512)).toEqual({ output_dimension: 512 })
    expect(widthParameter("litellm:voyage-4", 512)).toEqual({ dimensions: 512 })
    expect(widthParameter("voyage:voyage-law-2", 1024)).toEqual({})
    expect(widthParameter("openai:text-embedding-ada-002", 1536)).toEqual({})
    expect(widthParameter("ollama:nomic-embed-text:latest", 768)).toEqual({})
    expect(widthParameter("mistral:mistral-embed", 1024)).toEqual({})
    expect(widthParameter("openai:unheard-of", 100)).toEqual({ dimensions: 100 })
  })

  it("a width that a model never has is known to be impossible; of unknown models nothing is", () => {
    const says = (model: string, dimensions: number) => Option.getOrNull(widthProblem(model, dimensions))
    for (const [model, dimensions] of [
      ["openai:text-embedding-3-small", 1],
      ["openai:text-embedding-3-large", 3072],
      ["voyage:voyage-4", 2048],
      ["voyage:voyage-code-3", 256],
      ["openai:text-embedding-ada-002", 1536],
      ["google:gemini-embedding-001", 128],
      ["openai:unheard-of", 12345]
    ] as const)
      expect({ model, says: says(model, dimensions) }).toEqual({ model, says: null })
    expect(says("openai:text-embedding-3-small", 3072)).toContain("1 to 1536 dimensions, not of 3072")
    expect(says("voyage:voyage-4-large", 1536)).toContain("256, 512, 1024 or 2048 dimensions, not of 1536")
    expect(says("openai:text-embedding-ada-002", 512)).toContain("of 1536 dimensions, not of 512")
    expect(says("google:gemini-embedding-2", 64)).toContain("128 to 3072")
  })

  it("a model's own width is one that it makes", () => {
    for (const model of ["voyage:voyage-finance-2", "voyage:voyage-3-lite", "google:gemini-embedding-2"]) {
      const width = Option.getOrThrow(defaultWidth(model))
      expect(Option.isNone(widthProblem(model, width))).toBe(true)
    }
  })
})

describe("limits of a request", () => {
  const of = (model: string) => {
    const { inputTokens, inputs, tokens } = embeddingLimits(model)
    return [inputs, tokens, inputTokens]
  }

  it("OpenAI's", () => {
    expect(of("openai:text-embedding-3-small")).toEqual([2048, 300_000, 8_191])
    expect(of("openrouter:openai/text-embedding-3-large")).toEqual([2048, 300_000, 8_191])
  })

  it("Voyage's: of each model what its list says of it", () => {
    expect(of("voyage:voyage-4-lite")).toEqual([1000, 1_000_000, 32_000])
    expect(of("voyage:voyage-3.5")).toEqual([1000, 320_000, 32_000])
    for (const name of ["4-large", "3-large", "code-3", "finance-2", "multilingual-2"])
      expect({ name, limits: of(`voyage:voyage-${name}`) }).toEqual({ name, limits: [1000, 120_000, 32_000] })
    expect(of("voyage:voyage-law-2")).toEqual([1000, 120_000, 16_000])
    expect(of("voyage:voyage-code-2")).toEqual([1000, 120_000, 16_000])
    expect(of("voyage:voyage-2")).toEqual([1000, 320_000, 4_000])
  })

  it("Google's: the older model takes less of a text", () => {
    expect(of("google:gemini-embedding-001")).toEqual([100, 20_000, 2_048])
    expect(of("google:gemini-embedding-2")).toEqual([100, 20_000, 8_192])
  })

  it("modest ones for what is not known", () => {
    expect(of("openai:unheard-of")).toEqual([512, 100_000, 8_191])
  })
})
