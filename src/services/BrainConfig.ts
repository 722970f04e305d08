/**
 * The settings that live in the brain itself (`config` rows), so that every machine that works on it, and gbrain too, goes
 * by the same.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import * as Money from "../domain/Money.ts"
import { Overrides } from "../domain/Prices.ts"

/** A setting's value does not fit the setting. */
export class BadSetting extends Schema.TaggedError<BadSetting>()("BadSetting", {
  key: Schema.String,
  message: Schema.String
}) {}

/** Config rows. */
export class BrainConfig extends Context.Service<
  BrainConfig,
  {
    readonly all: Effect.Effect<ReadonlyMap<string, string>, SqlError.SqlError>
    readonly get: (key: string) => Effect.Effect<Option.Option<string>, SqlError.SqlError>
    /** Refuses a value that the setting, if we know it, cannot have. */
    readonly set: (key: string, value: string) => Effect.Effect<void, SqlError.SqlError | BadSetting>
    /** Removes the row; answers whether there was one. */
    readonly unset: (key: string) => Effect.Effect<boolean, SqlError.SqlError>
  }
>()("gbrain/BrainConfig") {
  /** The settings of the open brain. */
  static readonly layer = Layer.effect(
    BrainConfig,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      return BrainConfig.of({
        all: sql<{
          readonly key: string
          readonly value: string
        }>`select key, value from config order by key`.pipe(
          Effect.map((rows) => new Map(rows.map((row) => [row.key, row.value])))
        ),
        get: (key) =>
          sql<{ readonly value: string }>`select value from config where key = ${key}`.pipe(
            Effect.map(([row]) => Option.fromUndefinedOr(row?.value))
          ),
        set: (key, value) =>
          Effect.andThen(
            checkSetting(key, value),
            Effect.asVoid(sql`
              insert into config (key, value) values (${key}, ${value})
              on conflict (key) do update set value = excluded.value`)
          ),
        unset: (key) =>
          sql`delete from config where key = ${key} returning key`.pipe(Effect.map((rows) => rows.length > 0))
      })
    })
  )
}

/** gbrain's way to switch extraction off: `facts.extraction_enabled` is one of these, in any case. */
export const isSwitchedOff = (value: string): boolean =>
  ["false", "0", "no", "off"].includes(value.trim().toLowerCase())

/** The embedding model and width that the brain is configured for. */
export const embeddingSettings = Effect.fn("embeddingSettings")(function* (config: BrainConfig["Service"]) {
  return yield* readEmbeddingSettings(yield* config.all)
})

/** The embedding model and width among these rows of `config`, by key. */
export const readEmbeddingSettings = Effect.fnUntraced(function* (rows: ReadonlyMap<string, string>) {
  const model = rows.get("embedding_model") ?? "openai:text-embedding-3-small"
  const dimensions = yield* readWidth(rows.get("embedding_dimensions") ?? "1536")
  return { model, dimensions }
})

/** A setting that is an amount of dollars; none when it is not set. */
export const dollarSetting = Effect.fnUntraced(function* (config: BrainConfig["Service"], key: string) {
  const text = yield* config.get(key)
  return Option.isNone(text) ? Option.none() : Option.some(yield* readDollars(key, text.value))
})

const readWidth = (text: string) => {
  const dimensions = Number(text)
  return Number.isInteger(dimensions) && dimensions >= 1 && dimensions <= 16_000
    ? Effect.succeed(dimensions)
    : Effect.fail(
        new BadSetting({
          key: "embedding_dimensions",
          message: `The setting embedding_dimensions is "${text}", which is no width. Set it: gbrain config set embedding_dimensions 1536`
        })
      )
}

/** The setting `pricing.overrides`: prices by model, as JSON. */
export const readOverrides = (text: string) =>
  Schema.decodeEffect(Schema.fromJsonString(Overrides))(text).pipe(
    Effect.mapError(
      (error) =>
        new BadSetting({
          key: "pricing.overrides",
          message: `The setting pricing.overrides cannot be read: ${error.message}. Expected {"model":{"input":"0.50","output":"2"}}.`
        })
    )
  )

const readDollars = (key: string, text: string) =>
  Option.match(Money.parseUsd(text), {
    onSome: Effect.succeed,
    onNone: () =>
      Effect.fail(
        new BadSetting({
          key,
          message: `The setting ${key} is "${text}", which is no amount of dollars. Set it: gbrain config set ${key} 5, or remove it: gbrain config unset ${key}`
        })
      )
  })

const checkSetting = (key: string, value: string): Effect.Effect<void, BadSetting> => {
  switch (key) {
    case "embedding_dimensions":
      return Effect.asVoid(readWidth(value))
    case "budget.daily_usd":
    case "budget.monthly_usd":
      return Effect.asVoid(readDollars(key, value))
    case "pricing.overrides":
      return Effect.asVoid(readOverrides(value))
    default:
      return Effect.void
  }
}
