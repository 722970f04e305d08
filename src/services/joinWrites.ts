/**
 * Group commit: what is to be written while a write is under way is written together by the next one. Many small transactions
 * become a few larger ones exactly when they come faster than they are written; at leisure nothing waits, and for a slow write
 * nobody waits long.
 */
import { Deferred, type Duration, Effect, Exit, Fiber } from "effect"

interface Waiting<Row> {
  readonly rows: ReadonlyArray<Row>
  /** Whether they are written, or have to be by themselves because those that they were joined with failed. */
  readonly told: Deferred.Deferred<"written" | "alone">
}

/**
 * A `write` for many fibers. Each call ends when its own rows are written, and fails as they alone fail: after a joined write that
 * fails everybody's rows are written by themselves. Calls are joined up to `rowsAtMost` rows, and one with more than that is
 * written by itself. A write under way is waited for as long as `patience`; then the next begins beside it.
 */
export const joinWrites = <Row, E, R>(options: {
  readonly write: (rows: ReadonlyArray<Row>) => Effect.Effect<void, E, R>
  readonly rowsAtMost: number
  readonly patience: Duration.Input
}) => {
  const queue: Array<Waiting<Row>> = []
  // Completed when the next write may begin.
  let busy: Deferred.Deferred<void> | undefined

  const take = (): ReadonlyArray<Waiting<Row>> => {
    const taken: Array<Waiting<Row>> = []
    let rows = 0
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      rows += next.rows.length
      if (taken.length > 0 && rows > options.rowsAtMost) break
      taken.push(next)
      queue.shift()
    }
    return taken
  }

  const writeSome = Effect.suspend(() => {
    const some = take()
    return options.write(some.flatMap((it) => it.rows)).pipe(
      Effect.onExit((exit) =>
        Effect.forEach(some, ({ told }) => Deferred.succeed(told, Exit.isSuccess(exit) ? "written" : "alone"))
      ),
      Effect.exit
    )
  })

  const writeBusy = Effect.gen(function* () {
    const mine = yield* Deferred.make<void>()
    busy = mine
    const free = Effect.suspend(() => {
      if (busy === mine) busy = undefined
      return Deferred.succeed(mine, undefined)
    })
    const patience = yield* Effect.forkChild(
      Effect.interruptible(Effect.andThen(Effect.sleep(options.patience), free))
    )
    yield* writeSome.pipe(Effect.onExit(() => Effect.andThen(Fiber.interrupt(patience), free)))
  })

  // Whoever may begin may find that the one before has taken its rows along.
  const writeUntil = (mine: Waiting<Row>): Effect.Effect<void, never, R> =>
    Effect.suspend(() =>
      queue.includes(mine)
        ? Effect.andThen(busy === undefined ? writeBusy : Deferred.await(busy), writeUntil(mine))
        : Effect.void
    )

  return (rows: ReadonlyArray<Row>): Effect.Effect<void, E, R> =>
    Effect.gen(function* () {
      const mine: Waiting<Row> = { rows, told: yield* Deferred.make<"written" | "alone">() }
      queue.push(mine)
      yield* writeUntil(mine).pipe(Effect.onInterrupt(() => Effect.sync(() => drop(queue, mine))))
      if ((yield* Deferred.await(mine.told)) === "alone") yield* options.write(rows)
    })
}

const drop = <A>(list: Array<A>, item: A) => {
  const place = list.indexOf(item)
  if (place >= 0) list.splice(place, 1)
}
