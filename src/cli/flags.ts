/** Flags that several commands have, with the checks that make a wrong value one clear message. */
import { DateTime, Option } from "effect"
import { Flag } from "effect/cli"
import * as Money from "../domain/Money.ts"
import { autoWorkers, type Workers } from "../services/WorkerPool.ts"
import { isPostgresUrl, urlForm } from "../services/Settings.ts"

const wholeNumber = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("N"),
    Flag.filterMap(
      (text) => (/^[1-9]\d{0,8}$/.test(text) ? Option.some(Number(text)) : Option.none()),
      (text) => `--${name} takes a whole number from 1 up, not "${text}"`
    )
  )

/** A machine-readable report instead of words. */
export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print the result as JSON on standard output"),
  Flag.withDefault(false)
)

/** How many at a time; gbrain's default and alias. */
export const workers = wholeNumber("workers", "How many pieces of work at a time. 1 unless told").pipe(
  Flag.withAlias("concurrency"),
  Flag.withDefault(1)
)

/** How many at a time, or `auto`: found out while working. */
export const workersOrAuto = Flag.String("workers").pipe(
  Flag.withDescription(
    "How many pieces of work at a time, or auto to find it out and follow it. 1 unless told"
  ),
  Flag.withMetavar("N|auto"),
  Flag.filterMap(
    (text): Option.Option<Workers> =>
      text === "auto"
        ? Option.some(autoWorkers)
        : /^[1-9]\d{0,8}$/.test(text)
          ? Option.some(Number(text))
          : Option.none(),
    (text) => `--workers takes a whole number from 1 up, or auto, not "${text}"`
  ),
  Flag.withAlias("concurrency"),
  Flag.withDefault<Workers>(1)
)

/** A positive whole number that may be left out. */
export const optionalCount = (name: string, description: string) =>
  Flag.optional(wholeNumber(name, description))

/** pgvector's own limit. */
const widestVector = 16_000

/** A width of vectors that may be left out. */
export const optionalWidth = (name: string, description: string) =>
  optionalCount(name, description).pipe(
    Flag.filter(
      Option.match({ onNone: () => true, onSome: (width) => width <= widestVector }),
      () => `--${name} takes at most ${widestVector}, which is what pgvector stores`
    )
  )

/** An amount of dollars. */
export const dollars = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("USD"),
    Flag.filterMap(
      (text) => Option.filter(Money.parseUsd(text), (amount) => amount > 0n),
      (text) => `--${name} takes an amount in dollars above zero, such as 5 or 0.02, not "${text}"`
    )
  )

// `Date.parse` alone takes 30 February for 2 March, forgives what follows a date, and reads a time without a zone in that of
// whoever runs the command: the same words would mean another instant on another machine.
const parseInstant = (text: string): Option.Option<number> => {
  const [, day, time, zone] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text) ?? []
  if (time === undefined && zone !== undefined) return Option.none()
  const exists = Option.exists(
    Option.flatMap(Option.fromUndefinedOr(day), DateTime.make),
    (it) => DateTime.formatIsoDateUtc(it) === day
  )
  return exists
    ? Option.filter(Option.some(Date.parse(`${day}${time ?? "T00:00"}${zone ?? "Z"}`)), Number.isFinite)
    : Option.none()
}

/** An instant, as epoch milliseconds. */
export const instant = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(`${description}. UTC unless a zone is written: 2025-02-14T18:00+01:00`),
    Flag.withMetavar("ISO"),
    Flag.filterMap(
      parseInstant,
      (text) => `--${name} takes a date such as 2025-02-14 or 2025-02-14T18:00:00Z, not "${text}"`
    ),
    Flag.optional
  )

/** A text that may be left out, but not be empty. */
export const optionalText = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar(metavar),
    Flag.filterMap(
      // A value that looks like a flag is a value that was forgotten.
      (text) => (text.trim() === "" || text.startsWith("--") ? Option.none() : Option.some(text.trim())),
      () => `--${name} needs a value`
    ),
    Flag.optional
  )

/** Where the brain is. */
export const locationFlags = {
  url: Flag.String("url").pipe(
    Flag.withDescription("The brain on a Postgres server: postgres://user:password@host:5432/database"),
    Flag.withMetavar("URL"),
    // What was given is not repeated: it may have a password in it.
    Flag.filterMap(
      (text) => Option.filter(Option.some(text), isPostgresUrl),
      () => `--url takes ${urlForm}`
    ),
    Flag.optional
  ),
  path: optionalText("path", "DIR", "The embedded brain in this folder")
}
