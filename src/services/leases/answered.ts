/** Statements that take something, and what there is to know when somebody gives up on one. */
import { Duration, Effect, Fiber } from "effect"

/** A release that takes longer is tried again later, and else left to the lease's expiry: stopping must not wait for a database that is away. */
export const releaseTimeout = Duration.seconds(5)

/**
 * A statement whose end is waited for even when nobody wants its answer any more: one that is given up may still be under way
 * at the server, and what undoes it on another connection would come before it.
 */
export const answered = <A, E, R>(statement: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkChild(Effect.interruptible(statement)), (fiber) =>
      restore(Fiber.join(fiber)).pipe(
        Effect.onInterrupt(() =>
          Fiber.await(fiber).pipe(
            Effect.interruptible,
            Effect.timeout(releaseTimeout),
            Effect.ignore,
            Effect.andThen(Fiber.interrupt(fiber))
          )
        )
      )
    )
  )
