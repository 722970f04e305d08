/**
 * Who we are on this machine: the process id and host name that leases and locks are signed with, and whether another
 * process of this machine is still alive. The one place, outside the command line, that looks at the operating system's
 * process table, so that tests can play several processes and machines in one.
 */
import { Context, Layer } from "effect"
import { hostname } from "node:os"
import { kill, pid } from "node:process"

/** The identity of the running process. */
export class HostProcess extends Context.Service<
  HostProcess,
  {
    /** The operating system's process id. */
    readonly pid: number
    /** The machine's host name. */
    readonly host: string
    /** Whether a process of this machine with that id exists. A process of another user counts as alive. */
    readonly isAlive: (pid: number) => boolean
  }
>()("gbrain/HostProcess") {
  /** This process, as Node sees it. */
  static readonly layer = Layer.sync(HostProcess, () => HostProcess.of({ pid, host: hostname(), isAlive }))
}

const isAlive = (other: number): boolean => {
  try {
    kill(other, 0)
    return true
  } catch (error) {
    // EPERM: it exists, but belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}
