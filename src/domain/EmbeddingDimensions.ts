/** How wide the vectors of well-known embedding models are, as their providers state it. */
import { Option } from "effect"
import { parseModelId } from "./ModelId.ts"

const widths: Readonly<Record<string, number>> = {
  "text-embedding-3-small": 1536,
  "text-embedding-3-large": 3072,
  "text-embedding-ada-002": 1536,
  "gemini-embedding-001": 3072,
  "voyage-4": 1024,
  "voyage-4-large": 1024,
  "voyage-4-lite": 1024,
  "voyage-3.5": 1024,
  "voyage-3.5-lite": 1024,
  "voyage-3-large": 1024,
  "voyage-multimodal-3": 1024,
  "voyage-multimodal-3.5": 1024,
  "mistral-embed": 1024,
  "nomic-embed-text": 768,
  "mxbai-embed-large": 1024,
  "bge-m3": 1024
}

/** The width that a model (`provider:model`) has unless asked for another; none when the model is not known. */
export const defaultWidth = (model: string): Option.Option<number> =>
  Option.fromUndefinedOr(widths[parseModelId(model).name.replace(/^.*\//, "").replace(/:.*$/, "")])
