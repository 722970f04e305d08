/** The processor's time that this process has used up. */
import { readdirSync, readFileSync } from "node:fs"
import { pgliteThreadName } from "../../src/services/database/pglite/thread.ts"

/** Hundredths of a second, in which Linux counts the time of threads. */
const tick = 10

/**
 * Milliseconds of all threads, compiler and garbage collector included, and of them those of the embedded database's thread. The
 * latter is read where Linux shows it, under the name that recent Nodes give a thread, and 0 elsewhere.
 */
export const processorTime = () => {
  const { system, user } = process.cpuUsage()
  return { all: (user + system) / 1000, database: databaseThread() }
}

const databaseThread = () => {
  const threads = readable(() => readdirSync(threadsFolder)) ?? []
  const thread = threads.find((it) => statOf(it, "comm")?.trim() === pgliteThreadName)
  // What follows the name, which may hold blanks: the 12th and 13th of these are user and system time.
  const fields = statOf(thread ?? "", "stat")
    ?.split(") ")[1]
    ?.split(" ")
  return fields === undefined ? 0 : (Number(fields[11]) + Number(fields[12])) * tick
}

const threadsFolder = "/proc/self/task"

const statOf = (thread: string, what: string) =>
  readable(() => readFileSync(`${threadsFolder}/${thread}/${what}`, "utf8"))

// Not everywhere there, and gone when a thread ends.
const readable = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}
