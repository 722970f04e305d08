/**
 * Group commit, and the same for reads and requests: what is asked for while a call is under way is asked for together by the next
 * one. Many small calls become a few larger ones exactly when they come faster than they are answered; at leisure nothing waits, and
 * for a slow call nobody waits long.
 */
import { Context, Deferred, Duration, Effect, Exit, Fiber, Option } from "effect"

interface Waiting<Row, A, E> {
  readonly rows: ReadonlyArray<Row>
  /** What came of the call that the rows went with; none when that says nothing of these rows, and they have to go by themselves. */
  readonly told: Deferred.Deferred<Option.Option<Exit.Exit<A, E>>>
}

/** How long calls wait for the one before them. */
export const JoinPolicy = Context.Reference("gbrain/JoinPolicy", {
  defaultValue: () => ({ patience: Duration.millis(25) })
})

/**
 * A `run` for many fibers. Each call ends when its own rows are through, with what came of the call that they went with: of a read all
 * that was found, for others too. It fails as its rows alone fail: after a joined call that fails everybody's rows go by themselves,
 * unless `concernsAll` says of the error that it has nothing to do with the rows. Calls are joined up to `rowsAtMost` rows, and one with more than that goes by itself. A call under way is waited for as long as
 * `JoinPolicy` says (25 ms); then the next begins beside it. Not for use inside a transaction, which would take others' rows along.
 */
export const joinCalls = <Row, A, E, R>(options: {
  readonly run: (rows: ReadonlyArray<Row>) => Effect.Effect<A, E, R>
  readonly rowsAtMost: number
  readonly concernsAll?: (error: E) => boolean
}) => {
  const { concernsAll = () => false, rowsAtMost, run } = options
  const queue: Array<Waiting<Row, A, E>> = []
  // Completed when the next call may begin.
  let busy: Deferred.Deferred<void> | undefined

  const take = (): ReadonlyArray<Waiting<Row, A, E>> => {
    const taken: Array<Waiting<Row, A, E>> = []
    let rows = 0
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      rows += next.rows.length
      if (taken.length > 0 && rows > rowsAtMost) break
      taken.push(next)
      queue.shift()
    }
    return taken
  }

  // Whatever interrupts the call, those whose rows were taken hear of it.
  const runSome = Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const some = take()
      return restore(run(some.flatMap((it) => it.rows))).pipe(
        Effect.exit,
        Effect.flatMap((exit) => {
          const isTheirs =
            Exit.isSuccess(exit) ||
            (some.length === 1 && !Exit.hasInterrupts(exit)) ||
            Option.exists(Exit.findErrorOption(exit), concernsAll)
          const outcome = isTheirs ? Option.some(exit) : Option.none()
          return Effect.forEach(some, ({ told }) => Deferred.succeed(told, outcome), { discard: true })
        })
      )
    })
  )

  const runBusy = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { patience } = yield* JoinPolicy
      const mine = yield* Deferred.make<void>()
      busy = mine
      const free = Effect.suspend(() => {
        if (busy === mine) busy = undefined
        return Deferred.succeed(mine, undefined)
      })
      const waiting = yield* Effect.forkChild(
        Effect.interruptible(Effect.andThen(Effect.sleep(patience), free))
      )
      yield* restore(runSome).pipe(Effect.onExit(() => Effect.andThen(Fiber.interrupt(waiting), free)))
    })
  )

  // Whoever may begin may find that the one before has taken its rows along.
  const runUntil = (mine: Waiting<Row, A, E>): Effect.Effect<void, never, R> =>
    Effect.suspend(() =>
      queue.includes(mine)
        ? Effect.andThen(busy === undefined ? runBusy : Deferred.await(busy), runUntil(mine))
        : Effect.void
    )

  return (rows: ReadonlyArray<Row>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      const mine: Waiting<Row, A, E> = { rows, told: yield* Deferred.make<Option.Option<Exit.Exit<A, E>>>() }
      queue.push(mine)
      yield* runUntil(mine).pipe(Effect.onInterrupt(() => Effect.sync(() => drop(queue, mine))))
      const told = yield* Deferred.await(mine.told)
      return yield* Option.getOrElse(told, () => run(rows))
    })
}

const drop = <A>(list: Array<A>, item: A) => {
  const place = list.indexOf(item)
  if (place >= 0) list.splice(place, 1)
}
