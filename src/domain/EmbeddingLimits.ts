/**
 * What providers take in one embedding request, as they document it, with the page that says so. Where a provider says
 * nothing, and for servers of one's own, modest numbers: a request that is too large is halved when it is refused.
 */
import { parseModelId } from "./ModelId.ts"

/** The most that one request may hold. */
export interface EmbeddingLimits {
  /** Inputs in a request. */
  readonly inputs: number
  /** Tokens in a request, over all its inputs. */
  readonly tokens: number
  /** Tokens in one input. */
  readonly inputTokens: number
  /** Where this is written, and when it was read. */
  readonly source: string
}

interface ListedLimits extends EmbeddingLimits {
  readonly provider: string
  /** Of the model's name; the first entry that fits counts. */
  readonly model: RegExp
}

const openai = "https://platform.openai.com/docs/api-reference/embeddings/create, 2026-08"
const voyage = "https://docs.voyageai.com/docs/embeddings and .../reference/embeddings-api, 2026-11"

const ofGoogle = {
  inputs: 100,
  tokens: 20_000,
  source:
    "https://ai.google.dev/gemini-api/docs/embeddings and https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini/embedding-2, " +
    "2026-11 (tokens in a request: not told, a modest guess)"
}

const listed: ReadonlyArray<ListedLimits> = [
  {
    provider: "openai",
    model: /^text-embedding-/,
    inputs: 2048,
    tokens: 300_000,
    inputTokens: 8_191,
    source: openai
  },
  {
    provider: "voyage",
    model: /-lite$/,
    inputs: 1000,
    tokens: 1_000_000,
    inputTokens: 32_000,
    source: voyage
  },
  {
    provider: "voyage",
    model: /^voyage-(4|3\.5|3)$/,
    inputs: 1000,
    tokens: 320_000,
    inputTokens: 32_000,
    source: voyage
  },
  // No list has it any more; it was said to take four thousand, and is told too little rather than too much.
  {
    provider: "voyage",
    model: /^voyage-(2|02)$/,
    inputs: 1000,
    tokens: 320_000,
    inputTokens: 4_000,
    source: voyage
  },
  {
    provider: "voyage",
    model: /^voyage-(law-2|code-2|large-2.*)$/,
    inputs: 1000,
    tokens: 120_000,
    inputTokens: 16_000,
    source: voyage
  },
  // The large ones, and those for code and finance.
  { provider: "voyage", model: /./, inputs: 1000, tokens: 120_000, inputTokens: 32_000, source: voyage },
  { provider: "google", model: /^gemini-embedding-2/, ...ofGoogle, inputTokens: 8_192 },
  { provider: "google", model: /./, ...ofGoogle, inputTokens: 2_048 },
  {
    provider: "mistral",
    model: /./,
    inputs: 256,
    tokens: 65_536,
    inputTokens: 8_192,
    source:
      "https://docs.mistral.ai/capabilities/embeddings, 2026-08 (inputs and tokens in a request: what its errors say)"
  }
]

/** For models that are not listed. */
const modest: EmbeddingLimits = {
  inputs: 512,
  tokens: 100_000,
  inputTokens: 8_191,
  source: "not documented; modest"
}

/** The limits of a model (`provider:model`). A router's `vendor/model` has the vendor's. */
export const embeddingLimits = (model: string): EmbeddingLimits => {
  const { name, provider } = parseModelId(model)
  const slash = name.indexOf("/")
  const vendor = slash < 0 ? provider : name.slice(0, slash)
  const bare = name.slice(slash + 1)
  return listed.find((it) => it.provider === vendor && it.model.test(bare)) ?? modest
}
