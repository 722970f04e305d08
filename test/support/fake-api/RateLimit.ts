/**
 * The server's side of a rate limit: so many requests and tokens in a window, told in headers as OpenAI tells them. Pure
 * apart from its own state: time is given to it, in milliseconds.
 */
import type { RateLimit } from "./Settings.ts"

/** One allowance: requests, or tokens. */
interface Meter {
  readonly limit: number
  readonly remaining: (now: number) => number
  /** Milliseconds until `amount` is there; `amount` is at most the limit. */
  readonly msUntil: (now: number, amount: number) => number
  /** Milliseconds until all of it is there again. */
  readonly resetMs: (now: number) => number
  readonly spend: (now: number, amount: number) => void
}

/** What the limiter says about a call. */
export interface Verdict {
  readonly refusedFor: "requests" | "tokens" | undefined
  /** The call alone is more than the limit: it never fits. */
  readonly tooLarge: boolean
  /** When to come back; 0 for a call that is let in, and for one that never fits. */
  readonly retryAfterMs: number
  readonly headers: Readonly<Record<string, string>>
}

/** A limit for one model. */
export interface Limiter {
  /** Lets a call of `tokens` in or refuses it; what is refused uses nothing. */
  readonly take: (now: number, tokens: number) => Verdict
}

/** A limiter whose allowances are full. */
export const makeLimiter = (limit: RateLimit): Limiter => {
  const windowMs = limit.windowMs ?? 60_000
  const make = limit.style === "bucket" ? bucketMeter : slidingMeter
  const requests = limit.requests === undefined ? undefined : make(limit.requests, windowMs)
  const tokens = limit.tokens === undefined ? undefined : make(limit.tokens, windowMs)
  const headers = (now: number): Record<string, string> => ({
    ...(requests === undefined ? {} : allowanceHeaders("requests", requests, now)),
    ...(tokens === undefined ? {} : allowanceHeaders("tokens", tokens, now))
  })
  return {
    take: (now, amount) => {
      if (tokens !== undefined && amount > tokens.limit) {
        return { refusedFor: "tokens", tooLarge: true, retryAfterMs: 0, headers: headers(now) }
      }
      const forRequests = requests?.msUntil(now, 1) ?? 0
      const forTokens = tokens?.msUntil(now, amount) ?? 0
      const retryAfterMs = Math.max(forRequests, forTokens)
      if (retryAfterMs > 0) {
        const refusedFor = forRequests >= forTokens ? "requests" : "tokens"
        return { refusedFor, tooLarge: false, retryAfterMs, headers: headers(now) }
      }
      requests?.spend(now, 1)
      tokens?.spend(now, amount)
      return { refusedFor: undefined, tooLarge: false, retryAfterMs: 0, headers: headers(now) }
    }
  }
}

const tolerance = 1e-3

const bucketMeter = (limit: number, windowMs: number): Meter => {
  let level = limit
  let filledAt = Number.NEGATIVE_INFINITY
  const fill = (now: number) => {
    if (now > filledAt) level = Math.min(limit, level + ((now - filledAt) * limit) / windowMs)
    filledAt = Math.max(filledAt, now)
    return level
  }
  // Told to the microsecond, rounded up, so that whoever comes back when told finds enough. Sums of floats miss by far
  // less than the thousandth of a token that is forgiven.
  const msFor = (missing: number) =>
    missing < tolerance ? 0 : Math.ceil(((missing * windowMs) / limit) * 1000 - 1e-4) / 1000
  return {
    limit,
    remaining: (now) => Math.floor(fill(now) + tolerance),
    msUntil: (now, amount) => msFor(amount - fill(now)),
    resetMs: (now) => msFor(limit - fill(now)),
    spend: (now, amount) => {
      level = fill(now) - amount
    }
  }
}

const slidingMeter = (limit: number, windowMs: number): Meter => {
  const spent: Array<{ readonly at: number; readonly amount: number }> = []
  let sum = 0
  const used = (now: number) => {
    let oldest = spent[0]
    while (oldest !== undefined && oldest.at + windowMs <= now) {
      sum -= oldest.amount
      spent.shift()
      oldest = spent[0]
    }
    return sum
  }
  return {
    limit,
    remaining: (now) => limit - used(now),
    msUntil: (now, amount) => {
      let over = used(now) + amount - limit
      for (const each of spent) {
        if (over <= 0) return 0
        over -= each.amount
        if (over <= 0) return each.at + windowMs - now
      }
      return 0
    },
    resetMs: (now) => {
      used(now)
      const newest = spent.at(-1)
      return newest === undefined ? 0 : newest.at + windowMs - now
    },
    spend: (now, amount) => {
      spent.push({ at: now, amount })
      sum += amount
    }
  }
}

const allowanceHeaders = (kind: "requests" | "tokens", meter: Meter, now: number) => ({
  [`x-ratelimit-limit-${kind}`]: String(meter.limit),
  [`x-ratelimit-remaining-${kind}`]: String(meter.remaining(now)),
  [`x-ratelimit-reset-${kind}`]: formatDuration(meter.resetMs(now))
})

/** Milliseconds the way Go writes durations and OpenAI its headers: `20ms`, `1.5s`, `6m0s`, `1h2m3s`. */
export const formatDuration = (ms: number): string => {
  const whole = Math.ceil(ms)
  if (whole < 1000) return `${whole}ms`
  const hours = Math.floor(whole / 3_600_000)
  const minutes = Math.floor((whole % 3_600_000) / 60_000)
  const seconds = (whole % 60_000) / 1000
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`
}
