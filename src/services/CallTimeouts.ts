/** How long one attempt at a call to a model may take. */
import { Config, Context, Duration, Effect, Layer, Option } from "effect"
import { BadSetting } from "./BrainConfig.ts"
import { RetryPolicy } from "./Retry.ts"

/** How long an attempt may take. */
export const CallTimeouts = Context.Reference("gbrain/CallTimeouts", {
  defaultValue: () => ({ chat: Duration.seconds(300), embedding: Duration.seconds(60) })
})

/**
 * How long an attempt may take, by gbrain's variables, in milliseconds: `GBRAIN_AI_CHAT_TIMEOUT_MS`, `GBRAIN_AI_EMBED_TIMEOUT_MS`.
 * Where that is long, patience is, too: a call that took all its time is made again twice.
 */
export const callTimeoutsFromEnvironment = Layer.effectContext(
  Effect.gen(function* () {
    const { chat, embedding } = yield* CallTimeouts
    const retry = yield* RetryPolicy
    const read = Effect.fnUntraced(function* (variable: string, otherwise: Duration.Duration) {
      const text = Option.getOrElse(yield* Config.option(Config.String(variable)), () => "").trim()
      if (text === "") return otherwise
      if (/^[1-9]\d{0,8}$/.test(text)) return Duration.millis(Number(text))
      return yield* new BadSetting({
        key: variable,
        message: `${variable} is "${text}", which is no number of milliseconds, such as 300000.`
      })
    })
    const timeouts = {
      chat: yield* read("GBRAIN_AI_CHAT_TIMEOUT_MS", chat),
      embedding: yield* read("GBRAIN_AI_EMBED_TIMEOUT_MS", embedding)
    }
    const longest = Duration.max(timeouts.chat, timeouts.embedding)
    return Context.make(CallTimeouts, timeouts).pipe(
      Context.add(RetryPolicy, {
        ...retry,
        giveUpAfter: Duration.max(retry.giveUpAfter, Duration.times(longest, 3))
      })
    )
  })
)
