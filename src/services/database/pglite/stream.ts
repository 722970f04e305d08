/**
 * Speaks PostgreSQL's wire protocol to a PGlite as a Node stream, so that the one SQL client serves both databases. Frontend
 * messages are cut out of the byte stream, whole ones are handed to PGlite in the order they came, and what it answers is
 * the stream's readable side.
 */
import { Duplex } from "node:stream"

/** Who runs messages of the protocol: a PGlite in this thread, or one in a thread of its own. */
export interface MessageRunner {
  /**
   * Runs whole messages, and hands over what is answered in pieces; a piece is the receiver's to keep, with its buffer. Ends when all is answered,
   * rejects when the database cannot go on.
   */
  readonly run: (messages: Uint8Array, onAnswer: (piece: Uint8Array<ArrayBuffer>) => void) => Promise<void>
}

const startupHeaderBytes = 4
const messageHeaderBytes = 5

/** How many bytes at the start of `buffer` are whole frontend messages. The very first message has no type byte. */
const wholeMessages = (buffer: Buffer, started: boolean): number => {
  let offset = 0
  let first = !started
  for (;;) {
    const header = first ? startupHeaderBytes : messageHeaderBytes
    if (buffer.length - offset < header) return offset
    const length = buffer.readInt32BE(first ? offset : offset + 1) + (first ? 0 : 1)
    if (buffer.length - offset < length) return offset
    offset += length
    first = false
  }
}

/** A client that gave up on a statement says so on a connection of its own: this number, where others have their version. */
const cancelRequest = 80877102

const isCancelRequest = (startup: Buffer): boolean =>
  startup.length >= 8 && startup.readInt32BE(4) === cancelRequest

/** `ROLLBACK`, as a message. */
const rollback = Buffer.from("Q\0\0\0\x0dROLLBACK\0")

/**
 * Makes streams whose other end is the database: one connection after another, as a client opens them. Destroying a stream does not
 * close the database, nor end a transaction: the next stream begins by rolling back what an earlier one may have left open, since
 * what is said from then on would be part of it and never be committed. A request to cancel is heard and not followed.
 */
export const pgliteStreams = (database: MessageRunner): (() => Duplex) => {
  let used = false
  const begin = async () => {
    if (used) await database.run(rollback, () => undefined)
    used = true
  }
  return () => pgliteStream(database, begin)
}

const pgliteStream = (database: MessageRunner, begin: () => Promise<void>): Duplex => {
  let pending: Array<Buffer> = []
  let pendingBytes = 0
  let needed = 0
  let started = false

  const take = (chunk: Buffer): Buffer | undefined => {
    pending.push(chunk)
    pendingBytes += chunk.length
    // A message of many megabytes comes in many chunks: they are joined once, not again with each.
    if (pendingBytes < needed) return undefined
    const buffer = pending.length === 1 ? chunk : Buffer.concat(pending, pendingBytes)
    const whole = wholeMessages(buffer, started)
    const rest = buffer.subarray(whole)
    pending = rest.length === 0 ? [] : [rest]
    pendingBytes = rest.length
    needed = rest.length >= messageHeaderBytes ? rest.readInt32BE(1) + 1 : 0
    if (whole === 0) return undefined
    started = true
    return buffer.subarray(0, whole)
  }

  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, callback) {
      const isFirst = !started
      const messages = take(chunk)
      if (messages === undefined) return callback()
      if (isFirst && isCancelRequest(messages)) {
        callback()
        this.destroy()
        return
      }
      const run = () => database.run(messages, (piece) => this.push(piece))
      const running = isFirst ? begin().then(run) : run()
      running.then(
        () => callback(),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)))
      )
    }
  })
}
