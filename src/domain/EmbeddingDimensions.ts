/**
 * How wide the vectors of well-known embedding models are, as their providers state it: one width, some, or any up to the whole; and how
 * a model is asked for one.
 */
import { Option } from "effect"
import { parseModelId } from "./ModelId.ts"

/** The widths of a model: the one it has unless asked for another, and those it may be asked for. */
interface Widths {
  readonly usual: number
  readonly choice?: ReadonlyArray<number> | { readonly from: number }
}

const fixed = (usual: number): Widths => ({ usual })
const anyUpTo = (usual: number, from = 1): Widths => ({ usual, choice: { from } })

// https://docs.voyageai.com/docs/embeddings, 2026-11
const voyage: Widths = { usual: 1024, choice: [256, 512, 1024, 2048] }

const widths: Readonly<Record<string, Widths>> = {
  // https://platform.openai.com/docs/guides/embeddings: ada-002 answers 400 when it is told a width.
  "text-embedding-3-small": anyUpTo(1536),
  "text-embedding-3-large": anyUpTo(3072),
  "text-embedding-ada-002": fixed(1536),
  // https://ai.google.dev/gemini-api/docs/embeddings
  "gemini-embedding-001": anyUpTo(3072, 128),
  "gemini-embedding-2": anyUpTo(3072, 128),
  "voyage-4": voyage,
  "voyage-4-large": voyage,
  "voyage-4-lite": voyage,
  "voyage-4-nano": fixed(1024),
  "voyage-code-4": voyage,
  "voyage-3.5": voyage,
  "voyage-3.5-lite": voyage,
  "voyage-3-large": voyage,
  "voyage-3": fixed(1024),
  "voyage-3-lite": fixed(512),
  "voyage-code-3": voyage,
  "voyage-code-2": fixed(1536),
  "voyage-finance-2": fixed(1024),
  "voyage-law-2": fixed(1024),
  "voyage-multilingual-2": fixed(1024),
  "voyage-multimodal-3": fixed(1024),
  "voyage-multimodal-3.5": voyage,
  "mistral-embed": fixed(1024),
  "nomic-embed-text": fixed(768),
  "mxbai-embed-large": fixed(1024),
  "bge-m3": fixed(1024)
}

// A router's `vendor/model`, a local server's `model:tag`.
const widthsOf = (model: string): Option.Option<Widths> => {
  const name = parseModelId(model).name.replace(/^.*\//, "").replace(/:.*$/, "")
  return Object.hasOwn(widths, name) ? Option.fromUndefinedOr(widths[name]) : Option.none()
}

/** The width that a model (`provider:model`) has unless asked for another; none when the model is not known. */
export const defaultWidth = (model: string): Option.Option<number> =>
  Option.map(widthsOf(model), ({ usual }) => usual)

/** Why a model never makes vectors of a width; none when it does, or is not known. */
export const widthProblem = (model: string, dimensions: number): Option.Option<string> =>
  Option.flatMap(widthsOf(model), ({ choice, usual }) => {
    const possible = Array.isArray(choice) ? choice : [usual]
    if (choice !== undefined && "from" in choice) {
      return dimensions >= choice.from && dimensions <= usual
        ? Option.none()
        : Option.some(
            `${model} makes vectors of ${choice.from} to ${usual} dimensions, not of ${dimensions}.`
          )
    }
    return possible.includes(dimensions)
      ? Option.none()
      : Option.some(`${model} makes vectors of ${listed(possible)} dimensions, not of ${dimensions}.`)
  })

const listed = (numbers: ReadonlyArray<number>): string =>
  numbers.length < 2 ? numbers.join("") : `${numbers.slice(0, -1).join(", ")} or ${numbers.at(-1)}`

/**
 * The part of a request that asks a model for a width; empty where it has only one, and refuses to be asked. What is not known may be of
 * either kind: it is asked, and whoever asks is ready to be refused.
 */
export const widthParameter = (model: string, dimensions: number): Readonly<Record<string, number>> => {
  const isFixed = Option.exists(widthsOf(model), ({ choice }) => choice === undefined)
  if (isFixed) return {}
  // Routers take the name that everybody but Voyage has for it.
  return parseModelId(model).provider === "voyage" ? { output_dimension: dimensions } : { dimensions }
}

/** Whether a provider's words say that it will not be asked for a width. */
export const refusesWidth = (message: string): boolean => /dimension|matryoshka/i.test(message)
