/**
 * Exact money. An amount is a whole number of picodollars (10^-12 USD) in a `bigint`, so that a price of any published
 * precision times any number of tokens is exact, sums do not drift, and `spent + reserved <= cap` can be an invariant
 * rather than an approximation.
 */
import { Brand, Option } from "effect"

/** An amount of US dollars as whole picodollars. */
export type Money = bigint & Brand.Brand<"gbrain/Money">

const brand = Brand.nominal<Money>()

const scale = 12

/** Nothing. */
export const zero: Money = brand(0n)

/** An amount from whole picodollars. */
export const fromPico = (pico: bigint): Money => brand(pico)

/** `a + b`. */
export const add = (a: Money, b: Money): Money => brand(a + b)

/** `a - b`; may be negative. */
export const subtract = (a: Money, b: Money): Money => brand(a - b)

/** `amount` taken `count` times; `count` is a whole number. */
export const times = (amount: Money, count: number): Money => brand(amount * BigInt(count))

/** The smaller of two amounts. */
export const min = (a: Money, b: Money): Money => (a < b ? a : b)

/** The larger of two amounts. */
export const max = (a: Money, b: Money): Money => (a > b ? a : b)

/**
 * Reads a plain decimal number of dollars such as `5`, `0.02` or `12.50`, exactly. Signs, exponents, separators and more
 * than 12 decimal places are refused with `None`.
 */
export const parseUsd = (text: string): Option.Option<Money> => {
  const match = /^(\d{1,12})(?:\.(\d{1,12}))?$/.exec(text.trim())
  if (match === null) return Option.none()
  const [, whole = "0", fraction = ""] = match
  return Option.some(brand(BigInt(whole + fraction.padEnd(scale, "0"))))
}

/**
 * The price of one token from a list price in dollars per million tokens, e.g. `"0.15"`. `None` when the text is no plain
 * decimal, or names a price finer than one picodollar a token.
 */
export const perTokenFromUsdPerMillion = (text: string): Option.Option<Money> =>
  Option.flatMap(parseUsd(text), (amount) =>
    amount % 1_000_000n === 0n ? Option.some(brand(amount / 1_000_000n)) : Option.none()
  )

/**
 * The price of one pixel from a list price in dollars per billion pixels, e.g. `"0.60"`. `None` when the text is no plain
 * decimal, or names a price finer than one picodollar a pixel.
 */
export const perPixelFromUsdPerBillion = (text: string): Option.Option<Money> =>
  Option.flatMap(parseUsd(text), (amount) =>
    amount % 1_000_000_000n === 0n ? Option.some(brand(amount / 1_000_000_000n)) : Option.none()
  )

/** The amount in dollars with `places` decimals (0 to 12), rounded half away from zero, without a currency sign. */
export const toDecimal = (amount: Money, places: number): string => {
  const negative = amount < 0n
  const unit = 10n ** BigInt(scale - places)
  const magnitude = negative ? 0n - amount : amount
  const rounded = (magnitude + unit / 2n) / unit
  const digits = rounded.toString().padStart(places + 1, "0")
  const whole = digits.slice(0, digits.length - places)
  const fraction = places === 0 ? "" : `.${digits.slice(digits.length - places)}`
  return `${negative && rounded > 0n ? "-" : ""}${whole}${fraction}`
}

/** For people: `$1.2345`; four decimals, as many as it takes for amounts below a hundredth of a cent. */
export const format = (amount: Money): string => {
  const magnitude = amount < 0n ? 0n - amount : amount
  const places = magnitude === 0n || magnitude >= 100_000_000n ? 4 : 8
  return `$${toDecimal(amount, places)}`
}

/** As a JSON number of dollars, for reports. Not for arithmetic. */
export const toNumber = (amount: Money): number => Number(toDecimal(amount, scale))
