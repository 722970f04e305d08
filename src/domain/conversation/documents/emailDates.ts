/** The dates that mail programs write, in the languages whose headers are read. */
import { clockOf, type Stamp, yearOf } from "../Stamp.ts"

const zone = String.raw`(?:[+-]\d{2}:?\d{2}|GMT|UTC|Z|[ECMP][SD]T)`

// A zone comes after the time of day: the "-2025" of 14-Feb-2025 is none.
const zoneAfterTime = new RegExp(String.raw`\d:\d{2}(?::\d{2}(?:\.\d{1,9})?)? ?(?:[AP]M ?)?${zone}\b`, "i")

const numericDate = /(?<!\d)(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)/
const namedDate = /(?<!\d)(\d{1,2})\.? (?:de )?([\p{L}\p{M}]{3,10})\.?,? (?:de )?(\d{4})(?!\d)/u
const timeOfDay = /(?<!\d)(\d{1,2})[:.h](\d{2})(?::(\d{2}))?(?: ?([ap])\. ?m\.| ?([ap])m\b)?/i

/** The months of the year in German, French, Spanish, Dutch, Italian and Portuguese, without accents. */
const months: ReadonlyArray<string> = [
  "januar janner janvier enero januari gennaio janeiro",
  "februar fevrier febrero februari febbraio fevereiro",
  "marz mars marzo maart mrt marco",
  "april avril abril aprile",
  "mai mayo mei maggio maio",
  "juni juin junio giugno junho",
  "juli juillet julio luglio julho",
  "august aout agosto augustus",
  "september septembre septiembre settembre setembro",
  "oktober octobre octubre ottobre outubro",
  "november novembre noviembre novembro",
  "dezember decembre diciembre december dicembre dezembro"
]
const english = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/**
 * The time that a text means; none when it cannot be read. In `14/02/2025` the month comes first in English, unless another
 * date of the page shows that it does not.
 */
export const stampOf = (text: string, language: "English" | "other"): Stamp => {
  const date = text.slice(0, 200)
  const zoned = zoneAfterTime.test(date) ? writtenStamp(date) : undefined
  return (
    zoned ??
    numericStamp(date, language) ??
    writtenStamp(date) ??
    writtenStamp(inEnglish(date)) ?? { kind: "none" }
  )
}

const numericStamp = (text: string, language: "English" | "other"): Stamp | undefined => {
  const match = numericDate.exec(text)
  if (match === null) return undefined
  const [whole, first = "", mark = "", second = "", year = ""] = match
  const [, hour = "0", minute = "0", seconds, dotted, half] =
    timeOfDay.exec(text.slice(match.index + whole.length)) ?? []
  return {
    kind: "numeric",
    first: Number(first),
    second: Number(second),
    year: yearOf(year),
    prefers: language === "English" && mark === "/" ? "month" : "day",
    clock: clockOf(hour, minute, seconds, dotted ?? half)
  }
}

const writtenStamp = (text: string): Stamp | undefined => {
  // Without a zone the words mean a local time, which Date.parse would take in the zone of whoever runs this.
  const zoned = zoneAfterTime.test(text)
  const plain = text.replace(/\bat\b/i, "").replace(/[\s,]+$/, "")
  const millis = Date.parse(zoned ? plain.replace(/\([^)]{0,40}\)/, "") : `${plain} UTC`)
  if (Number.isNaN(millis)) return undefined
  const date = new Date(millis)
  const stamp = {
    kind: "full" as const,
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    clock: { hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds() }
  }
  return zoned ? { ...stamp, offsetMinutes: 0 } : stamp
}

/** `ven. 14 févr. 2025 à 20h01` as `14 Feb 2025 20:01`; nothing when there is no such date. */
const inEnglish = (text: string): string => {
  const match = namedDate.exec(text)
  const month = english[monthIndex(match?.[2] ?? "")]
  if (match === null || month === undefined) return ""
  const rest = text.slice(match.index + match[0].length)
  const time = timeOfDay.exec(rest)
  if (time === null) return `${match[1]} ${month} ${match[3]}`
  const [whole, hour, minute, second = "00", dotted, plain] = time
  const half = dotted ?? plain
  const offset = new RegExp(`^ ?(${zone})\\b`).exec(rest.slice(time.index + whole.length))?.[1] ?? ""
  return `${match[1]} ${month} ${match[3]} ${hour}:${minute}:${second} ${half === undefined ? "" : `${half}m`} ${offset}`
}

const monthIndex = (name: string): number => {
  const plain = name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()
  return months.findIndex((names) => names.split(" ").some((month) => month.startsWith(plain)))
}
