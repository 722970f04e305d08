/** How long one attempt at a call to a model may take. */
import { Config, Context, Duration, Effect, Layer, Option } from "effect"
import { BadSetting } from "./BrainConfig.ts"

/** How long an attempt may take. */
export const CallTimeouts = Context.Reference("gbrain/CallTimeouts", {
  defaultValue: () => ({ chat: Duration.seconds(300), embedding: Duration.seconds(60) })
})

/**
 * How long an attempt may take, by gbrain's variables, in milliseconds: `GBRAIN_AI_CHAT_TIMEOUT_MS`, `GBRAIN_AI_EMBED_TIMEOUT_MS`.
 */
export const callTimeoutsFromEnvironment = Layer.effect(
  CallTimeouts,
  Effect.gen(function* () {
    const { chat, embedding } = yield* CallTimeouts
    const read = Effect.fnUntraced(function* (variable: string, otherwise: Duration.Duration) {
      const text = Option.getOrElse(yield* Config.option(Config.String(variable)), () => "").trim()
      if (text === "") return otherwise
      if (/^[1-9]\d{0,8}$/.test(text)) return Duration.millis(Number(text))
      return yield* new BadSetting({
        key: variable,
        message: `${variable} is "${text}", which is no number of milliseconds, such as 300000.`
      })
    })
    return {
      chat: yield* read("GBRAIN_AI_CHAT_TIMEOUT_MS", chat),
      embedding: yield* read("GBRAIN_AI_EMBED_TIMEOUT_MS", embedding)
    }
  })
)
