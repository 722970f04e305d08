/**
 * A token bucket: fills at a steady rate up to a capacity, and what is taken from it is taken at once. Without a known rate
 * it never runs dry. Mutable, since it is asked at every call; times are milliseconds, given from outside.
 */

/** A bucket. */
export interface TokenBucket {
  /** What flows in a millisecond; infinite when no limit is known. */
  readonly perMs: number
  /** What is in it at `now`; negative when somebody took more than there was. */
  readonly level: (now: number) => number
  /** Changes the rate and how much a burst can take; what is in it beyond that is lost. */
  readonly setRate: (perMs: number, capacity: number, now: number) => void
  /** Milliseconds until `amount` can be taken; 0 when it can now. More than the bucket holds can be taken when it is full. */
  readonly waitFor: (amount: number, now: number) => number
  /** Takes, without asking; a negative amount gives back. */
  readonly take: (amount: number, now: number) => void
  /** Somebody who knows better says that no more than this is in it. */
  readonly atMost: (level: number, now: number) => void
}

/** A bucket without a limit, until `setRate`. */
export const makeTokenBucket = (): TokenBucket => {
  let perMs = Infinity
  let capacity = Infinity
  let level = Infinity
  let at = 0

  const fill = (now: number) => {
    if (perMs !== Infinity) level = Math.min(capacity, level + Math.max(0, now - at) * perMs)
    at = Math.max(at, now)
  }

  return {
    get perMs() {
      return perMs
    },
    level: (now) => {
      fill(now)
      return level
    },
    setRate: (nextPerMs, nextCapacity, now) => {
      fill(now)
      perMs = nextPerMs
      capacity = nextCapacity
      level = Math.min(level, capacity)
    },
    waitFor: (amount, now) => {
      fill(now)
      const needed = Math.min(amount, capacity)
      return level >= needed ? 0 : Math.ceil((needed - level) / perMs)
    },
    take: (amount, now) => {
      fill(now)
      level = Math.min(capacity, level - amount)
    },
    atMost: (most, now) => {
      fill(now)
      level = Math.min(level, most)
    }
  }
}
