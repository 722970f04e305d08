/**
 * Group commit, and the same for reads and requests: what is asked for while a call is under way is asked for together by the next
 * one. Many small calls become a few larger ones exactly when they come faster than they are answered; at leisure nothing waits, and
 * for a slow call nobody waits long.
 */
import { Cause, Context, Deferred, Duration, Effect, Exit, Fiber, Option } from "effect"
import { isAway } from "./database/Resilience.ts"

interface Waiting<Row, A, E, R> {
  readonly rows: ReadonlyArray<Row>
  readonly context: Context.Context<R>
  /** What came of the call that the rows went with; none when that says nothing of these rows, and they have to go by themselves. */
  readonly told: Deferred.Deferred<Option.Option<Exit.Exit<A, E>>>
  /** The call that the rows went with. */
  call: Call | undefined
}

/** A call under way: it goes on for as long as anybody waits for it. */
interface Call {
  waiting: number
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

/** How long calls wait for the one before them. */
export const JoinPolicy = Context.Reference("gbrain/JoinPolicy", {
  defaultValue: () => ({ patience: Duration.millis(25) })
})

/**
 * A `run` for many fibers. Each call ends when its own rows are through, with what came of the call that they went with: of a read all
 * that was found, for others too. It fails as its rows alone fail: after a joined call that fails everybody's rows go by themselves,
 * unless `concernsAll` says of the failure that it has nothing to do with the rows, as it does of a database that is away. Calls are
 * joined up to `rowsAtMost` rows, and one with more than that goes by itself. A call under way is waited for as long as `JoinPolicy`
 * says (25 ms); then the next begins beside it. A call has a fiber of its own, in the context of the first who waits for it, and is
 * interrupted when nobody does any more. Not for use inside a transaction, which would take others' rows along.
 */
export const joinCalls = <Row, A, E, R>(options: {
  readonly run: (rows: ReadonlyArray<Row>) => Effect.Effect<A, E, R>
  readonly rowsAtMost: number
  readonly concernsAll?: (cause: Cause.Cause<E>) => boolean
}) => {
  const { concernsAll = isAway, rowsAtMost, run } = options
  const queue: Array<Waiting<Row, A, E, R>> = []
  // The call that is waited for before the next one begins.
  let before: Call | undefined

  const take = (): ReadonlyArray<Waiting<Row, A, E, R>> => {
    const taken: Array<Waiting<Row, A, E, R>> = []
    let rows = 0
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      rows += next.rows.length
      if (taken.length > 0 && rows > rowsAtMost) break
      taken.push(next)
      queue.shift()
    }
    return taken
  }

  // Of what interrupted the call, or failed for one of many rows, nobody can tell whose it is.
  const isTheirs = (exit: Exit.Exit<A, E>, some: ReadonlyArray<unknown>): boolean =>
    Exit.isSuccess(exit) || (!Exit.hasInterrupts(exit) && (some.length === 1 || concernsAll(exit.cause)))

  // Begun uninterruptible: `run` alone is what an interruption ends.
  const makeCall = (call: Call, some: ReadonlyArray<Waiting<Row, A, E, R>>): Effect.Effect<void, never, R> =>
    Effect.withFiber((fiber) => {
      call.fiber = fiber
      return Effect.gen(function* () {
        const { patience } = yield* JoinPolicy
        const free = Effect.suspend(() => {
          if (before !== call) return Effect.void
          before = undefined
          return beginNext
        })
        const impatient = yield* Effect.forkChild(
          Effect.uninterruptible(Effect.andThen(Effect.interruptible(Effect.sleep(patience)), free))
        )
        const exit = yield* Effect.exit(
          Effect.interruptible(Effect.suspend(() => run(some.flatMap((it) => it.rows))))
        )
        const outcome = isTheirs(exit, some) ? Option.some(exit) : Option.none()
        yield* Effect.forEach(some, ({ told }) => Deferred.succeed(told, outcome), { discard: true })
        yield* Fiber.interrupt(impatient)
        yield* free
      })
    })

  // Runs where nothing interrupts: what is taken from the queue is told in any case.
  const beginNext: Effect.Effect<void> = Effect.suspend(() => {
    const [first] = queue
    if (before !== undefined || first === undefined) return Effect.void
    const some = take()
    const call: Call = { waiting: some.length, fiber: undefined }
    before = call
    for (const it of some) it.call = call
    return makeCall(call, some).pipe(
      Effect.updateContext<never, R>(() => first.context),
      Effect.forkDetach({ startImmediately: true, uninterruptible: true }),
      Effect.asVoid
    )
  })

  const leave = (mine: Waiting<Row, A, E, R>) =>
    Effect.suspend(() => {
      const { call } = mine
      if (call === undefined) queue.splice(queue.indexOf(mine), 1)
      if (call === undefined || --call.waiting > 0 || call.fiber === undefined) return Effect.void
      return Fiber.interrupt(call.fiber)
    })

  return (rows: ReadonlyArray<Row>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const mine: Waiting<Row, A, E, R> = {
          rows,
          context: yield* Effect.context<R>(),
          told: yield* Deferred.make<Option.Option<Exit.Exit<A, E>>>(),
          call: undefined
        }
        queue.push(mine)
        yield* beginNext
        const told = yield* restore(Deferred.await(mine.told)).pipe(Effect.onInterrupt(() => leave(mine)))
        return yield* Option.getOrElse(told, () => restore(run(rows)))
      })
    )
}
