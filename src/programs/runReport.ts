/** What every run that spends reports in the same words: money, calls that went wrong, time, and why it ended early. */
import { Clock, Effect, Exit, Fiber, Option, Schema } from "effect"
import { SqlError } from "effect/sql"
import * as Money from "../domain/Money.ts"
import { Budget, BudgetPeriod } from "../services/Budget.ts"
import { reasonOf } from "../services/Database.ts"
import { Usage } from "../services/Usage.ts"
import type { BulkReport } from "./bulk.ts"

/** The fields. Durations in milliseconds, money in dollars. */
export const spendingFields = {
  spent_usd: Schema.Finite,
  cap_usd: Schema.NullOr(Schema.Finite),
  budget_exhausted: Schema.Boolean,
  /** Which cap was reached: the run's, that of jobs that share one, or the brain's a day or a month; and the words for it. */
  budget_period: Schema.NullOr(BudgetPeriod),
  budget_message: Schema.NullOr(Schema.String),
  embedding_calls: Schema.Int,
  embedding_tokens: Schema.Int,
  unpriced_calls: Schema.Int,
  retries: Schema.Int,
  rate_limited: Schema.Int,
  elapsed_ms: Schema.Int,
  /** Why the run stopped early, in words. */
  stopped: Schema.NullOr(Schema.String)
}

/** The values of `spendingFields`. `ended` is missing when the run was interrupted. */
export const spendingOf = Effect.fnUntraced(function* (
  startedAt: number,
  ended: BulkReport<unknown> | undefined
) {
  const budget = yield* (yield* Budget).snapshot
  const usage = yield* (yield* Usage).snapshot
  const exhausted = Option.getOrUndefined(ended?.budgetExhausted ?? Option.none())
  return {
    spent_usd: Money.toNumber(budget.spent),
    cap_usd: Option.match(budget.cap, { onNone: () => null, onSome: Money.toNumber }),
    budget_exhausted: budget.exhausted,
    budget_period: exhausted?.period ?? null,
    budget_message: exhausted?.message ?? null,
    embedding_calls: usage.embeddingCalls,
    embedding_tokens: usage.embeddingTokens,
    unpriced_calls: usage.unpricedCalls,
    retries: usage.retries,
    rate_limited: usage.rateLimited,
    elapsed_ms: (yield* Clock.currentTimeMillis) - startedAt,
    stopped: Option.getOrNull(Option.flatMap(ended?.stopped ?? Option.none(), inWords))
  }
})

const inWords = (error: unknown): Option.Option<string> => {
  if (SqlError.isSqlError(error)) return Option.some(`the database failed: ${reasonOf(error)}`)
  return error instanceof Error ? Option.some(error.message) : Option.none()
}

/** How long writing a report down may hold up somebody who pressed Ctrl-C. */
const farewell = "5 seconds"

/**
 * Makes the report of a run when it has ended, in whatever way, and finishes with it, once. One that is interrupted has its report
 * shown by `onInterrupt`, whether or not it could be written down; one that failed fails as it did.
 */
export const reported = <A, E, R, Report, E1, R1, E2, R2, E3, R3>(
  work: Effect.Effect<A, E, R>,
  options: {
    readonly report: (ended: A | "interrupted" | "failed") => Effect.Effect<Report, E1, R1>
    readonly finish: (report: Report) => Effect.Effect<Report, E2, R2>
    readonly onInterrupt: (report: Report) => Effect.Effect<void, E3, R3>
  }
) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const inTime = (finishing: Effect.Effect<unknown, E2, R2>) =>
        Effect.ignoreCause(Effect.timeout(Effect.interruptible(finishing), farewell))
      const ended = yield* Effect.exit(restore(work))
      if (Exit.isSuccess(ended)) {
        const made = yield* options.report(ended.value)
        const finishing = yield* Effect.forkChild(Effect.interruptible(options.finish(made)))
        return yield* restore(Fiber.join(finishing)).pipe(
          Effect.onInterrupt(() => Effect.andThen(inTime(Fiber.join(finishing)), options.onInterrupt(made)))
        )
      }
      if (!Exit.hasInterrupts(ended)) {
        yield* Effect.ignoreCause(
          Effect.flatMap(options.report("failed"), (made) => inTime(options.finish(made)))
        )
        return yield* Effect.failCause(ended.cause)
      }
      const made = yield* options.report("interrupted")
      yield* inTime(options.finish(made))
      yield* options.onInterrupt(made)
      return yield* Effect.failCause(ended.cause)
    })
  )
