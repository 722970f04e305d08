/** What went wrong with an attempt, told apart by status, code and words; keys that providers quote are taken out. */
import { APIError } from "openai"
import { Duration } from "effect"
import { ModelError, type ModelErrorReason } from "../../domain/ModelError.ts"
import { type RateLimitFacts, readRateLimits } from "../../domain/RateLimitHeaders.ts"

/** A failed attempt, with what its headers told. */
export interface FailedAttempt {
  readonly error: ModelError
  readonly limits: RateLimitFacts | undefined
}

/** Whose attempt it was. */
export interface About {
  readonly model: string
  /** Host of the endpoint. */
  readonly endpoint: string
}

/** The provider took longer than it may. */
export const timedOut = (about: About, timeout: Duration.Duration): FailedAttempt => ({
  error: new ModelError({
    ...about,
    reason: "TimedOut",
    message: `${about.endpoint} did not answer within ${Duration.toSeconds(timeout)} s.`,
    billed: "maybe"
  }),
  limits: undefined
})

/** What a thrown value of the `openai` package means. `now` is epoch milliseconds. */
export const failure = (about: About, cause: unknown, now: number): FailedAttempt => {
  if (cause instanceof APIError && typeof cause.status === "number") {
    const limits = readRateLimits((name) => cause.headers?.get(name), now)
    const reason = reasonOf(
      cause.status,
      `${cause.code ?? ""} ${cause.type ?? ""} ${cause.message}`.toLowerCase()
    )
    return {
      error: new ModelError({
        ...about,
        reason,
        message: messageOf(about, reason, cause),
        ...(limits.retryAfterMs === undefined ? {} : { retryAfterMs: limits.retryAfterMs }),
        billed: "no"
      }),
      limits
    }
  }
  // The connection was never made, or it broke: only in the first case is it sure that nothing was done.
  const text = deepMessage(cause)
  const neverSent =
    /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_INVALID_URL|UND_ERR_INVALID_ARG/.test(
      text
    )
  return {
    error: new ModelError({
      ...about,
      reason: neverSent ? "Unreachable" : "Unavailable",
      message: neverSent
        ? `Nothing answers at ${about.endpoint} (${text}). Check the address (OPENAI_BASE_URL, or the variable of the model's provider) and the network.`
        : `The connection to ${about.endpoint} broke, or its answer was cut (${text}).`,
      billed: neverSent ? "no" : "maybe"
    }),
    limits: undefined
  }
}

const reasonOf = (status: number, text: string): ModelErrorReason => {
  if (status === 401 || status === 403) return "Unauthorized"
  if (status === 402 || /insufficient_quota|exceeded your current quota|billing_hard_limit/.test(text))
    return "QuotaExhausted"
  if (status === 429) return "RateLimited"
  if (status === 408) return "TimedOut"
  if (status === 409 || status >= 500) return "Unavailable"
  if (status === 404 || /model_not_found|does not exist/.test(text)) return "UnknownModel"
  if (/context_length|maximum context|too many tokens/.test(text)) return "ContextTooLong"
  if (/content_filter|content management/.test(text)) return "ContentFiltered"
  return "Rejected"
}

const messageOf = (
  { endpoint, model }: About,
  reason: ModelErrorReason,
  cause: Pick<APIError, "status" | "code" | "message">
): string => {
  // Providers quote the key, in part, when they refuse it; pages of HTML say nothing that the status does not.
  const said = cause.message.includes("<")
    ? String(cause.status)
    : cause.message.replace(/\b(sk|pk|key)-[\w*-]+/gi, "…").slice(0, 300)
  switch (reason) {
    case "Unauthorized":
      return `${endpoint} refuses the key (${cause.status}). Check that the key is right and may use ${model}.`
    case "UnknownModel":
      // A server that knows no such address says so in other words than one that knows no such model.
      if (!/model|deployment/i.test(`${cause.code ?? ""} ${said}`))
        return `There is nothing at that address of ${endpoint} (${said}). Check the address (OPENAI_BASE_URL, or the variable of the model's provider); most end in /v1.`
      return `${endpoint} does not know the model ${model}. Choose another with --model or: gbrain config set facts.extraction_model MODEL`
    case "QuotaExhausted":
      return `The quota at ${endpoint} is used up (${said}). Add credit there, then run again: what was paid for is kept.`
    default:
      return `${endpoint} answered: ${said}`
  }
}

const deepMessage = (cause: unknown): string => {
  const parts: Array<string> = []
  for (let at = cause, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    parts.push("code" in at && typeof at.code === "string" ? `${at.code} ${at.message}` : at.message)
  }
  return parts.join(": ") || String(cause)
}
