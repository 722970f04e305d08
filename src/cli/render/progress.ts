/** The progress line: how far, how much, how long still. Pure; drawing is `ProgressView`'s business. */
import { Option } from "effect"
import * as Money from "../../domain/Money.ts"
import { type ProgressSnapshot, toEvent } from "../../domain/ProgressSnapshot.ts"

const number = new Intl.NumberFormat("en-US")

/** Milliseconds in words: `45s`, `12m 5s`, `3h 10m`. */
export const duration = (millis: number): string => {
  const seconds = Math.max(0, Math.round(millis / 1000))
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}

/** One line, cut to `width` characters. */
export const renderProgress = (snapshot: ProgressSnapshot, width: number): string => {
  const of = Option.match(snapshot.total, {
    onNone: () => "",
    onSome: (total) => ` of ${number.format(total)}`
  })
  const share = Option.match(snapshot.total, {
    onNone: () => [],
    onSome: (total) => [`${total === 0 ? 100 : Math.min(100, Math.floor((snapshot.done / total) * 100))}%`]
  })
  const money = Option.match(snapshot.cap, {
    // What costs nothing says nothing of money.
    onNone: () => (snapshot.spent === 0n ? [] : [`$${Money.toDecimal(snapshot.spent, 4)} spent`]),
    onSome: (cap) => [`$${Money.toDecimal(snapshot.spent, 4)} of $${Money.toDecimal(cap, 2)} spent`]
  })
  const left = Option.match(snapshot.etaMs, { onNone: () => [], onSome: (eta) => [`${duration(eta)} left`] })
  const trouble = [
    ...(snapshot.failed > 0 ? [`${number.format(snapshot.failed)} failed`] : []),
    ...(snapshot.heldElsewhere > 0 ? [`${number.format(snapshot.heldElsewhere)} held elsewhere`] : []),
    ...(snapshot.rateLimited > 0 ? [`${number.format(snapshot.rateLimited)} rate limited`] : []),
    ...(snapshot.retries > 0 ? [`${number.format(snapshot.retries)} retries`] : [])
  ]
  const line = [
    `${number.format(snapshot.done)}${of} ${snapshot.unit}`,
    ...share,
    ...money,
    `${snapshot.inFlight}/${snapshot.workers}${snapshot.adaptive ? " (auto)" : ""} working`,
    ...left,
    ...trouble,
    ...Option.toArray(snapshot.stage)
  ].join(" · ")
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`
}

/** The snapshot as one line of JSON, in gbrain's way of naming. */
export const progressJson = (snapshot: ProgressSnapshot): string => JSON.stringify(toEvent(snapshot))
