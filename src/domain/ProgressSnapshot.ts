/**
 * How far a bulk operation is, at one moment: what progress displays draw and reports end with. Times are milliseconds.
 */
import { Option, Schema } from "effect"
import * as Money from "./Money.ts"

/** One view of a run, consistent in itself. */
export interface ProgressSnapshot {
  /** The command, e.g. `extract-conversation-facts`. */
  readonly command: string
  /** What is being done besides what is counted, such as making an index. */
  readonly stage: Option.Option<string>
  /** What is counted, in the plural: `pages`, `files`. */
  readonly unit: string
  /** How many there are to do in all; none while that is not known yet. */
  readonly total: Option.Option<number>
  /** Finished in any way: done, skipped, failed or left to their holders. */
  readonly done: number
  readonly failed: number
  readonly skipped: number
  /** Left alone because another process holds them. */
  readonly heldElsewhere: number
  /** Pieces of model work finished, such as conversation segments. */
  readonly segments: number
  /** Pieces of model work going on now. */
  readonly inFlight: number
  readonly workers: number
  /** Whether the number of workers is found out while they work. */
  readonly adaptive: boolean
  readonly spent: Money.Money
  readonly cap: Option.Option<Money.Money>
  readonly retries: number
  /** Answers of 429 so far. */
  readonly rateLimited: number
  readonly elapsedMs: number
  /** An estimate of the time left; none until enough is done to tell. */
  readonly etaMs: Option.Option<number>
}

/** A snapshot as it is told to other programs, in gbrain's way of naming; money in dollars. */
export const ProgressEvent = Schema.Struct({
  event: Schema.Literal("progress"),
  command: Schema.String,
  stage: Schema.NullOr(Schema.String),
  unit: Schema.String,
  total: Schema.NullOr(Schema.Finite),
  done: Schema.Finite,
  failed: Schema.Finite,
  skipped: Schema.Finite,
  held_elsewhere: Schema.Finite,
  segments: Schema.Finite,
  in_flight: Schema.Finite,
  workers: Schema.Finite,
  adaptive: Schema.Boolean,
  spent_usd: Schema.Finite,
  cap_usd: Schema.NullOr(Schema.Finite),
  retries: Schema.Finite,
  rate_limited: Schema.Finite,
  elapsed_ms: Schema.Finite,
  eta_ms: Schema.NullOr(Schema.Finite)
})

/** A snapshot as it is told to other programs. */
export type ProgressEvent = typeof ProgressEvent.Type

/** The snapshot, told. */
export const toEvent = (snapshot: ProgressSnapshot): ProgressEvent => ({
  event: "progress",
  command: snapshot.command,
  stage: Option.getOrNull(snapshot.stage),
  unit: snapshot.unit,
  total: Option.getOrNull(snapshot.total),
  done: snapshot.done,
  failed: snapshot.failed,
  skipped: snapshot.skipped,
  held_elsewhere: snapshot.heldElsewhere,
  segments: snapshot.segments,
  in_flight: snapshot.inFlight,
  workers: snapshot.workers,
  adaptive: snapshot.adaptive,
  spent_usd: Money.toNumber(snapshot.spent),
  cap_usd: Option.getOrNull(Option.map(snapshot.cap, Money.toNumber)),
  retries: snapshot.retries,
  rate_limited: snapshot.rateLimited,
  elapsed_ms: snapshot.elapsedMs,
  eta_ms: Option.getOrNull(snapshot.etaMs)
})

/** What was told, as a snapshot again; money to the millionth of a dollar. */
export const fromEvent = (event: ProgressEvent): ProgressSnapshot => ({
  command: event.command,
  stage: Option.fromNullOr(event.stage),
  unit: event.unit,
  total: Option.fromNullOr(event.total),
  done: event.done,
  failed: event.failed,
  skipped: event.skipped,
  heldElsewhere: event.held_elsewhere,
  segments: event.segments,
  inFlight: event.in_flight,
  workers: event.workers,
  adaptive: event.adaptive,
  spent: fromDollars(event.spent_usd),
  cap: Option.map(Option.fromNullOr(event.cap_usd), fromDollars),
  retries: event.retries,
  rateLimited: event.rate_limited,
  elapsedMs: event.elapsed_ms,
  etaMs: Option.fromNullOr(event.eta_ms)
})

const fromDollars = (dollars: number): Money.Money =>
  Option.getOrElse(Money.parseUsd(dollars.toFixed(6)), () => Money.zero)
