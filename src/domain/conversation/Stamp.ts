/**
 * The time that a line of a conversation carries, as it was written. What it means is decided for the whole file:
 * whether `03/02` is in February or in March, whether `02:47` is a quarter to three or the third minute of a recording.
 */

/** A time as written. */
export type Stamp =
  /** A date and a time; `offsetMinutes` when the zone is written too. */
  | {
      readonly kind: "full"
      readonly year: number
      readonly month: number
      readonly day: number
      readonly clock: Clock
      readonly offsetMinutes?: number
    }
  /** A date of numbers in an order that has to be found out. */
  | {
      readonly kind: "numeric"
      readonly first: number
      readonly second: number
      readonly year: number
      readonly prefers: "day" | "month"
      readonly clock: Clock
    }
  /** A time of day; `daysBack` for Yesterday. */
  | { readonly kind: "clock"; readonly clock: Clock; readonly daysBack?: number }
  /** Two or three numbers that may be a time of day or the time since the start. */
  | { readonly kind: "colons"; readonly parts: ReadonlyArray<number> }
  /** Milliseconds since the start of a recording. */
  | { readonly kind: "elapsed"; readonly millis: number }
  | { readonly kind: "none" }

/** A time of day, on a clock of 24 hours. Hours beyond it mark a time that cannot be. */
export interface Clock {
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** A clock time, from text; `meridiem` is AM, PM, or nothing. 12 AM is midnight. */
export const clockOf = (
  hour: string,
  minute: string,
  second: string | undefined,
  meridiem: string | undefined
): Clock => {
  const half = meridiem?.[0]?.toLowerCase()
  const written = Number(hour)
  const on24 = half === undefined ? written : (written % 12) + (half === "p" ? 12 : 0)
  return {
    hour: half !== undefined && (written > 12 || written < 1) ? 99 : on24,
    minute: Number(minute),
    second: Number(second ?? 0)
  }
}

const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

/** 1 to 12 for an English month, short or long; 0 for anything else. */
export const monthOf = (name: string): number => monthNames.indexOf(name.slice(0, 3).toLowerCase()) + 1

/** The year that two or four digits mean. */
export const yearOf = (text: string): number => (text.length <= 2 ? 2000 + Number(text) : Number(text))

/** Whether the numbers are a time of day. */
export const isClock = ({ hour, minute, second }: Clock): boolean => hour < 24 && minute < 60 && second < 60

/** Whether the numbers are a day of the calendar. */
export const isDay = (year: number, month: number, day: number): boolean =>
  month >= 1 &&
  month <= 12 &&
  day >= 1 &&
  day <= new Date(Date.UTC(year, month, 0)).getUTCDate() &&
  year >= 1900 &&
  year < 3000
