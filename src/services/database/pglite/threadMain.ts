/** What runs on the thread of an embedded brain: opens its database, runs messages of the protocol, closes it. It knows no Effect. */
import { parentPort, workerData } from "node:worker_threads"
import { openPglite, runningHere } from "./here.ts"

/** What the thread is told: to say when the database is open, to run messages, or to close the database. One at a time. */
export type ThreadOrder =
  { readonly open: true } | { readonly run: Uint8Array<ArrayBuffer> } | { readonly close: true }

/** What it answers: a large answer's pieces, then what is left of it and that the order is carried out, or why it is not. */
export type ThreadAnswer =
  | { readonly pieces: ReadonlyArray<Uint8Array<ArrayBuffer>>; readonly done: boolean }
  | { readonly failed: Error }

const answer = (message: ThreadAnswer) =>
  parentPort?.postMessage(message, "pieces" in message ? message.pieces.map((piece) => piece.buffer) : [])

/** Most bytes of an answer that are kept before they are sent: each message wakes the other thread. */
const keptBytes = 1024 * 1024

// What WebAssembly's file system throws is a number, and an object that cannot go to another thread: its words can.
const inWords = (error: unknown): Error =>
  error instanceof Error
    ? new Error(error.message, error.cause === undefined ? {} : { cause: inWords(error.cause) })
    : new Error(fileSystemWords(error) ?? String(error))

const fileSystemWords = (error: unknown): string | undefined => {
  if (typeof error !== "object" || error === null || !("errno" in error)) return undefined
  return errors.get(error.errno) ?? `error ${String(error.errno)} of the file system`
}

// WASI's numbers: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#errno
const errors: ReadonlyMap<unknown, string> = new Map([
  [2, "permission denied"],
  [20, "file exists"],
  [29, "input/output error"],
  [33, "too many open files"],
  [44, "no such file or directory"],
  [51, "no space left on device"],
  [54, "not a directory"],
  [63, "operation not permitted"],
  [69, "read-only file system"]
])

const opened = openPglite(String(workerData))

const carryOut = async (order: ThreadOrder): Promise<void> => {
  const pglite = await opened
  let pieces: Array<Uint8Array<ArrayBuffer>> = []
  let bytes = 0
  const send = (done: boolean) => {
    answer({ pieces, done })
    pieces = []
    bytes = 0
  }
  if ("run" in order) {
    await runningHere(pglite).run(order.run, (piece) => {
      pieces.push(piece)
      bytes += piece.length
      if (bytes > keptBytes) send(false)
    })
  }
  if ("close" in order) await pglite.close()
  send(true)
}

parentPort?.on("message", (order: ThreadOrder) => {
  carryOut(order).catch((error: unknown) => answer({ failed: inWords(error) }))
})
