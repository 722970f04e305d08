/**
 * What a provider's answer says about its rate limits: `x-ratelimit-*` as OpenAI and those compatible with it send them,
 * and `retry-after` in its three forms.
 */

/** One allowance of the provider, for requests or for tokens. */
export interface Allowance {
  /** How many a minute. */
  readonly limit: number
  /** How many are left now. */
  readonly remaining: number
  /** Milliseconds until all of it is there again; none when it is not told. */
  readonly resetMs: number | undefined
}

/** What an answer's headers say. */
export interface RateLimitFacts {
  readonly requests: Allowance | undefined
  readonly tokens: Allowance | undefined
  /** Milliseconds the provider wants to be left alone. */
  readonly retryAfterMs: number | undefined
}

/** Header names in lower case to their values. */
export type HeaderLookup = (name: string) => string | null | undefined

/** Reads the headers. `now` is epoch milliseconds, for dates. What is missing or unreadable is undefined. */
export const readRateLimits = (header: HeaderLookup, now: number): RateLimitFacts => ({
  requests: allowance(header, "requests"),
  tokens: allowance(header, "tokens"),
  retryAfterMs: retryAfter(header, now)
})

const allowance = (header: HeaderLookup, kind: "requests" | "tokens"): Allowance | undefined => {
  const limit = readNumber(header(`x-ratelimit-limit-${kind}`))
  const remaining = readNumber(header(`x-ratelimit-remaining-${kind}`))
  if (limit === undefined || remaining === undefined || limit <= 0) return undefined
  return { limit, remaining, resetMs: readDuration(header(`x-ratelimit-reset-${kind}`)) }
}

const retryAfter = (header: HeaderLookup, now: number): number | undefined => {
  const millis = readNumber(header("retry-after-ms"))
  if (millis !== undefined) return millis
  const text = header("retry-after")
  if (text == null || text.trim() === "") return undefined
  const seconds = readNumber(text)
  if (seconds !== undefined) return seconds * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

const readNumber = (text: string | null | undefined): number | undefined => {
  if (text == null || text.trim() === "") return undefined
  const value = Number(text)
  return Number.isFinite(value) && value >= 0 ? value : undefined
}

const unitMillis: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000
}

/** Go's durations, as OpenAI writes them (`6m0s`, `1.5s`, `20ms`, `1h2m`), or plain seconds. */
export const readDuration = (text: string | null | undefined): number | undefined => {
  if (text == null) return undefined
  const plain = readNumber(text)
  if (plain !== undefined) return plain * 1000
  let total = 0
  let rest = text.trim()
  while (rest !== "") {
    const part = /^(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)/.exec(rest)
    const unit = part === null ? undefined : unitMillis[part[2] ?? ""]
    if (part === null || unit === undefined) return undefined
    total += Number(part[1]) * unit
    rest = rest.slice(part[0].length)
  }
  return total
}
