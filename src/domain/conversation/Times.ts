/**
 * Works out what the times in a conversation mean: the order of day and month, times of day against time since the start,
 * days that pass, and the time zone. A time that cannot be keeps its message, which then happens when the one
 * before it did.
 *
 * What is decided for all of a conversation is decided by its beginning, or by the first line that leaves no doubt. So
 * messages that are appended change what earlier ones mean while those are few, or once more, when they bring the first
 * proof, and never after that; see decision 022.
 */
import { DateTime, Option } from "effect"
import type { DateContext, Message } from "./Message.ts"
import type { RawMessage } from "./RawMessage.ts"
import { type Clock, isClock, isDay, type Stamp } from "./Stamp.ts"

const minute = 60_000
const day = 24 * 60 * minute

/**
 * How far back a time of day may go and be of the same day: clocks that differ, exports put together, a reply written late. What
 * goes further back is of the next day; most often it is the next morning.
 */
const disorder = 2 * 60 * minute

/** The same under a heading with a date, which tells the day itself: only midnight, crossed under it, is the next. */
const disorderOfDay = day / 2

/** The messages with their times, in the order of the text, and what a reader should know about them. */
export const resolveTimes = (
  raw: ReadonlyArray<RawMessage>,
  context: DateContext
): { readonly messages: ReadonlyArray<Message>; readonly warnings: ReadonlyArray<string> } => {
  const dayFirst = inferDayFirst(raw)
  const elapsed = colonsAreElapsed(raw)
  const toUtc = zoneConverter(context.timezone)
  const pageDay = parseDay(context.date)
  const messages: Array<Message> = []
  let zoneless = false
  let invalid = 0
  // For times of day without dates: the day we are on, and the last time of day seen.
  let passed = 0
  let lastClock = -1
  let lastHeading: string | undefined
  let previous: Pick<Message, "time" | "dateKnown" | "timeKnown"> | undefined

  const onPageDay = (message: RawMessage, clock: Clock, daysBack: number) => {
    if (message.heading !== lastHeading) {
      lastHeading = message.heading
      passed = 0
      lastClock = -1
    }
    const millis = ((clock.hour * 60 + clock.minute) * 60 + clock.second) * 1000
    const told = parseDay(message.heading)
    const back = lastClock - millis
    if (daysBack === 0 && back > (told === undefined ? disorder : disorderOfDay)) passed++
    if (daysBack === 0) lastClock = millis
    const base = told ?? pageDay
    zoneless = true
    return {
      time: toUtc((base ?? 0) + (passed - daysBack) * day + millis),
      dateKnown: base !== undefined,
      timeKnown: true
    }
  }

  const since = (message: RawMessage, millis: number) => {
    const base = parseDay(message.heading) ?? pageDay
    return { time: toUtc(base ?? 0) + millis, dateKnown: base !== undefined, timeKnown: true }
  }

  const resolve = (
    message: RawMessage,
    stamp: Stamp
  ): Pick<Message, "time" | "dateKnown" | "timeKnown"> | undefined => {
    switch (stamp.kind) {
      case "full":
        return onDate(stamp.year, stamp.month, stamp.day, stamp.clock, stamp.offsetMinutes)
      case "numeric": {
        const dayComesFirst = dayFirst ?? stamp.prefers === "day"
        const [dayOf, month] = dayComesFirst ? [stamp.first, stamp.second] : [stamp.second, stamp.first]
        return (
          onDate(stamp.year, month, dayOf, stamp.clock, undefined) ??
          onDate(stamp.year, dayOf, month, stamp.clock, undefined)
        )
      }
      case "clock":
        return isClock(stamp.clock) ? onPageDay(message, stamp.clock, stamp.daysBack ?? 0) : undefined
      case "colons": {
        const [first = 0, second = 0, third] = stamp.parts
        if (elapsed)
          return since(
            message,
            (third === undefined ? first * 60 + second : (first * 60 + second) * 60 + third) * 1000
          )
        const clock = { hour: first, minute: second, second: third ?? 0 }
        return isClock(clock) ? onPageDay(message, clock, 0) : undefined
      }
      case "elapsed":
        return since(message, stamp.millis)
      case "none": {
        const base = parseDay(message.heading) ?? pageDay
        // Messages without times follow each other at once: the order is all that is known.
        return { time: toUtc(base ?? 0), dateKnown: base !== undefined, timeKnown: false }
      }
    }
  }

  const onDate = (
    year: number,
    month: number,
    dayOf: number,
    clock: Clock,
    offsetMinutes: number | undefined
  ) => {
    if (!isDay(year, month, dayOf) || !isClock(clock)) return undefined
    const local = Date.UTC(year, month - 1, dayOf, clock.hour, clock.minute, clock.second)
    return {
      time: offsetMinutes === undefined ? toUtc(local) : local - offsetMinutes * minute,
      dateKnown: true,
      timeKnown: true
    }
  }

  for (const message of raw) {
    const found = resolve(message, message.stamp)
    if (found === undefined) invalid++
    const time = found ??
      previous ?? { time: toUtc(pageDay ?? 0), dateKnown: pageDay !== undefined, timeKnown: false }
    previous = time
    messages.push({ speaker: message.speaker, text: message.text, line: message.line, ...time })
  }

  const warnings: Array<string> = []
  if (invalid > 0)
    warnings.push(
      `${invalid} of ${raw.length} messages carry a time that cannot be; they were given the time of the message before`
    )
  if (zoneless && context.timezone === undefined)
    warnings.push(
      "times without a zone were taken as UTC; name one in the front matter: timezone: Europe/Berlin"
    )
  else if (context.timezone !== undefined && Option.isNone(DateTime.zoneMakeNamed(context.timezone))) {
    warnings.push(`the time zone "${context.timezone}" is unknown; times were taken as UTC`)
  }
  return { messages, warnings }
}

/** One date that can be read in one way only settles it for the file; undefined when none does. */
const inferDayFirst = (raw: ReadonlyArray<RawMessage>): boolean | undefined => {
  for (const { stamp } of raw) {
    if (stamp.kind !== "numeric") continue
    if (stamp.first > 12 && stamp.second <= 12) return true
    if (stamp.second > 12 && stamp.first <= 12) return false
  }
  return undefined
}

/** Times at the beginning of a conversation that tell which kind of time it has. */
const tellingTimes = 12

/** A recording begins near its start: a first number beyond this is an hour. */
const latestStart = 6 * 60 * minute

/** Turns of a recording, read as hours and minutes, lie further apart than messages of a chat do. */
const longSilence = 9 * minute

/**
 * Whether `(02:47)` means minutes and seconds. It does when a number is no hour of a day, wherever that stands. Else the first
 * dozen times decide: those of a recording only grow, begin near zero, and most of them, read as times of day, would have long
 * silences between them.
 */
const colonsAreElapsed = (raw: ReadonlyArray<RawMessage>): boolean => {
  const stamps = raw.flatMap(({ stamp }) => (stamp.kind === "colons" ? [stamp.parts] : []))
  if (stamps.some(([hour = 0]) => hour > 23)) return true
  const asClock = stamps
    .slice(0, tellingTimes)
    .map(([hour = 0, minutes = 0, seconds = 0]) => ((hour * 60 + minutes) * 60 + seconds) * 1000)
  const gaps = asClock.slice(1).map((value, index) => value - (asClock[index] ?? 0))
  const [first] = asClock
  if (first === undefined || first >= latestStart || gaps.some((gap) => gap < 0)) return false
  if (first <= 10 * minute) return true
  const middle = [...gaps].sort((a, b) => a - b)[Math.floor(gaps.length / 2)]
  return middle !== undefined && middle > longSilence
}

/** Midnight of a `YYYY-MM-DD`, as if it were UTC. */
const parseDay = (text: string | undefined): number | undefined => {
  const match = /^(\d{4})-(\d{2})-(\d{2})/.exec(text ?? "")
  if (match === null) return undefined
  const [year, month, dayOf] = [Number(match[1]), Number(match[2]), Number(match[3])]
  return isDay(year, month, dayOf) ? Date.UTC(year, month - 1, dayOf) : undefined
}

/** Turns the numbers on a wall clock, as if they were UTC, into the instant they mean in the zone. */
const zoneConverter = (timezone: string | undefined): ((local: number) => number) => {
  const zone = timezone === undefined ? Option.none() : DateTime.zoneMakeNamed(timezone)
  if (Option.isNone(zone)) return (local) => local
  return (local) =>
    DateTime.makeZoned(local, {
      timeZone: zone.value,
      adjustForTimeZone: true,
      disambiguation: "compatible"
    }).pipe(Option.match({ onNone: () => local, onSome: DateTime.toEpochMillis }))
}
