/** Models for tests of what stands above the endpoint: an endpoint of one's own under the true money, limits and retries. */
import { Effect, Layer, Option } from "effect"
import { ModelError, type ModelErrorReason } from "../../src/domain/ModelError.ts"
import * as Money from "../../src/domain/Money.ts"
import type { RateLimitFacts } from "../../src/domain/RateLimitHeaders.ts"
import { Budget } from "../../src/services/Budget.ts"
import type { Endpoint } from "../../src/services/openai/Endpoint.ts"
import { OpenAi } from "../../src/services/OpenAi.ts"
import { Prices } from "../../src/services/Prices.ts"
import { RateLimiter } from "../../src/services/RateLimiter.ts"
import { RateShares } from "../../src/services/RateShares.ts"
import { Usage } from "../../src/services/Usage.ts"
import { WorkerPool } from "../../src/services/WorkerPool.ts"

/** Headers that tell nothing. */
export const noLimits: RateLimitFacts = { requests: undefined, tokens: undefined, retryAfterMs: undefined }

/** An attempt that fails. */
export const failedAttempt = (reason: ModelErrorReason, billed: "no" | "maybe" = "no") => ({
  error: new ModelError({ reason, model: "m", endpoint: "example.org", message: reason, billed }),
  limits: noLimits
})

/** The layer under a model: `endpoint` answers, under a cap in dollars if there is one. */
export const modelLayer = (endpoint: Partial<Endpoint>, cap?: string) => {
  const nobody = Effect.die(new Error("was not expected to be asked"))
  const whole: Endpoint = {
    host: "example.org",
    chat: () => nobody,
    embed: () => nobody,
    post: () => nobody,
    check: nobody,
    ...endpoint
  }
  return Layer.mergeAll(
    Layer.succeed(OpenAi, OpenAi.of({ endpoint: () => Effect.succeed(whole) })),
    Budget.layer({ cap: cap === undefined ? Option.none() : Money.parseUsd(cap) }),
    Prices.layerWith({}),
    RateLimiter.layer({ maxInFlight: 10 }).pipe(Layer.provide(RateShares.layerAlone)),
    Usage.layer,
    WorkerPool.layer({ workers: 1 })
  )
}
