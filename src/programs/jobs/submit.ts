/** Hands work over: checked as the command itself would check it, divided, and written down in one transaction. */
import { Effect, Option } from "effect"
import type { Submission } from "../../domain/Job.ts"
import * as Money from "../../domain/Money.ts"
import { JobStore } from "../../services/JobStore.ts"
import { JobRefused } from "./JobKind.ts"
import { kindOf } from "./kinds.ts"

/**
 * Makes jobs of a submission, which share what they may spend. A part of it that is under way already, asked in the same words, is
 * not made again: that job is answered. Once it has ended the same words make a new one.
 */
export const submitJobs = Effect.fn("submitJobs")(function* (submission: Submission) {
  const kind = yield* kindOf(submission.command)
  const jobs = (yield* kind.divide(submission.asked)).map(({ options, sourceId }) => ({
    command: kind.command,
    sourceId,
    asked: options,
    asking: JSON.stringify([kind.command, options, submission.workers, submission.cap_usd]),
    workers: submission.workers
  }))
  const cap = yield* Option.match(Option.fromNullOr(submission.cap_usd), {
    onNone: () => Effect.succeedNone,
    onSome: (text) =>
      Option.match(Money.parseUsd(text), {
        onNone: () =>
          Effect.fail(new JobRefused({ wrongUsage: false, message: `${text} is no amount of dollars.` })),
        onSome: (amount) => Effect.succeed(Option.some(amount))
      })
  })
  return yield* (yield* JobStore).add(jobs, cap)
})
