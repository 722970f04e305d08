/**
 * Names of models as gbrain writes them, `provider:model`, and where their providers' OpenAI-compatible endpoints are.
 */

/** A provider with an OpenAI-compatible endpoint. */
export interface Provider {
  readonly baseUrl: string
  /** Environment variables that may hold the key, the first that is set counts. */
  readonly keyVariables: ReadonlyArray<string>
  /** Whether it usually asks for no key. */
  readonly keyless?: boolean
  /** Environment variable that may say that the endpoint is elsewhere. */
  readonly urlVariable?: string
}

/** Providers known by name. Others are reached with OPENAI_BASE_URL. */
export const providers: Readonly<Record<string, Provider>> = {
  openai: {
    baseUrl: "https://api.openai.com/v1",
    keyVariables: ["OPENAI_API_KEY"],
    urlVariable: "OPENAI_BASE_URL"
  },
  anthropic: { baseUrl: "https://api.anthropic.com/v1", keyVariables: ["ANTHROPIC_API_KEY"] },
  google: {
    baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai",
    keyVariables: ["GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "GOOGLE_API_KEY"]
  },
  voyage: {
    baseUrl: "https://api.voyageai.com/v1",
    keyVariables: ["VOYAGE_API_KEY"],
    urlVariable: "VOYAGE_BASE_URL"
  },
  mistral: { baseUrl: "https://api.mistral.ai/v1", keyVariables: ["MISTRAL_API_KEY"] },
  deepseek: { baseUrl: "https://api.deepseek.com/v1", keyVariables: ["DEEPSEEK_API_KEY"] },
  together: { baseUrl: "https://api.together.xyz/v1", keyVariables: ["TOGETHER_API_KEY"] },
  openrouter: {
    baseUrl: "https://openrouter.ai/api/v1",
    keyVariables: ["OPENROUTER_API_KEY"],
    urlVariable: "OPENROUTER_BASE_URL"
  },
  groq: { baseUrl: "https://api.groq.com/openai/v1", keyVariables: ["GROQ_API_KEY"] },
  moonshot: { baseUrl: "https://api.moonshot.ai/v1", keyVariables: ["MOONSHOT_API_KEY"] },
  minimax: { baseUrl: "https://api.minimaxi.com/v1", keyVariables: ["MINIMAX_API_KEY"] },
  nvidia: { baseUrl: "https://integrate.api.nvidia.com/v1", keyVariables: ["NVIDIA_API_KEY"] },
  perplexity: { baseUrl: "https://api.perplexity.ai/v1", keyVariables: ["PERPLEXITY_API_KEY"] },
  zhipu: { baseUrl: "https://open.bigmodel.cn/api/paas/v4", keyVariables: ["ZHIPUAI_API_KEY"] },
  dashscope: {
    baseUrl: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    keyVariables: ["DASHSCOPE_API_KEY"]
  },
  ollama: {
    baseUrl: "http://localhost:11434/v1",
    keyVariables: ["OLLAMA_API_KEY"],
    keyless: true,
    urlVariable: "OLLAMA_BASE_URL"
  },
  "llama-server": {
    baseUrl: "http://localhost:8080/v1",
    keyVariables: ["LLAMA_SERVER_API_KEY"],
    keyless: true,
    urlVariable: "LLAMA_SERVER_BASE_URL"
  },
  litellm: {
    baseUrl: "http://localhost:4000",
    keyVariables: ["LITELLM_API_KEY"],
    keyless: true,
    urlVariable: "LITELLM_BASE_URL"
  }
}

/** A model's name in its parts. */
export interface ModelId {
  /** As it was written. */
  readonly full: string
  /** `openai` when none is written. */
  readonly provider: string
  /** What the endpoint is asked for. */
  readonly name: string
}

/** Reads `provider:model`; a name without a known provider in front belongs to `openai`, whole. */
export const parseModelId = (text: string): ModelId => {
  const full = text.trim()
  const colon = full.indexOf(":")
  const provider = colon < 0 ? "" : full.slice(0, colon).toLowerCase()
  return Object.hasOwn(providers, provider)
    ? { full, provider, name: full.slice(colon + 1) }
    : { full, provider: "openai", name: full }
}
