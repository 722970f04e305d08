/**
 * PGlite on a thread of its own. A statement of the embedded database is computed in this process: on the program's own thread
 * all workers, the progress, refreshes of leases and Ctrl-C would stand still until it is over.
 */
import { Worker } from "node:worker_threads"
import type { MessageRunner } from "./stream.ts"
import type { ThreadAnswer, ThreadOrder } from "./threadMain.ts"

/** A database on a thread. */
export interface PgliteThread extends MessageRunner {
  /** Closes the database and ends its thread. */
  readonly close: () => Promise<void>
}

/** What the thread is called in the system's lists of threads. */
export const pgliteThreadName = "gbrain-pglite"

// From sources the thread runs sources, from the built package what was built.
const script = new URL(`./threadMain${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url)

/**
 * Opens the database in a folder. Rejects, in the database's words, when it cannot be opened; what is asked of a thread that
 * has ended rejects as well.
 *
 * @param main what runs on the thread
 */
export const openThread = async (directory: string, main = script): Promise<PgliteThread> => {
  const worker = new Worker(main, { workerData: directory, name: pgliteThreadName })
  let asked: Asked | undefined
  let ended: unknown
  const settle = (how: (by: Asked) => void) => {
    const by = asked
    asked = undefined
    if (by !== undefined) how(by)
  }
  const end = (error: unknown) => {
    ended ??= error
    settle((by) => by.reject(ended))
  }
  worker.on("message", (answer: ThreadAnswer) => {
    if ("failed" in answer) return settle((by) => by.reject(answer.failed))
    for (const piece of answer.pieces) asked?.onAnswer(piece)
    if (answer.done) settle((by) => by.resolve())
  })
  worker.on("error", end)
  worker.on("exit", (code) => end(new Error(`the database's thread ended with ${code}`)))

  // One order at a time, for answers carry no number: who closes waits for a statement whose result nobody wants any more.
  let last = Promise.resolve()
  const ask = (order: ThreadOrder, onAnswer: Asked["onAnswer"] = () => undefined) => {
    const turn = last.then(
      () =>
        new Promise<void>((resolve, reject) => {
          if (ended !== undefined) return reject(ended)
          asked = { onAnswer, resolve, reject }
          worker.postMessage(order, "run" in order ? [order.run.buffer] : [])
        })
    )
    last = turn.catch(() => undefined)
    return turn
  }

  try {
    await ask({ open: true })
  } catch (error) {
    await worker.terminate()
    throw error
  }
  return {
    // Messages are parts of larger buffers, which a message to a thread would copy whole: they go as they are, without being
    // copied again.
    run: (messages, onAnswer) => ask({ run: new Uint8Array(messages) }, onAnswer),
    close: async () => {
      try {
        await ask({ close: true })
      } finally {
        await worker.terminate()
      }
    }
  }
}

interface Asked {
  readonly onAnswer: (piece: Uint8Array<ArrayBuffer>) => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}
