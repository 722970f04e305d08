/** A job: a bulk command handed over to be done in the background, by whichever process works on the brain's jobs. Plain data. */
import { Schema } from "effect"
import { ProgressEvent } from "./ProgressSnapshot.ts"

/** How a job stands. The first two are alive; the others are ends, and what `RunStatus` calls interrupted is `cancelled` here. */
export const JobStatus = Schema.Literals([
  "waiting",
  "running",
  "completed",
  "incomplete",
  "budget",
  "failed",
  "cancelled"
])

/** How a job stands. */
export type JobStatus = typeof JobStatus.Type

/** Whether something may still become of it. */
export const isAlive = (status: JobStatus): boolean => status === "waiting" || status === "running"

/** A job as it is shown. Times are ISO, in UTC; money in dollars. */
export const Job = Schema.Struct({
  id: Schema.Int,
  command: Schema.String,
  /** The source it is about; null for one that is not about one source. */
  source_id: Schema.NullOr(Schema.String),
  /** A whole number, or `auto`. */
  workers: Schema.String,
  /** What it may spend at most, together with the jobs that were submitted with it; null for one that spends nothing. */
  cap_usd: Schema.NullOr(Schema.Finite),
  status: JobStatus,
  submitted_at: Schema.String,
  started_at: Schema.NullOr(Schema.String),
  finished_at: Schema.NullOr(Schema.String),
  /** Whether somebody who works on jobs has heard of it. */
  passed_on: Schema.Boolean,
  cancel_asked: Schema.Boolean,
  /** Who works on it or did last, and for how many seconds nothing was heard of him. */
  host: Schema.NullOr(Schema.String),
  pid: Schema.NullOr(Schema.Int),
  silent_seconds: Schema.NullOr(Schema.Finite),
  /** How often it was taken up; progress and report are those of the last time. */
  taken: Schema.Int,
  /** How many processes died with it before they got anything done. */
  deaths: Schema.Int,
  progress: Schema.NullOr(ProgressEvent),
  /** What the command reports, as with `--json`. */
  report: Schema.NullOr(Schema.Json),
  /** Why it failed, in words. */
  error: Schema.NullOr(Schema.String)
})

/** A job as it is shown. */
export type Job = typeof Job.Type

/** A process that works on jobs. */
export const LiveRunner = Schema.Struct({ host: Schema.String, pid: Schema.Int })

/** A process that works on jobs. */
export type LiveRunner = typeof LiveRunner.Type

/** What is asked for when work is handed over. */
export const Submission = Schema.Struct({
  command: Schema.String,
  /** The options of the command, as its kind of job reads them. */
  asked: Schema.Json,
  workers: Schema.String,
  /** What the jobs of the submission may spend together, in dollars with up to 12 decimals; null for nothing. */
  cap_usd: Schema.NullOr(Schema.String)
})

/** What is asked for when work is handed over. */
export type Submission = typeof Submission.Type

/** A job of a submission; `created` is false for one that was under way before. */
export const Submitted = Schema.Struct({ job: Job, created: Schema.Boolean })

/** A job of a submission. */
export type Submitted = typeof Submitted.Type
