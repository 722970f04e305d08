/**
 * Group commit, and the same for reads: what is asked for while a statement is under way is asked for together by the next one. Many
 * small statements become a few larger ones exactly when they come faster than they are answered; at leisure nothing waits, and
 * for a slow statement nobody waits long.
 */
import { Deferred, type Duration, Effect, Exit, Fiber, Option } from "effect"

interface Waiting<Row, A> {
  readonly rows: ReadonlyArray<Row>
  /** What came of the call that the rows went with; none when it failed, and they have to go by themselves. */
  readonly told: Deferred.Deferred<Option.Option<A>>
}

/**
 * A `run` for many fibers. Each call ends when its own rows are through, with what came of the call that they went with: of a read all
 * that was found, for others too. It fails as its rows alone fail: after a joined call that fails everybody's rows go by themselves.
 * Calls are joined up to `rowsAtMost` rows, and one with more than that goes by itself. A call under way is waited for as long as
 * `patience`; then the next begins beside it.
 */
export const joinCalls = <Row, A, E, R>(options: {
  readonly run: (rows: ReadonlyArray<Row>) => Effect.Effect<A, E, R>
  readonly rowsAtMost: number
  readonly patience: Duration.Input
}) => {
  const queue: Array<Waiting<Row, A>> = []
  // Completed when the next call may begin.
  let busy: Deferred.Deferred<void> | undefined

  const take = (): ReadonlyArray<Waiting<Row, A>> => {
    const taken: Array<Waiting<Row, A>> = []
    let rows = 0
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      rows += next.rows.length
      if (taken.length > 0 && rows > options.rowsAtMost) break
      taken.push(next)
      queue.shift()
    }
    return taken
  }

  const runSome = Effect.suspend(() => {
    const some = take()
    return options.run(some.flatMap((it) => it.rows)).pipe(
      Effect.onExit((exit) =>
        Effect.forEach(some, ({ told }) =>
          Deferred.succeed(told, Exit.isSuccess(exit) ? Option.some(exit.value) : Option.none())
        )
      ),
      Effect.exit
    )
  })

  const runBusy = Effect.gen(function* () {
    const mine = yield* Deferred.make<void>()
    busy = mine
    const free = Effect.suspend(() => {
      if (busy === mine) busy = undefined
      return Deferred.succeed(mine, undefined)
    })
    const patience = yield* Effect.forkChild(
      Effect.interruptible(Effect.andThen(Effect.sleep(options.patience), free))
    )
    yield* runSome.pipe(Effect.onExit(() => Effect.andThen(Fiber.interrupt(patience), free)))
  })

  // Whoever may begin may find that the one before has taken its rows along.
  const runUntil = (mine: Waiting<Row, A>): Effect.Effect<void, never, R> =>
    Effect.suspend(() =>
      queue.includes(mine)
        ? Effect.andThen(busy === undefined ? runBusy : Deferred.await(busy), runUntil(mine))
        : Effect.void
    )

  return (rows: ReadonlyArray<Row>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      const mine: Waiting<Row, A> = { rows, told: yield* Deferred.make<Option.Option<A>>() }
      queue.push(mine)
      yield* runUntil(mine).pipe(Effect.onInterrupt(() => Effect.sync(() => drop(queue, mine))))
      const told = yield* Deferred.await(mine.told)
      return Option.isSome(told) ? told.value : yield* options.run(rows)
    })
}

const drop = <A>(list: Array<A>, item: A) => {
  const place = list.indexOf(item)
  if (place >= 0) list.splice(place, 1)
}
