/**
 * Outliving a database that goes away for a while: a restart, a failover, a network that drops. A statement or a whole
 * transaction that failed for such a reason is run again, with backoff and jitter, until the database has been away too
 * long. Only what may run twice is wrapped: reads, and writes that are idempotent, since the answer to a `commit` may
 * have been lost on the way.
 */
import { Context, Duration, Effect, Schedule } from "effect"
import { SqlError } from "effect/sql"

/** How long a missing database is waited for. */
export const ResiliencePolicy = Context.Reference("gbrain/ResiliencePolicy", {
  defaultValue: () => ({
    firstDelay: Duration.millis(200),
    maxDelay: Duration.seconds(5),
    giveUpAfter: Duration.minutes(2)
  })
})

// Shutdown and crash of the server, "starting up", too many connections, and everything of the class 08.
const awayCodes = new Set(["57P01", "57P02", "57P03", "53300"])

/** Whether the error says that the database cannot be talked to now, and may be later. */
export const isDatabaseAway = (error: unknown): boolean => {
  if (!SqlError.isSqlError(error)) return false
  const { reason } = error
  if (reason._tag === "ConnectionError") return true
  // A server that starts, stops or takes nobody in for now says so in many ways; a wrong password is another matter.
  if (reason.operation === "connect") return reason._tag !== "AuthenticationError"
  const cause = reason.cause
  return (
    typeof cause === "object" &&
    cause !== null &&
    "code" in cause &&
    typeof cause.code === "string" &&
    awayCodes.has(cause.code)
  )
}

// Two transactions that met head-on: the one that was sacrificed simply runs again.
const isCollision = (error: unknown): boolean =>
  SqlError.isSqlError(error) &&
  (error.reason._tag === "DeadlockError" || error.reason._tag === "SerializationError")

/** Runs `self` again while the database is away or two transactions collided. `self` must be idempotent. */
export const resilient = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const policy = yield* ResiliencePolicy
    return yield* Effect.retry(self, {
      schedule: Schedule.exponential(policy.firstDelay).pipe(
        Schedule.jittered,
        Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, policy.maxDelay))),
        Schedule.upTo({ duration: policy.giveUpAfter })
      ),
      while: (error) => isDatabaseAway(error) || isCollision(error)
    })
  })
