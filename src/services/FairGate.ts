/**
 * A gate for at most so many at a time, where those who wait take turns by owner, and whose width can change while it is in
 * use. `PartitionedSemaphore` takes turns but has a fixed width; `Semaphore` can be resized but serves in order of arrival,
 * so that a page with two hundred segments would go before everybody who came later.
 *
 * After it was narrowed, nobody enters until enough have left.
 */
import { Deferred, Effect } from "effect"

/** A gate. */
export interface FairGate {
  /** Runs `work` inside, when it is the owner's turn and there is room. */
  readonly within: (owner: string) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** How many are inside. */
  readonly inside: () => number
  readonly width: () => number
  /** Changes the width, at once; whoever fits now enters. */
  readonly resize: (width: number) => void
}

interface Waiter {
  readonly granted: Deferred.Deferred<void>
  entered: boolean
}

/** Makes a gate of a width (a whole number from 0 up). */
export const makeFairGate = (initialWidth: number): FairGate => {
  let width = initialWidth
  let inside = 0
  let admitting = false
  // The order of the map is the order of turns: whoever had one goes to the end.
  const queues = new Map<string, Array<Waiter>>()

  // Letting one in may run its fiber at once, which may leave again or bring others: one loop serves them all.
  const admit = () => {
    if (admitting) return
    admitting = true
    while (inside < width) {
      const [first] = queues
      if (first === undefined) break
      const [owner, queue] = first
      const waiter = queue.shift()
      queues.delete(owner)
      if (queue.length > 0) queues.set(owner, queue)
      if (waiter === undefined) continue
      inside++
      waiter.entered = true
      Deferred.doneUnsafe(waiter.granted, Effect.void)
    }
    admitting = false
  }

  const leave = () => {
    inside--
    admit()
  }

  const withdraw = (owner: string, waiter: Waiter) => {
    if (waiter.entered) return leave()
    const queue = queues.get(owner)
    if (queue === undefined) return
    queue.splice(queue.indexOf(waiter), 1)
    if (queue.length === 0) queues.delete(owner)
  }

  const queueUp = (owner: string, waiter: Waiter) => {
    const queue = queues.get(owner)
    if (queue === undefined) queues.set(owner, [waiter])
    else queue.push(waiter)
    admit()
  }

  return {
    // A fiber may be interrupted after it was let in and before it goes on: whoever is interrupted looks whether he is inside.
    within: (owner) => (work) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const waiter: Waiter = { granted: yield* Deferred.make<void>(), entered: false }
          queueUp(owner, waiter)
          yield* restore(Deferred.await(waiter.granted)).pipe(
            Effect.onInterrupt(() => Effect.sync(() => withdraw(owner, waiter)))
          )
          return yield* Effect.ensuring(restore(work), Effect.sync(leave))
        })
      ),
    inside: () => inside,
    width: () => width,
    resize: (to) => {
      width = to
      admit()
    }
  }
}
