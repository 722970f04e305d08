/**
 * What models cost at list price, in dollars per million tokens, with the day and the page it was read from. Prices are
 * looked up exactly, never guessed: a model that is not here and not in the overrides has no known price.
 */
import { Option, Schema } from "effect"
import * as Money from "./Money.ts"
import { parseModelId } from "./ModelId.ts"

const Dollars = Schema.String.check(
  Schema.makeFilter((text) => Option.isSome(Money.perTokenFromUsdPerMillion(text)), {
    expected: "dollars per million tokens, such as 0.50"
  })
)

/** Dollars per million tokens, as decimal text. */
export const PriceEntry = Schema.Struct({
  input: Dollars,
  /** Of output tokens; embeddings have none. */
  output: Schema.optionalKey(Dollars),
  /** Of input tokens read from the provider's cache; as `input` when it is not told. */
  cachedInput: Schema.optionalKey(Dollars),
  /** Of images, in dollars per billion pixels, where pixels are what is paid for. */
  pixels: Schema.optionalKey(Dollars)
})

/** Dollars per million tokens, as decimal text. */
export type PriceEntry = typeof PriceEntry.Type

/** A group of prices read at the same time from the same page. */
interface PriceList {
  readonly asOf: string
  readonly source: string
  readonly provider: string
  /** Model to input / output / cached input. */
  readonly models: Readonly<Record<string, readonly [input: string, output: string, cachedInput?: string]>>
  /** Models that are paid for by the pixel too: dollars per billion. */
  readonly pixels?: Readonly<Record<string, string>>
}

const lists: ReadonlyArray<PriceList> = [
  {
    asOf: "2026-08-01",
    source: "https://platform.openai.com/docs/pricing",
    provider: "openai",
    models: {
      "gpt-4o": ["2.50", "10", "1.25"],
      "gpt-4o-mini": ["0.15", "0.60", "0.075"],
      "gpt-4.1": ["2", "8", "0.50"],
      "gpt-4.1-mini": ["0.40", "1.60", "0.10"],
      "gpt-4.1-nano": ["0.10", "0.40", "0.025"],
      "gpt-5": ["5", "20"],
      "gpt-5-mini": ["0.25", "2", "0.025"],
      "gpt-5-nano": ["0.05", "0.40", "0.005"],
      "gpt-5.2": ["1.25", "10"],
      "gpt-5.5": ["4", "16"],
      "gpt-5.6": ["5", "30"],
      "gpt-5.6-sol": ["5", "30"],
      "gpt-5.6-terra": ["2.50", "15"],
      "gpt-5.6-luna": ["1", "6"],
      "text-embedding-3-large": ["0.13", "0"],
      "text-embedding-3-small": ["0.02", "0"],
      "text-embedding-ada-002": ["0.10", "0"]
    }
  },
  {
    asOf: "2026-08-01",
    source: "https://docs.anthropic.com/en/docs/about-claude/pricing",
    provider: "anthropic",
    models: {
      "claude-fable-5": ["10", "50", "1"],
      "claude-opus-5": ["5", "25", "0.50"],
      "claude-opus-4-8": ["5", "25", "0.50"],
      "claude-opus-4-7": ["5", "25", "0.50"],
      "claude-opus-4-6": ["5", "25", "0.50"],
      "claude-sonnet-5": ["3", "15", "0.30"],
      "claude-sonnet-4-6": ["3", "15", "0.30"],
      "claude-haiku-4-5": ["1", "5", "0.10"],
      "claude-3-5-sonnet": ["3", "15", "0.30"],
      "claude-3-5-haiku": ["0.80", "4", "0.08"]
    }
  },
  {
    asOf: "2026-08-01",
    source: "https://ai.google.dev/gemini-api/docs/pricing",
    provider: "google",
    models: {
      "gemini-1.5-pro": ["1.25", "5"],
      "gemini-2.0-flash": ["0.10", "0.40"],
      "gemini-2.5-flash": ["0.30", "2.50"],
      "gemini-2.5-flash-lite": ["0.10", "0.40"],
      "gemini-embedding-001": ["0.15", "0"]
    }
  },
  {
    asOf: "2026-08-01",
    source: "https://docs.voyageai.com/docs/pricing",
    provider: "voyage",
    models: {
      "voyage-4": ["0.06", "0"],
      "voyage-4-large": ["0.12", "0"],
      "voyage-4-lite": ["0.02", "0"],
      "voyage-3.5": ["0.06", "0"],
      "voyage-3.5-lite": ["0.02", "0"],
      "voyage-3-large": ["0.18", "0"],
      "voyage-multimodal-3": ["0.12", "0"],
      "voyage-multimodal-3.5": ["0.12", "0"]
    },
    pixels: { "voyage-multimodal-3": "0.60", "voyage-multimodal-3.5": "0.60" }
  },
  {
    asOf: "2026-08-01",
    source: "https://docs.mistral.ai/models",
    provider: "mistral",
    models: { "mistral-embed": ["0.10", "0"] }
  },
  {
    asOf: "2026-08-01",
    source: "https://api-docs.deepseek.com/quick_start/pricing",
    provider: "deepseek",
    models: {
      "deepseek-chat": ["0.14", "0.28"],
      "deepseek-v4-flash": ["0.14", "0.28"],
      "deepseek-v4-pro": ["0.435", "0.87"]
    }
  },
  {
    asOf: "2026-08-01",
    source: "https://www.together.ai/pricing",
    provider: "together",
    models: { "meta-llama/Llama-3.3-70B-Instruct-Turbo": ["0.88", "0.88"] }
  },
  {
    asOf: "2026-08-01",
    source: "https://openrouter.ai/models",
    provider: "openrouter",
    models: {
      "deepseek/deepseek-v4-flash-0731": ["0.14", "0.28"],
      "qwen/qwen3.7-flash": ["0.03", "0.13"],
      "qwen/qwen3.6-plus": ["0.325", "1.95"]
    }
  }
]

/** Providers that run on the reader's own machine and cost nothing a token. */
const freeProviders: ReadonlySet<string> = new Set(["ollama", "llama-server"])

/** The price of one token of each kind. */
export interface TokenPrices {
  readonly input: Money.Money
  readonly cachedInput: Money.Money
  readonly output: Money.Money
  /** Of a pixel; left out where images are paid for by the token. */
  readonly pixel?: Money.Money
  /** Where it is from: a page and the day it was read, or the brain's own overrides. */
  readonly source: string
}

/** Prices by model name, that of the brain before that of the list. */
export const Overrides = Schema.Record(Schema.String, PriceEntry)

/** Prices by model name. */
export type Overrides = typeof Overrides.Type

const known: ReadonlyMap<string, TokenPrices> = new Map(
  lists.flatMap(({ asOf, models, pixels = {}, provider, source }) =>
    Object.entries(models).flatMap(([name, [input, output, cachedInput]]) => {
      const entry = {
        input,
        output,
        ...(cachedInput === undefined ? {} : { cachedInput }),
        ...(pixels[name] === undefined ? {} : { pixels: pixels[name] })
      }
      return Option.toArray(toPrices(entry, `${source}, ${asOf}`)).map(
        (prices) => [`${provider}:${name}`.toLowerCase(), prices] as const
      )
    })
  )
)

function toPrices(entry: PriceEntry, source: string): Option.Option<TokenPrices> {
  return Option.all({
    input: Money.perTokenFromUsdPerMillion(entry.input),
    cachedInput: Money.perTokenFromUsdPerMillion(entry.cachedInput ?? entry.input),
    output: Money.perTokenFromUsdPerMillion(entry.output ?? "0"),
    pixel: Money.perPixelFromUsdPerBillion(entry.pixels ?? "0"),
    source: Option.some(source)
  }).pipe(Option.map(({ pixel, ...prices }) => (entry.pixels === undefined ? prices : { ...prices, pixel })))
}

/** A dated release of a model (`-2026-07-18`, `-20260718`) costs what the model costs. */
const releaseDate = /-\d{4}-?\d{2}-?\d{2}$/

/**
 * The price of a model: from `overrides`, by its full name or its name without the provider, else from the list. None
 * when it is not known.
 */
export const priceOf = (model: string, overrides: Overrides): Option.Option<TokenPrices> => {
  const { full, name, provider } = parseModelId(model)
  const override = overrides[full] ?? overrides[name]
  if (override !== undefined) return toPrices(override, "pricing.overrides")
  if (freeProviders.has(provider)) {
    return Option.some({
      input: Money.zero,
      cachedInput: Money.zero,
      output: Money.zero,
      source: "runs locally"
    })
  }
  const listed = (candidate: string) => Option.fromUndefinedOr(known.get(candidate.toLowerCase()))
  const vendor = name.indexOf("/")
  return listed(`${provider}:${name}`).pipe(
    Option.orElse(() => listed(`${provider}:${name.replace(releaseDate, "")}`)),
    // A bare name is looked for with every provider that has names of its own.
    Option.orElse(() =>
      full === name && provider === "openai" ? listed(`anthropic:${name}`) : Option.none()
    ),
    Option.orElse(() => (full === name && provider === "openai" ? listed(`google:${name}`) : Option.none())),
    Option.orElse(() => (full === name && provider === "openai" ? listed(`voyage:${name}`) : Option.none())),
    // An embedding model through a router costs what its vendor asks.
    Option.orElse(() =>
      provider === "openrouter" && vendor > 0 && name.includes("embed")
        ? listed(`${name.slice(0, vendor)}:${name.slice(vendor + 1)}`)
        : Option.none()
    )
  )
}

/**
 * What a call costs, exactly. `cachedTokens` are part of `inputTokens`; `imagePixels` cost something only where pixels have a
 * price.
 */
export const costOf = (
  prices: TokenPrices,
  usage: {
    readonly inputTokens: number
    readonly cachedTokens: number
    readonly outputTokens: number
    readonly imagePixels?: number
  }
): Money.Money =>
  [
    Money.times(prices.input, usage.inputTokens - usage.cachedTokens),
    Money.times(prices.cachedInput, usage.cachedTokens),
    Money.times(prices.output, usage.outputTokens),
    Money.times(prices.pixel ?? Money.zero, usage.imagePixels ?? 0)
  ].reduce(Money.add, Money.zero)
