/** The prices that hold in a brain: the list, and the brain's own overrides before it. */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { type Overrides, priceOf, type TokenPrices } from "../domain/Prices.ts"
import { BrainConfig, readOverrides } from "./BrainConfig.ts"

/** A model has no known price, and a cap cannot be kept without one. */
export class UnpricedModel extends Schema.TaggedError<UnpricedModel>()("UnpricedModel", {
  model: Schema.String,
  message: Schema.String
}) {}

/** The error for a model without a price; its message says how to tell the price. */
export const unpriced = (model: string): UnpricedModel =>
  new UnpricedModel({
    model,
    message:
      `No price is known for ${model}, so a cost cap cannot be kept. Tell it in dollars per million tokens: ` +
      `gbrain config set pricing.overrides '{"${model}":{"input":"0.50","output":"2"}}'`
  })

/** Prices. */
export class Prices extends Context.Service<
  Prices,
  {
    /** The price of a token of each kind; none when it is not known. */
    readonly of: (model: string) => Option.Option<TokenPrices>
  }
>()("gbrain/Prices") {
  /** List prices, with overrides by model name. */
  static readonly layerWith = (overrides: Overrides) =>
    Layer.succeed(Prices, Prices.of({ of: (model) => priceOf(model, overrides) }))

  /** List prices, with the overrides of the open brain (config row `pricing.overrides`, JSON). */
  static readonly layer = Layer.unwrap(
    Effect.gen(function* () {
      const config = yield* BrainConfig
      const row = yield* config.get("pricing.overrides")
      if (Option.isNone(row)) return Prices.layerWith({})
      const overrides = yield* readOverrides(row.value)
      return Prices.layerWith(overrides)
    })
  )
}
