/**
 * Outliving a database that goes away for a while: a restart, a failover, a network that drops. A statement or a whole
 * transaction that failed for such a reason is run again, with backoff and jitter, until the database has been away too
 * long. Only what may run twice is wrapped: reads, and writes that are idempotent, since the answer to a `commit` may
 * have been lost on the way.
 */
import { Cause, Context, Duration, Effect, Schedule } from "effect"
import { SqlError } from "effect/sql"

/** How long a missing database is waited for. */
export const ResiliencePolicy = Context.Reference("gbrain/ResiliencePolicy", {
  defaultValue: () => ({
    firstDelay: Duration.millis(200),
    maxDelay: Duration.seconds(5),
    giveUpAfter: Duration.minutes(2)
  })
})

// Shutdown and crash of the server, "starting up", too many connections, a connection that was ended for its silence, and everything of
// the class 08.
const awayCodes = new Set(["57P01", "57P02", "57P03", "53300", "25P03"])

/** Whether the error says that the database cannot be talked to now, and may be later. */
export const isDatabaseAway = (error: unknown): boolean => {
  if (!SqlError.isSqlError(error)) return false
  const { reason } = error
  if (reason._tag === "ConnectionError") return true
  // A server that starts, stops or takes nobody in for now says so in many ways; a wrong password is another matter.
  if (reason.operation === "connect") return reason._tag !== "AuthenticationError"
  return awayCodes.has(codeOf(reason.cause))
}

/** PostgreSQL's code of an error, such as 23503; empty when the cause is none of its errors. */
export const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : ""

// Two transactions that met head-on: the one that was sacrificed simply runs again.
const isCollision = (error: unknown): boolean =>
  SqlError.isSqlError(error) &&
  (error.reason._tag === "DeadlockError" || error.reason._tag === "SerializationError")

/** A failure that may pass, with the cause that is told when it does not. */
class Away<E> {
  readonly cause: Cause.Cause<E>
  constructor(cause: Cause.Cause<E>) {
    this.cause = cause
  }
}

const isAwayFailure = <E>(error: E | Away<E>): error is Away<E> => error instanceof Away

/**
 * Whether a cause is that of a database that is away, or of two transactions that collided. When the connection breaks inside a
 * transaction, rolling it back fails too, and dies of it: what counts is why, not as what it came.
 */
export const isAway = (cause: Cause.Cause<unknown>): boolean =>
  !Cause.hasInterrupts(cause) &&
  cause.reasons.some((reason) =>
    reason._tag === "Fail"
      ? isDatabaseAway(reason.error) || isCollision(reason.error)
      : reason._tag === "Die" && isDatabaseAway(reason.defect)
  )

/** Runs `self` again while the database is away or two transactions collided. `self` must be idempotent. */
export const resilient = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.catchCause(self, (cause) => (isAway(cause) ? again(self, cause) : Effect.failCause(cause)))

// Apart, so that a statement that succeeds, as nearly all do, pays for none of it.
const again = Effect.fnUntraced(function* <A, E, R>(self: Effect.Effect<A, E, R>, first: Cause.Cause<E>) {
  const policy = yield* ResiliencePolicy
  let failed: Effect.Effect<never, Away<E>> | undefined = Effect.fail(new Away(first))
  const attempt: Effect.Effect<A, E | Away<E>, R> = Effect.suspend(() => {
    const told = failed
    failed = undefined
    return (
      told ??
      Effect.catchCause(self, (cause): Effect.Effect<never, E | Away<E>> =>
        isAway(cause) ? Effect.fail(new Away(cause)) : Effect.failCause(cause)
      )
    )
  })
  return yield* Effect.retry(attempt, {
    schedule: Schedule.exponential(policy.firstDelay).pipe(
      Schedule.jittered,
      Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, policy.maxDelay))),
      Schedule.upTo({ duration: policy.giveUpAfter })
    ),
    while: isAwayFailure
  }).pipe(
    Effect.catch((error): Effect.Effect<never, E> =>
      isAwayFailure(error) ? Effect.failCause(error.cause) : Effect.fail(error)
    )
  )
})
