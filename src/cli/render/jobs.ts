/** Jobs in words. */
import { Option, Schema } from "effect"
import { isAlive, type Job } from "../../domain/Job.ts"
import { fromEvent } from "../../domain/ProgressSnapshot.ts"
import { ExtractionReport } from "../../programs/extract-conversation-facts/report.ts"
import { plural, reportText } from "./extraction.ts"
import { duration, renderProgress } from "./progress.ts"
import { table } from "./text.ts"

/** What a job is called in a sentence. */
export const jobName = (job: Job): string =>
  `job ${job.id} (${job.command}${job.source_id === null ? "" : ` of ${job.source_id}`}, ${job.workers} workers)`

// Somebody who works on a job says so every second.
const silentAfter = 15

const isSilent = (job: Job): boolean => (job.silent_seconds ?? 0) >= silentAfter

const standing = (job: Job): string => {
  if (job.cancel_asked && job.status === "running") return "stopping"
  if (job.status !== "running" || !isSilent(job)) return job.status
  return `running, but silent for ${duration((job.silent_seconds ?? 0) * 1000)}`
}

const by = (job: Job): string => (job.pid === null ? "" : `process ${job.pid} on ${job.host ?? "?"}`)

/** How far it is, in so many characters; or how it ended. */
export const howFar = (job: Job, width = 200): string =>
  job.status === "running" && job.progress !== null && !isSilent(job)
    ? renderProgress(fromEvent(job.progress), width)
    : standing(job)

/** All of them, a line each. */
export const jobsTable = (jobs: ReadonlyArray<Job>): string =>
  table(
    ["job", "command", "source", "workers", "state", "by", "how far"],
    jobs.map((job) => [
      String(job.id),
      job.command,
      job.source_id ?? "",
      job.workers,
      standing(job),
      job.status === "running" ? by(job) : "",
      job.progress === null ? (job.error ?? "") : renderProgress(fromEvent(job.progress), 100)
    ])
  )

const decodeReport = Schema.decodeUnknownOption(ExtractionReport)

/** One of them, whole. */
export const jobText = (job: Job): string =>
  [
    `${jobName(job)}: ${standing(job)}`,
    `handed over ${job.submitted_at}${job.started_at === null ? "" : `, begun ${job.started_at}`}${job.finished_at === null ? "" : `, ended ${job.finished_at}`}`,
    ...(job.pid === null
      ? []
      : [`${job.status === "running" ? "worked on" : "last worked on"} by ${by(job)}`]),
    ...(job.taken < 2 ? [] : [`taken up ${job.taken} times; what follows is of the last time`]),
    ...(job.deaths === 0 ? [] : [`${plural(job.deaths, "process", "processes")} died of it`]),
    ...(job.error === null ? [] : [job.error]),
    ...(isAlive(job.status) && job.progress !== null ? [renderProgress(fromEvent(job.progress), 200)] : []),
    ...Option.match(decodeReport(job.report), {
      onNone: () => [],
      onSome: (report) => ["", reportText(report)]
    })
  ].join("\n")
