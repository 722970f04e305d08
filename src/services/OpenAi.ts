/**
 * One attempt at one call to an OpenAI-compatible endpoint, with the `openai` package: typed errors, the limits that the
 * headers tell, and what was used. Interrupting the fiber closes the request. Retries, limits and money are not its
 * business; see `ChatModel` and `EmbeddingModel`.
 */
import { Config, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { parseModelId, type Provider, providers } from "../domain/ModelId.ts"
import { makeFetch } from "./openai/connections.ts"
import type { Endpoint } from "./openai/Endpoint.ts"
import { makeEndpoint } from "./openai/makeEndpoint.ts"

const isWebAddress = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? "")

/** No key is set for a model's provider, or an address that is none. */
export class MissingKey extends Schema.TaggedError<MissingKey>()("MissingKey", {
  model: Schema.String,
  message: Schema.String
}) {}

/** Endpoints by model. */
export class OpenAi extends Context.Service<
  OpenAi,
  {
    /** The endpoint for a model (`provider:model`); keys and addresses come from the environment. */
    readonly endpoint: (model: string) => Effect.Effect<Endpoint, MissingKey>
  }
>()("gbrain/OpenAi") {
  /**
   * Endpoints as the environment says: each provider's own variables for the key and, where it can be elsewhere, the address.
   */
  static readonly layer = Layer.effect(
    OpenAi,
    Effect.gen(function* () {
      const fetch = yield* makeFetch
      const urls = new Map<string, string>()
      for (const { urlVariable } of Object.values(providers)) {
        if (urlVariable === undefined) continue
        const url = yield* Config.option(Config.String(urlVariable))
        if (Option.isSome(url) && url.value.trim() !== "") urls.set(urlVariable, url.value.trim())
      }
      const variables = new Set(Object.values(providers).flatMap((provider) => provider.keyVariables))
      const keys = new Map<string, Redacted.Redacted>()
      for (const variable of variables) {
        const key = yield* Config.option(Config.Redacted(variable))
        if (Option.isSome(key) && Redacted.value(key.value).trim() !== "") keys.set(variable, key.value)
      }
      return OpenAi.of({
        endpoint: Effect.fnUntraced(function* (model) {
          const { name, provider } = parseModelId(model)
          const known: Provider = providers[provider] ?? { baseUrl: "", keyVariables: [] }
          const elsewhere = urls.get(known.urlVariable ?? "")
          if (elsewhere !== undefined && !isWebAddress(elsewhere)) {
            return yield* new MissingKey({
              model,
              message: `${known.urlVariable} is "${elsewhere}", which is no address of a server, such as http://127.0.0.1:8080/v1.`
            })
          }
          const key = known.keyVariables.flatMap((variable) => keys.get(variable) ?? [])[0]
          // A server of one's own often asks for no key at all.
          const keyless = known.keyless === true || elsewhere !== undefined
          if (key === undefined && !keyless) {
            return yield* new MissingKey({
              model,
              message:
                `No key for ${model}: set ${known.keyVariables.join(" or ")}` +
                (provider === "openai"
                  ? ", or OPENAI_BASE_URL for a compatible server that needs none."
                  : ".")
            })
          }
          return makeEndpoint({
            model,
            name,
            url: elsewhere ?? known.baseUrl,
            key: key ?? Redacted.make("none"),
            fetch,
            isVoyage: provider === "voyage"
          })
        })
      })
    })
  )
}
