/** The socket through which the process that works on an embedded brain's jobs answers others. */
import { createHash } from "node:crypto"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { Effect } from "effect"

/** Longer paths than this no system takes for a socket. */
const longestSocketPath = 100

/**
 * Where the process that works on an embedded brain's jobs answers: in the brain's folder, to which only its owner can write; where that
 * has too long a name, in the user's own folder for such things, if the system has one.
 */
export const socketOf = (directory: string): string => {
  const inside = join(resolve(directory), "gbrain-jobs.sock")
  if (Buffer.byteLength(inside) <= longestSocketPath) return inside
  const name = createHash("sha256").update(inside).digest("hex").slice(0, 16)
  return join(process.env["XDG_RUNTIME_DIR"] ?? tmpdir(), `gbrain-${name}.sock`)
}

/** Whether somebody answers there. */
export const answersAt = (path: string): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = connect(path)
    const answer = (is: boolean) => {
      socket.destroy()
      resume(Effect.succeed(is))
    }
    socket.once("connect", () => answer(true))
    socket.once("error", () => answer(false))
    return Effect.sync(() => socket.destroy())
  })
